"""Which surface each part of a thing gets, plain or textured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelrs_ros.stranger import paint, prints
from pixelrs_ros.stranger.meshes import Mesh
from pixelrs_ros.stranger.paint import Coat, Rgb


@dataclass(frozen=True)
class Piece:
    """One body of a thing, the part that it belongs to and its surface."""

    part: str
    mesh: Mesh
    coat: Coat


@dataclass(frozen=True)
class Style:
    """How one thing is painted.

    Attributes:
        rng: Draws what the thing looks like.
        color: Its name.
        rgb: Its shade.
        textured: Whether surfaces show prints, grain and patterns.
    """

    rng: np.random.Generator
    color: str
    rgb: Rgb
    textured: bool

    def plain(self, factor: float = 1.0, shine: float = 0.4) -> Coat:
        """The thing's color, darker or lighter by a factor."""
        return Coat(paint.shade(self.rgb, factor), shine=shine)

    def wrap(self) -> Coat:
        """A print once around: a label, or a pattern."""
        if not self.textured:
            return self.plain(shine=0.5)
        if self.rng.random() < 0.65:
            return _printed(prints.label_wrap(self.rng, self.rgb))
        return _printed(paint.pattern(self.rng, self.rgb, self.other()))

    def patterned(self) -> Coat:
        """A pattern or speckles, without letters."""
        if not self.textured:
            return self.plain(shine=0.5)
        if self.rng.random() < 0.5:
            return _printed(paint.speckled(self.rng, self.rgb))
        return _printed(paint.pattern(self.rng, self.rgb, self.other()))

    def other(self) -> Rgb:
        """A color for patterns on the thing's own."""
        return prints.ink_on(self.rgb) if self.rng.random() < 0.6 else paint.shade(self.rgb, 0.55)

    def grip(self) -> Coat:
        """A handle in the thing's color: lacquer, or painted wood whose grain shows."""
        if self.textured and self.rng.random() < 0.6:
            return _printed(paint.wood(self.rng, self.rgb))
        return self.plain(shine=0.3)

    def steel(self) -> Coat:
        """Metal, brushed where textured."""
        if self.textured:
            return Coat((1.0, 1.0, 1.0), paint.metal(self.rng), 0.8)
        tone = self.rng.uniform(0.5, 0.72)
        return Coat((tone, tone, tone * 1.03), shine=0.8)

    def timber(self) -> Coat:
        """Bare wood."""
        if self.textured:
            return _printed(paint.wood(self.rng), 0.15)
        return Coat((0.62, 0.44, 0.27), shine=0.15)

    def dark(self) -> Coat:
        """Black plastic."""
        return Coat((0.09, 0.09, 0.1), shine=0.3)

    def pale(self, tone: Rgb = (0.93, 0.91, 0.85)) -> Coat:
        """Paper, bristles or white plastic."""
        return Coat(tone, shine=0.1)

    def printed(self, make: str) -> Coat:
        """One of the prints by name, "carton", "cover", "ball_print"; plain where the thing is not textured."""
        return _printed(getattr(prints, make)(self.rng, self.rgb)) if self.textured else self.plain(shine=0.35)

    def surface(self, make: str) -> Coat:
        """One of the surfaces by name, "weave", "fabric"; plain where the thing is not textured."""
        return _printed(getattr(paint, make)(self.rng, self.rgb), 0.1) if self.textured else self.plain(shine=0.1)


def _printed(texture: np.ndarray, shine: float = 0.4) -> Coat:
    return Coat((1.0, 1.0, 1.0), texture, shine)
