"""Recipes of what else lies about: drawn, but no kind of thing that anybody talks about, and so background."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

from pixelrs_ros.sim.shape.patterns import GRAINS, WOODS, inked
from pixelrs_ros.sim.shape.shapes import (
    COLORS,
    STEEL,
    Color,
    Geom,
    Shaper,
    bounds_m,
    darker,
    lighter,
    moved_all,
    rotation,
)

_PART = "thing"
_WHITE: Color = (1.0, 1.0, 1.0)


def _plate(s: Shaper) -> None:
    """A plate or a saucer, with a rim."""
    wide, half = s.pick(0.3, 0.5), s.pick(0.022, 0.035)
    s.add(_PART, "plate", (wide, wide, half), (0, 0, half), specular=0.5)
    s.add(_PART, "torus", (wide * 0.98, wide * 0.98, 0.08), (0, 0, 2 * half), rgb=s.accent, specular=0.5)


def _block(s: Shaper) -> None:
    """A block of wood, a brick or a prism."""
    y, z = s.pick(0.15, 0.4), s.pick(0.08, 0.2)
    if s.rng.random() < 0.5:
        s.add(_PART, "slab", (0.5, y, z), (0, 0, z), rgb=_WHITE, texture=str(s.rng.choice(WOODS)), specular=0.0)
    else:
        s.add(_PART, "tri", (z, z, 0.4), (0, 0, z * 0.5), turn=rotation("x", 90.0), specular=0.1)


def _candle(s: Shaper) -> None:
    thick, half = s.pick(0.12, 0.3), s.pick(0.2, 0.45)
    s.add(_PART, "cylinder", (thick, thick, half), (0, 0, half), rgb=lighter(s.main, 0.6), specular=0.2)
    s.add(_PART, "cylinder", (0.02, 0.02, 0.05), (0, 0, 2 * half + 0.04), rgb=(0.1, 0.1, 0.1), specular=0.0)
    s.add(_PART, "dish", (thick * 1.5, thick * 1.5, 0.04), (0, 0, 0.04), rgb=STEEL, specular=0.8)


def _banana(s: Shaper) -> None:
    yellow = (0.93, s.pick(0.72, 0.82), 0.2)
    s.add(_PART, "banana", (0.32, 0.42, 0.5), (0, 0, 0.07), turn=rotation("x", 90.0), rgb=yellow, specular=0.2)


def _phone(s: Shaper) -> None:
    wide = s.pick(0.22, 0.26)
    s.add(_PART, "slab", (0.5, wide, 0.028), (0, 0, 0.028), rgb=(0.1, 0.1, 0.11), specular=0.6)
    screen = (0.46, wide * 0.9, 0.005)
    texture = inked(str(s.rng.choice(list(COLORS))), str(s.rng.choice(("picture", "label", "fading"))))
    s.add(_PART, "box", screen, (0, 0, 0.055), rgb=_WHITE, texture=texture, specular=0.9)


def _pyramid(s: Shaper) -> None:
    s.add(_PART, "pyramid", (0.42, 0.42, s.pick(0.25, 0.45)), (0, 0, 0.0), texture=str(s.rng.choice(GRAINS)))


def _sponge(s: Shaper) -> None:
    y, z = s.pick(0.26, 0.36), s.pick(0.1, 0.16)
    s.add(_PART, "slab", (0.5, y, z), (0, 0, z), rgb=(0.92, 0.78, 0.3), texture="mottle", specular=0.0)
    s.add(_PART, "slab", (0.502, y * 1.01, z * 0.3), (0, 0, 2 * z), rgb=s.main, texture="fine", specular=0.0)


def _frame(s: Shaper) -> None:
    """A picture frame that leans back, its stand behind it."""
    y, lean = s.pick(0.3, 0.5), s.pick(12, 25)
    turn = rotation("x", lean) @ rotation("x", -90.0) @ rotation("z", 90.0)
    z = 0.42 * np.cos(np.radians(lean))
    s.add(_PART, "box", (0.42, y, 0.025), (0, 0, z), turn=turn, rgb=_WHITE, texture=str(s.rng.choice(WOODS)))
    texture = inked(str(s.rng.choice(list(COLORS))), str(s.rng.choice(("picture", "picture_too", "patches"))))
    s.add(_PART, "box", (0.36, y * 0.85, 0.03), (0, 0, z), turn=turn, rgb=_WHITE, texture=texture, specular=0.6)


def _tape(s: Shaper) -> None:
    wide, half = s.pick(0.3, 0.45), s.pick(0.1, 0.22)
    s.add(_PART, "tube", (wide, wide, half), (0, 0, half), rgb=lighter(s.main, 0.2), specular=0.6)
    s.add(_PART, "tube", (wide * 0.74, wide * 0.74, half * 1.01), (0, 0, half), rgb=(0.72, 0.6, 0.45), specular=0.1)


def _cactus(s: Shaper) -> None:
    pot = (0.62, s.pick(0.28, 0.36), 0.2)
    s.add(_PART, "cone_75", (0.22, 0.22, 0.17), (0, 0, 0.17), turn=np.diag([1.0, -1.0, -1.0]), rgb=pot, specular=0.1)
    green = (0.2, s.pick(0.4, 0.5), 0.2)
    high = s.pick(0.2, 0.34)
    s.add(_PART, "capsule", (0.13, 0.13, high), (0, 0, 0.3 + high), rgb=green, texture="weave", specular=0.0)
    for side in (-1, 1):
        at = (side * 0.16, 0, 0.3 + high * s.pick(0.9, 1.4))
        s.add(_PART, "capsule", (0.06, 0.06, 0.13), at, turn=rotation("y", side * 35), rgb=green, specular=0.0)


def _paper(s: Shaper) -> None:
    """A sheet or a card with something printed on it."""
    white = inked("white", str(s.rng.choice(("writing", "label", "picture", "plaid"))))
    s.add(_PART, "box", (0.5, s.pick(0.28, 0.42), 0.004), (0, 0, 0.004), rgb=_WHITE, texture=white, specular=0.0)


def _keys(s: Shaper) -> None:
    s.add(_PART, "torus", (0.2, 0.2, 0.25), (0, 0, 0.03), rgb=STEEL, specular=1.0)
    for angle in (0, 40, 75):
        turn = rotation("z", angle)
        at = turn @ [0.36, 0.0, 0.03]
        s.add(_PART, "slab", (0.2, 0.06, 0.02), (at[0], at[1], at[2]), turn=turn, rgb=darker(STEEL, 0.1), specular=1.0)


_RECIPES: tuple[tuple[Callable[[Shaper], None], tuple[float, float]], ...] = (
    (_plate, (120.0, 200.0)),
    (_block, (80.0, 170.0)),
    (_candle, (60.0, 110.0)),
    (_banana, (110.0, 170.0)),
    (_phone, (100.0, 160.0)),
    (_pyramid, (70.0, 120.0)),
    (_sponge, (80.0, 130.0)),
    (_frame, (110.0, 170.0)),
    (_tape, (60.0, 110.0)),
    (_cactus, (90.0, 150.0)),
    (_paper, (110.0, 210.0)),
    (_keys, (70.0, 110.0)),
)


def _color(rng: np.random.Generator) -> Color:
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.8), rng.uniform(0.3, 0.95))


def fitted(geoms: list[Geom], size_m: float) -> list[Geom]:
    """The geoms scaled to a longest side, standing on z = 0 around the origin."""
    low, high = bounds_m(geoms)
    scale = size_m / float((high - low).max())
    offset = -scale * np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return moved_all(geoms, scale * np.eye(3), offset)


def build_clutter(meters_per_px: float, rng: np.random.Generator) -> list[Geom]:
    """One thing of no kind, standing on z = 0 around the origin.

    Args:
        meters_per_px: What a pixel shows at the camera's distance.
        rng: Source of what it is, its proportions, its color and size.
    """
    recipe, size_px = _RECIPES[int(rng.integers(len(_RECIPES)))]
    shaper = Shaper(rng, 0, (_PART,), _color(rng))
    recipe(shaper)
    return fitted(shaper.geoms, float(rng.uniform(*size_px)) * meters_per_px)


def build_mat(center_m: np.ndarray, meters_per_px: float, rng: np.random.Generator) -> tuple[Geom, ...]:
    """A place mat, a napkin or a tray of 2 mm that things may stand on."""
    shaper = Shaper(rng, 0, (_PART,), _color(rng))
    half = rng.uniform(90, 240, 2) * meters_per_px
    mesh = str(rng.choice(("slab", "box", "cylinder")))
    if mesh == "cylinder":
        half[1] = half[0]
    turn = rotation("z", float(rng.uniform(0, 360)))
    texture = str(rng.choice(GRAINS)) if rng.random() < 0.7 else ""
    at = (float(center_m[0]), float(center_m[1]), 0.0)
    shaper.add(_PART, mesh, (float(half[0]), float(half[1]), 0.002), at, turn=turn, texture=texture, specular=0.05)
    return tuple(shaper.geoms)
