"""A change from one frame to another that keeps distances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelrs_ros.geometry.box import quaternion, rotation_of


class RigidTransform:
    """Takes what is given in one frame to another one.

    Args:
        translation_m: (x, y, z) of the one frame's origin in the other, in meters.
        rotation: Quaternion (x, y, z, w) from the axes of the one to those of the other; of about unit length.

    Raises:
        ValueError: A number is not finite, or the quaternion is none of unit length.
    """

    def __init__(self, translation_m: Sequence[float], rotation: Sequence[float]) -> None:
        turned = np.asarray(rotation, np.float64)
        self._translation_m = np.asarray(translation_m, np.float64)
        length = float(np.linalg.norm(turned))
        if not np.isfinite(self._translation_m).all() or not abs(length - 1.0) < 0.01:
            raise ValueError(f"translation {list(translation_m)} and rotation {list(rotation)} are no rigid transform")
        self._rotation = rotation_of([float(value) for value in turned / length])

    def point(self, point_m: Sequence[float]) -> tuple[float, float, float]:
        """A point (x, y, z) in meters, in the other frame."""
        x_m, y_m, z_m = self._rotation @ np.asarray(point_m, np.float64) + self._translation_m
        return float(x_m), float(y_m), float(z_m)

    def orientation(self, rotation: Sequence[float]) -> tuple[float, float, float, float]:
        """A quaternion (x, y, z, w) to the one frame, to the other."""
        return quaternion(self._rotation @ rotation_of(rotation))
