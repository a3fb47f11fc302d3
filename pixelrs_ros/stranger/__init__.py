"""A stranger's test set: pictures and words by someone who did not know the simulator that the network learned from."""

import os

# Before anything imports mujoco, which reads it once.
os.environ.setdefault("MUJOCO_GL", "osmesa")  # needs no display and no GPU; set it to "egl" where there is one

from pixelrs_ros.stranger.write import write_stranger

__all__ = ["write_stranger"]
