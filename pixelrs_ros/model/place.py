"""Where things are, for language models that were trained without pictures."""

from __future__ import annotations

import math

import torch
from torch import nn


class PlaceEmbedding(nn.Module):
    """Adds a learned vector for its place to every image token, as a vision transformer does to its patches.

    The towers' tokens do not carry it that far: they are trained on what a patch shows.
    """

    def __init__(self, num_patches: int, hidden_size: int) -> None:
        """From zero; `connect` teaches it the places of the oracle's tokens."""
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_patches, hidden_size))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, P, H) float -> (B, P, H) float."""
        return tokens + self.weight


class Pointer(nn.Module):
    """Says from a hidden state which image tokens show what is spoken about."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden_size, 64)
        self.key = nn.Linear(hidden_size, 64)

    def forward(self, hidden: torch.Tensor, image_tokens: torch.Tensor) -> torch.Tensor:
        """(N, H) float hidden states and (N, P, H) float image tokens of their images -> (N, P) float logits."""
        return torch.einsum("nd,npd->np", self.query(hidden), self.key(image_tokens)) / math.sqrt(self.key.out_features)
