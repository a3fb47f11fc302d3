"""The oriented box around points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

_DIRECTIONS = 128  # in which the outermost points are looked for; the box's axes follow from those
_ROUNDS = 6
_ENOUGH = 1e-4  # a round that shrinks the box by a smaller share is the last


@dataclass(frozen=True, eq=False)
class Box:
    """An oriented box.

    Attributes:
        center_m: (3,) float64.
        axes: (3, 3) float64, columns: its own x, y and z in the frame of the points; right-handed.
        size_m: (3,) float64, side lengths along its own x, y and z; x is the longest, z the shortest.
    """

    center_m: np.ndarray
    axes: np.ndarray
    size_m: np.ndarray

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """(x, y, z, w) of the rotation from the box's axes to the points' frame; of unit length, w not negative."""
        return quaternion(self.axes)


def oriented_box(points_m: np.ndarray, normal: np.ndarray | None = None) -> Box:
    """The smallest box around points that stands upright on a plane, or the smallest that was found.

    Upright: the outline of the points seen along the normal gets its smallest rectangle (rotating calipers, Toussaint
    1983). Without a normal, from the principal axes on each axis of the best box so far is looked along in turn, until
    no turn makes the volume smaller.

    Args:
        points_m: (N, 3) finite, N at least 1; they may all lie in a plane, on a line or in one place.
        normal: (3,) of unit length, of the plane that the box stands on; None: it may stand any way.

    Returns:
        Its x axis points to the right of the frame, its z axis (the shortest side) towards the camera.
    """
    points = np.ascontiguousarray(np.asarray(points_m, dtype=np.float64).T)
    middle = points.mean(axis=1, keepdims=True)
    points = points - middle
    outer = _outermost(points)
    best = _smallest_box(points, outer) if normal is None else _box_seen_along(outer, _with_normal(normal), 2)
    around = _box_along(points, best.axes)
    return _in_order(Box(around.center_m + middle[:, 0], around.axes, around.size_m))


def _smallest_box(points: np.ndarray, outer: np.ndarray) -> Box:
    _, axes = np.linalg.eigh(points @ points.T)
    best = _box_along(outer, axes)
    for _ in range(_ROUNDS):
        turned = min((_box_seen_along(outer, best.axes, axis) for axis in range(3)), key=_volume)
        if _volume(turned) >= _volume(best) * (1 - _ENOUGH):
            break
        best = turned
    return best


def _with_normal(normal: np.ndarray) -> np.ndarray:
    """(3, 3) axes of which the last is the normal."""
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first), normal], axis=1)


def quaternion(rotation: np.ndarray) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a (3, 3) rotation, of unit length, w not negative (Bar-Itzhack 2000)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    _, vectors = np.linalg.eigh(matrix / 3)
    x, y, z, w = vectors[:, -1] if vectors[3, -1] >= 0 else -vectors[:, -1]
    return float(x), float(y), float(z), float(w)


def rotation_of(quaternion: Sequence[float]) -> np.ndarray:
    """The (3, 3) rotation of a quaternion (x, y, z, w) of unit length; its columns are the axes of what is rotated."""
    x, y, z, w = map(float, quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@lru_cache(maxsize=1)
def _directions() -> np.ndarray:
    """(N, 3) float32 unit vectors spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(_DIRECTIONS) + 0.5
    z = 1 - 2 * index / _DIRECTIONS
    angle = np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1).astype(np.float32)


def _outermost(points: np.ndarray) -> np.ndarray:
    """Of (3, N) points those that lie outermost in some direction: most of their hull's corners."""
    along = _directions() @ points.astype(np.float32)
    return points[:, np.unique(along.argmax(axis=1))]


def _volume(box: Box) -> float:
    # Flat things have no volume, but a smallest rectangle; so the sides are never taken for quite nothing.
    return float(np.prod(box.size_m + 1e-4))


def _box_along(points: np.ndarray, axes: np.ndarray) -> Box:
    along = axes.T @ points
    low, high = along.min(axis=1), along.max(axis=1)
    return Box(axes @ ((low + high) / 2), axes, high - low)


def _box_seen_along(points: np.ndarray, axes: np.ndarray, kept: int) -> Box:
    """The smallest of the boxes that share one axis with `axes`."""
    plane = np.delete(axes, kept, axis=1)
    _, _, degrees = cv2.minAreaRect((points.T @ plane).astype(np.float32))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = axes.copy()
    turned[:, [axis for axis in range(3) if axis != kept]] = plane @ np.array([[c, -s], [s, c]])
    return _box_along(points, turned)


def _in_order(box: Box) -> Box:
    """The same box with its axes named as `Box` and `oriented_box` promise."""
    order = np.argsort(-box.size_m, kind="stable")
    axes = box.axes[:, order]
    x = axes[:, 0] * _sign(axes[:, 0])
    z = -axes[:, 2] * _sign(axes[[2, 1, 0], 2])
    return Box(box.center_m, np.column_stack([x, np.cross(z, x), z]), box.size_m[order])


def _sign(vector: np.ndarray) -> float:
    """Of the first component that is not zero."""
    return next((float(np.sign(value)) for value in vector if abs(value) > 1e-9), 1.0)
