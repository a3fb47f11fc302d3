"""Stand-ins made from the truth, so that sight, words and masks can be learned before they meet."""

from __future__ import annotations

import math

import torch
from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.simulated.concepts import COLOR_NAMES, KIND_NAMES, PART_NAMES, SIZES


class OraclePrompt(nn.Module):
    """The prompt a perfect language model would give: what the target is, and where.

    Made like SAM's own point prompts, a positional encoding plus an embedding of what is meant. The embeddings are
    fixed random vectors, so that SAM and the language model can learn to meet there without waiting for one another.
    """

    kinds: torch.Tensor
    colors: torch.Tensor
    parts: torch.Tensor

    def __init__(self, miras: Miras, config: MirasConfig) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        for name, size in zip(("kinds", "colors", "parts"), SIZES, strict=True):
            table = 0.7 * torch.randn(size, config.sam.prompt_dim, generator=generator)
            self.register_buffer(name, table, persistent=False)
        self._encode = [miras.sam.prompt_encoder.pe_layer]  # in a list: it is SAM's, not a part of this

    @torch.no_grad()
    def forward(self, concepts: torch.Tensor, places: torch.Tensor, known: torch.Tensor | None = None) -> torch.Tensor:
        """Embed.

        Args:
            concepts: (N, 3) int64 indices of kind, color and part.
            places: (N, 2) float center x, y in [0, 1] of SAM's square.
            known: (N, 2) float, 0 where the place or the kind and color are to be withheld; default: all known.

        Returns:
            (N, 1, C) float.
        """
        place = self._encode[0]._pe_encoding(places.float())
        what = self.kinds[concepts[:, 0]] + self.colors[concepts[:, 1]]
        if known is not None:
            place, what = place * known[:, :1], what * known[:, 1:]
        return (place + what + self.parts[concepts[:, 2]]).unsqueeze(1)


class OracleTokens(nn.Module):
    """Image tokens made from the truth: the sum of the words that name what a patch shows, and a place.

    Since the picture speaks in the language model's own words, finding what was named is matching like with like.
    """

    words: torch.Tensor

    def __init__(self, layout: ChatLayout, config: MirasConfig, hidden_size: int, scale: float) -> None:
        """Random places and names of nothing, as large as `scale`, the standard deviation of word embeddings."""
        super().__init__()
        names = [layout.word(name) for name in (*KIND_NAMES, *COLOR_NAMES, *PART_NAMES)]
        longest = max(map(len, names))
        words = torch.tensor([ids + [-1] * (longest - len(ids)) for ids in names])
        self.register_buffer("words", words, persistent=False)
        self.nothing = nn.Parameter(scale * torch.randn(len(SIZES), hidden_size))
        self.where = nn.Parameter(scale * _smooth_places(config.clip.grid_size, hidden_size))

    def forward(self, shares: torch.Tensor, embeddings: nn.Module) -> torch.Tensor:
        """Embed.

        Args:
            shares: (B, P, classes) float, share of each patch per kind, color and part, "none" first in each group.
            embeddings: (…) int64 token ids -> (…, H) float word embeddings.

        Returns:
            (B, P, H) float.
        """
        groups = shares.split(SIZES, -1)
        named = torch.cat([group[..., 1:] for group in groups], dim=-1)
        unnamed = torch.stack([group[..., 0] for group in groups], dim=-1)
        spoken = (self.words >= 0).unsqueeze(-1).to(shares.dtype)
        words = (embeddings(self.words.clamp(min=0)) * spoken).sum(dim=1) / spoken.sum(dim=1)
        return named @ words.to(shares.dtype) + unnamed @ self.nothing + self.where


def _smooth_places(grid: int, hidden_size: int) -> torch.Tensor:
    """(grid * grid, H) float: random directions for slow waves along x and y, so that neighbors are alike."""
    line = (torch.arange(grid) + 0.5) / grid
    y, x = torch.meshgrid(line, line, indexing="ij")
    waves = [wave(math.pi * k * axis) for axis in (x, y) for k in (0.5, 1, 2, 4) for wave in (torch.sin, torch.cos)]
    features = torch.stack([2 * x - 1, 2 * y - 1, *waves], dim=-1).flatten(0, 1)
    return features @ torch.randn(features.shape[1], hidden_size) / math.sqrt(features.shape[1] / 2)
