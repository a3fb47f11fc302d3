"""A checkpoint of kind vlm from its folders: only safetensors, strictly, nothing from a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.config import VlmConfig
from pixelrs_ros.engine.vlm.qwen import Qwen
from pixelrs_ros.engine.vlm.sam import PromptedSam
from pixelrs_ros.errors import CheckpointError

_LANGUAGES = {
    "qwen3_vl": "Qwen3VLForConditionalGeneration",
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
}
_SAMS = {  # the published folders are the video models', of which only the part for pictures is loaded
    "sam2": "Sam2Model", "sam2_video": "Sam2Model",
    "sam3_tracker": "Sam3TrackerModel", "sam3_video": "Sam3TrackerModel",
}  # fmt: skip
_UNLOADABLE = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError)  # transformers' ways to say so


def load_language(folder: Path, config: VlmConfig, device: str, dtype: torch.dtype) -> tuple[Qwen, Tokenizer]:
    """The vision-language model and its tokenizer.

    Args:
        folder: The checkpoint's.
        config: Its configuration.
        device: A torch device.
        dtype: Of the weights.

    Raises:
        CheckpointError: A file is missing or malformed, of another model, or does not fit; or the device is not there.
    """
    source = folder / config.language
    model = _load(source, _LANGUAGES, device, dtype)
    tokenizer, processor = load_words(source)
    return Qwen(model, processor, config.max_pixels), tokenizer


def load_words(source: Path) -> tuple[Tokenizer, Any]:
    """A vision-language model's tokenizer, and transformers' processor of its pictures.

    Raises:
        CheckpointError: A file is missing or malformed.
    """
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    try:
        return (
            Tokenizer.from_file(str(source / "tokenizer.json")),
            Qwen2VLImageProcessorPil.from_pretrained(source, local_files_only=True),
        )
    except Exception as error:  # tokenizers raises plain Exception; all mean the same
        raise CheckpointError(
            f"{source}: tokenizer.json or preprocessor_config.json cannot be read: {error}"
        ) from error


def empty_networks(folder: Path, config: VlmConfig) -> dict[Path, Any]:
    """The vision-language model and SAM without memory for their weights, by their folders in this order.

    Raises:
        CheckpointError: A `config.json` is missing or malformed, or of another model.
    """
    return {folder / config.language: _empty(folder / config.language, _LANGUAGES),
            folder / config.sam: _empty(folder / config.sam, _SAMS)}  # fmt: skip


def load_sam(folder: Path, config: VlmConfig, device: str, dtype: torch.dtype) -> PromptedSam:
    """SAM 2, or SAM 3's tracker. Arguments and errors are those of `load_language`.

    Of the weights only those that see the picture are of that type, which are nearly all. Where a box lies is computed
    precisely: in 16 bits it would be known to no better than some pixels.
    """
    model = _load(folder / config.sam, _SAMS, device, torch.float32)
    for part in (model.vision_encoder, model.mask_decoder.conv_s0, model.mask_decoder.conv_s1):
        part.to(dtype)
    model.no_memory_embedding.data = model.no_memory_embedding.data.to(dtype)
    return PromptedSam(model)


def empty_parts(folder: Path, config: VlmConfig) -> nn.ModuleDict:
    """The networks without memory for their weights, taken apart for `pixelrs_ros.model.memory`.

    Args:
        folder: The checkpoint's.
        config: Its configuration.

    Returns:
        "vision", "language", "head" where it is no other name of the language model's table, and "sam".

    Raises:
        CheckpointError: A `config.json` is missing or malformed, or of another model.
    """
    model = _empty(folder / config.language, _LANGUAGES)
    parts = {"vision": model.model.visual, "language": model.model.language_model, "head": model.lm_head}
    if model.lm_head.weight is model.get_input_embeddings().weight:
        del parts["head"]
    return nn.ModuleDict({**parts, "sam": _empty(folder / config.sam, _SAMS)})


def _empty(source: Path, classes: dict[str, str]) -> Any:
    made, config = _described(source, classes)
    try:
        with torch.device("meta"):
            return made(config)
    except _UNLOADABLE as error:
        raise _unloadable(source, made, error) from error


def _load(source: Path, classes: dict[str, str], device: str, dtype: torch.dtype) -> Any:
    import transformers

    made, config = _described(source, classes)
    transformers.logging.disable_progress_bar()  # a node's log is no place for one
    try:
        model, told = made.from_pretrained(
            source, config=config, dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except _UNLOADABLE as error:
        raise _unloadable(source, made, error) from error
    absent = sorted(told["missing_keys"]) + sorted(str(one) for one in told.get("mismatched_keys") or ())
    if absent:
        more = f" and {len(absent) - 8} more" if len(absent) > 8 else ""
        raise CheckpointError(f"{source} lacks weights of {made.__name__}: {', '.join(absent[:8])}{more}")
    try:
        return model.to(device).requires_grad_(False).eval()
    except (RuntimeError, AssertionError) as error:
        raise CheckpointError(f"device {device!r} cannot be used: {error}; remedy: set device to cpu") from error


def _described(source: Path, classes: dict[str, str]) -> tuple[Any, Any]:
    """Transformers' class of what lies in a folder, and the configuration for it."""
    import transformers

    content = read_json(source / "config.json")
    kind = str(content.get("model_type", ""))
    if kind not in classes:
        raise CheckpointError(f"{source / 'config.json'}: model_type {kind!r} is none of {', '.join(classes)}")
    made = getattr(transformers, classes[kind])
    try:
        return made, made.config_class.from_dict({**content, "model_type": made.config_class.model_type})
    except _UNLOADABLE as error:
        raise _unloadable(source, made, error) from error


def _unloadable(source: Path, made: Any, error: Exception) -> CheckpointError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return CheckpointError(f"{source} cannot be loaded as {made.__name__}: {reason}")
