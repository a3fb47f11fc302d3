"""Recipes of the shape family that no network is trained on: every kind once more, built differently."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.shapes import ALONG_X, ALONG_Y, Color, Shaper, Vector, darker, lighter, mix, rotation
from pixelrs_ros.sim.shape.vessels import liner

_SIDE = 2**0.5  # a mesh of four facets scaled by this has its sides at one unit


def _rod(s: Shaper, part: str, start: Vector, end: Vector, thick: float, rgb: Color, mesh: str = "cylinder") -> None:
    """A straight bar between two points of the xz plane."""
    x, z = end[0] - start[0], end[2] - start[2]
    turn = rotation("y", float(np.degrees(np.arctan2(x, z))))
    middle = ((start[0] + end[0]) / 2, start[1], (start[2] + end[2]) / 2)
    s.add(part, mesh, (thick, thick, float(np.hypot(x, z)) / 2), middle, turn=turn, rgb=rgb)


def mug(s: Shaper) -> None:
    """Six flat sides that lean inwards, and a square handle."""
    half = s.pick(0.42, 0.52)
    s.add("body", "cup_facets", (0.5, 0.5, half), (0, 0, half), specular=0.4)
    liner(s, "body", "cup_facets", 0.5, half, half)
    out, high = s.pick(0.3, 0.38), half * s.pick(0.5, 0.62)
    start = 0.34
    for z in (half + high, half - high):
        s.add("handle", "box", (out / 2, 0.07, 0.055), (start + out / 2, 0, z), rgb=s.accent, specular=0.4)
    s.add("handle", "box", (0.06, 0.075, high + 0.06), (start + out, 0, half), rgb=s.accent, specular=0.4)


def bowl(s: Shaper) -> None:
    """Four flared sides."""
    half = s.pick(0.2, 0.27)
    wide = 0.5 * _SIDE
    s.add("body", "bowl_square", (wide, wide, half), (0, 0, half), specular=0.4)
    liner(s, "body", "bowl_square", wide, half, half)
    s.add("body", "frame", (wide * 1.01, wide * 1.01, 0.02), (0, 0, 2 * half), rgb=s.accent)


def pan(s: Shaper) -> None:
    """A square dish whose handle is a loop of wire."""
    half = s.pick(0.09, 0.12)
    side = 0.4
    wide = side * _SIDE
    s.add("body", "dish_square", (wide, wide, half), (0, 0, half), specular=0.3)
    liner(s, "body", "dish_square", wide, half, half)
    for y in np.linspace(-0.65, 0.65, 5) * side:
        s.add("body", "box", (side * 0.72, 0.012, 0.012), (0, y, half * 0.8), rgb=s.main, specular=0.3)
    length, gap = s.pick(0.5, 0.65), s.pick(0.055, 0.07)
    lift = length * 0.12
    start, z = side * 0.94, half * 1.7
    for y in (-gap, gap):
        _rod(s, "handle", (start, y, z), (start + length, y, z + lift), 0.028, s.accent, "capsule")
    s.add("handle", "capsule", (0.03, 0.03, gap * 1.2), (start + length, 0, z + lift), turn=ALONG_Y, rgb=s.accent)
    grip = (start + length * 0.62, 0, z + lift * 0.62)
    s.add("handle", "slab", (length * 0.3, gap * 1.35, 0.036), grip, turn=rotation("y", -7), rgb=s.accent)


def bottle(s: Shaper) -> None:
    """A square body with a flat shoulder, a short neck and a faceted stopper."""
    radius = s.pick(0.2, 0.25) * _SIDE
    half = 0.42
    s.add("body", "bottle_square", (radius, radius, half), (0, 0, half), specular=0.6)
    neck = 0.1
    s.add("body", "cylinder", (neck, neck, 0.09), (0, 0, half * 1.5 + 0.07), specular=0.6)
    top = half * 1.5 + 0.14
    s.add("cap", "cylinder", (neck * 1.25, neck * 1.25, 0.025), (0, 0, top), rgb=darker(s.accent, 0.25))
    wide, tall = s.pick(0.12, 0.14), s.pick(0.075, 0.095)
    s.add("cap", "hexagon", (wide, wide, tall), (0, 0, top + tall), rgb=s.accent, specular=0.2)
    label = radius * 1.02
    s.add("body", "frame", (label, label, s.pick(0.1, 0.15)), (0, 0, 0.3), rgb=s.paper, specular=0.05)


def can(s: Shaper) -> None:
    """A flat tin of rounded corners with metal rims, a label and a key."""
    x, y = 0.42, s.pick(0.26, 0.31)
    half = s.pick(0.2, 0.3)
    metal = mix(s.steel, (0.9, 0.9, 0.92), 0.45)
    s.add("body", "oblong", (x * 0.97, y * 0.97, half), (0, 0, half), rgb=metal, specular=0.9)
    s.add("body", "oblong", (x, y, half * 0.8), (0, 0, half), specular=0.4)
    s.add("body", "oblong", (x * 1.01, y * 1.01, half * s.pick(0.12, 0.2)), (0, 0, half), rgb=s.paper, specular=0.3)
    for z in (0.03, 2 * half - 0.03):
        s.add("body", "oblong", (x * 1.03, y * 1.03, 0.025), (0, 0, z), rgb=metal, specular=0.9)
    s.add("body", "oblong", (x * 0.86, y * 0.84, 0.012), (0, 0, 2 * half - 0.005), rgb=darker(metal, 0.2), specular=0.9)
    s.add("body", "torus", (0.075, 0.075, 0.25), (0.14, 0, 2 * half + 0.025), rgb=darker(metal, 0.4), specular=0.9)
    s.add("body", "slab", (0.06, 0.03, 0.01), (0.03, 0, 2 * half + 0.02), rgb=darker(metal, 0.4), specular=0.9)


def teapot(s: Shaper) -> None:
    """Six flat sides, a straight spout, and a hoop over the top for a handle."""
    radius, half = 0.38, s.pick(0.24, 0.29)
    s.add("body", "pot_facets", (radius, radius, half), (0, 0, half), specular=0.6)
    tip = (radius + s.pick(0.24, 0.32), 0.0, half * s.pick(1.7, 1.95))
    _rod(s, "spout", (radius * 0.75, 0.0, half * 0.75), tip, 0.1, s.accent, "taper")
    rgb = mix(s.main, s.accent, 0.65)
    top = 2 * half
    s.add("lid", "hexagon", (radius * 0.6, radius * 0.6, 0.035), (0, 0, top + 0.02), rgb=rgb, specular=0.5)
    s.add("lid", "box", (0.07, 0.07, 0.055), (0, 0, top + 0.1), rgb=rgb, specular=0.5)
    high = s.pick(0.44, 0.52)
    s.add(
        "handle",
        "arch_d",
        (high, 0.45, radius * 0.86),
        (0, 0, half * 1.5),
        turn=rotation("y", -90.0),
        rgb=s.accent,
        specular=0.5,
    )


def lamp(s: Shaper) -> None:
    """A desk lamp: a jointed arm that holds a tilted bell over its foot."""
    foot = s.pick(0.24, 0.28)
    s.add("base", "hexagon", (foot, foot, 0.045), (0, 0, 0.045), rgb=s.accent)
    elbow = (-s.pick(0.24, 0.32), 0.0, s.pick(0.44, 0.52))
    end = (s.pick(0.22, 0.3), 0.0, elbow[2] + s.pick(0.26, 0.34))
    _rod(s, "base", (0.0, 0.0, 0.07), elbow, 0.045, s.accent)
    _rod(s, "base", elbow, end, 0.045, s.accent)
    s.add("base", "sphere", (0.075, 0.075, 0.075), elbow, rgb=darker(s.accent, 0.3))
    wide = s.pick(0.21, 0.24)
    turn = rotation("y", -s.pick(25, 40))
    down = turn @ [0.0, 0.0, -1.0]
    center = tuple(float(v) for v in np.asarray(end) + 0.14 * down)
    s.add("shade", "bell", (wide, wide, 0.17), (center[0], 0, center[2]), turn=turn, specular=0.1)
    bulb = mix(s.main, (1.0, 0.97, 0.85), 0.75)
    s.add("shade", "sphere", (0.1, 0.1, 0.1), (center[0] + 0.08 * down[0], 0, center[2] + 0.08 * down[2]), rgb=bulb)
    s.add(
        "shade", "torus", (wide, wide, 0.22), tuple(np.add(center, 0.16 * down)), turn=turn, rgb=s.accent, specular=0.1
    )


def book(s: Shaper) -> None:
    """A thick square tome: a round spine with raised bands, and a clasp."""
    x, y = 0.46, s.pick(0.42, 0.48)
    half, board = s.pick(0.13, 0.17), 0.025
    middle = half + 2 * board
    for z in (board, 2 * middle - board):
        s.add("cover", "slab", (x, y, board), (0, 0, z), specular=0.15)
    s.add("cover", "cylinder", (0.11, middle, x), (0, -y, middle), turn=ALONG_X @ rotation("z", 90), specular=0.15)
    for place in (-0.6, -0.2, 0.2, 0.6):
        band = (0.13, middle * 1.05, 0.03)
        turn = ALONG_X @ rotation("z", 90)
        s.add("cover", "cylinder", band, (x * place, -y, middle), turn=turn, rgb=s.accent, specular=0.15)
    s.add("pages", "box", (x * 0.92, y * 0.94, half), (0, 0, middle), rgb=s.paper, specular=0.0)
    for level in (0.6, 1.4):
        line = (x * 0.922, y * 0.942, half * 0.06)
        s.add("pages", "box", line, (0, 0, half * level + 2 * board), rgb=darker(s.paper, 0.2), specular=0.0)
    s.add("cover", "box", (0.06, 0.02, middle * 1.01), (0, y * 0.97, middle), rgb=s.accent, specular=0.3)
    top = 2 * middle
    s.add("cover", "box", (0.06, y * 0.3, 0.006), (0, y * 0.7, top), rgb=s.accent, specular=0.3)
    for side_x in (-1, 1):
        for side_y in (-0.7, 1):
            corner = (side_x * x * 0.88, side_y * y * 0.86, top)
            s.add("cover", "box", (x * 0.13, y * 0.13, 0.006), corner, rgb=s.accent, specular=0.3)


def box(s: Shaper) -> None:
    """A chest with a vaulted lid, straps and a lock."""
    x, y = 0.46, s.pick(0.3, 0.36)
    half = s.pick(0.15, 0.2)
    rise = s.pick(0.6, 0.8)
    s.add("body", "box", (x, y, half), (0, 0, half), specular=0.1)
    across = ALONG_X @ rotation("z", 90)
    s.add("lid", "cylinder", (y * 1.06, y * rise, x * 1.04), (0, 0, 2 * half), turn=across, rgb=s.accent, specular=0.1)
    strap = darker(s.accent, 0.35)
    for place in (-0.65, 0.65):
        s.add("body", "box", (0.05, y * 1.07, half * 0.99), (x * place, 0, half * 0.99), rgb=s.dark, specular=0.1)
        ring = (y * 1.09, y * rise * 1.04, 0.05)
        s.add("lid", "cylinder", ring, (x * place, 0, 2 * half), turn=across, rgb=strap, specular=0.1)
    s.add("lid", "box", (0.07, 0.03, 0.075), (0, y * 1.07, 2 * half), rgb=strap, specular=0.6)


def ball(s: Shaper) -> None:
    """Long, pointed at both ends, with laces."""
    wide = s.pick(0.29, 0.33)
    s.add("body", "oval", (wide, wide, 0.5), turn=ALONG_X, specular=0.5)
    for angle in (90, -90):
        s.add("body", "oval_tip", (wide * 1.03, wide * 1.03, 0.506), turn=rotation("y", angle), rgb=s.accent)
    s.add("body", "box", (0.16, 0.014, 0.02), (0, 0, wide * 0.99), rgb=s.paper, specular=0.1)
    for place in np.linspace(-0.13, 0.13, 5):
        s.add("body", "box", (0.013, 0.06, 0.02), (place, 0, wide * 0.985), rgb=s.paper, specular=0.1)


def basket(s: Shaper) -> None:
    """A rectangular basket of slats with a square hoop."""
    x, y = 0.46, s.pick(0.3, 0.38)
    half = s.pick(0.17, 0.22)
    scale = (x * _SIDE, y * _SIDE, half)
    s.add("body", "crate", scale, (0, 0, half), rgb=s.dark, specular=0.05)
    rows = 4
    for row in range(rows):
        share = (row + 0.5) / rows
        grown = 0.855 + 0.15 * share + 0.02
        size = (scale[0] * grown, scale[1] * grown, half / rows * 0.75)
        s.add("body", "frame", size, (0, 0, 2 * half * share), rgb=s.main if row % 2 else s.accent, specular=0.0)
    for side_x in (-0.5, 0.0, 0.5):
        for side_y in (-1, 1):
            at = (x * side_x, side_y * y * 0.965, half)
            turn = rotation("x", -side_y * float(np.degrees(np.arctan(0.15 * y / (2 * half)))))
            s.add("body", "box", (0.035, 0.014, half), at, turn=turn, rgb=s.main, specular=0.0)
    high = s.pick(0.36, 0.46)
    for side in (-1, 1):
        post = (0.03, 0.05, (high + half) / 2)
        s.add("handle", "box", post, (side * x, 0, half + (high + half) / 2), rgb=s.accent, specular=0.1)
    s.add("handle", "box", (x + 0.03, 0.05, 0.03), (0, 0, 2 * half + high), rgb=s.accent, specular=0.1)


def hammer(s: Shaper) -> None:
    """A bricklayer's: a square face, a long chisel opposite, a handle that thickens towards its end."""
    length = s.pick(0.4, 0.46)
    z = 0.085
    turn = rotation("y", 90.0)
    s.add("handle", "taper", (0.062, 0.07, length), (0, 0, z), turn=turn)
    s.add("handle", "slab", (0.03, 0.085, 0.075), (-length, 0, z), rgb=s.dark)
    at = length * 0.92
    steel = darker(s.steel, 0.12)
    reach = s.pick(0.17, 0.21)
    s.add("head", "box", (0.055, reach * 0.5, 0.06), (at, 0, z), rgb=steel, specular=0.9)
    s.add("head", "box", (0.085, 0.05, 0.085), (at, -reach * 0.75, z), rgb=steel, specular=0.9)
    chisel = (reach * 0.75, 0.062, 0.042)
    s.add("head", "fan", chisel, (at, reach * 1.05, z), turn=rotation("z", 90), rgb=steel, specular=0.9)
    edge = (0.064, 0.02, 0.045)
    s.add("head", "box", edge, (at, reach * 1.78, z), rgb=lighter(steel, 0.3), specular=1.0)


