"""High-resolution encoder: transformers' ConvNeXt, all four stages on one grid."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from transformers import ConvNextConfig as HfConvNextConfig
from transformers import ConvNextModel

from pixelrs_ros.config import ConvNextConfig


class ConvNextEncoder(nn.Module):
    """The four stages of a ConvNeXt, bilinearly resized to one grid and concatenated."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        self.grid_size = config.grid_size
        model = ConvNextModel(
            HfConvNextConfig(
                depths=list(config.depths),
                hidden_sizes=list(config.hidden_sizes),
                num_stages=4,
                layer_scale_init_value=1.0,  # the usual 1e-6 is meant for very deep stacks and delays shallow ones
            )
        )
        self.embeddings = model.embeddings
        self.stages = model.encoder.stages  # the pooled output's norm is not part of MIRAS

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode.

        Args:
            pixels: (B, 3, S, S) float, normalized.

        Returns:
            (B, C0+C1+C2+C3, G, G) float.
        """
        features = self.embeddings(pixels)
        resized = []
        for stage in self.stages:
            features = stage(features)
            size = (self.grid_size, self.grid_size)
            resized.append(F.interpolate(features, size=size, mode="bilinear", align_corners=False))
        return torch.cat(resized, dim=1)
