"""What all scenes have in common, whoever draws them: sizes of table, floor and wall, gloss, the view's limits."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.setting import Room

# MuJoCo draws a plane in the size that it was compiled with: the pictures show every table top as large as this, and
# `Table.half_m` only in the edge below it and in how often the texture repeats.
TABLE_HALF_M = 1.0
EDGE_HALF_M, EDGE_BELOW_M, EDGE_SHADE = 0.02, 0.001, 0.45  # half its thickness; below the top; of the top's tint
EDGE_SPECULAR, EDGE_SHININESS = 0.5, 0.5
FLOOR_M, FLOOR_HALF_M = -0.75, 6.0
WALL_HALF_M = (8.0, 4.0)
FLAT_SPECULAR, FLAT_SHININESS = 0.1, 0.3  # of table, floor and wall
GLOW = 0.14  # of the color; keeps the colors of things in the shade apart
LAMP_M = 2.0  # how far away from the table's middle the shadows are drawn from
LAMP_SPECULAR, SECOND_SPECULAR, FILL_SPECULAR = 0.35, 0.15, 0.05
NEAR_M, FAR_M = 0.05, 12.0


def wall_pose(room: Room, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Where a wall stands, upright behind the table as the camera sees it: its middle, and its axes as columns.

    Returns:
        (3,) float64 meters, and (3, 3) float64: to the right, upwards, and to the front.
    """
    toward = np.radians(camera.azimuth_deg + room.yaw_deg)
    across, normal = np.array([-np.sin(toward), np.cos(toward), 0]), np.array([np.cos(toward), np.sin(toward), 0])
    middle = -room.distance_m * normal + [0, 0, FLOOR_M + WALL_HALF_M[1]]
    return middle, np.stack([across, [0.0, 0.0, 1.0], normal], axis=1)
