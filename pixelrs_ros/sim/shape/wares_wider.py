"""Recipes of lamps, books, boxes, balls and baskets in the families 4…7."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.shapes import ALONG_Y, Shaper, mix, rotation


def lamp(s: Shaper) -> None:
    """Gooseneck with a dome, globe, drum on an urn, cone on three legs."""
    bulb = mix(s.main, (1.0, 0.97, 0.85), 0.75)
    if s.family == 4:
        foot, high, out = s.pick(0.2, 0.28), s.pick(0.62, 0.78), s.pick(0.36, 0.48)
        s.add("base", "cylinder", (foot, foot, 0.04), (0, 0, 0.04), rgb=s.accent)
        s.add("base", "gooseneck", (out, 0.55, high), (0, 0, 0.05), rgb=s.accent, specular=0.5)
        wide, turn = s.pick(0.22, 0.28), rotation("y", -s.pick(-5, 20))
        at = (out * 0.98, 0, high * 0.96 - wide * 0.72)
        s.add("shade", "shade_dome", (wide, wide, wide), at, turn=turn, specular=0.4)
        s.add("shade", "sphere", (0.09, 0.09, 0.09), (at[0], 0, at[2] + wide * 0.3), rgb=bulb)
    elif s.family == 5:
        foot, stem = s.pick(0.17, 0.25), s.pick(0.1, 0.35)
        ball = s.pick(0.28, 0.36)
        s.add("base", ("cylinder", "cone_50")[int(s.rng.integers(2))], (foot, foot, 0.06), (0, 0, 0.06), rgb=s.accent)
        s.add("base", "cylinder", (0.06, 0.06, stem / 2 + 0.08), (0, 0, stem / 2 + 0.08), rgb=s.accent)
        s.add("shade", "sphere", (ball, ball, ball), (0, 0, 0.1 + stem + ball * 0.95), specular=0.5)
    elif s.family == 6:
        urn, wide = s.pick(0.18, 0.25), s.pick(0.3, 0.38)
        s.add("base", "urn", (urn, urn, 0.27), (0, 0, 0.27), rgb=s.accent, specular=0.6)
        s.add("base", "cylinder", (0.035, 0.035, 0.12), (0, 0, 0.62), rgb=s.steel)
        half = s.pick(0.17, 0.24)
        s.add("shade", "tube", (wide, wide, half), (0, 0, 0.56 + half), specular=0.1)
        for side in (-1, 1):
            s.add("shade", "torus", (wide, wide, 0.15), (0, 0, 0.56 + half * (1 + side)), rgb=s.accent, specular=0.1)
        s.add("shade", "cylinder", (wide * 0.76, wide * 0.76, 0.01), (0, 0, 0.56 + half * 1.5), rgb=bulb)
    else:
        high, spread = s.pick(0.5, 0.62), s.pick(0.2, 0.28)
        for angle in (0, 120, 240):
            lean = float(np.degrees(np.arctan2(spread, high)))
            turn = rotation("z", angle) @ rotation("y", -lean)
            middle = rotation("z", angle) @ [spread / 2, 0, high / 2]
            size = (0.032, 0.032, float(np.hypot(high, spread)) / 2)
            s.add("base", "capsule", size, (middle[0], middle[1], middle[2]), turn=turn, rgb=s.accent)
        wide, half = s.pick(0.3, 0.38), s.pick(0.18, 0.26)
        s.add("base", "sphere", (0.06, 0.06, 0.06), (0, 0, high), rgb=s.accent)
        s.add("shade", "shade_cone", (wide, wide, half), (0, 0, high + half * 0.8), specular=0.1)


def _volume(s: Shaper, x: float, y: float, half: float, mesh: str = "box") -> None:
    """A closed book that lies on z = 0, its back at -y."""
    board = s.pick(0.008, 0.018)
    for z in (board, 2 * half + 3 * board):
        s.add("cover", mesh, (x, y, board), (0, 0, z), specular=0.3)
    s.add("cover", "box", (x, board, half + 2 * board), (0, -y, half + 2 * board), specular=0.3)
    s.add("pages", "box", (x * 0.96, y * 0.96, half), (0, 0, half + 2 * board), rgb=s.paper, specular=0.0)


def book(s: Shaper) -> None:
    """Thin, standing, open face down, thick with a ribbon."""
    x, y = 0.5, s.pick(0.3, 0.42)
    if s.family == 4:
        _volume(s, x, y, s.pick(0.012, 0.03))
    elif s.family == 5:
        half = s.pick(0.05, 0.1)
        _volume(s, x, y, half)
        if s.rng.random() < 0.7:
            s.add("cover", "box", (x * 0.6, 0.02, half * 0.6), (0, -y, half + 0.03), rgb=s.accent)
        s.geoms = [geom.moved(rotation("z", 90.0) @ rotation("y", 90.0), np.zeros(3)) for geom in s.geoms]
    elif s.family == 6:
        slope, board = s.pick(22, 38), 0.014
        c, d = np.cos(np.radians(slope)), np.sin(np.radians(slope))
        for side in (-1, 1):
            turn = rotation("x", -side * slope)
            s.add("cover", "box", (x, y, board), (0, side * y * c, y * d), turn=turn, specular=0.3)
            under = (0, side * (y * c - d * 0.05), y * d - c * 0.05)
            s.add("pages", "box", (x * 0.95, y * 0.92, 0.036), under, turn=turn, rgb=s.paper, specular=0.0)
        s.add("cover", "cylinder", (0.03, 0.03, x), (0, 0, 2 * y * d), turn=rotation("y", 90.0), specular=0.3)
    else:
        half = s.pick(0.1, 0.17)
        _volume(s, x, y, half, "slab")
        s.add("pages", "box", (0.3, 0.02, 0.004), (x * 0.9, y * 0.3, half), rgb=s.accent, specular=0.3)
    if s.family in (4, 7):
        top = max(geom.vertices_m()[:, 2].max() for geom in s.geoms)
        s.add("cover", "box", (x * s.pick(0.2, 0.6), y * 0.12, 0.004), (0, y * s.pick(-0.5, 0.5), top), rgb=s.accent)


def _opened(s: Shaper) -> None:
    """A box whose lid hangs open at its back."""
    x, y, half, wall = 0.45, s.pick(0.28, 0.4), s.pick(0.16, 0.26), 0.02
    s.add("body", "box", (x, y, wall), (0, 0, wall), rgb=s.dark, specular=0.1)
    for side in (-1, 1):
        s.add("body", "box", (x, wall, half), (0, side * (y - wall), half), specular=0.1)
        s.add("body", "box", (wall, y, half), (side * (x - wall), 0, half), specular=0.1)
    angle = s.pick(95, 125)
    turn = rotation("x", angle)
    at = turn @ [0, y, 0] + [0, -y, 2 * half]
    # Closed the lid reaches from the back edge to the front; it is turned up about the back edge.
    s.add("lid", "box", (x * 1.02, y, 0.025), (at[0], at[1], at[2]), turn=turn, rgb=s.accent, specular=0.1)


def box(s: Shaper) -> None:
    """Cube, shoe box, flat box, open box."""
    if s.family == 7:
        _opened(s)
        return
    x, y = 0.45, (s.pick(0.4, 0.48), s.pick(0.2, 0.27), s.pick(0.3, 0.45))[s.family - 4]
    half = (s.pick(0.3, 0.38), s.pick(0.12, 0.18), s.pick(0.05, 0.08))[s.family - 4]
    lid = (s.pick(0.06, 0.12), s.pick(0.05, 0.07), s.pick(0.02, 0.035))[s.family - 4]
    mesh = "slab" if s.family == 6 else "box"
    s.add("body", mesh, (x, y, half), (0, 0, half), specular=0.2)
    s.add("lid", mesh, (x * 1.03, y * 1.05, lid), (0, 0, 2 * half), rgb=s.accent, specular=0.2)
    top = 2 * half + lid
    if s.family == 4 and s.rng.random() < 0.6:  # a ribbon
        wrap = (s.pick(0.04, 0.07), y * 1.06, lid * 1.02)
        s.add("lid", "box", wrap, (0, 0, 2 * half), rgb=s.dark, specular=0.3)
        s.add("body", "box", (wrap[0], y * 1.01, half), (0, 0, half), rgb=s.dark, specular=0.3)
        for side in (-1, 1):
            turn = rotation("x", 90.0) @ rotation("z", 90 - side * 50)
            s.add("lid", "arc", (0.16, 0.09, 0.2), (0, 0, top), turn=turn, rgb=s.dark, specular=0.3)
    elif s.family == 5:
        s.add("body", "box", (0.12, y * 1.01, half * 0.3), (x * 0.4, 0, half * 0.9), rgb=s.paper, specular=0.0)


def ball(s: Shaper) -> None:
    """Plain with a seam, with three rings, with spots, with two wedges."""
    s.add("body", "sphere", (0.5, 0.5, 0.5), specular=0.5)
    if s.family == 4:
        s.add("body", "torus", (0.468, 0.468, 0.4), rgb=s.dark, specular=0.2)
    elif s.family == 5:
        for turn in (np.eye(3), ALONG_Y, rotation("y", 90.0)):
            s.add("body", "torus", (0.472, 0.472, 0.3), turn=turn, rgb=s.dark, specular=0.2)
    elif s.family == 6:
        for tip in (0, 180, 63, -63, 117, -117):
            turn = rotation("z", 90.0 * (tip % 4)) @ rotation("x", tip)
            s.add("body", "polar", (0.3, 0.3, 0.512), turn=turn, rgb=s.accent, specular=0.5)
    else:
        for angle in (0, 180):
            s.add("body", "segment", (0.51, 0.51, 0.51), turn=rotation("z", angle), rgb=s.accent, specular=0.5)


def _woven(s: Shaper, mesh: str, low: float, size: tuple[float, float, float], rows: int) -> None:
    """A wall of rings with a dark inside; `low` is the bottom's radius as a share of the rim's."""
    x, y, half = size
    s.add("body", mesh, size, (0, 0, half), specular=0.05)
    s.add("body", mesh, (x * 0.95, y * 0.95, half * 0.96), (0, 0, half * 0.98), rgb=s.dark, specular=0.0)
    for row in range(rows):
        share = (row + 0.7) / rows
        radius = low + (1 - low) * share + 0.015
        ring = (x * radius, y * radius, half * 1.9 / rows / 0.18)
        shade = s.main if row % 3 else s.accent
        s.add("body", "torus", ring, (0, 0, 2 * half * share), rgb=shade, specular=0.0)


def basket(s: Shaper) -> None:
    """Round with two ears, oval with a low arch, tall with two loops, shallow with a flat arch."""
    half = (s.pick(0.18, 0.26), s.pick(0.15, 0.2), s.pick(0.34, 0.44), s.pick(0.1, 0.14))[s.family - 4]
    y = 0.46 * (s.pick(0.6, 0.75) if s.family in (5, 7) else 1.0)
    mesh, low = ("cup_taper", 0.68) if s.family in (4, 6) else ("bowl_straight", 0.62)
    x = 0.36 if s.family == 6 else 0.46
    y = x if s.family == 6 else y
    _woven(s, mesh, low, (x, y, half), int(s.rng.integers(3, 8)))
    if s.family in (4, 6):
        for side in (0, 180):
            turn = rotation("z", side) @ rotation("y", -s.pick(60, 85))
            start = rotation("z", side) @ [x * 0.96, 0, 2 * half * 0.94]
            size = (s.pick(0.16, 0.24), 0.25, 0.0)
            upright = turn @ rotation("x", 90.0)
            s.add("handle", "arc", (size[0], 0.2, 0.2), (start[0], 0, start[2]), turn=upright, rgb=s.accent)
        return
    arch = ("arch", "arch_d")[s.family == 7]
    high = s.pick(0.3, 0.4) if s.family == 5 else s.pick(0.36, 0.5)
    turn = rotation("y", -90.0)
    if s.family == 7:
        s.add("handle", arch, (high, 0.6, y * 0.92), (0, 0, half * 1.7), turn=rotation("z", 90.0) @ turn, rgb=s.accent)
    else:
        s.add("handle", arch, (high, 0.4, x * 0.93), (0, 0, half * 1.75), turn=turn, rgb=s.accent)
