"""How the picture moved from one frame to the next: dense optical flow, and robust fits to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

Model = Literal["translation", "similarity", "affine", "homography"]

TOLERANCE_PX = 1.5  # of a fit: what a flow vector may be off
_ROUND_TRIP_PX = 1.0  # there and back again: what ends elsewhere was hidden in one of the pictures
_SPACING_PX = 8  # of the points that the background's motion is fitted to
_MIN_POINTS = 20  # of the background: fewer say nothing about its motion
_BRIGHTER = 15  # gray levels that a point may differ by, beside what all of them differ by


@dataclass(frozen=True)
class Motion:
    """From one frame to the next.

    Attributes:
        backward: (h, w, 2) float32, px: for every pixel of the next frame where it was, relative to where it is.
        background: (3, 3) float64 homography of the pixels that belong to no target.
        trust: Share of the background that obeys it, in [0, 1].
    """

    backward: np.ndarray
    background: np.ndarray
    trust: float


def pixel_grid(height_px: int, width_px: int) -> np.ndarray:
    """(h, w, 2) float32: x and y of every pixel."""
    x, y = np.meshgrid(np.arange(width_px, dtype=np.float32), np.arange(height_px, dtype=np.float32))
    return np.stack([x, y], axis=-1)


def dense_flow(*, fine: bool = False) -> cv2.DISOpticalFlow:
    """Dense inverse search (Kroeger et al., ECCV 2016). One object may not be used by two threads at once.

    Args:
        fine: Down to half a picture's pixels instead of a quarter, for pieces that show one thing.
    """
    preset = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if fine else cv2.DISOPTICAL_FLOW_PRESET_FAST
    return cv2.DISOpticalFlow.create(preset)


def measure_flow(flow: cv2.DISOpticalFlow, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For every pixel of the first (h, w) uint8 picture where it is in the second: (h, w, 2) float32 px, relative."""
    nothing_known: Any = None  # OpenCV's type hints know no optional arguments
    vectors: np.ndarray = flow.calc(first, second, nothing_known)
    return vectors


def resample(
    picture: np.ndarray, places: np.ndarray, border: int = cv2.BORDER_CONSTANT, value: float = 0
) -> np.ndarray:
    """A picture's values at (h, w, 2) float32 places, x and y in px, between its pixels and beyond its border."""
    no_second_map: Any = None
    values: np.ndarray = cv2.remap(
        picture, places, no_second_map, cv2.INTER_LINEAR, borderMode=border, borderValue=(value,) * 3
    )
    return values


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 2) float32 points in px after a (3, 3) transform."""
    moved = cv2.perspectiveTransform(points.reshape(1, -1, 2).astype(np.float32), matrix)
    return moved.reshape(points.shape)


def shift(across_px: float, down_px: float) -> np.ndarray:
    """(3, 3) float64 translation."""
    return np.array([[1.0, 0.0, across_px], [0.0, 1.0, down_px], [0.0, 0.0, 1.0]])


def fit(source: np.ndarray, target: np.ndarray, model: Model) -> tuple[np.ndarray | None, float]:
    """The transform that most of the pairs agree on (RANSAC; the median for a translation).

    Args:
        source: (N, 2) float32, px.
        target: (N, 2) float32, px.
        model: What may happen to the points.

    Returns:
        (3, 3) float64, None where there are too few pairs or no transform explains them, and the share of the pairs
        that agree, in [0, 1].
    """
    if len(source) < _MIN_POINTS:
        return None, 0.0
    source, target = np.ascontiguousarray(source), np.ascontiguousarray(target)
    if model == "translation":
        moved = target - source
        middle = np.median(moved, axis=0)
        agree = np.abs(moved - middle).max(axis=1) < TOLERANCE_PX
        return shift(float(middle[0]), float(middle[1])), float(agree.mean())
    if model == "homography":
        matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, TOLERANCE_PX, maxIters=300)
    else:
        estimate = cv2.estimateAffine2D if model == "affine" else cv2.estimateAffinePartial2D
        matrix, inliers = estimate(source, target, ransacReprojThreshold=TOLERANCE_PX, maxIters=300)
        matrix = None if matrix is None else np.vstack([matrix, [0.0, 0.0, 1.0]])
    if matrix is None or not np.isfinite(matrix).all():
        return None, 0.0
    return matrix, float(inliers.mean())


def similarity_at(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The shift, turn and scale, (3, 3) float64, that a homography comes to near a (2,) point.

    A homography fitted to a table is not to be believed off the table, and shears what it carries far.
    """
    corners = point + np.array([[0, 0], [4, 0], [0, 4]], np.float32)
    moved = apply(matrix, corners).astype(np.float64)
    center, across, along = moved[0], (moved[1] - moved[0]) / 4, (moved[2] - moved[0]) / 4
    cosine, sine = (across[0] + along[1]) / 2, (across[1] - along[0]) / 2
    linear = np.array([[cosine, -sine], [sine, cosine]])
    result = np.eye(3)
    result[:2, :2], result[:2, 2] = linear, center - linear @ point
    return result


def measure_motion(flow: cv2.DISOpticalFlow, before: np.ndarray, after: np.ndarray, targets: np.ndarray) -> Motion:
    """How a picture became the next one.

    Args:
        flow: From `dense_flow`.
        before: (h, w) uint8 gray.
        after: (h, w) uint8 gray.
        targets: (h, w) bool, what does not belong to the background in `before`.
    """
    grid = pixel_grid(*before.shape)
    forward, backward = measure_flow(flow, before, after), measure_flow(flow, after, before)
    step = slice(_SPACING_PX // 2, None, _SPACING_PX)
    free = ~targets[step, step]
    points = grid[step, step][free]
    moved = points + forward[step, step][free]

    def look_up(picture: np.ndarray) -> np.ndarray:
        # A picture of one column: OpenCV takes no more than 32,767 rows, and there are far fewer points.
        return resample(picture, moved[:, None], value=255)[:, 0]

    if len(points) < _MIN_POINTS:
        return Motion(backward, np.eye(3), 0.0)
    brighter = look_up(after).astype(np.float32) - before[step, step][free]
    same = np.abs(brighter - np.median(brighter)) < _BRIGHTER
    returned = np.abs(moved + look_up(backward) - points).sum(axis=1) < _ROUND_TRIP_PX
    kept = same & returned
    matrix, agree = fit(points[kept], moved[kept], "homography")
    if matrix is None:
        return Motion(backward, np.eye(3), 0.0)
    return Motion(backward, matrix, float(kept.mean()) * agree)