def knife(s: Shaper) -> None:
    """A cleaver: a broad rounded blade with a hole, and a flat handle."""
    blade, width = s.pick(0.25, 0.29), s.pick(0.14, 0.165)
    grip, thick = s.pick(0.18, 0.22), 0.042
    s.add("blade", "blade_broad", (blade, width, 0.013), (blade, 0, thick), rgb=lighter(s.steel, 0.25), specular=1.0)
    s.add("blade", "box", (blade * 0.9, width * 0.1, 0.018), (blade, width * 0.88, thick), rgb=s.steel, specular=1.0)
    hole = (blade * 1.75, width * 0.55, thick)
    s.add("blade", "cylinder", (0.028, 0.028, 0.016), hole, rgb=darker(s.steel, 0.65), specular=0.2)
    y = width * 0.35
    s.add("handle", "slab", (grip, 0.055, 0.036), (-grip + 0.03, y, thick))
    s.add("handle", "cylinder", (0.068, 0.062, 0.038), (-2 * grip + 0.05, y, thick))
    for place in (0.5, 1.3):
        s.add("handle", "cylinder", (0.02, 0.02, 0.041), (-grip * place, y, thick), rgb=s.accent, specular=0.8)


def screwdriver(s: Shaper) -> None:
    """A bulb for the palm and a square shaft with a pointed tip."""
    grip, radius = s.pick(0.17, 0.2), s.pick(0.12, 0.14)
    shaft, thin = s.pick(0.22, 0.28), 0.036
    s.add("handle", "bulb", (radius, radius, grip), (-grip, 0, radius), turn=ALONG_X, specular=0.6)
    ring = (radius * 1.03, radius * 1.03, 0.02)
    s.add("handle", "cylinder", ring, (-grip * 1.4, 0, radius), turn=ALONG_X, rgb=s.accent, specular=0.6)
    steel = lighter(s.steel, 0.15)
    s.add("shaft", "box", (shaft, thin, thin), (shaft, 0, radius), rgb=steel, specular=1.0)
    tip = (2 * shaft + 0.05, 0, radius)
    s.add("shaft", "cone_50", (thin * 0.9, thin * 0.9, 0.05), tip, turn=ALONG_X, rgb=darker(steel, 0.3), specular=1.0)


