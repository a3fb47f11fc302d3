"""Recipes of tools and cutlery in the families 4…7; they lie flat, long axis along x, the working end at +x."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.looks import WOOD_COLORS
from pixelrs_ros.sim.shape.shapes import ALONG_X, ALONG_Y, Shaper, darker, lighter, mix, rotation

_BACK = rotation("y", -90.0)  # along x, the top towards the user


def hammer(s: Shaper) -> None:
    """Sledge, rubber mallet, claw hammer with a soft grip, cross peen."""
    length, thick, z = s.pick(0.38, 0.46), s.pick(0.038, 0.055), 0.11
    at, reach = length * 0.93, s.pick(0.15, 0.21)
    steel = darker(s.steel, s.pick(0.05, 0.4))
    if s.family == 5:
        wood = WOOD_COLORS[int(s.rng.integers(len(WOOD_COLORS)))]
        s.add("handle", "capsule", (thick, thick, length), (0, 0, z), turn=ALONG_X, rgb=wood)
        s.add("handle", "grip", (thick * 1.4, thick * 1.4, length * 0.5), (-length * 0.5, 0, z), turn=ALONG_X)
        s.add("head", "cylinder", (0.11, 0.11, reach), (at, 0, z), turn=ALONG_Y, specular=0.1)
        for side in (-1, 1):
            s.add("head", "cylinder", (0.114, 0.114, 0.02), (at, side * reach * 0.7, z), turn=ALONG_Y, rgb=s.dark)
        return
    shaft = "slab" if s.family == 6 else "capsule"
    s.add("handle", shaft, (thick, thick, length), (0, 0, z), turn=ALONG_X)
    if s.family == 4:
        s.add("head", "hexagon", (0.1, 0.1, reach), (at, 0, z), turn=ALONG_Y, rgb=steel, specular=0.8)
        s.add("handle", "cylinder", (thick * 1.2, thick * 1.2, 0.03), (-length * 0.9, 0, z), turn=ALONG_X, rgb=s.accent)
    elif s.family == 6:
        s.add("handle", "grip", (thick * 1.6, thick * 1.5, length * 0.42), (-length * 0.55, 0, z), turn=ALONG_X)
        for place in (-0.85, -0.6, -0.35):
            ring = (thick * 1.62, thick * 1.55, 0.012)
            s.add("handle", "cylinder", ring, (length * place, 0, z), turn=ALONG_X, rgb=s.dark)
        s.add("head", "box", (0.06, reach * 0.5, 0.06), (at, 0, z), rgb=steel, specular=0.9)
        s.add("head", "hexagon", (0.075, 0.075, 0.05), (at, -reach * 0.75, z), turn=ALONG_Y, rgb=steel, specular=0.9)
        for side in (-1, 1):
            turn = rotation("z", 90.0 + side * 6) @ rotation("x", 180.0) @ rotation("x", 90.0)
            tip = (at + side * 0.032, reach * 0.4, z)
            s.add("head", "fang", (reach * 1.1, 0.17, 0.2), tip, turn=turn, rgb=steel, specular=0.9)
    else:
        s.add("handle", "grip", (thick * 1.3, thick * 1.3, length * 0.4), (-length * 0.6, 0, z), turn=ALONG_X)
        s.add("head", "slab", (0.05, reach * 0.6, 0.05), (at, -reach * 0.2, z), rgb=steel, specular=0.9)
        s.add("head", "cylinder", (0.06, 0.06, 0.07), (at, -reach * 0.8, z), turn=ALONG_Y, rgb=steel, specular=0.9)
        peen = (reach * 0.55, 0.055, 0.05)
        s.add("head", "wedge", peen, (at, reach * 0.85, z), turn=rotation("z", 90.0), rgb=steel, specular=0.9)


def knife(s: Shaper) -> None:
    """Chef's knife, bread knife, pocket knife, table knife."""
    index = s.family - 4
    mesh = ("blade_chef", "blade_bread", "blade_clip", "blade_table")[index]
    blade = (s.pick(0.28, 0.36), s.pick(0.32, 0.38), s.pick(0.19, 0.25), s.pick(0.24, 0.3))[index]
    width = (s.pick(0.08, 0.11), s.pick(0.05, 0.065), s.pick(0.05, 0.07), s.pick(0.045, 0.06))[index]
    grip = (s.pick(0.18, 0.22), s.pick(0.19, 0.23), s.pick(0.2, 0.25), s.pick(0.2, 0.26))[index]
    bright, z = lighter(s.steel, s.pick(0.05, 0.35)), 0.05
    s.add("blade", mesh, (blade, width, 0.012), (blade, 0, z), rgb=bright, specular=1.0)
    if s.family == 5:
        for x in np.linspace(0.1, 1.7, 15) * blade:
            turn = rotation("z", 45.0)
            s.add("blade", "box", (0.014, 0.014, 0.011), (x, -width, z), turn=turn, rgb=bright, specular=1.0)
    handle = ("slab", "grip", "oblong_grip", "drop")[index]
    if handle == "oblong_grip":
        s.add("handle", "slab", (grip, 0.07, 0.045), (-grip + 0.03, 0.01, z))
        s.add("handle", "cylinder", (0.072, 0.072, 0.046), (-2 * grip + 0.03, 0.01, z))
        for place in (0.2, 1.8):
            s.add("handle", "cylinder", (0.02, 0.02, 0.05), (-grip * place, 0.01, z), rgb=s.steel, specular=0.9)
    elif handle == "drop":
        s.add("handle", "drop", (0.034, 0.052, grip), (-grip + 0.05, 0, z), turn=ALONG_X)
    else:
        s.add("handle", handle, (0.04, 0.06, grip), (-grip + 0.03, 0, z), turn=ALONG_X)
        for place in (0.4, 1.0, 1.6) if s.family == 4 else ():
            s.add("handle", "cylinder", (0.014, 0.014, 0.043), (-grip * place, 0, z), rgb=s.accent, specular=0.8)
    if s.family in (4, 5):
        s.add("handle", "slab", (0.02, 0.064, 0.042), (0.02, 0, z), rgb=s.steel, specular=0.8)


