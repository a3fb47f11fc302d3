"""The sixteen kinds of things, the names of their parts, and the eight colors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixelrs_ros.sim.shape import held_out, tools, tools_wider, vessels, vessels_wider, wares_wider
from pixelrs_ros.sim.shape.shapes import COLORS as COLORS
from pixelrs_ros.sim.shape.shapes import Shaper

FAMILIES = 8  # shape families of every kind that are trained on, 0…7
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
        slim: Whether it is long and thin.
    """

    name: str
    parts: tuple[str, ...]
    recipe: Callable[[Shaper], None]
    held_out: Callable[[Shaper], None]
    size_px: tuple[float, float] = (110.0, 155.0)
    lies: float = 0.0
    slim: bool = False

    def stretch(self, rng: np.random.Generator) -> np.ndarray:
        """(3, 3) float64, how far an example's proportions are from its recipe's; balls stay round."""
        if self.name == "ball":
            return np.eye(3)
        if self.slim:  # along x
            y, z = np.exp(rng.uniform(np.log(0.8), np.log(1.3), 2))
            return np.diag([1.0, y, z])
        aspect = np.exp(rng.uniform(np.log(0.75), np.log(1.3)))
        side = rng.uniform(0.9, 1.1) if self.name in ("box", "book", "basket") else 1.0
        return np.diag([1.0, side, aspect])


_FIRST_WIDER = 4  # the first family of the recipes in the `_wider` files


def _either(first: Callable[[Shaper], None], wider: Callable[[Shaper], None]) -> Callable[[Shaper], None]:
    """The recipe of the families 0…3 or that of 4…7, whichever the shaper's family belongs to."""

    def recipe(shaper: Shaper) -> None:
        (first if shaper.family < _FIRST_WIDER else wider)(shaper)

    return recipe


_TOOL_PX = (175.0, 230.0)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("mug", ("body", "handle"), _either(vessels.mug, vessels_wider.mug), held_out.mug, (105.0, 140.0), 0.2),
        Kind(
            "hammer",
            ("head", "handle"),
            _either(tools.hammer, tools_wider.hammer),
            held_out.hammer,
            _TOOL_PX,
            slim=True,
        ),
        Kind(
            "knife",
            ("blade", "handle"),
            _either(tools.knife, tools_wider.knife),
            held_out.knife,
            (195.0, 240.0),
            slim=True,
        ),
        Kind(
            "bottle",
            ("body", "cap"),
            _either(vessels.bottle, vessels_wider.bottle),
            held_out.bottle,
            (130.0, 180.0),
            0.2,
        ),
        Kind(
            "pan", ("body", "handle"), _either(vessels.pan, vessels_wider.pan), held_out.pan, (180.0, 225.0), slim=True
        ),
        Kind(
            "screwdriver",
            ("shaft", "handle"),
            _either(tools.screwdriver, tools_wider.screwdriver),
            held_out.screwdriver,
            (165.0, 215.0),
            slim=True,
        ),
        Kind(
            "spoon",
            ("bowl", "handle"),
            _either(tools.spoon, tools_wider.spoon),
            held_out.spoon,
            (185.0, 230.0),
            slim=True,
        ),
        Kind(
            "brush",
            ("bristles", "handle"),
            _either(tools.brush, tools_wider.brush),
            held_out.brush,
            (165.0, 215.0),
            slim=True,
        ),
        Kind("box", ("body", "lid"), _either(vessels.box, wares_wider.box), held_out.box, (100.0, 140.0)),
        Kind(
            "teapot",
            ("body", "spout", "handle", "lid"),
            _either(vessels.teapot, vessels_wider.teapot),
            held_out.teapot,
            (150.0, 190.0),
        ),
        Kind("bowl", ("body",), _either(vessels.bowl, vessels_wider.bowl), held_out.bowl, (115.0, 155.0)),
        Kind("can", ("body",), _either(vessels.can, vessels_wider.can), held_out.can, (85.0, 120.0), 0.2),
        Kind("ball", ("body",), _either(vessels.ball, wares_wider.ball), held_out.ball, (75.0, 110.0)),
        Kind("lamp", ("base", "shade"), _either(vessels.lamp, wares_wider.lamp), held_out.lamp, (130.0, 170.0)),
        Kind("book", ("cover", "pages"), _either(vessels.book, wares_wider.book), held_out.book, (125.0, 165.0)),
        Kind(
            "basket", ("body", "handle"), _either(vessels.basket, wares_wider.basket), held_out.basket, (125.0, 165.0)
        ),
    )
}
