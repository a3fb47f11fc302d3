"""Low-resolution encoder: transformers' CLIP vision transformer."""

from __future__ import annotations

import torch
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from pixelrs_ros.config import ClipConfig


class ClipEncoder(nn.Module):
    """Patch tokens of one hidden layer of a CLIP vision transformer, class token dropped."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.select_layer = config.select_layer
        self.vision_model = CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=config.hidden_size,
                intermediate_size=config.intermediate_size,
                num_hidden_layers=config.num_layers,
                num_attention_heads=config.num_heads,
                image_size=config.image_size_px,
                patch_size=config.patch_size_px,
                hidden_act=config.hidden_act,
                layer_norm_eps=config.layer_norm_eps,
            )
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode.

        Args:
            pixels: (B, 3, S, S) float, normalized with CLIP's mean and deviation.

        Returns:
            (B, P, C) float patch tokens, row by row.
        """
        hidden_states = self.vision_model(pixel_values=pixels, output_hidden_states=True).hidden_states
        return hidden_states[self.select_layer][:, 1:]
