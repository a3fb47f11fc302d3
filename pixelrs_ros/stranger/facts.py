"""What is true of a scene: which things a description fits, which one a place, a neighbor or a size singles out.

A description that is nearly a tie is answered with None: nobody could say which thing is meant.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from pixelrs_ros.stranger.scene import Item, Scene

CLEAR_PX = 45  # sideways in the picture
CLEAR_M = 0.07  # away from the camera
LEVEL_PX = 90  # a thing behind another stands about as far to the right
NEAR_M = 0.24
SIZE_RATIO, AREA_RATIO = 1.25, 1.35


def fitting(scene: Scene, kind: str | None = None, color: str | None = None) -> list[Item]:
    """The things of a kind and color, None being any."""
    return [item for item in scene.items if kind in (None, item.kind) and color in (None, item.color)]


def at_place(items: Sequence[Item], place: str) -> Item | None:
    """The one at a place among several, "left", "right", "front", "back", "middle", "second left", "second right"."""
    if place in ("front", "back"):
        order = sorted(items, key=lambda item: item.place[1], reverse=place == "back")
        sign = 1 if place == "front" else -1
        gap_m = sign * (order[1].place[1] - order[0].place[1])
        agrees = all(sign * (_foot(order[0]) - _foot(other)) > 12 for other in order[1:])
        return order[0] if gap_m > CLEAR_M and agrees else None
    order = sorted(items, key=lambda item: item.center[0], reverse=place.endswith("right"))
    gaps = [abs(b.center[0] - a.center[0]) for a, b in itertools.pairwise(order)]
    if place in ("left", "right"):
        return order[0] if gaps[0] > CLEAR_PX else None
    if place.startswith("second"):
        return order[1] if len(order) > 2 and min(gaps[:2]) > CLEAR_PX else None
    middle = len(order) // 2
    is_clear = len(order) % 2 and len(order) > 2 and min(gaps[middle - 1 : middle + 1]) > CLEAR_PX
    return order[middle] if is_clear and 190 < order[middle].center[0] < 450 else None


def _foot(item: Item) -> int:
    """The lowest row of a thing."""
    return int(np.flatnonzero(item.mask.any(axis=1))[-1])


def related(items: Sequence[Item], anchor: Item, relation: str) -> Item | None:
    """The only one of some things that stands so to another, if all the rest clearly do not."""
    others = [item for item in items if item is not anchor]
    if not others:
        return None
    if relation == "near":
        order = sorted(others, key=lambda item: _distance(item, anchor))
        first = _distance(order[0], anchor)
        clear = len(order) < 2 or first < 0.68 * _distance(order[1], anchor)
        return order[0] if clear and first < NEAR_M else None
    states = [_stands(item, anchor, relation) for item in others]
    return others[states.index(True)] if states.count(True) == 1 and None not in states else None


def _distance(a: Item, b: Item) -> float:
    return ((a.place[0] - b.place[0]) ** 2 + (a.place[1] - b.place[1]) ** 2) ** 0.5


def _stands(item: Item, anchor: Item, relation: str) -> bool | None:
    """Whether a thing stands so to another; None where people would differ."""
    across = item.center[0] - anchor.center[0]
    if relation in ("left of", "right of"):
        across *= 1 if relation == "right of" else -1
        return None if 0 < across < CLEAR_PX else across > 0
    away = (item.place[1] - anchor.place[1]) * (1 if relation == "behind" else -1)
    if away > CLEAR_M and abs(across) < LEVEL_PX:
        return True
    return False if away < 0.02 or abs(across) > 1.6 * LEVEL_PX else None


def by_size(items: Sequence[Item], biggest: bool) -> Item | None:
    """The biggest or smallest of several, in the world and in the picture."""
    order = sorted(items, key=lambda item: item.extent_m, reverse=biggest)
    first = order[0]
    for other in order[1:]:
        big, small = (first, other) if biggest else (other, first)
        if big.extent_m < SIZE_RATIO * small.extent_m or big.size_px < AREA_RATIO * small.size_px:
            return None
    return first


def name_of(scene: Scene, item: Item) -> tuple[str | None, str] | None:
    """Color and kind that single a thing out, the color None where the kind does; None for a twin."""
    if len(fitting(scene, item.kind)) == 1:
        return None, item.kind
    return (item.color, item.kind) if len(fitting(scene, item.kind, item.color)) == 1 else None