def spoon(s: Shaper) -> None:
    """A cornered bowl, and a flat handle that widens towards its end."""
    long, wide, deep = s.pick(0.16, 0.19), s.pick(0.125, 0.145), 0.06
    s.add("bowl", "spoon_facets", (long, wide, deep), (long, 0, deep), rgb=s.accent, specular=0.7)
    inner = (long * 0.92, wide * 0.91, deep * 0.95)
    s.add("bowl", "spoon_facets", inner, (long, 0, deep * 0.98), rgb=darker(s.accent, 0.35), specular=0.4)
    stem = s.pick(0.27, 0.33)
    turn = rotation("y", s.pick(1, 3)) @ rotation("z", 180)
    s.add("handle", "fan", (stem, 0.065, 0.022), (-stem + 0.05, 0, deep * 1.6), turn=turn, specular=0.6)
    s.add("handle", "slab", (0.025, 0.075, 0.03), (-2 * stem + 0.08, 0, deep * 1.7), rgb=s.dark, specular=0.6)


def brush(s: Shaper) -> None:
    """A hair brush: an oval head whose bristles stand up, on a slim handle."""
    hair = mix((0.85, 0.78, 0.62), s.main, 0.4)
    dark = darker(hair, 0.45)
    long, wide = s.pick(0.24, 0.28), s.pick(0.14, 0.17)
    s.add("handle", "cylinder", (long, wide, 0.04), (long, 0, 0.04), specular=0.3)
    for row, x in enumerate(np.linspace(-0.75, 0.75, 7)):
        reach = wide * 0.86 * float(np.sqrt(1 - x * x))
        tuft = (long * 0.095, reach, 0.065)
        s.add("bristles", "box", tuft, (long * (1 + x), 0, 0.14), rgb=hair if row % 2 else dark, specular=0.0)
    stem = s.pick(0.2, 0.25)
    s.add("handle", "grip", (0.04, 0.05, stem), (-stem + 0.02, 0, 0.045), turn=rotation("y", -90.0), specular=0.3)
    s.add("handle", "torus", (0.05, 0.05, 0.3), (-2 * stem, 0, 0.04), rgb=s.accent)
