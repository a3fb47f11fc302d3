"""The simulated tabletop, and dialogues about what stands on it."""

import os

# Before anything imports mujoco, which reads it once.
os.environ.setdefault("MUJOCO_GL", "osmesa")  # needs no display and no GPU; set it to "egl" where there is one
os.environ.setdefault("LP_NUM_THREADS", "1")  # OSMesa's threads cost more than they bring at this size
