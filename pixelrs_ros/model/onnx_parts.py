"""Parts of the network in ONNX Runtime: modules that stand where torch's stood, with the same inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.miras import Miras

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# The first of these that onnxruntime was built with and whose libraries load does the work.
PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")


@dataclass(frozen=True)
class Part:
    """One part of the network that runs in ONNX Runtime.

    Attributes:
        path: The module's place in `Miras`, such as "sam.image_encoder"; dots become underscores in the file's name.
        inputs: Names of its graph's inputs, in the order of the module's arguments.
    """

    path: str
    inputs: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """Of its graph, in the folder of an export."""
        return f"{self.path.replace('.', '_')}.onnx"


MASK_DECODER_INPUTS = ("image_embeddings", "image_pe", "sparse_prompt_embeddings", "dense_prompt_embeddings")
PARTS = (
    Part("clip", ("pixels",)),
    Part("convnext", ("pixels",)),
    Part("sam.image_encoder", ("pixels",)),
    Part("segmentation_prompt", ("hidden",)),
    Part("sam.mask_decoder", MASK_DECODER_INPUTS),
)


def parts_of(miras: Miras) -> list[Part]:
    """Those that a network has: one without a high-resolution encoder has none of it."""
    return [part for part in PARTS if part.path != "convnext" or miras.convnext is not None]


class OnnxModule(nn.Module):
    """A graph in the place of a module: (any shape) float inputs, computed in float32 through the host's memory.

    Args:
        session: Runs the graph.
    """

    def __init__(self, session: InferenceSession) -> None:
        super().__init__()
        self.session = session
        self.input_names = [node.name for node in session.get_inputs()]

    def forward(self, *inputs: torch.Tensor) -> Any:
        """The graph's output, or the tuple of them, on the first input's device and in its type."""
        feeds = {name: x.float().cpu().numpy() for name, x in zip(self.input_names, inputs, strict=True)}
        outputs = tuple(torch.from_numpy(y).to(inputs[0]) for y in self.session.run(None, feeds))
        return outputs if len(outputs) > 1 else outputs[0]


class OnnxMaskDecoder(OnnxModule):
    """SAM's mask decoder for the single-mask output of one prompt."""

    def forward(self, **inputs: Any) -> Any:  # type: ignore[override]
        """The keyword arguments of `SingleMaskDecoder` -> (1, 1, 4h, 4w) logits and (1, 1) predicted IoU."""
        if inputs.pop("multimask_output"):
            raise ValueError("the exported mask decoder computes a single mask")
        return super().forward(*(inputs[name] for name in MASK_DECODER_INPUTS))


def available_providers(device: torch.device) -> list[str]:
    """Execution providers for a device, in the order of preference.

    Raises:
        ConfigError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigError(
            "backend onnx needs onnxruntime; remedy: pip install onnxruntime, on a GPU onnxruntime-gpu in its place"
        ) from error
    there = onnxruntime.get_available_providers()
    wanted = PROVIDERS if device.type == "cuda" else PROVIDERS[-1:]
    return [provider for provider in wanted if provider in there]


def open_session(path: Path, device: torch.device, num_threads: int) -> InferenceSession:
    """A graph, ready to run.

    Args:
        path: The `.onnx` file.
        device: Where to run it; a GPU needs a build of onnxruntime for GPUs, else the CPU does it.
        num_threads: On the CPU.

    Raises:
        ConfigError: onnxruntime is not installed, or the file is missing or cannot be read.
    """
    providers = available_providers(device)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    # Idle threads that spin would take the cores from the language model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    on_gpu = {"device_id": str(device.index or 0)}
    with_options = [(name, {} if name == PROVIDERS[-1] else on_gpu) for name in providers]
    if not path.is_file():
        raise ConfigError(f"no file {path}; remedy: pixelrs export")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=with_options)
    except Exception as error:  # onnxruntime raises many kinds
        raise ConfigError(f"{path} cannot be used: {error}") from error


def use_onnx(miras: Miras, folder: Path, device: torch.device, num_threads: int) -> Sequence[str]:
    """Put the exported parts in the place of torch's.

    Args:
        miras: Changed in place.
        folder: The export's folder.
        device: See `open_session`.
        num_threads: See `open_session`.

    Returns:
        The execution providers that do the work, the preferred first.

    Raises:
        ConfigError: See `open_session`.
    """
    sessions = {part.path: open_session(folder / part.file_name, device, num_threads) for part in parts_of(miras)}
    for path, session in sessions.items():
        owner, _, name = path.rpartition(".")
        kind = OnnxMaskDecoder if name == "mask_decoder" else OnnxModule
        setattr(miras.get_submodule(owner), name, kind(session))
    return list(sessions["clip"].get_providers())
