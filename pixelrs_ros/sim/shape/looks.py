"""What things are made of: gloss, prints and grains on their color, handles of wood, steel or black plastic."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.patterns import GRAINS, INKED, WOODS, inked
from pixelrs_ros.sim.shape.shapes import COLORS, Color, Geom, mix

PATTERN_RATE = 0.45  # of the things
_TRIM_RATE = 0.35  # of the things of kinds that are trimmed
_ONE_PART_RATE = 0.3  # of the patterned things with several parts in the color
_GRAIN_RATE = 0.3  # of the patterns
_FADED_INK = (0.75, 1.1)
# Kinds whose lesser parts may be of another material; what is in the accent color is less than a third of these.
TRIMMED = frozenset(("mug", "pan", "bottle", "teapot", "lamp", "knife", "screwdriver", "brush", "book", "bowl"))
WOOD_COLORS: tuple[Color, ...] = tuple((0.9999, 0.9999 - 0.0001 * i, 0.9998) for i in range(len(WOODS)))
_WOODEN = dict(zip(WOOD_COLORS, WOODS, strict=True))
_PLASTIC: tuple[Color, ...] = ((0.07, 0.07, 0.08), (0.16, 0.16, 0.17), (0.88, 0.88, 0.86), (0.66, 0.68, 0.71))


def sample_trim(kind: str, color: str, rng: np.random.Generator) -> Color | None:
    """A material's color for what is mounted to a thing of a kind and color; None for a shade of its own."""
    if kind not in TRIMMED or rng.random() >= _TRIM_RATE:
        return None
    if rng.random() < 0.35:
        return WOOD_COLORS[int(rng.integers(len(WOOD_COLORS)))]
    far = [paint for paint in _PLASTIC if abs(paint[1] - COLORS[color][1]) > 0.2 or color not in ("black", "white")]
    return far[int(rng.integers(len(far)))]


def _pattern(color: str, rng: np.random.Generator) -> str:
    if rng.random() < _GRAIN_RATE:
        return GRAINS[int(rng.integers(len(GRAINS)))]
    return inked(color, INKED[int(rng.integers(len(INKED)))])


def _tint(main: Color, color: str) -> Color:
    """What turns a pattern's color into the thing's own shade of it."""
    r, g, b = (float(np.clip((m + 0.02) / (c + 0.02), 0.7, 1.25)) for m, c in zip(main, COLORS[color], strict=True))
    return mix((r, g, b), ((r + g + b) / 3,) * 3, 0.4)


def dressed(geoms: list[Geom], main: Color, color: str, rng: np.random.Generator) -> list[Geom]:
    """The geoms with their gloss, and with a pattern where they are in the thing's color.

    Args:
        geoms: Plain, as a recipe made them.
        main: The thing's shade.
        color: Name in `COLORS`.
        rng: Source of pattern and gloss.
    """
    gloss, shininess = float(rng.uniform(0.0, 1.8)), float(rng.uniform(0.1, 0.9))
    parts = sorted({geom.part for geom in geoms if geom.rgb == main})
    texture = _pattern(color, rng) if rng.random() < PATTERN_RATE else ""
    if len(parts) > 1 and rng.random() < _ONE_PART_RATE:
        parts = [parts[int(rng.integers(len(parts)))]]
    tint = main if texture in GRAINS else _tint(main, color)
    result = []
    for g in geoms:
        specular, rgb, print_name = min(g.specular * gloss, 1.0), g.rgb, g.texture
        if rgb in _WOODEN:
            specular, print_name = 0.1, _WOODEN[rgb]
        elif texture and rgb == main and g.part in parts:
            rgb, print_name = tint, texture
        result.append(Geom(g.mesh, g.part, g.linear, g.offset_m, rgb, specular, shininess, print_name))
    return result
