"""The closed world of the simulated tabletop as numbers: kinds, colors, parts, and the labels that name them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.kinds import COLORS, KINDS

KIND_NAMES = tuple(KINDS)
COLOR_NAMES = tuple(COLORS)
PART_NAMES = tuple(sorted({part for kind in KINDS.values() for part in kind.parts}))

# Index 0 is "none" everywhere: background, no color, the whole object.
NUM_KINDS = len(KIND_NAMES) + 1
NUM_COLORS = len(COLOR_NAMES) + 1
NUM_PARTS = len(PART_NAMES) + 1

_LABEL = re.compile(r"(?:(\w+) of the )?(\w+) (\w+)")


@dataclass(frozen=True)
class Concept:
    """Indices of a label's kind, color and part; 0 is none."""

    kind: int
    color: int
    part: int


def parse_label(label: str) -> Concept:
    """Indices of "red mug" or "handle of the red mug".

    Raises:
        DataError: The label does not name a kind and a color of the simulated world.
    """
    match = _LABEL.fullmatch(label)
    if match is None or match[3] not in KIND_NAMES or match[2] not in COLOR_NAMES:
        raise DataError(f"label {label!r} is not of the form '<color> <kind>' or '<part> of the <color> <kind>'")
    if match[1] is not None and match[1] not in PART_NAMES:
        raise DataError(f"label {label!r} names an unknown part {match[1]!r}")
    part = PART_NAMES.index(match[1]) + 1 if match[1] else 0
    return Concept(KIND_NAMES.index(match[3]) + 1, COLOR_NAMES.index(match[2]) + 1, part)
