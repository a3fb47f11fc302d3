"""Masks to labelme polygons and back. A hole is reached through a keyhole, a cut that is walked both ways."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Polygon = list[tuple[float, float]]


def mask_to_polygons(mask: np.ndarray) -> list[Polygon]:
    """Outlines a mask.

    Args:
        mask: (H, W) bool.

    Returns:
        One closed polygon [(x, y), …] in px through pixel centers for each connected region, holes included, so that
        an even–odd fill which paints its edges gives the mask back; largest region first.
    """
    contours, hierarchy = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    regions: dict[int, np.ndarray] = {}
    holes: dict[int, list[np.ndarray]] = {}
    for index, contour in enumerate(contours):
        parent = int(hierarchy[0][index][3])
        if parent < 0:
            regions[index] = contour[:, 0]
        else:
            holes.setdefault(parent, []).append(contour[:, 0])
    outlines = [_with_keyholes(outline, holes.get(index, [])) for index, outline in regions.items()]
    outlines.sort(key=lambda outline: -cv2.contourArea(outline))
    return [[(float(x), float(y)) for x, y in _at_least_three(outline)] for outline in outlines]


def _with_keyholes(outline: np.ndarray, holes: Sequence[np.ndarray]) -> np.ndarray:
    """Joins (N, 2) int outlines of holes to their region's by the shortest cut, nearest hole first."""
    waiting = list(holes)
    while waiting:
        cuts = [_nearest(outline, hole) for hole in waiting]
        index = min(range(len(cuts)), key=lambda i: cuts[i][0])
        _, at_outline, at_hole = cuts[index]
        loop = np.roll(waiting.pop(index), -at_hole, axis=0)
        outline = np.concatenate([outline[: at_outline + 1], loop, loop[:1], outline[at_outline:]])
    return outline


def _nearest(first: np.ndarray, second: np.ndarray) -> tuple[int, int, int]:
    """Squared distance in px² and the indices of the nearest two points of (N, 2) and (M, 2)."""
    squared = ((first[:, None].astype(np.int64) - second[None]) ** 2).sum(axis=2)
    at_first, at_second = np.unravel_index(int(squared.argmin()), squared.shape)
    return int(squared[at_first, at_second]), int(at_first), int(at_second)


def _at_least_three(outline: np.ndarray) -> np.ndarray:
    """Labelme wants three points; a region of one or two pixels repeats its own."""
    return outline if len(outline) >= 3 else outline[np.arange(3) % len(outline)]


def polygons_to_mask(polygons: Sequence[Sequence[Sequence[float]]], height_px: int, width_px: int) -> np.ndarray:
    """Fills polygons.

    Args:
        polygons: Each at least three (x, y) in px; they may reach beyond the image.
        height_px: The image's height.
        width_px: The image's width.

    Returns:
        (H, W) bool, the union of the polygons' even–odd fills with their edges.
    """
    mask = np.zeros((height_px, width_px), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.rint(np.asarray(polygon, dtype=np.float64)).astype(np.int32)], 1)
    return mask.astype(bool)