def screwdriver(s: Shaper) -> None:
    """Stubby, long and thin, with a crossbar, fluted with a pointed tip."""
    index = s.family - 4
    grip = (s.pick(0.15, 0.2), s.pick(0.15, 0.2), 0.09, s.pick(0.18, 0.24))[index]
    radius = (s.pick(0.11, 0.14), s.pick(0.05, 0.07), 0.075, s.pick(0.08, 0.1))[index]
    shaft, thin = (
        (s.pick(0.07, 0.12), s.pick(0.26, 0.34), s.pick(0.22, 0.3), s.pick(0.18, 0.28))[index],
        s.pick(0.022, 0.036),
    )
    steel = lighter(s.steel, s.pick(0.0, 0.25))
    if s.family == 6:
        s.add("handle", "capsule", (radius, radius, s.pick(0.24, 0.32)), (-grip, 0, radius), turn=ALONG_Y, specular=0.4)
        s.add("handle", "cylinder", (radius * 0.7, radius * 0.7, grip), (0.02, 0, radius), turn=ALONG_X, specular=0.4)
    else:
        mesh = ("drop", "cylinder", "", "grip")[index]
        s.add("handle", mesh, (radius, radius, grip), (-grip, 0, radius), turn=ALONG_X, specular=0.5)
        for angle in range(0, 360, 45) if s.family == 7 else ():
            y, up = np.cos(np.radians(angle)), np.sin(np.radians(angle))
            at = (-grip, y * radius * 0.86, radius + up * radius * 0.86)
            shade = s.accent if angle % 90 else s.main
            s.add("handle", "capsule", (0.022, 0.022, grip * 0.8), at, turn=ALONG_X, rgb=shade, specular=0.5)
        s.add("handle", "cylinder", (radius * 0.75, radius * 0.75, 0.03), (0.02, 0, radius), turn=ALONG_X, rgb=s.accent)
    s.add("shaft", "cylinder", (thin, thin, shaft), (shaft + 0.02, 0, radius), turn=ALONG_X, rgb=steel, specular=1.0)
    end = 2 * shaft + 0.05
    if s.family in (4, 5):
        s.add("shaft", "fan", (0.04, thin * 1.5, 0.016), (end, 0, radius), rgb=darker(steel, 0.3), specular=1.0)
    else:
        tip = (thin, thin, 0.05)
        s.add("shaft", "cone", tip, (end, 0, radius), turn=ALONG_X, rgb=darker(steel, 0.3), specular=1.0)


