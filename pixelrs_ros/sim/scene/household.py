"""How large the things of a scene are in meters that mean something."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import Scene
from pixelrs_ros.sim.shape.shapes import bounds_m

_SIZE_M_PER_PX = 0.001  # a thing is as many millimeters large as its kind has pixels in a picture of usual size


def household_scale(scene: Scene) -> float:
    """By what a scene's lengths are multiplied so that its things are as large as in a household.

    Scenes are drawn to fit pictures, and a camera that is farther away sees larger things: their meters mean nothing to
    a hand. Multiplied, a mug comes to 11 to 14 cm with its handle, a knife to 20 to 24 cm; the picture stays the same.
    """
    ratios = []
    for thing in scene.objects:
        low, high = bounds_m(thing.geoms)
        ratios.append(float(np.mean(KINDS[thing.kind].size_px)) * _SIZE_M_PER_PX / float((high - low).max()))
    return float(np.median(ratios)) if ratios else 1.0
