"""Supervision computed from region maps: what each patch shows, each region's mask, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from pixelrs_ros.training.cache import MAX_REGIONS, SplitArrays
from pixelrs_ros.training.concepts import NUM_COLORS, NUM_KINDS, NUM_PARTS


@dataclass(frozen=True)
class PatchConcepts:
    """Share of each patch's pixels per kind, color and part: each (B, G*G, classes) float32, summing to 1."""

    kinds: torch.Tensor
    colors: torch.Tensor
    parts: torch.Tensor

    def flat(self) -> torch.Tensor:
        """(B, G*G, NUM_KINDS + NUM_COLORS + NUM_PARTS) float32."""
        return torch.cat([self.kinds, self.colors, self.parts], dim=-1)


def patch_regions(split: SplitArrays, images: np.ndarray, grid: int) -> torch.Tensor:
    """Share of each grid cell's pixels per region.

    Args:
        split: The data.
        images: (B,) int, which images.
        grid: Cells along one side.

    Returns:
        (B, G*G, MAX_REGIONS) float32, summing to 1 over the regions.
    """
    regions = np.asarray(split.regions[images])
    batch, height, width = regions.shape
    rows = np.arange(height) * grid // height
    columns = np.arange(width) * grid // width
    cells = rows[:, None] * grid + columns[None, :]
    flat = (np.arange(batch)[:, None, None] * grid * grid + cells) * MAX_REGIONS + regions
    counts = np.bincount(flat.ravel(), minlength=batch * grid * grid * MAX_REGIONS)
    shares = torch.from_numpy(counts.reshape(batch, grid * grid, MAX_REGIONS)).float()
    return shares / shares.sum(dim=-1, keepdim=True)


def patch_concepts(split: SplitArrays, images: np.ndarray, grid: int) -> PatchConcepts:
    """What each cell of a grid shows.

    Args:
        split: The data.
        images: (B,) int, which images.
        grid: Cells along one side.
    """
    shares = patch_regions(split, images, grid)
    concepts = torch.from_numpy(split.concepts[images].astype(np.int64))
    kinds, colors, parts = (
        shares @ F.one_hot(concepts[..., index], classes).float()
        for index, classes in enumerate((NUM_KINDS, NUM_COLORS, NUM_PARTS))
    )
    return PatchConcepts(kinds, colors, parts)


def region_mask(split: SplitArrays, image: int, region: int) -> np.ndarray:
    """(h, w) bool at SAM's image size: a part's own pixels, or all pixels of a whole object."""
    return np.isin(np.asarray(split.regions[image]), region_members(split, image, region))


def region_members(split: SplitArrays, image: int, region: int) -> np.ndarray:
    """(R,) int: the part itself, or every region of a whole object."""
    if split.concepts[image, region, 2]:
        return np.array([region])
    members = np.flatnonzero(split.objects[image] == split.objects[image, region])
    return members[members > 0]


def soft_targets(masks: np.ndarray, side: int, low_side: int) -> torch.Tensor:
    """Masks at the decoder's resolution.

    Args:
        masks: (N, h, w) bool or float in [0, 1] at SAM's image size before padding.
        side: SAM's padded square.
        low_side: Side of the decoder's output.

    Returns:
        (N, 1, low_side, low_side) float32, the covered share of each cell.
    """
    tensor = torch.from_numpy(masks).float().unsqueeze(1)
    tensor = F.pad(tensor, (0, side - masks.shape[2], 0, side - masks.shape[1]))
    return F.interpolate(tensor, (low_side, low_side), mode="area")


def centers(masks: np.ndarray, side: int) -> torch.Tensor:
    """(N, h, w) bool -> (N, 2) float32: x and y of the centroids in [0, 1] of SAM's padded square."""
    rows = np.arange(masks.shape[1], dtype=np.float32)[None, :, None] + 0.5
    columns = np.arange(masks.shape[2], dtype=np.float32)[None, None, :] + 0.5
    area = np.maximum(masks.sum(axis=(1, 2)), 1)
    x = (masks * columns).sum(axis=(1, 2)) / area
    y = (masks * rows).sum(axis=(1, 2)) / area
    return torch.from_numpy(np.stack([x, y], axis=1) / side).float()
