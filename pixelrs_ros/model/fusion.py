"""Patch-information mining (Mini-Gemini, arXiv 2403.18814, section 3.2): each token looks into its own patch."""

from __future__ import annotations

import math

import torch
from torch import nn


class PatchInformationMining(nn.Module):
    """Each low-resolution token attends to the high-resolution cells under its patch; the result is added to it."""

    def __init__(self, low_channels: int, high_channels: int) -> None:
        super().__init__()
        self.query_projector = nn.Sequential(nn.LayerNorm(low_channels), nn.Linear(low_channels, low_channels))
        self.key_projector = nn.Sequential(nn.LayerNorm(high_channels), nn.Linear(high_channels, low_channels))
        self.value_projector = nn.Sequential(nn.LayerNorm(high_channels), nn.Linear(high_channels, low_channels))

    def forward(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """Fuse.

        Args:
            low: (B, g*g, C) float CLIP patch tokens.
            high: (B, D, k*g, k*g) float ConvNeXt grid; k is 2 in MIRAS, so that four cells lie under a patch.

        Returns:
            (B, g*g, C) float.
        """
        batch, channels, side, _ = high.shape
        grid = math.isqrt(low.shape[1])
        k = side // grid
        cells = high.view(batch, channels, grid, k, grid, k).permute(0, 2, 4, 3, 5, 1)
        cells = cells.reshape(batch, grid * grid, k * k, channels)
        query = self.query_projector(low).unsqueeze(2)
        scores = (query * self.key_projector(cells)).sum(dim=-1) / math.sqrt(low.shape[-1])
        mined = (scores.softmax(dim=-1).unsqueeze(-1) * self.value_projector(cells)).sum(dim=2)
        return low + mined
