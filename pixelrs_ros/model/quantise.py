"""Weight-only quantisation of the language model's linear layers, through torchao."""

from __future__ import annotations

from transformers import PreTrainedModel

from pixelrs_ros.errors import CheckpointError

QUANTISED = ("int8", "int4")


def quantise(language: PreTrainedModel, dtype: str) -> None:
    """Keep the weights of the linear layers, but not of the head, in fewer bits; in place.

    Args:
        language: In bf16, on its device.
        dtype: "int8" (a scale for each output channel) or "int4" (a scale for each group of inputs).

    Raises:
        CheckpointError: torchao is missing or does not serve this device.
    """
    try:
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_
    except ImportError as error:
        raise CheckpointError(f"{dtype} needs torchao; remedy: pip install torchao, or choose bf16") from error
    try:
        quantize_(language.base_model, Int8WeightOnlyConfig() if dtype == "int8" else Int4WeightOnlyConfig())
    except Exception as error:  # torchao asks for other packages and kernels, each on its own devices
        raise CheckpointError(f"torchao cannot make {dtype} weights here: {error}; remedy: choose bf16") from error
