"""Recipes of things that stand on the table: vessels, containers, and what else is not a tool."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.shapes import ALONG_Y, Shaper, darker, mix, rotation


def liner(s: Shaper, part: str, mesh: str, radius: float, half: float, z: float) -> None:
    """A darker inside: the same vessel, a little narrower and lower, so that only its inner face shows."""
    s.add(
        part, mesh, (radius * 0.95, radius * 0.95, half * 0.96), (0.0, 0.0, z - half * 0.02), rgb=s.dark, specular=0.1
    )


def mug(s: Shaper) -> None:
    """A cup with a ring at its side."""
    mesh = ("cup", "cup_taper", "cup_barrel", "cup")[s.family]
    radius = 0.5
    half = s.pick(0.46, 0.58) if s.family < 3 else s.pick(0.62, 0.75)
    s.add("body", mesh, (radius, radius, half), (0, 0, half), specular=0.4)
    liner(s, "body", mesh, radius, half, half)
    ring = "arc_d" if s.rng.random() < 0.5 else "arc"
    # A tapering wall is nearer to the axis at the handle's height: start inside it.
    start = radius * (0.78 if mesh == "cup_taper" else 0.92)
    height = half * s.pick(0.6, 0.72)
    s.add(
        "handle",
        ring,
        (s.pick(0.36, 0.5) + radius - start, 0.42, height),
        (start, 0, half * 1.02),
        rgb=s.accent,
        specular=0.4,
    )


def bowl(s: Shaper) -> None:
    """A wide open vessel without a handle."""
    mesh = ("bowl_round", "bowl_flare", "bowl_straight", "bowl_round")[s.family]
    half = s.pick(0.19, 0.25) if s.family < 3 else s.pick(0.27, 0.32)
    s.add("body", mesh, (0.5, 0.5, half), (0, 0, half), specular=0.4)
    liner(s, "body", mesh, 0.5, half, half)
    if s.rng.random() < 0.4:
        s.add("body", "torus", (0.49, 0.49, 0.3), (0, 0, 2 * half), rgb=s.accent)


def pan(s: Shaper) -> None:
    """A flat dish with a long straight handle."""
    half = (0.07, 0.1, 0.14, 0.08)[s.family] * s.pick(0.9, 1.1)
    radius = 0.42
    s.add("body", "dish", (radius, radius, half), (0, 0, half), specular=0.3)
    liner(s, "body", "dish", radius, half, half)
    length = s.pick(0.52, 0.72)
    mesh = ("capsule", "slab", "grip", "capsule")[s.family]
    width = s.pick(0.06, 0.075)
    thick = width * 0.7
    turn = rotation("y", -s.pick(4, 12)) @ rotation("y", 90.0)
    at = (radius * 0.93 + length / 2, 0, half * 1.7 + length * 0.06)
    s.add("handle", mesh, (thick, width, length / 2), at, turn=turn, rgb=s.accent, specular=0.3)


def bottle(s: Shaper) -> None:
    """A tall body that narrows to a neck, with a cap."""
    radius = s.pick(0.19, 0.24)
    half = 0.42
    mesh = f"bottle_{s.family}"
    neck = (0.37, 0.41, 0.37, 0.43)[s.family] * radius
    s.add("body", mesh, (radius, radius, half), (0, 0, half), specular=0.6)
    cap = s.pick(0.055, 0.08)
    wide = max(neck * 1.35, 0.085)
    s.add("cap", "cylinder", (wide, wide, cap), (0, 0, 2 * half - 0.03 + cap), rgb=s.accent, specular=0.2)
    s.add("cap", "torus", (wide, wide, 0.2), (0, 0, 2 * half - 0.02), rgb=darker(s.accent, 0.25))
    if s.family in (0, 1) and s.rng.random() < 0.7:
        s.add(
            "body",
            "cylinder",
            (radius * 1.015, radius * 1.015, s.pick(0.1, 0.15)),
            (0, 0, 0.3),
            rgb=s.paper,
            specular=0.05,
        )


def can(s: Shaper) -> None:
    """A tin with light metal rims and a label."""
    radius = 0.33
    half = (0.5, 0.4, 0.3, 0.2)[s.family] * s.pick(0.94, 1.06)
    metal = mix(s.steel, (0.9, 0.9, 0.92), 0.45)
    s.add("body", "can", (radius, radius, half), (0, 0, half), rgb=metal, specular=0.9)
    s.add("body", "cylinder", (radius * 1.02, radius * 1.02, half * 0.84), (0, 0, half * 0.98), specular=0.4)
    s.add("body", "torus", (radius * 0.84, radius * 0.84, 0.25), (0, 0, 2 * half), rgb=metal, specular=0.9)
    if s.rng.random() < 0.5:
        stripe = (radius * 1.03, radius * 1.03, half * s.pick(0.06, 0.16))
        s.add("body", "cylinder", stripe, (0, 0, half * s.pick(0.8, 1.2)), rgb=s.paper, specular=0.3)
    s.add("body", "slab", (0.1, 0.05, 0.012), (0.08, 0, 2 * half + 0.014), rgb=darker(metal, 0.35), specular=0.9)


def teapot(s: Shaper) -> None:
    """A round body with spout, ring and a knobbed lid."""
    half = (0.3, 0.27, 0.29, 0.3)[s.family] * s.pick(0.93, 1.07)
    radius = 0.36
    top = half * (1.94 if s.family == 0 else 2.0)
    s.add(
        "body", f"pot_{s.family}", (radius, radius, half), (0, 0, half * (0.91 if s.family == 0 else 1.0)), specular=0.6
    )
    spout = "spout" if s.rng.random() < 0.5 else "spout_s"
    s.add("spout", spout, (0.42, 0.36, 0.4), (radius * 0.7, 0, half * 0.7), rgb=s.accent, specular=0.5)
    ring = "arc_d" if s.rng.random() < 0.5 else "arc"
    s.add(
        "handle",
        ring,
        (0.33, 0.36, half * 0.72),
        (-radius * 0.72, 0, half * 1.08),
        turn=rotation("z", 180),
        rgb=s.accent,
        specular=0.5,
    )
    rgb = mix(s.main, s.accent, 0.65)
    wide = radius * s.pick(0.6, 0.68)
    s.add("lid", "dome", (wide, wide, 0.1), (0, 0, top - 0.035), rgb=rgb, specular=0.5)
    s.add("lid", "sphere", (0.075, 0.075, 0.07), (0, 0, top + 0.11), rgb=rgb, specular=0.5)


def lamp(s: Shaper) -> None:
    """A table lamp: foot and stem are the base, a wide shade on top."""
    foot = s.pick(0.22, 0.28)
    stem = s.pick(0.46, 0.56)
    s.add(
        "base",
        ("cylinder", "dome", "slab", "cone_50")[s.family],
        (foot, foot, 0.05),
        (0, 0, 0 if s.family == 1 else 0.05),
        rgb=s.accent,
    )
    thick = s.pick(0.05, 0.065)
    s.add("base", "cylinder", (thick, thick, stem / 2 + 0.1), (0, 0, stem / 2 + 0.1), rgb=s.accent)
    if s.family in (1, 3):
        s.add("base", "sphere", (0.12, 0.12, 0.14), (0, 0, 0.26), rgb=s.accent)
    mesh = ("shade", "shade_drum", "shade", "shade_bell")[s.family]
    half = s.pick(0.15, 0.19)
    wide, top = s.pick(0.28, 0.33), (0.55, 0.72, 0.55, 0.36)[s.family]
    z = stem + half
    s.add("shade", mesh, (wide, wide, half), (0, 0, z), specular=0.1)
    s.add("shade", "torus", (wide, wide, 0.22), (0, 0, z - half), rgb=s.accent, specular=0.1)
    s.add("shade", "torus", (wide * top, wide * top, 0.22), (0, 0, z + half), rgb=s.accent, specular=0.1)
    bulb = mix(s.main, (1.0, 0.97, 0.85), 0.75)
    s.add("shade", "sphere", (0.09, 0.09, 0.12), (0, 0, z + 0.04), rgb=bulb, specular=0.1)


def book(s: Shaper) -> None:
    """A closed book lying flat: colored cover, pages showing on three sides."""
    x, y = 0.5, (0.36, 0.4, 0.33, 0.45)[s.family]
    half = (0.06, 0.09, 0.12, 0.05)[s.family] * s.pick(0.9, 1.15)
    board = 0.018
    s.add("cover", "box", (x, y, board), (0, 0, board), specular=0.15)
    s.add("cover", "box", (x, y, board), (0, 0, 2 * half + 3 * board), specular=0.15)
    s.add("cover", "box", (x, board, half + 2 * board), (0, -y, half + 2 * board), specular=0.15)
    s.add("pages", "box", (x * 0.93, y * 0.94, half), (0, 0.0, half + 2 * board), rgb=s.paper, specular=0.0)
    for level in (0.6, 1.4):
        line = (x * 0.932, y * 0.942, half * 0.06)
        s.add("pages", "box", line, (0, 0, half * level + 2 * board), rgb=darker(s.paper, 0.2), specular=0.0)
    top = 2 * half + 4 * board
    s.add(
        "cover",
        "box",
        (x * s.pick(0.3, 0.55), y * 0.14, 0.004),
        (0, y * s.pick(0.2, 0.5), top),
        rgb=s.accent,
        specular=0.1,
    )
    s.add("cover", "box", (x, y * 0.05, 0.004), (0, -y * 0.75, top), rgb=s.accent, specular=0.1)


def box(s: Shaper) -> None:
    """A chest with an overhanging lid in another shade."""
    x, y = 0.45, (0.4, 0.3, 0.45, 0.34)[s.family] * s.pick(0.93, 1.07)
    half = (0.22, 0.2, 0.3, 0.16)[s.family] * s.pick(0.9, 1.1)
    s.add("body", "box", (x, y, half), (0, 0, half), specular=0.1)
    lid = s.pick(0.07, 0.1)
    s.add("lid", "box", (x * 1.08, y * 1.1, lid), (0, 0, 2 * half + lid), rgb=s.accent, specular=0.1)
    top = 2 * half + 2 * lid
    style = int(s.rng.integers(3))
    if style == 0:
        s.add("lid", "sphere", (0.08, 0.08, 0.08), (0, 0, top + 0.05), rgb=darker(s.accent, 0.3))
    elif style == 1:
        s.add("lid", "box", (0.09, y * 1.11, lid * 1.02), (0, 0, 2 * half + lid), rgb=s.main, specular=0.1)
    for side in (-1, 1) if style == 2 else ():
        s.add("body", "box", (0.05, y * 1.02, half * 0.98), (side * x * 0.6, 0, half), rgb=s.dark, specular=0.1)


def ball(s: Shaper) -> None:
    """A sphere with bands, patches or segments of another shade."""
    s.add("body", "sphere", (0.5, 0.5, 0.5), specular=0.5)
    if s.family == 0:
        s.add("body", "zone", (0.515, 0.515, 0.515), rgb=s.accent, specular=0.5)
    elif s.family == 1:
        for side in (0, 180):
            s.add("body", "polar", (0.515, 0.515, 0.515), turn=rotation("x", side), rgb=s.accent, specular=0.5)
        s.add("body", "zone", (0.515, 0.515, 0.515), rgb=s.accent, specular=0.5)
    elif s.family == 2:
        for angle in (0, 120, 240):
            s.add("body", "segment", (0.515, 0.515, 0.515), turn=rotation("z", angle), rgb=s.accent, specular=0.5)
    else:
        for turn in (ALONG_Y, rotation("y", 90)):
            s.add("body", "zone", (0.515, 0.515, 0.31), turn=turn, rgb=s.accent, specular=0.5)


def basket(s: Shaper) -> None:
    """A woven basket with a tall arch over it."""
    wide = s.pick(0.72, 1.0) if s.family in (1, 3) else 1.0
    half = s.pick(0.21, 0.27)
    mesh = "cup_taper" if s.family < 2 else "bowl_straight"
    x, y = 0.46, 0.46 * wide
    s.add("body", mesh, (x, y, half), (0, 0, half), specular=0.05)
    s.add("body", mesh, (x * 0.95, y * 0.95, half * 0.96), (0, 0, half * 0.98), rgb=s.dark, specular=0.0)
    low = 0.68 if mesh == "cup_taper" else 0.62
    rows = 5
    for row in range(rows):
        share = (row + 0.7) / rows
        radius = low + (1 - low) * share + 0.015
        shade = s.accent if row % 2 == 0 else s.main
        s.add(
            "body",
            "torus",
            (x * radius, y * radius, half * 1.9 / rows / 0.18),
            (0, 0, 2 * half * share),
            rgb=shade,
            specular=0.0,
        )
    stakes = 14
    lean = (1 - low) * x / (2 * half)
    for angle in np.arange(stakes) * 360 / stakes:
        # A thin upright on the wall that leans outwards with it.
        turn = np.diag([1.0, wide, 1.0]) @ rotation("z", angle) @ np.array([[1.0, 0, lean], [0, 1, 0], [0, 0, 1]])
        middle = turn @ [x * low + 0.028, 0, half]
        s.add(
            "body", "box", (0.02, 0.026, half * 0.96), (middle[0], middle[1], half), turn=turn, rgb=s.dark, specular=0.0
        )
    arch = "arch_d" if s.family % 2 else "arch"
    height = s.pick(0.5, 0.62)
    turn = rotation("y", -90.0)
    s.add("handle", arch, (height, 0.46, x * 0.93), (0, 0, half * 1.75), turn=turn, rgb=s.accent, specular=0.1)
