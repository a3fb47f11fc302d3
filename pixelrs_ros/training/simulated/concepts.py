"""The closed world of the simulated tabletop as numbers: kinds, colors, parts."""

from __future__ import annotations

from pixelrs_ros.sim.scene.kinds import COLORS, KINDS

KIND_NAMES = tuple(KINDS)
COLOR_NAMES = tuple(COLORS)
PART_NAMES = tuple(sorted({part for kind in KINDS.values() for part in kind.parts}))

# Index 0 is "none" everywhere: background, no color, the whole object.
NUM_KINDS = len(KIND_NAMES) + 1
NUM_COLORS = len(COLOR_NAMES) + 1
NUM_PARTS = len(PART_NAMES) + 1
SIZES = (NUM_KINDS, NUM_COLORS, NUM_PARTS)
