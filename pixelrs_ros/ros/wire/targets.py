"""A target of a turn, as other packages' messages want it."""

from __future__ import annotations

from typing import NamedTuple

from pixelrs_ros.geometry.target import Geometry
from pixelrs_ros.text.naming import name_of


class Target(NamedTuple):
    """A target of a turn.

    Attributes:
        phrase: Words of the answer that name it.
        geometry: Where it is in space.
        track_id: Names it in everything that is said of it.
        score: Estimate of its mask's IoU, in [0, 1].
        box_px: (x0, y0, x1, y1) in the picture, half open; all zero: nothing of it is seen.
    """

    phrase: str
    geometry: Geometry
    track_id: str
    score: float
    box_px: tuple[int, int, int, int]

    @property
    def class_name(self) -> str:
        """What it is: "mug", "handle of mug"; the phrase itself where that only points."""
        name = name_of(self.phrase)
        if name.part:
            return f"{name.part} of {name.label}" if name.label else name.part
        return name.label or self.phrase
