"""Phase 1b: SAM learns to cut. The prompt is made from the truth, in the place that the language model will fill."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.images import sam_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.cache import SplitArrays
from pixelrs_ros.training.concepts import NUM_COLORS, NUM_KINDS, NUM_PARTS
from pixelrs_ros.training.config import LossWeights
from pixelrs_ros.training.losses import boundary_loss, dice_loss, focal_loss, mask_iou
from pixelrs_ros.training.scenes import ScenesPhase
from pixelrs_ros.training.targets import centers, region_mask, soft_targets

MIN_AREA_PX = 20  # at SAM's image size


class OraclePrompt:
    """The prompt a perfect language model would give: what the target is, and where.

    Made like SAM's own point prompts, a positional encoding plus an embedding of what is meant. The embeddings are
    fixed random vectors, so that SAM and the language model can learn to meet there without waiting for one another.
    """

    def __init__(self, miras: Miras, config: MirasConfig) -> None:
        generator = torch.Generator().manual_seed(0)
        sizes = (NUM_KINDS, NUM_COLORS, NUM_PARTS)
        self.what = [0.7 * torch.randn(size, config.sam.prompt_dim, generator=generator) for size in sizes]
        self.position_encoding = miras.sam.prompt_encoder.pe_layer

    @torch.no_grad()
    def __call__(self, concepts: torch.Tensor, places: torch.Tensor, known: torch.Tensor | None = None) -> torch.Tensor:
        """Embed.

        Args:
            concepts: (N, 3) int64 indices of kind, color and part.
            places: (N, 2) float center x, y in [0, 1] of SAM's square.
            known: (N, 2) float, 0 where the place or the kind and color are to be withheld; default: all known.

        Returns:
            (N, 1, C) float.
        """
        place, what, part = (
            self.position_encoding._pe_encoding(places),
            self.what[0][concepts[:, 0]] + self.what[1][concepts[:, 1]],
            self.what[2][concepts[:, 2]],
        )
        if known is not None:
            place, what = place * known[:, :1], what * known[:, 1:]
        return (place + what + part).unsqueeze(1)


class MaskBranch(nn.Module):
    """SAM without the prompts that MIRAS does not use."""

    def __init__(self, miras: Miras, config: MirasConfig) -> None:
        super().__init__()
        self.sam = miras.sam
        for module in (self.sam.prompt_encoder.mask_downscaling, self.sam.prompt_encoder.point_embeddings):
            module.requires_grad_(False)  # MIRAS prompts with neither masks nor points
        self.sam.prompt_encoder.not_a_point_embed.requires_grad_(False)


def sample_regions(split: SplitArrays, image: int, count: int) -> list[int]:
    """Random regions of an image, whole objects and parts in about equal numbers, none too small."""
    areas = np.bincount(np.asarray(split.regions[image]).ravel(), minlength=len(split.objects[image]))
    part_of = split.concepts[image, :, 2]
    parts = [r for r in np.flatnonzero(part_of) if areas[r] >= MIN_AREA_PX]
    wholes = [
        r
        for r in np.flatnonzero((part_of == 0) & (split.objects[image] > 0))
        if _area(split, image, r, areas) >= MIN_AREA_PX
    ]
    chosen: list[int] = []
    for index in range(count):
        pool = parts if index % 2 and parts else wholes
        if pool:
            chosen.append(int(pool[int(torch.randint(len(pool), ()))]))
    return chosen


def _area(split: SplitArrays, image: int, region: int, areas: np.ndarray) -> int:
    return int(areas[split.objects[image] == split.objects[image, region]].sum())


class MasksPhase(ScenesPhase):
    """See the module's docstring."""

    name = "masks"
    module: MaskBranch
    prompts_per_image = 4

    def __init__(
        self, miras: Miras, config: MirasConfig, train: SplitArrays, val: SplitArrays,
        weights: LossWeights, seed: int, num_eval: int,
    ) -> None:  # fmt: skip
        super().__init__(len(train.sam), seed)
        self.config = config
        self.weights = weights
        self.module = MaskBranch(miras, config)
        self.oracle = OraclePrompt(miras, config)
        self.train, self.val = train, val
        self.num_eval = min(num_eval, len(val.sam))

    def _batch(
        self, split: SplitArrays, images: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        pixels = sam_pixels(np.asarray(split.sam[images]), self.config)
        index, masks, concepts = [], [], []
        for row, image in enumerate(images):
            for region in sample_regions(split, int(image), self.prompts_per_image):
                index.append(row)
                masks.append(region_mask(split, int(image), region))
                concepts.append(split.concepts[image, region])
        stacked = np.stack(masks)
        side = self.config.sam.image_size_px
        targets = soft_targets(stacked, side, 4 * self.config.sam.grid_size)
        meant = torch.from_numpy(np.stack(concepts).astype(np.int64))
        return pixels, torch.tensor(index), targets, meant, centers(stacked, side)

    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """Dice, focal, boundary and predicted-IoU losses with prompts as inexact as a language model's will be."""
        pixels, index, targets, concepts, places = self._batch(self.train, images)
        pixels = pixels * (1 + 0.1 * torch.randn(len(images), 1, 1, 1))
        places = places + 0.03 * torch.randn_like(places)
        draw = torch.rand(len(index))
        known = torch.stack([(draw > 0.1).float(), ((draw < 0.1) | (draw > 0.25)).float()], dim=1)
        logits, quality = self.module.sam.decode(
            self.module.sam.encode(pixels), self.oracle(concepts, places, known), index
        )
        return mask_losses(logits, quality, targets, self.weights)

    def measure(self) -> dict[str, float]:
        """Mean IoU of whole objects and of parts with exact oracle prompts, at the decoder's resolution."""
        torch.manual_seed(0)
        ious, parts = [], []
        for start in range(0, self.num_eval, 8):
            images = np.arange(start, min(start + 8, self.num_eval))
            pixels, index, targets, concepts, places = self._batch(self.val, images)
            prompts = self.oracle(concepts, places)
            logits, _ = self.module.sam.decode(self.module.sam.encode(pixels), prompts, index)
            ious.append(mask_iou(logits, targets))
            parts.append(concepts[:, 2] > 0)
        return mean_ious(torch.cat(ious), torch.cat(parts))


def mean_ious(ious: torch.Tensor, parts: torch.Tensor) -> dict[str, float]:
    """Means for the log of (N,) float IoUs, apart for whole objects and, where the (N,) bool is true, for parts."""
    chosen = {"whole_iou": ious[~parts], "part_iou": ious[parts]}
    return {name: float(values.mean()) for name, values in chosen.items() if len(values)}


def mask_losses(
    logits: torch.Tensor, quality: torch.Tensor, targets: torch.Tensor, weights: LossWeights
) -> tuple[torch.Tensor, dict[str, float]]:
    """The weighted sum of the mask losses and the terms for the log.

    Args:
        logits: (N, 1, h, w) float mask logits.
        quality: (N, k) float predicted IoU, of which the first belongs to the single mask.
        targets: (N, 1, h, w) float in [0, 1].
        weights: Of dice, focal and boundary; the predicted IoU's squared error has weight 1.
    """
    dice, focal, edge = dice_loss(logits, targets), focal_loss(logits, targets), boundary_loss(logits, targets)
    iou = mask_iou(logits.detach(), targets)
    score = (quality[:, 0] - iou).square().mean()
    loss = weights.dice * dice + weights.focal * focal + weights.boundary * edge + score
    return loss, {"dice": float(dice.detach()), "focal": float(focal.detach()), "iou": float(iou.mean())}
