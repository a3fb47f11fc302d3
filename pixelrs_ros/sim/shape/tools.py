"""Recipes of tools and cutlery; they lie flat, long axis along x, the working end at +x."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.shapes import ALONG_X, ALONG_Y, Shaper, darker, lighter, mix, rotation


def hammer(s: Shaper) -> None:
    """A long handle with a steel head across its end."""
    length = s.pick(0.4, 0.46)
    thick = s.pick(0.042, 0.052)
    z = 0.085
    s.add("handle", "capsule", (thick, thick, length), (0, 0, z), turn=ALONG_X)
    s.add(
        "handle", "grip", (thick * 1.3, thick * 1.25, length * 0.45), (-length * 0.55, 0, z), turn=ALONG_X, rgb=s.main
    )
    at = length * 0.92
    steel = darker(s.steel, 0.12)
    reach = s.pick(0.16, 0.2)
    if s.family == 0:  # claw
        s.add("head", "slab", (0.07, reach * 0.55, 0.07), (at, 0, z), rgb=steel, specular=0.9)
        s.add("head", "cylinder", (0.085, 0.085, 0.06), (at, -reach * 0.75, z), turn=ALONG_Y, rgb=steel, specular=0.9)
        for side in (-1, 1):
            turn = rotation("z", 90 + side * 9)
            s.add(
                "head",
                "wedge",
                (reach * 0.55, 0.03, 0.06),
                (at + side * 0.035, reach * 0.9, z),
                turn=turn,
                rgb=steel,
                specular=0.9,
            )
    elif s.family == 1:  # sledge
        s.add("head", "slab", (0.09, reach * 1.05, 0.085), (at, 0, z), rgb=steel, specular=0.9)
    elif s.family == 2:  # ball-peen
        s.add("head", "capsule", (0.06, 0.06, reach * 0.9), (at, 0, z), turn=ALONG_Y, rgb=steel, specular=0.9)
        s.add("head", "cylinder", (0.085, 0.085, 0.05), (at, -reach * 0.85, z), turn=ALONG_Y, rgb=steel, specular=0.9)
        s.add("head", "sphere", (0.075, 0.075, 0.075), (at, reach * 0.85, z), rgb=steel, specular=0.9)
    else:  # mallet
        s.add("head", "cylinder", (0.11, 0.11, reach * 0.95), (at, 0, 0.11), turn=ALONG_Y, rgb=steel, specular=0.6)
        for side in (-1, 1):
            ring = (0.115, 0.115, 0.03)
            s.add(
                "head",
                "cylinder",
                ring,
                (at, side * reach * 0.75, 0.11),
                turn=ALONG_Y,
                rgb=darker(steel, 0.3),
                specular=0.6,
            )


def knife(s: Shaper) -> None:
    """A thin long blade and a handle."""
    blade = (0.32, 0.3, 0.26, 0.24)[s.family] * s.pick(0.95, 1.08)
    width = (0.075, 0.058, 0.062, 0.11)[s.family] * s.pick(0.95, 1.1)
    grip = s.pick(0.17, 0.21)
    thick = 0.042
    s.add(
        "blade", f"blade_{s.family}", (blade, width, 0.012), (blade, 0, thick), rgb=lighter(s.steel, 0.25), specular=1.0
    )
    back = (blade * 0.97, width * 0.16, 0.016)
    s.add(
        "blade",
        "box",
        (back[0] * 0.75, back[1], back[2]),
        (back[0] * 0.75, width * 0.6, thick),
        rgb=s.steel,
        specular=1.0,
    )
    mesh = "capsule" if s.family in (1, 2) else "grip"
    s.add("handle", mesh, (thick, 0.058, grip), (-grip + 0.03, 0, thick), turn=ALONG_X)
    for place in (0.5, 1.0, 1.5):
        s.add("handle", "cylinder", (0.016, 0.016, 0.043), (-grip * place, 0, thick), rgb=s.accent, specular=0.8)
    s.add("handle", "slab", (0.022, 0.062, 0.04), (0.01, 0, thick), rgb=s.dark, specular=0.6)


def screwdriver(s: Shaper) -> None:
    """A thick short handle and a thin long shaft with a flat tip."""
    grip = s.pick(0.17, 0.21)
    radius = s.pick(0.085, 0.1)
    shaft = s.pick(0.2, 0.27)
    thin = 0.034
    mesh = ("hexagon", "grip", "capsule", "grip")[s.family]
    s.add("handle", mesh, (radius, radius, grip), (-grip, 0, radius), turn=ALONG_X, specular=0.6)
    if s.family in (1, 2):
        for angle in range(0, 360, 60):
            y, z = np.cos(np.radians(angle)), np.sin(np.radians(angle))
            at = (-grip * 0.9, y * radius * 0.9, radius + z * radius * 0.9)
            s.add("handle", "capsule", (0.02, 0.02, grip * 0.7), at, turn=ALONG_X, rgb=s.accent, specular=0.5)
    else:
        s.add(
            "handle",
            "cylinder",
            (radius * 1.04, radius * 1.04, grip * 0.16),
            (-grip * 1.5, 0, radius),
            turn=ALONG_X,
            rgb=s.accent,
        )
    s.add("handle", "cone_75", (radius * 0.72, radius * 0.72, 0.04), (0.02, 0, radius), turn=ALONG_X, rgb=s.accent)
    steel = lighter(s.steel, 0.15)
    s.add("shaft", "cylinder", (thin, thin, shaft), (shaft, 0, radius), turn=ALONG_X, rgb=steel, specular=1.0)
    s.add("shaft", "fan", (0.045, 0.05, 0.018), (2 * shaft + 0.03, 0, radius), rgb=darker(steel, 0.25), specular=1.0)


def spoon(s: Shaper) -> None:
    """A hollow oval and a slim handle."""
    long = (0.17, 0.14, 0.19, 0.16)[s.family] * s.pick(0.95, 1.08)
    wide = (0.115, 0.14, 0.12, 0.15)[s.family] * s.pick(0.95, 1.05)
    deep = 0.05
    s.add("bowl", "bowl_round", (long, wide, deep), (long, 0, deep), rgb=s.accent, specular=0.7)
    inner = (long * 0.94, wide * 0.93, deep * 0.95)
    s.add("bowl", "bowl_round", inner, (long, 0, deep * 0.98), rgb=darker(s.accent, 0.35), specular=0.4)
    stem = s.pick(0.27, 0.33)
    mesh = "capsule" if s.family != 3 else "grip"
    turn = rotation("y", s.pick(1, 4)) @ rotation("y", -90.0)
    s.add("handle", mesh, (0.024, 0.036, stem), (-stem + 0.04, 0, deep * 1.5), turn=turn, specular=0.6)
    if s.family in (1, 2):
        s.add("handle", "sphere", (0.07, 0.052, 0.028), (-2 * stem + 0.07, 0, deep * 1.1), specular=0.6)


def brush(s: Shaper) -> None:
    """A handle and a wide block of striped bristles."""
    hair = mix((0.85, 0.78, 0.62), s.main, 0.4)
    dark = darker(hair, 0.45)
    wide = (0.17, 0.13, 0.23, 0.12)[s.family] * s.pick(0.94, 1.06)
    deep = 0.065
    if s.family == 3:  # scrubbing brush: the bristles stand under the head
        s.add("handle", "slab", (0.25, wide, 0.035), (0.2, 0, 0.185), specular=0.3)
        for i in range(10):
            x = 0.2 + 0.047 * (i - 4.5)
            s.add(
                "bristles", "box", (0.0236, wide * 0.93, 0.08), (x, 0, 0.08), rgb=hair if i % 2 else dark, specular=0.0
            )
        s.add("handle", "capsule", (0.036, 0.05, 0.22), (-0.2, 0, 0.19), turn=rotation("y", 96), specular=0.3)
        return
    length = s.pick(0.13, 0.17)
    rows = 7
    for i in range(rows):
        y = wide * (2 * (i + 0.5) / rows - 1)
        turn = rotation("z", y / wide * (10 if s.family == 2 else 3))
        reach = length * (1.0 if i % 2 else 0.94)
        s.add(
            "bristles",
            "box",
            (reach, wide / rows * 1.12, deep),
            (length, y, deep),
            turn=turn,
            rgb=hair if i % 2 else dark,
            specular=0.0,
        )
    s.add("handle", "slab", (0.06, wide * 1.04, deep * 1.08), (-0.05, 0, deep * 1.08), rgb=s.accent, specular=0.7)
    stem = s.pick(0.19, 0.25)
    s.add("handle", "cone_50", (deep * 0.8, wide * 0.8, 0.05), (-0.15, 0, deep), turn=rotation("y", -90.0))
    s.add(
        "handle",
        "grip" if s.family != 1 else "capsule",
        (0.048, 0.056, stem),
        (-0.12 - stem, 0, deep),
        turn=rotation("y", -90.0),
    )
