"""Which parts of a network the published recipe trains: LoRA on the language model, and whole parts beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from torch import nn

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.adapter import add_lora
from pixelrs_ros.model.clip import ClipEncoder
from pixelrs_ros.model.convnext import ConvNextEncoder
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.config import TrainableConfig


def choose_trainable(miras: Miras, config: TrainableConfig) -> None:
    """Put the adapter into the language model, in place, and mark what is trained.

    Args:
        miras: A finished network.
        config: What is trained; everything else asks for no gradient afterwards.

    Raises:
        ConfigError: No part is trained, or the language model has no layer of the adapter's names.
    """
    miras.requires_grad_(False)
    if config.lora:
        add_lora(miras.language, config.lora)
    for part in _parts(miras, config):
        part.requires_grad_(True)
    if not any(parameter.requires_grad for parameter in miras.parameters()):
        raise ConfigError("trainable: no part is trained; remedy: set at least one of its keys")


def kept_exact(miras: Miras, config: TrainableConfig) -> Iterator[nn.Parameter]:
    """What is fp32 while the rest is bf16: the parts that are trained, and all norms and biases, which are small."""
    yield from (parameter for parameter in miras.parameters() if parameter.ndim < 2)
    for part in _parts(miras, config):
        yield from part.parameters()


def _parts(miras: Miras, config: TrainableConfig) -> list[nn.Module]:
    parts: list[nn.Module] = []
    if config.embeddings:
        parts += [miras.language.get_input_embeddings(), miras.language.get_output_embeddings()]
    if config.segmentation_prompt:
        parts += [part for part in (miras.segmentation_prompt, miras.pointer) if part is not None]
    if config.mask_decoder:
        parts.append(miras.sam.mask_decoder)
    if config.fusion_and_projector:
        parts += [part for part in (miras.fusion, miras.projector) if part is not None]
    if config.clip_upper_half:
        clip = cast(ClipEncoder, miras.clip)
        layers = clip.vision_model.encoder.layers
        used = len(layers) + 1 + clip.select_layer  # those above the selected layer do nothing
        parts += layers[used // 2 : used]
    if config.convnext_last_blocks:
        stages = cast(ConvNextEncoder, miras.convnext).stages
        blocks = [block for stage in stages for block in cast(nn.ModuleList, stage.layers)]
        parts += blocks[-config.convnext_last_blocks :]
    return parts
