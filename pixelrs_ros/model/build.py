"""The only assembler of MIRAS."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
from collections.abc import Iterator

from torch import nn
from transformers import PreTrainedModel

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.clip import ClipEncoder
from pixelrs_ros.model.convnext import ConvNextEncoder
from pixelrs_ros.model.efficientnet import EfficientNetEncoder
from pixelrs_ros.model.fusion import PatchInformationMining
from pixelrs_ros.model.language import build_language_model
from pixelrs_ros.model.miras import Detail, Miras
from pixelrs_ros.model.place import PlaceEmbedding, Pointer
from pixelrs_ros.model.reader import Reader
from pixelrs_ros.model.sam import build_sam

_HIGH_RESOLUTION = {"convnext": ConvNextEncoder, "efficientnet_lite0": EfficientNetEncoder}
_ONE_AT_A_TIME = threading.Lock()  # what `parameters_on_meta` changes, it changes for every thread


def build_miras(config: MirasConfig, vocab_size: int, *, empty: bool = False) -> Miras:
    """An untrained MIRAS.

    Args:
        config: Every size.
        vocab_size: Tokens of the tokenizer, special ones included.
        empty: Leave the parameters without memory, on the meta device, to be given some; buffers have their values.
    """
    with parameters_on_meta() if empty else contextlib.nullcontext():
        return _assemble(config, build_language_model(config.language, vocab_size))


def _assemble(config: MirasConfig, language: PreTrainedModel) -> Miras:
    hidden_size = language.config.hidden_size
    sizes = (config.clip.hidden_size, config.projector_hidden_size, hidden_size)
    linear = [nn.Linear(a, b) for a, b in itertools.pairwise(size for size in sizes if size is not None)]
    projector = nn.Sequential(
        *(linear if len(linear) == 1 else [linear[0], nn.GELU(), linear[1]]),
        *([PlaceEmbedding(config.clip.num_patches, hidden_size)] if config.pointer else []),
    )
    segmentation_prompt = nn.Sequential(
        nn.Linear(hidden_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, config.sam.prompt_dim)
    )
    high = config.convnext
    return Miras(
        clip=ClipEncoder(config.clip),
        convnext=_HIGH_RESOLUTION[high.architecture](high) if high else None,
        fusion=PatchInformationMining(config.clip.hidden_size, high.out_channels) if high and config.fusion else None,
        projector=projector,
        language=language,
        segmentation_prompt=segmentation_prompt,
        sam=build_sam(config.sam),
        pointer=Pointer(hidden_size) if config.pointer else None,
        detail=Detail(high.out_channels, config.sam.prompt_dim, config.sam.grid_size)
        if high and config.detail
        else None,
        reader=Reader(config.reader, hidden_size) if config.reader else None,
    )


@contextlib.contextmanager
def parameters_on_meta() -> Iterator[None]:
    """Modules made meanwhile have parameters on the meta device and buffers with memory and values.

    `torch.device("meta")` would take the values of the buffers too, and those that no file holds would be lost.
    """
    original = nn.Module.register_parameter

    def register(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None and not parameter.is_meta:
            parameter = nn.Parameter(parameter.to("meta"), requires_grad=parameter.requires_grad)
        original(module, name, parameter)

    with _ONE_AT_A_TIME:
        nn.Module.register_parameter = register  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            nn.Module.register_parameter = original  # type: ignore[method-assign]


def count_parameters(module: nn.Module) -> int:
    """Number of parameters."""
    return sum(math.prod(parameter.shape) for parameter in module.parameters())
