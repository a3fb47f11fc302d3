"""Phase 1a: the vision towers learn to see. Every patch names its kind, color and part."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.images import clip_pixels, convnext_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.cache import SplitArrays
from pixelrs_ros.training.concepts import NUM_COLORS, NUM_KINDS, NUM_PARTS
from pixelrs_ros.training.scenes import ScenesPhase
from pixelrs_ros.training.targets import patch_concepts

SIZES = (NUM_KINDS, NUM_COLORS, NUM_PARTS)


class Towers(nn.Module):
    """The two encoders and their fusion, with linear heads that are thrown away after training."""

    def __init__(self, miras: Miras, config: MirasConfig) -> None:
        super().__init__()
        self.clip = miras.clip
        self.convnext = miras.convnext
        self.fusion = miras.fusion
        self.fused_head = nn.Sequential(
            nn.LayerNorm(config.clip.hidden_size), nn.Linear(config.clip.hidden_size, sum(SIZES))
        )
        self.grid_norm = nn.GroupNorm(1, config.convnext.out_channels)
        self.grid_head = nn.Conv2d(config.convnext.out_channels, sum(SIZES), kernel_size=1)

    def forward(self, clip_pixels: torch.Tensor, convnext_pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits per CLIP patch (B, g*g, classes) and per ConvNeXt cell (B, 4*g*g, classes)."""
        high = self.convnext(convnext_pixels)
        fused = self.fusion(self.clip(clip_pixels), high)
        return self.fused_head(fused), self.grid_head(self.grid_norm(high)).flatten(2).transpose(1, 2)


def dense_loss(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each of the three groups of classes against the shares of the patch.

    Patches that show only background count a fifth, since most do.

    Args:
        logits: (B, P, NUM_KINDS + NUM_COLORS + NUM_PARTS) float.
        shares: The same shape, each group summing to 1.
    """
    losses = [
        -(share * group.log_softmax(dim=-1)).sum(dim=-1)
        for group, share in zip(logits.split(SIZES, -1), shares.split(SIZES, -1), strict=True)
    ]
    weight = torch.where(shares[..., 0] > 0.97, 0.2, 1.0)
    return (torch.stack(losses).sum(dim=0) * weight).sum() / weight.sum()


class TowersPhase(ScenesPhase):
    """See the module's docstring."""

    name = "towers"
    module: Towers

    def __init__(
        self, miras: Miras, config: MirasConfig, train: SplitArrays, val: SplitArrays, seed: int, num_eval: int
    ) -> None:
        super().__init__(len(train.clip), seed)
        self.config = config
        self.module = Towers(miras, config)
        self.module.convnext.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.train, self.val = train, val
        self.num_eval = min(num_eval, len(val.clip))

    def _inputs(self, split: SplitArrays, images: np.ndarray, *, augment: bool) -> tuple[torch.Tensor, torch.Tensor]:
        clip = clip_pixels(np.asarray(split.clip[images]), self.config)
        high = convnext_pixels(np.asarray(split.convnext[images]), self.config)
        if augment:  # exposure of the camera; hue stays, it carries the colors' names
            gain = 1 + 0.15 * torch.randn(len(images), 1, 1, 1)
            offset = 0.1 * torch.randn(len(images), 1, 1, 1)
            clip, high = clip * gain + offset, high * gain + offset
        return clip, high.contiguous(memory_format=torch.channels_last)

    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """Dense cross-entropy on the fused tokens and on the high-resolution grid."""
        clip, high = self._inputs(self.train, images, augment=True)
        grid = self.config.clip.grid_size
        coarse = patch_concepts(self.train, images, grid).flat()
        fine = patch_concepts(self.train, images, 2 * grid).flat()
        if torch.rand(()) < 0.5:
            clip, high = clip.flip(-1), high.flip(-1)
            coarse, fine = (
                x.unflatten(1, (-1, side)).flip(2).flatten(1, 2) for x, side in ((coarse, grid), (fine, 2 * grid))
            )
        fused_logits, grid_logits = self.module(clip, high)
        fused, fine_loss = dense_loss(fused_logits, coarse), dense_loss(grid_logits, fine)
        return fused + 0.5 * fine_loss, {"fused": float(fused.detach()), "grid": float(fine_loss.detach())}

    def measure(self) -> dict[str, float]:
        """Share of patches that mostly show an object whose kind, color and part are named right."""
        right = np.zeros(3)
        counted = np.zeros(3)
        for start in range(0, self.num_eval, 32):
            images = np.arange(start, min(start + 32, self.num_eval))
            logits, _ = self.module(*self._inputs(self.val, images, augment=False))
            shares = patch_concepts(self.val, images, self.config.clip.grid_size).flat()
            for index, (group, share) in enumerate(zip(logits.split(SIZES, -1), shares.split(SIZES, -1), strict=True)):
                # Among the patches that are at least half object; for parts, half one named part.
                value, truth = share[..., 1:].max(dim=-1)
                shown = value > 0.5
                right[index] += (group[..., 1:].argmax(dim=-1) == truth)[shown].sum().item()
                counted[index] += shown.sum().item()
        return {name: right[i] / max(counted[i], 1) for i, name in enumerate(("kind", "color", "part"))}
