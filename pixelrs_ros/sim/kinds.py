"""The sixteen kinds of things, the names of their parts, and the eight colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pixelrs_ros.sim import tools, vessels
from pixelrs_ros.sim.shapes import Colour, Shaper

COLOURS: dict[str, Colour] = {
    "red": (0.80, 0.07, 0.08),
    "green": (0.10, 0.55, 0.17),
    "blue": (0.08, 0.25, 0.82),
    "yellow": (0.98, 0.86, 0.09),
    "orange": (1.0, 0.49, 0.04),
    "purple": (0.48, 0.13, 0.66),
    "white": (0.87, 0.87, 0.86),
    "black": (0.06, 0.06, 0.07),
}

FAMILIES = 4  # shape families of every kind


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    Attributes:
        name: The English noun.
        parts: Names of its parts, at least one; `("body",)` for a thing without telling parts.
        recipe: Adds the geoms of one example to a shaper.
        size_px: Smallest and largest extent of the longest side, seen from the camera's distance.
        lies: How often it lies on its side, in [0, 1].
    """

    name: str
    parts: tuple[str, ...]
    recipe: Callable[[Shaper], None]
    size_px: tuple[float, float] = (110.0, 155.0)
    lies: float = 0.0


_TOOL_PX = (175.0, 230.0)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("mug", ("body", "handle"), vessels.mug, (105.0, 140.0), 0.2),
        Kind("hammer", ("head", "handle"), tools.hammer, _TOOL_PX),
        Kind("knife", ("blade", "handle"), tools.knife, (195.0, 240.0)),
        Kind("bottle", ("body", "cap"), vessels.bottle, (130.0, 180.0), 0.2),
        Kind("pan", ("body", "handle"), vessels.pan, (180.0, 225.0)),
        Kind("screwdriver", ("shaft", "handle"), tools.screwdriver, (165.0, 215.0)),
        Kind("spoon", ("bowl", "handle"), tools.spoon, (185.0, 230.0)),
        Kind("brush", ("bristles", "handle"), tools.brush, (165.0, 215.0)),
        Kind("box", ("body", "lid"), vessels.box, (100.0, 140.0)),
        Kind("teapot", ("body", "spout", "handle", "lid"), vessels.teapot, (150.0, 190.0)),
        Kind("bowl", ("body",), vessels.bowl, (115.0, 155.0)),
        Kind("can", ("body",), vessels.can, (85.0, 120.0), 0.2),
        Kind("ball", ("body",), vessels.ball, (75.0, 110.0)),
        Kind("lamp", ("base", "shade"), vessels.lamp, (130.0, 170.0)),
        Kind("book", ("cover", "pages"), vessels.book, (125.0, 165.0)),
        Kind("basket", ("body", "handle"), vessels.basket, (125.0, 165.0)),
    )
}
