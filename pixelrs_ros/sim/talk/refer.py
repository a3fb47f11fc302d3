"""Referring expressions: what somebody may call a thing, and what in the scene the words fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.wishes import WISHES

Things = tuple[Element, ...]

MARGIN_PX = 36.0  # places are said only where nobody would hesitate
SIZE_RATIO = 1.5  # of visible pixels, between "the big one" and the next
ORDINALS = ("first", "second", "third", "fourth", "fifth")
SIDES = {"left": (0, 1.0), "right": (0, -1.0), "far": (1, 1.0), "near": (1, -1.0)}  # axis of the picture, sign
RELATIONS = ("next_to", "left_of", "right_of", "behind", "in_front_of")


@dataclass(frozen=True)
class Group:
    """A family of kinds: `core` surely belongs to it; while a `maybe` is in the scene, nobody says the word."""

    core: tuple[str, ...]
    maybe: tuple[str, ...]


GROUPS = {
    "tool": Group(("hammer", "screwdriver"), ("knife", "brush", "pan", "spoon")),
    "cutlery": Group(("knife", "spoon"), ()),
    "container": Group(("box", "basket"), ("bowl", "bottle", "can", "mug", "pan", "teapot")),
    "dish": Group(("mug", "bowl", "teapot"), ("pan", "spoon", "basket")),
    "toy": Group(("ball",), ("book",)),
    "beverage_holder": Group(("bottle", "can"), ("mug", "teapot")),
}


@dataclass(frozen=True)
class Expression:
    """Words for a thing.

    Attributes:
        form: What the words go by, a name of `FORMS`.
        kind: The kind that they name, if any.
        color: The color that they name, if any.
        value: A wish, a family, an ordinal's place.
        refs: What a relation is to.
    """

    form: str
    kind: str = ""
    color: str = ""
    value: str = ""
    refs: Things = field(default=())

    @property
    def named(self) -> str:
        """The kind and color that a "not found" can repeat, "red mug", "mug", "anything red"; empty if neither."""
        if self.form in ("kind", "color_kind"):
            return f"{self.color} {self.kind}".strip()
        return f"anything {self.color}" if self.form == "color" else ""


def fits(expression: Expression, things: Sequence[Element]) -> Things | None:
    """What the words fit.

    Args:
        expression: The words.
        things: What the talk is about at this point.

    Returns:
        All that fit, in their order; None where it is too close to call, so that nobody would say so.
    """
    return _RESOLVERS[expression.form](expression, things)


def _plain(expression: Expression, things: Sequence[Element]) -> Things:
    return tuple(
        thing for thing in things if expression.kind in ("", thing.kind) and expression.color in ("", thing.color)
    )


def _not(expression: Expression, things: Sequence[Element]) -> Things | None:
    if not _plain(expression, things):
        return None  # "not the red one" where none is red
    return tuple(thing for thing in things if thing not in _plain(expression, things))


def _wish(expression: Expression, things: Sequence[Element]) -> Things:
    return tuple(thing for thing in things if thing.kind in WISHES[expression.value].kinds)


def _group(expression: Expression, things: Sequence[Element]) -> Things | None:
    group = GROUPS[expression.value]
    if any(thing.kind in group.maybe for thing in things):
        return None
    return tuple(thing for thing in things if thing.kind in group.core)


def _members(expression: Expression, things: Sequence[Element]) -> Things:
    return tuple(thing for thing in things if expression.kind in ("", thing.kind))


def _superlative(
    score: Callable[[Element], float], margin: Callable[[float, float], bool]
) -> Callable[..., Things | None]:
    def resolve(expression: Expression, things: Sequence[Element]) -> Things | None:
        members = sorted(_members(expression, things), key=score, reverse=True)
        if len(members) < 2:
            return () if expression.kind and not members else None
        return (members[0],) if margin(score(members[0]), score(members[1])) else None

    return resolve


def _side(name: str) -> Callable[..., Things | None]:
    axis, sign = SIDES[name]
    return _superlative(lambda thing: -sign * thing.center_px[axis], lambda first, second: first - second >= MARGIN_PX)


def _row(members: Sequence[Element]) -> list[Element] | None:
    """From left to right, or None where two are too nearly above one another."""
    row = sorted(members, key=lambda thing: thing.center_px[0])
    close = any(b.center_px[0] - a.center_px[0] < MARGIN_PX for a, b in pairwise(row))
    return None if close else row


def _middle(expression: Expression, things: Sequence[Element]) -> Things | None:
    members = _members(expression, things)
    row = _row(members)
    if expression.kind and not members:
        return ()
    return (row[1],) if row is not None and len(row) == 3 else None


def _ordinal(from_left: bool) -> Callable[..., Things | None]:
    def resolve(expression: Expression, things: Sequence[Element]) -> Things | None:
        row, place = _row(_members(expression, things)), int(expression.value)
        if row is None or (len(row) < 2 and not expression.kind):
            return None
        ordered = row if from_left else row[::-1]
        return (ordered[place],) if place < len(ordered) else ()

    return resolve


def _gap_px(a: Element, b: Element) -> float:
    """Between the boxes of two things, in pixels; 0 where they overlap."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a.box_px, b.box_px
    return math.hypot(max(bx0 - ax1, ax0 - bx1, 0), max(by0 - ay1, ay0 - by1, 0))


