"""A parallel gripper and a grasp: what planners, robots and the simulator agree on. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Gripper:
    """Two fingers that close along one line, and the palm that carries them. All in meters.

    In the gripper's own frame the origin lies midway between the ends of the fingertips, x along which the fingers
    close, z forward, in which the gripper approaches, and y across, so that the frame is right-handed.

    Attributes:
        max_opening_m: Widest distance between the fingers' inner faces.
        finger_length_m: From the palm to the fingertips, along z.
        finger_breadth_m: Along y.
        finger_thickness_m: Along x.
        palm_m: Sides of the palm along x, y and z.
    """

    max_opening_m: float = 0.14
    finger_length_m: float = 0.06
    finger_breadth_m: float = 0.02
    finger_thickness_m: float = 0.01
    palm_m: tuple[float, float, float] = (0.18, 0.06, 0.06)

    def boxes(self, opening_m: float) -> tuple[np.ndarray, np.ndarray]:
        """The two fingers and the palm, when the fingers are so far apart.

        Args:
            opening_m: Distance between the fingers' inner faces.

        Returns:
            Centers (3, 3) and half sides (3, 3) float64 in the gripper's frame, a row each.
        """
        aside = (opening_m + self.finger_thickness_m) / 2
        back = -self.finger_length_m / 2
        finger = (self.finger_thickness_m / 2, self.finger_breadth_m / 2, self.finger_length_m / 2)
        palm = np.array(self.palm_m) / 2
        centers = [(-aside, 0.0, back), (aside, 0.0, back), (0.0, 0.0, -self.finger_length_m - palm[2])]
        return np.array(centers), np.array([finger, finger, palm])


@dataclass(frozen=True, eq=False)
class Grasp:
    """Where a gripper takes hold.

    Attributes:
        position_m: (3,) float64, of the gripper's origin, midway between the ends of the fingertips.
        axes: (3, 3) float64, columns: the gripper's x (closing), y and z (approach); right-handed.
        width_m: Of what is between the fingers, along x.
        opening_m: How far the fingers are open while they approach.
        score: Larger is better; comparable between the grasps of one call only.
        tilt_deg: Between the approach and straight down: 0 from the top, 90 from the side.
    """

    position_m: np.ndarray
    axes: np.ndarray
    width_m: float
    opening_m: float
    score: float
    tilt_deg: float

    def moved(self, rotation: np.ndarray, offset_m: np.ndarray) -> Grasp:
        """The same grasp in another frame: x → rotation @ x + offset.

        Args:
            rotation: (3, 3).
            offset_m: (3,).
        """
        position_m, axes = rotation @ self.position_m + offset_m, rotation @ self.axes
        return Grasp(position_m, axes, self.width_m, self.opening_m, self.score, self.tilt_deg)
