"""The plane that a target stands on, found in the depth around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.geometry.depth import Rules

_POINTS = 1500  # about so many are looked at
_TRIES = 96  # finds a plane of a third of the points with a chance of 97 % (Fischler and Bolles 1981)
_MIN_SHARE = 0.35  # of the points around, for a plane to be taken for a support
_MIN_POINTS = 50
_MIN_WINDOW_PX = 24
_THICKNESS = 0.5  # of what neighbors on a surface may differ by


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane in the optical frame.

    Attributes:
        point_m: (3,) float64, a point of it.
        normal: (3,) float64 of unit length, either way round.
    """

    point_m: np.ndarray
    normal: np.ndarray


def support_plane(
    mask: np.ndarray, depth_m: np.ndarray, camera: Camera, rules: Rules, least_reach_px: int = _MIN_WINDOW_PX
) -> Plane | None:
    """The largest plane around a target: of the table, the shelf, the floor, or the wall behind.

    RANSAC over the pixels around the mask, as far from it as half of its own size, then least squares.

    Args:
        mask: (H, W) bool, not empty.
        depth_m: (H, W) float32.
        camera: The camera that these arrays are of.
        rules: Which depth is used, and how far from the plane a point may lie.
        least_reach_px: How far around the mask is looked at the least, also where the mask is small.

    Returns:
        None when no plane holds a third of the points around. The same input gives the same plane.
    """
    pixels = _around(mask, depth_m, rules.depth_range_m, least_reach_px)
    if len(pixels) < _MIN_POINTS:
        return None
    z_m = depth_m[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    points = np.column_stack([camera.rays_of_many(pixels) * z_m[:, None], z_m])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < _MIN_POINTS:
        return None
    near = _THICKNESS * rules.max_step * points[:, 2]
    chosen = points[np.random.default_rng(0).integers(0, len(points), (_TRIES, 3))]
    normals = np.cross(chosen[:, 1] - chosen[:, 0], chosen[:, 2] - chosen[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 1e-12)
    away = np.abs(points @ normals.T - (normals * chosen[:, 0]).sum(axis=1)) <= near[:, None]
    best = int(np.where(lengths[:, 0] > 1e-12, away.sum(axis=0), 0).argmax())
    inside = away[:, best]
    for _ in range(2):
        if inside.sum() < max(3, _MIN_SHARE * len(points)):
            return None
        middle = points[inside].mean(axis=0)
        _, axes = np.linalg.eigh((points[inside] - middle).T @ (points[inside] - middle))
        inside = np.abs((points - middle) @ axes[:, 0]) <= near
    return Plane(middle, axes[:, 0])


def _around(
    mask: np.ndarray, depth_m: np.ndarray, depth_range_m: tuple[float, float], least_reach_px: int
) -> np.ndarray:
    """(N, 2) x and y of an even grid of pixels with a depth around the mask."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    reach = max(least_reach_px, max(width, height) // 2)
    rows = slice(max(0, top - reach), min(mask.shape[0], top + height + reach))
    columns = slice(max(0, left - reach), min(mask.shape[1], left + width + reach))
    step = max(1, int(((rows.stop - rows.start) * (columns.stop - columns.start) / _POINTS) ** 0.5))
    grid = slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step)
    usable = cv2.inRange(np.ascontiguousarray(depth_m[grid]), *depth_range_m).view(np.bool_)
    y, x = np.nonzero(usable & ~mask[grid])
    return np.stack([columns.start + step * x, rows.start + step * y], axis=1)