def _related(relation: str, a: Element, ref: Element) -> bool | None:
    """Whether a thing stands so to another; None where people would differ."""
    dx, dy = a.center_px[0] - ref.center_px[0], a.center_px[1] - ref.center_px[1]
    gap = _gap_px(a, ref)
    if relation == "next_to":
        return True if gap < 45 else None if gap < 110 else False
    along, across = {"left_of": (-dx, dy), "right_of": (dx, dy), "behind": (-dy, dx), "in_front_of": (dy, dx)}[relation]
    if along > 40 and abs(across) < 0.7 * along and gap < 200:
        return True
    return False if along < 0 or gap > 330 or abs(across) > 2.0 * along else None


def _relation(name: str) -> Callable[..., Things | None]:
    def resolve(expression: Expression, things: Sequence[Element]) -> Things | None:
        (ref,) = expression.refs
        heads = [thing for thing in _plain(expression, things) if thing != ref]
        held = [_related(name, thing, ref) for thing in heads]
        if any(one is None for one in held):
            return None
        return tuple(thing for thing, one in zip(heads, held, strict=True) if one)

    return resolve


def _between(expression: Expression, things: Sequence[Element]) -> Things | None:
    a, b = expression.refs
    (ax, ay), (bx, by) = a.center_px, b.center_px
    length = math.hypot(bx - ax, by - ay)
    if not 120 < length < 420:
        return None
    found = []
    for thing in _plain(expression, things):
        if thing in (a, b):
            continue
        px, py = thing.center_px[0] - ax, thing.center_px[1] - ay
        along = (px * (bx - ax) + py * (by - ay)) / length**2
        off = abs(px * (by - ay) - py * (bx - ax)) / length
        if 0.25 < along < 0.75 and off < 0.22 * length:
            found.append(thing)
        elif 0.1 < along < 0.9 and off < 0.45 * length:
            return None
    return tuple(found)


def _nearest(expression: Expression, things: Sequence[Element]) -> Things:
    """Any will do: the one nearest to the camera is handed over."""
    members = _members(expression, things)
    return (max(members, key=lambda thing: thing.center_px[1]),) if members else ()


_bigger = lambda first, second: first >= SIZE_RATIO * second  # noqa: E731
_smaller = lambda first, second: -second >= SIZE_RATIO * -first  # noqa: E731
_big = _superlative(lambda thing: float(thing.area_px), _bigger)
_small = _superlative(lambda thing: -float(thing.area_px), _smaller)

_RESOLVERS: dict[str, Callable[[Expression, Sequence[Element]], Things | None]] = {
    "kind": _plain, "color": _plain, "color_kind": _plain, "not_color": _not, "not_kind": _not,
    "big": _big, "small": _small, "big.kind": _big, "small.kind": _small,
    **{f"{side}{tail}": _side(side) for side in SIDES for tail in ("", ".kind")},
    "middle": _middle, "middle.kind": _middle,
    **{f"from_left{tail}": _ordinal(True) for tail in ("", ".kind")},
    **{f"from_right{tail}": _ordinal(False) for tail in ("", ".kind")},
    **{relation: _relation(relation) for relation in RELATIONS},
    "between": _between, "wish": _wish, "group": _group, "any.kind": _nearest,
    "all.kind": _plain, "all.color": _plain, "both.kind": _plain,
}  # fmt: skip
FORMS = tuple(_RESOLVERS)
ALL = ("all.kind", "all.color", "both.kind")


def expressions(form: str, things: Sequence[Element], *, absent: bool) -> Iterator[Expression]:
    """Expressions of a form about a scene.

    Args:
        form: One of `FORMS`.
        things: What is in the scene.
        absent: Also those that name a kind, color or both that none of the things has.
    """
    kinds = sorted(KINDS) if absent else sorted({thing.kind for thing in things})
    colors = sorted(COLORS) if absent else sorted({thing.color for thing in things})
    if form in RELATIONS or form == "between":
        yield from _relational(form, things, absent=absent)
    elif form == "color_kind":
        yield from (Expression(form, kind, color) for kind in kinds for color in colors)
    elif form == "wish":
        yield from (Expression(form, value=name) for name in WISHES)
    elif form == "group":
        yield from (Expression(form, value=name) for name in GROUPS)
    elif form.startswith("from_"):
        places = [str(place) for place in range(1, 4)]
        named = kinds if form.endswith(".kind") else [""]
        yield from (Expression(form, kind=kind, value=place) for kind in named for place in places)
    elif form in ("color", "not_color", "all.color"):
        yield from (Expression(form, color=color) for color in colors)
    elif form in ("kind", "not_kind") or form.endswith(".kind"):
        yield from (Expression(form, kind) for kind in kinds)
    else:
        yield Expression(form)


def _relational(form: str, things: Sequence[Element], *, absent: bool) -> Iterator[Expression]:
    """A head ("the one", "the mug", "the red thing") and one or two things that no other is called like."""
    unique = [thing for thing in things if sum(other.name == thing.name for other in things) == 1]
    heads: list[tuple[str, str]] = [("", "")]
    heads += [(kind, "") for kind in sorted({thing.kind for thing in things} if not absent else KINDS)]
    heads += [("", color) for color in sorted({thing.color for thing in things})]
    refs = combinations(unique, 2) if form == "between" else ((ref,) for ref in unique)
    for ref in refs:
        for kind, color in heads:
            yield Expression(form, kind, color, refs=ref)
