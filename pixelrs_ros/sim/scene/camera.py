"""A pinhole camera that looks at the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Where the camera is and what it looks at. World: meters, z up, the table's top at z = 0.

    Attributes:
        azimuth_deg: Direction from the target to the camera, counter-clockwise seen from above.
        elevation_deg: Height of the camera above the horizon of the target.
        distance_m: From the target.
        target_m: (x, y) of the point on the table that it looks at.
        fovy_deg: Vertical field of view.
        roll_deg: How far the camera is turned clockwise about its optical axis.
    """

    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    target_m: tuple[float, float]
    fovy_deg: float
    roll_deg: float = 0.0

    @cached_property
    def position_m(self) -> np.ndarray:
        """(3,) float64 in the world."""
        return np.array([*self.target_m, 0.0]) - self.distance_m * self.axes[:, 2]

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3) float64, columns right, down and forward of the camera in the world."""
        azimuth, elevation = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        level = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        forward = -np.cos(elevation) * level - np.sin(elevation) * np.array([0.0, 0.0, 1.0])
        right = np.array([-level[1], level[0], 0.0])
        down = np.cross(forward, right)
        roll = np.radians(self.roll_deg)
        c, s = np.cos(roll), np.sin(roll)
        return np.stack([c * right + s * down, c * down - s * right, forward], axis=1)

    def intrinsics(self, width_px: int, height_px: int) -> np.ndarray:
        """(3, 3) float64 pinhole matrix in px; pixels are square, pixel centers lie at half integers."""
        focal = height_px / 2 / math.tan(math.radians(self.fovy_deg) / 2)
        return np.array([[focal, 0.0, width_px / 2], [0.0, focal, height_px / 2], [0.0, 0.0, 1.0]])

    def project(self, points_m: np.ndarray, width_px: int, height_px: int) -> np.ndarray:
        """Picture coordinates (N, 2) float64 in px of (N, 3) points in front of the camera."""
        seen = (points_m - self.position_m) @ self.axes @ self.intrinsics(width_px, height_px).T
        return seen[:, :2] / seen[:, 2:]

    def table_point(self, u_px: float, v_px: float, width_px: int, height_px: int) -> np.ndarray:
        """(2,) float64, x and y in meters of the point of the table's plane that a picture point shows."""
        focal = height_px / 2 / math.tan(math.radians(self.fovy_deg) / 2)
        ray = self.axes @ np.array([(u_px - width_px / 2) / focal, (v_px - height_px / 2) / focal, 1.0])
        position = self.position_m
        return (position - ray * position[2] / ray[2])[:2]
