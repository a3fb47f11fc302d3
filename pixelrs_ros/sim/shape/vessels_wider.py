"""Recipes of vessels in the families 4…7."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.shapes import Shaper, Vector, darker, mix, rotation
from pixelrs_ros.sim.shape.vessels import liner


def _ring(s: Shaper, mesh: str, reach: float, high: float, start: float, z: float, thick: float = 0.4) -> None:
    """A handle at the side of a cup."""
    s.add("handle", mesh, (reach, thick, high), (start, 0, z), rgb=s.accent, specular=0.4)


def mug(s: Shaper) -> None:
    """Espresso cup, travel mug, beer mug, wide round cup with an ear."""
    if s.family == 4:
        half = s.pick(0.36, 0.5)
        s.add("body", "cup_flare", (0.5, 0.5, half), (0, 0, half), specular=0.4)
        liner(s, "body", "cup_flare", 0.5, half, half)
        _ring(s, "arc", s.pick(0.34, 0.42), half * 0.5, 0.36, half * 1.2, 0.32)
    elif s.family == 5:
        half = s.pick(0.75, 0.95)
        s.add("body", "cup_tall", (0.48, 0.48, half), (0, 0, half), specular=0.6)
        liner(s, "body", "cup_tall", 0.48, half, half)
        s.add("body", "torus", (0.46, 0.46, 0.5), (0, 0, 2 * half), rgb=s.accent)
        _ring(s, "arc_d", s.pick(0.34, 0.42), half * 0.5, 0.42, half * 1.4)
    elif s.family == 6:
        half = s.pick(0.6, 0.72)
        s.add("body", "cup", (0.46, 0.46, half), (0, 0, half), specular=0.7)
        liner(s, "body", "cup", 0.46, half, half)
        for angle in range(0, 360, 36):
            x, y = 0.45 * np.cos(np.radians(angle)), 0.45 * np.sin(np.radians(angle))
            s.add("body", "capsule", (0.1, 0.1, half * 0.8), (x, y, half * 0.9), specular=0.7)
        _ring(s, "arc_d", s.pick(0.42, 0.52), half * s.pick(0.62, 0.72), 0.44, half, 0.6)
    else:
        half = s.pick(0.34, 0.44)
        s.add("body", "cup_round", (0.55, 0.55, half), (0, 0, half), specular=0.4)
        liner(s, "body", "cup_round", 0.55, half, half)
        turn = rotation("y", -s.pick(8, 20))
        at = (0.47, 0, half * 1.15)
        s.add("handle", "arc", (0.38, 0.34, half * 0.66), at, turn=turn, rgb=s.accent, specular=0.4)


def bowl(s: Shaper) -> None:
    """On a foot, shallow, with straight sides that lean in, oval."""
    mesh = ("bowl_deep", "bowl_flare", "bowl_dog", "bowl_round")[s.family - 4]
    half = (s.pick(0.26, 0.36), s.pick(0.13, 0.18), s.pick(0.16, 0.26), s.pick(0.18, 0.26))[s.family - 4]
    wide = 0.5 * (s.pick(0.62, 0.8) if s.family == 7 else 1.0)
    s.add("body", mesh, (0.5, wide, half), (0, 0, half), specular=0.5)
    s.add("body", mesh, (0.475, wide * 0.95, half * 0.96), (0, 0, half * 0.98), rgb=s.dark, specular=0.2)
    rim = 0.78 if mesh == "bowl_dog" else 0.98
    if s.rng.random() < 0.5:
        s.add("body", "torus", (0.5 * rim, wide * rim, 0.3), (0, 0, 2 * half), rgb=s.accent)


def pan(s: Shaper) -> None:
    """Frying pan with rivets, saucepan, wok with a second grip, crepe pan."""
    mesh = ("skillet", "cup", "bowl_round", "skillet")[s.family - 4]
    half = (s.pick(0.07, 0.1), s.pick(0.17, 0.25), s.pick(0.13, 0.18), s.pick(0.04, 0.055))[s.family - 4]
    radius = s.pick(0.3, 0.36) if s.family == 5 else s.pick(0.4, 0.48)
    s.add("body", mesh, (radius, radius, half), (0, 0, half), specular=0.4)
    liner(s, "body", mesh, radius, half, half)
    length, rise = s.pick(0.5, 0.75), s.pick(2, 14)
    grip, width = ("slab", "capsule", "grip", "cone_75")[s.family - 4], s.pick(0.045, 0.07)
    turn = rotation("y", -rise) @ rotation("y", 90.0)
    end = radius * 0.95 + length / 2
    height = half * 1.7 + np.sin(np.radians(rise)) * length / 2
    s.add("handle", grip, (width * 0.6, width, length / 2), (end, 0, height), turn=turn, rgb=s.accent, specular=0.3)
    if s.family == 4:
        for y in (-0.04, 0.04):
            s.add("body", "sphere", (0.025, 0.025, 0.025), (radius * 0.86, y, half * 1.7), rgb=s.steel, specular=0.9)
    if s.family == 6:
        at = (-radius * 0.94, 0, half * 1.8)
        turn = rotation("z", 180.0) @ rotation("x", 90.0)
        s.add("handle", "arc", (0.14, 0.2, 0.14), at, turn=turn, rgb=s.accent, specular=0.3)


def _sprayer(s: Shaper, z: float) -> None:
    """A trigger head for a cap."""
    s.add("cap", "cylinder", (0.1, 0.1, 0.05), (0, 0, z + 0.05), rgb=s.accent, specular=0.2)
    s.add("cap", "slab", (0.17, 0.07, 0.07), (0.06, 0, z + 0.16), rgb=s.accent, specular=0.2)
    s.add("cap", "cylinder", (0.035, 0.035, 0.04), (0.25, 0, z + 0.17), turn=rotation("y", 90.0), rgb=s.dark)
    s.add("cap", "slab", (0.02, 0.05, 0.1), (0.15, 0, z + 0.03), turn=rotation("y", 20.0), rgb=darker(s.accent, 0.2))


def bottle(s: Shaper) -> None:
    """Wine, spray or squeeze bottle, flat flask, wide jar-like one."""
    names = ("bottle_wine", "bottle_squeeze", "bottle_0", "bottle_jar")
    mesh, half = names[s.family - 4], 0.42
    radius = (s.pick(0.15, 0.19), s.pick(0.2, 0.26), s.pick(0.24, 0.3), s.pick(0.26, 0.34))[s.family - 4]
    deep = radius * (s.pick(0.42, 0.6) if s.family == 6 else 1.0)
    s.add("body", mesh, (radius, deep, half), (0, 0, half), specular=0.7)
    neck = (0.32, 0.45, 0.37, 0.8)[s.family - 4] * radius
    top = 2 * half
    if s.family == 5 and s.rng.random() < 0.6:
        _sprayer(s, top - 0.04)
    elif s.family == 5:
        s.add("cap", "cylinder", (neck * 1.5, neck * 1.5, 0.04), (0, 0, top + 0.02), rgb=s.accent)
        s.add("cap", "cone", (neck * 1.1, neck * 1.1, 0.1), (0, 0, top + 0.15), rgb=s.accent)
    elif s.family == 4:
        s.add("cap", "cylinder", (neck * 1.12, neck * 1.12, 0.11), (0, 0, top - 0.07), rgb=s.accent, specular=0.5)
    else:
        wide, tall = max(neck * 1.2, 0.08), s.pick(0.05, 0.08)
        s.add("cap", "cylinder", (wide, wide, tall), (0, 0, top - 0.01 + tall), rgb=s.accent, specular=0.2)
    if s.rng.random() < 0.5:
        label = (radius * 1.015, deep * 1.015, s.pick(0.08, 0.13))
        s.add("body", "cylinder", label, (0, 0, s.pick(0.26, 0.36)), rgb=s.paper, specular=0.05)


def can(s: Shaper) -> None:
    """Soda can, tuna tin, paint can with a wire handle, spray can."""
    metal = mix(s.steel, (0.9, 0.9, 0.92), 0.45)
    mesh = ("can_soda", "can", "can", "can_spray")[s.family - 4]
    half = (s.pick(0.5, 0.62), s.pick(0.1, 0.15), s.pick(0.34, 0.42), s.pick(0.55, 0.72))[s.family - 4]
    radius = (0.3, 0.36, 0.36, 0.22)[s.family - 4]
    s.add("body", mesh, (radius, radius, half), (0, 0, half), rgb=metal if s.family in (5, 6) else s.main, specular=0.6)
    top = 2 * half
    if s.family == 4:
        s.add("body", "cylinder", (radius * 0.79, radius * 0.79, 0.01), (0, 0, top + 0.003), rgb=metal, specular=0.9)
        s.add("body", "cylinder", (radius * 0.76, radius * 0.76, 0.02), (0, 0, 0.016), rgb=metal, specular=0.9)
        s.add("body", "slab", (0.09, 0.045, 0.012), (0.06, 0, top + 0.02), rgb=darker(metal, 0.35), specular=0.9)
    elif s.family == 7:
        s.add("body", "cylinder", (radius * 0.45, radius * 0.45, 0.06), (0, 0, top + 0.0), rgb=metal, specular=0.9)
        s.add("body", "cylinder", (radius * 0.3, radius * 0.3, 0.06), (0, 0, top + 0.09), rgb=s.accent)
        s.add("body", "torus", (radius, radius, 0.2), (0, 0, 0.04), rgb=metal, specular=0.9)
    else:
        s.add("body", "cylinder", (radius * 1.02, radius * 1.02, half * 0.8), (0, 0, half), specular=0.4)
        lid = darker(metal, 0.1) if s.family == 6 else s.main
        s.add("body", "cylinder", (radius * 0.84, radius * 0.84, 0.02), (0, 0, top), rgb=lid, specular=0.8)
    if s.family == 6:
        turn = rotation("y", -90.0) if s.rng.random() < 0.4 else rotation("x", 68.0) @ rotation("y", -90.0)
        s.add("body", "arch", (0.36, 0.12, radius), (0, 0, top * 0.85), turn=turn, rgb=darker(metal, 0.3), specular=0.9)


def teapot(s: Shaper) -> None:
    """Round with a hoop over the top, tall, squat, and with sharp edges."""
    mesh = ("pot_0", "pot_tall", "pot_1", "pot_edge")[s.family - 4]
    half = (s.pick(0.27, 0.33), s.pick(0.42, 0.52), s.pick(0.17, 0.22), s.pick(0.26, 0.34))[s.family - 4]
    radius = (0.36, 0.3, 0.42, 0.4)[s.family - 4]
    z = half * (0.91 if s.family == 4 else 1.0)
    top = half * (1.85 if s.family == 4 else 2.0)
    s.add("body", mesh, (radius, radius, half), (0, 0, z), specular=0.6)
    out = radius * (0.9 if s.family == 5 else 0.72)
    size: Vector = (s.pick(0.3, 0.44), 0.3, s.pick(0.32, 0.42) * (1.4 if s.family == 5 else 1.0))
    spout = "spout" if s.rng.random() < 0.5 else "spout_s"
    s.add("spout", spout, size, (out, 0, half * 0.75), rgb=s.accent, specular=0.5)
    if s.family == 4:
        hoop = (s.pick(0.4, 0.52), 0.4, radius * 0.8)
        s.add("handle", "arch", hoop, (0, 0, half * 1.5), turn=rotation("y", -90.0), rgb=s.accent, specular=0.5)
    else:
        ring = ("arc_d", "arc", "arc_d")[s.family - 5]
        reach = (s.pick(0.3, 0.4) + radius * 0.1, 0.32, half * s.pick(0.6, 0.72))
        at = (-radius * (0.66 if s.family == 5 else 0.74), 0, half * 1.1)
        s.add("handle", ring, reach, at, turn=rotation("z", 180.0), rgb=s.accent, specular=0.5)
    rgb = mix(s.main, s.accent, 0.5)
    wide = radius * (0.55, 0.64, 0.55, 0.52)[s.family - 4]
    s.add("lid", "dome", (wide, wide, s.pick(0.06, 0.12)), (0, 0, top - 0.03), rgb=rgb, specular=0.5)
    knob = "sphere" if s.rng.random() < 0.5 else "cylinder"
    s.add("lid", knob, (0.06, 0.06, 0.06), (0, 0, top + 0.1), rgb=rgb, specular=0.5)
