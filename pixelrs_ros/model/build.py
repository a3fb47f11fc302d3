"""The only assembler of MIRAS."""

from __future__ import annotations

import math

from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.clip import ClipEncoder
from pixelrs_ros.model.convnext import ConvNextEncoder
from pixelrs_ros.model.fusion import PatchInformationMining
from pixelrs_ros.model.language import build_language_model
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.sam import build_sam


def build_miras(config: MirasConfig, vocab_size: int) -> Miras:
    """An untrained MIRAS.

    Args:
        config: Every size.
        vocab_size: Tokens of the tokenizer, special ones included.
    """
    language = build_language_model(config.language, vocab_size)
    hidden_size = language.config.hidden_size
    projector = nn.Sequential(
        nn.Linear(config.clip.hidden_size, config.projector_hidden_size),
        nn.GELU(),
        nn.Linear(config.projector_hidden_size, hidden_size),
    )
    segmentation_prompt = nn.Sequential(
        nn.Linear(hidden_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, config.sam.prompt_dim)
    )
    return Miras(
        clip=ClipEncoder(config.clip),
        convnext=ConvNextEncoder(config.convnext),
        fusion=PatchInformationMining(config.clip.hidden_size, config.convnext.out_channels),
        projector=projector,
        language=language,
        segmentation_prompt=segmentation_prompt,
        sam=build_sam(config.sam),
    )


def count_parameters(module: nn.Module) -> int:
    """Number of parameters."""
    return sum(math.prod(parameter.shape) for parameter in module.parameters())