def spoon(s: Shaper) -> None:
    """Ladle, tea spoon, cooking spoon, slotted spoon."""
    index = s.family - 4
    long = (s.pick(0.15, 0.19), s.pick(0.1, 0.14), s.pick(0.14, 0.18), s.pick(0.18, 0.22))[index]
    wide = long * (1.0, s.pick(0.6, 0.75), s.pick(0.6, 0.8), s.pick(0.7, 0.8))[index]
    deep = (s.pick(0.08, 0.12), 0.035, 0.03, 0.04)[index]
    stem = (s.pick(0.34, 0.4), s.pick(0.28, 0.36), s.pick(0.36, 0.42), s.pick(0.32, 0.38))[index]
    bowl, mesh = s.main if s.family != 7 else s.accent, "cup_round" if s.family == 4 else "bowl_round"
    s.add("bowl", mesh, (long, wide, deep), (long, 0, deep), rgb=bowl, specular=0.6)
    s.add("bowl", mesh, (long * 0.93, wide * 0.93, deep * 0.95), (long, 0, deep), rgb=darker(bowl, 0.25), specular=0.3)
    if s.family == 7:
        for y in (-0.4, 0.0, 0.4):
            slot = (long * 0.5, wide * 0.08, 0.006)
            s.add("bowl", "box", slot, (long, y * wide, deep * 0.62), rgb=(0.06, 0.06, 0.06), specular=0.0)
    rise = s.pick(8, 18) if s.family == 4 else s.pick(0, 4)
    handle = ("capsule", "cone_50", "capsule", "slab")[index]
    size = ((0.022, 0.034), (0.02, 0.034), (0.032, 0.034), (0.014, 0.04))[index]
    turn = rotation("y", rise) @ (ALONG_X if s.family == 5 else _BACK)
    z = 2 * deep * 0.85 + np.sin(np.radians(rise)) * stem
    s.add("handle", handle, (*size, stem), (-stem * np.cos(np.radians(rise)) + 0.05, 0, z), turn=turn, specular=0.5)


def brush(s: Shaper) -> None:
    """Round paint brush, dish brush, wide wall brush, nail brush."""
    hair = mix((0.85, 0.78, 0.62), s.main, 0.3) if s.rng.random() < 0.6 else mix((0.2, 0.17, 0.15), s.main, 0.15)
    dark = darker(hair, 0.3)
    if s.family == 4:
        radius, long, stem = s.pick(0.06, 0.09), s.pick(0.1, 0.15), s.pick(0.26, 0.36)
        s.add("bristles", "drop", (radius * 1.15, radius * 1.15, long), (long, 0, 0.09), turn=ALONG_X, rgb=hair)
        s.add("handle", "cylinder", (radius, radius, 0.06), (-0.02, 0, 0.09), turn=ALONG_X, rgb=s.accent, specular=0.8)
        s.add("handle", "drop", (0.05, 0.055, stem), (-stem - 0.04, 0, 0.09), turn=_BACK, specular=0.5)
    elif s.family == 5:
        head, stem = s.pick(0.12, 0.17), s.pick(0.3, 0.38)
        s.add("bristles", "cone_75", (head * 0.95, head * 0.95, 0.09), (0.2, 0, 0.09), rgb=hair, specular=0.0)
        s.add("bristles", "cylinder", (head * 0.97, head * 0.97, 0.03), (0.2, 0, 0.12), rgb=dark, specular=0.0)
        s.add("handle", "cylinder", (head, head, 0.035), (0.2, 0, 0.2), specular=0.4)
        turn = rotation("y", s.pick(-4, 6)) @ _BACK
        s.add("handle", "grip", (0.034, 0.045, stem), (0.12 - stem, 0, 0.205), turn=turn, specular=0.4)
    elif s.family == 6:
        wide, long, stem = s.pick(0.24, 0.32), s.pick(0.1, 0.14), s.pick(0.14, 0.2)
        for i in range(9):
            y = wide * (2 * (i + 0.5) / 9 - 1)
            size = (long, wide / 9 * 1.05, 0.05)
            s.add("bristles", "box", size, (long, y, 0.06), rgb=hair if i % 2 else dark, specular=0.0)
        s.add("handle", "slab", (0.07, wide * 1.03, 0.06), (-0.06, 0, 0.06), specular=0.3)
        s.add("handle", "fan", (0.06, wide * 0.6, 0.05), (-0.17, 0, 0.06), specular=0.3)
        s.add("handle", "capsule", (0.045, 0.07, stem), (-0.2 - stem, 0, 0.06), turn=_BACK, specular=0.3)
    else:
        long, wide = s.pick(0.32, 0.42), s.pick(0.12, 0.17)
        for i in range(9):
            x = long * (2 * (i + 0.5) / 9 - 1)
            size = (long / 9 * 0.9, wide * 0.9, 0.07)
            s.add("bristles", "box", size, (x, 0, 0.07), rgb=hair if i % 2 else dark, specular=0.0)
        s.add("handle", "slab", (long * 1.04, wide, 0.04), (0, 0, 0.17), specular=0.3)
        s.add("handle", "arch", (0.14, 0.4, long * 0.75), (0, 0, 0.19), turn=_BACK, rgb=s.main, specular=0.3)
