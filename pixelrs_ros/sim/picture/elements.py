"""PRIST's first step: the visual elements of a picture with their attributes, taken from the simulator's truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixelrs_ros.sim.scene.kinds import KINDS

if TYPE_CHECKING:
    from pixelrs_ros.sim.picture.render import View

MIN_OBJECT_PX = 400  # fewer visible pixels than this and a person could not be sure what it is
MIN_PART_PX = 120
HIDDEN_PX = 40  # fewer than this and nobody would count the object as being there


@dataclass(frozen=True)
class Element:
    """One object that can be talked about.

    Attributes:
        object_id: The object's id in the view, from 1.
        kind: Key of `KINDS`.
        color: Key of `COLORS`.
        center_px: (x, y) centroid of the visible pixels.
        area_px: Number of visible pixels.
        box_px: (x0, y0, x1, y1), half open.
        parts: Part name to visible pixels; only parts of at least `MIN_PART_PX`, in the order of the kind's parts.
        twin: 1, or 2 and more for a further thing of the same kind and color.
    """

    object_id: int
    kind: str
    color: str
    center_px: tuple[float, float]
    area_px: int
    box_px: tuple[int, int, int, int]
    parts: dict[str, int]
    twin: int = 1

    @property
    def name(self) -> str:
        """What the element is called, "red mug"; its twins are called the same."""
        return f"{self.color} {self.kind}"

    @property
    def label(self) -> str:
        """What tells the element from every other of its scene: "red mug", "red mug 2"."""
        return self.name if self.twin == 1 else f"{self.name} {self.twin}"

    def part_label(self, part: str) -> str:
        """What a part of the element is called, "handle of the red mug"."""
        return f"{part} of the {self.label}"


def elements(view: View) -> tuple[Element, ...]:
    """Lists what is visible enough to be talked about.

    Args:
        view: Ground truth of one picture.

    Returns:
        Objects of at least `MIN_OBJECT_PX` visible pixels, in the order of their ids.
    """
    found: list[Element] = []
    for item in sorted(view.objects, key=lambda item: item.object_id):
        mask = view.object_ids == item.object_id
        area = int(mask.sum())
        if area < MIN_OBJECT_PX:
            continue
        rows, columns = np.nonzero(mask)
        counts = np.bincount(view.part_ids[mask], minlength=1 + len(KINDS[item.kind].parts))
        parts = {
            part: int(counts[1 + index])
            for index, part in enumerate(KINDS[item.kind].parts)
            if counts[1 + index] >= MIN_PART_PX
        }
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        center = (float(columns.mean()), float(rows.mean()))
        twin = 1 + sum((item.kind, item.color) == (other.kind, other.color) for other in found)
        found.append(Element(item.object_id, item.kind, item.color, center, area, box, parts, twin))
    return tuple(found)


def well_posed(view: View) -> bool:
    """Whether every object is either plainly visible or hidden, so that counts and places have one right answer."""
    areas = (int((view.object_ids == item.object_id).sum()) for item in view.objects)
    return all(area >= MIN_OBJECT_PX or area < HIDDEN_PX for area in areas)
