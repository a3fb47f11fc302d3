"""SAM 2, or SAM 3's tracker, as transformers has them: a picture is encoded once, a box or a point cuts a mask out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pixelrs_ros.engine.vlm.boxes import Prompt

# What SAM 2's and SAM 3's preprocessor_config.json say; transformers' own processors need torchvision.
MEANS = {"sam2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), "sam3": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))}


class PromptedSam:
    """Cuts masks.

    Attributes:
        model: transformers' own.
        kind: Its `model_type`.

    Args:
        model: transformers' `Sam2Model` or `Sam3TrackerModel`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.kind: str = model.config.model_type
        mean, std = MEANS["sam3" if model.config.model_type.startswith("sam3") else "sam2"]
        weight = next(model.vision_encoder.parameters())
        self._mean, self._std = (torch.tensor(values, device=weight.device).view(1, 3, 1, 1) for values in (mean, std))
        self._dtype = weight.dtype
        self._side = int(model.config.prompt_encoder_config.image_size)
        decoder = model.mask_decoder
        channels = (decoder.conv_s0.out_channels, decoder.conv_s1.out_channels, model.hidden_dim)
        # Of the embedding's levels, the same for every picture.
        self._shapes = [(1, count, *size) for count, size in zip(channels, model.backbone_feature_sizes, strict=True)]

    @property
    def num_bytes(self) -> int:
        """Memory of an embedding."""
        return sum(map(math.prod, self._shapes)) * self._dtype.itemsize

    def encode(self, image: np.ndarray) -> torch.Tensor:
        """All levels of the embedding of an (H, W, 3) uint8 RGB image, flat in one float tensor."""
        levels = self.model.get_image_embeddings(self.pixels(image))
        return torch.cat([level.flatten() for level in levels])

    def pixels(self, image: np.ndarray) -> torch.Tensor:
        """(1, 3, S, S) float, normalized; resized with antialiasing to 8 bits, as torchvision does it."""
        side = self._side
        whole = torch.from_numpy(np.ascontiguousarray(image)).to(self._mean.device).permute(2, 0, 1)[None].float()
        resized = functional.interpolate(whole, (side, side), mode="bilinear", antialias=True).round().clamp(0, 255)
        return ((resized / 255 - self._mean) / self._std).to(self._dtype)

    def cut(self, embedding: torch.Tensor, prompt: Prompt, width_px: int, height_px: int) -> tuple[np.ndarray, float]:
        """One mask.

        Args:
            embedding: From `encode`.
            prompt: In pixels of the picture.
            width_px: The picture's width.
            height_px: The picture's height.

        Returns:
            (H, W) bool at the picture's size, and SAM's own estimate of its IoU in [0, 1].
        """
        side = self._side
        scale = torch.tensor([side / width_px, side / height_px], device=embedding.device)
        given: dict[str, torch.Tensor] = {}
        if prompt.box is not None:
            given["input_boxes"] = (torch.tensor(prompt.box, device=embedding.device) * scale.repeat(2)).view(1, 1, 4)
        if prompt.point is not None:
            given["input_points"] = (torch.tensor(prompt.point, device=embedding.device) * scale).view(1, 1, 1, 2)
        out = self.model(image_embeddings=self._levels(embedding), multimask_output=False, **given)
        low = out.pred_masks.float().view(1, 1, *out.pred_masks.shape[-2:])
        logits = functional.interpolate(low, (height_px, width_px), mode="bilinear", align_corners=False)[0, 0]
        return (logits > 0).cpu().numpy(), float(out.iou_scores.float().flatten()[0].clamp(0, 1))

    def _levels(self, embedding: torch.Tensor) -> list[torch.Tensor]:
        dtype = next(self.model.prompt_encoder.parameters()).dtype
        parts = embedding.to(dtype).split([math.prod(shape) for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]
