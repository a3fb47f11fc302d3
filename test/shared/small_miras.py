"""Networks of next to no size, MIRAS's and the LISA family's, which is MIRAS that sees with CLIP alone."""

from __future__ import annotations

import dataclasses

import torch

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras


def without_high_resolution(config: MirasConfig) -> MirasConfig:
    """The sizes, as LISA v1 has its parts: no second encoder, a linear projector, CLIP's own framing."""
    return dataclasses.replace(
        config, convnext=None, detail=False, pointer=False, framing="clip", projector_hidden_size=None
    )


def build_small(config: MirasConfig, vocab_size: int) -> Miras:
    """An untrained network, the same each time, with weights large enough that it listens."""
    torch.manual_seed(0)
    miras = build_miras(config, vocab_size)
    for parameter in (*miras.language.parameters(), *miras.projector.parameters()):
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return miras.requires_grad_(False).eval()
