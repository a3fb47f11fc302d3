"""The sixteen kinds of things, the names of their parts, and the eight colors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pixelrs_ros.sim import held_out, tools, vessels
from pixelrs_ros.sim.shapes import Color, Shaper

COLORS: dict[str, Color] = {
    "red": (0.80, 0.07, 0.08),
    "green": (0.10, 0.55, 0.17),
    "blue": (0.08, 0.25, 0.82),
    "yellow": (0.98, 0.86, 0.09),
    "orange": (1.0, 0.49, 0.04),
    "purple": (0.48, 0.13, 0.66),
    "white": (0.87, 0.87, 0.86),
    "black": (0.06, 0.06, 0.07),
}

FAMILIES = 4  # shape families of every kind that are trained on, 0…3
HELD_OUT_FAMILY = FAMILIES  # one more, which only the test_shapes split shows


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    Attributes:
        name: The English noun.
        parts: Names of its parts, at least one; `("body",)` for a thing without telling parts.
        recipe: Adds the geoms of one example of a trained family to a shaper.
        held_out: Does the same for the held-out family.
        size_px: Smallest and largest extent of the longest side, seen from the camera's distance.
        lies: How often it lies on its side, in [0, 1].
    """

    name: str
    parts: tuple[str, ...]
    recipe: Callable[[Shaper], None]
    held_out: Callable[[Shaper], None]
    size_px: tuple[float, float] = (110.0, 155.0)
    lies: float = 0.0


_TOOL_PX = (175.0, 230.0)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("mug", ("body", "handle"), vessels.mug, held_out.mug, (105.0, 140.0), 0.2),
        Kind("hammer", ("head", "handle"), tools.hammer, held_out.hammer, _TOOL_PX),
        Kind("knife", ("blade", "handle"), tools.knife, held_out.knife, (195.0, 240.0)),
        Kind("bottle", ("body", "cap"), vessels.bottle, held_out.bottle, (130.0, 180.0), 0.2),
        Kind("pan", ("body", "handle"), vessels.pan, held_out.pan, (180.0, 225.0)),
        Kind("screwdriver", ("shaft", "handle"), tools.screwdriver, held_out.screwdriver, (165.0, 215.0)),
        Kind("spoon", ("bowl", "handle"), tools.spoon, held_out.spoon, (185.0, 230.0)),
        Kind("brush", ("bristles", "handle"), tools.brush, held_out.brush, (165.0, 215.0)),
        Kind("box", ("body", "lid"), vessels.box, held_out.box, (100.0, 140.0)),
        Kind("teapot", ("body", "spout", "handle", "lid"), vessels.teapot, held_out.teapot, (150.0, 190.0)),
        Kind("bowl", ("body",), vessels.bowl, held_out.bowl, (115.0, 155.0)),
        Kind("can", ("body",), vessels.can, held_out.can, (85.0, 120.0), 0.2),
        Kind("ball", ("body",), vessels.ball, held_out.ball, (75.0, 110.0)),
        Kind("lamp", ("base", "shade"), vessels.lamp, held_out.lamp, (130.0, 170.0)),
        Kind("book", ("cover", "pages"), vessels.book, held_out.book, (125.0, 165.0)),
        Kind("basket", ("body", "handle"), vessels.basket, held_out.basket, (125.0, 165.0)),
    )
}
