"""PRIST's second step, the question-first tree: a set of candidates at each node, a way to narrow it at each edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.wishes import WISHES, wishes_for

MIN_MARGIN_PX = 40.0  # "the left one" is said only where nobody would hesitate

By = Literal["it", "other", "color", "kind", "full", "left", "right", "near", "far", "wish"]
PLACES: tuple[By, ...] = ("left", "right", "near", "far")


@dataclass(frozen=True)
class Reference:
    """How a user points at something with words.

    Attributes:
        by: What the words go by; "near" is lowest and "far" is highest in the picture.
        value: The color, the kind, "color kind" for "full", the wish's name; else empty.
    """

    by: By
    value: str = ""


def resolve(reference: Reference, candidates: Sequence[Element], focus: Element | None = None) -> tuple[Element, ...]:
    """What the words fit.

    Args:
        reference: The words.
        candidates: What the dialogue is about at this point.
        focus: What was last singled out.

    Returns:
        The candidates that fit, in their order; empty when none does, or when a place is too close to call.
    """
    by, value = reference.by, reference.value
    if by == "it":
        return (focus,) if focus is not None else ()
    if by == "other":
        rest = tuple(item for item in candidates if item != focus)
        return rest if focus in candidates and len(rest) == 1 else ()
    if by in PLACES:
        return _extreme(by, candidates)
    if by == "wish":
        return tuple(item for item in candidates if item.kind in WISHES[value].kinds)
    return tuple(item for item in candidates if value in (item.color, item.kind, item.label))


def _extreme(place: str, candidates: Sequence[Element]) -> tuple[Element, ...]:
    axis = 0 if place in ("left", "right") else 1
    sign = 1.0 if place in ("left", "far") else -1.0
    ranked = sorted(candidates, key=lambda item: sign * item.center_px[axis])
    if len(ranked) < 2 or abs(ranked[1].center_px[axis] - ranked[0].center_px[axis]) < MIN_MARGIN_PX:
        return ()
    return (ranked[0],)


def references(goal: Element, candidates: Sequence[Element], focus: Element | None) -> list[Reference]:
    """Every edge that leads from the candidates towards the goal: fewer are left, and the goal is among them."""
    edges = [Reference("color", goal.color), Reference("kind", goal.kind), Reference("other")]
    edges += [Reference(place) for place in PLACES]
    edges += [Reference("wish", name) for name in wishes_for(goal.kind)]
    kept = []
    for edge in edges:
        found = resolve(edge, candidates, focus)
        if goal in found and len(found) < len(candidates):
            kept.append(edge)
    return kept
