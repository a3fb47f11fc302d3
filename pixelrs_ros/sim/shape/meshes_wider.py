"""Unit meshes of the shape families 4…7 and of the clutter."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.sim.shape.meshing import Mesh, ball_profile, hollow, lathe, prism, sweep


def _open_vessels() -> dict[str, Mesh]:
    flare = [(0.5, -1.0), (0.54, -0.95), (0.62, -0.5), (0.78, 0.2), (1.0, 1.0)]
    tall = [(0.68, -1.0), (0.72, -0.96), (0.74, -0.3), (0.94, -0.05), (1.0, 0.1), (1.0, 1.0)]
    deep = [(0.3, -1.0), (0.5, -0.95), (0.78, -0.7), (0.93, -0.3), (0.99, 0.2), (1.0, 1.0)]
    footed = [(0.5, -1.0), (0.46, -0.8), (0.5, -0.7), (0.8, -0.45), (0.96, 0.0), (1.0, 0.5), (0.99, 1.0)]
    return {
        "cup_flare": hollow(flare, 0.08, 0.12),
        "cup_tall": hollow(tall, 0.08, 0.08),
        "cup_round": hollow(deep, 0.08, 0.12),
        "bowl_deep": hollow(footed, 0.06, 0.4),
        "bowl_dog": hollow([(1.0, -1.0), (0.99, -0.9), (0.8, 0.9), (0.78, 1.0)], 0.06, 0.3),
        "plate": hollow([(0.55, -1.0), (0.6, -0.9), (0.68, 0.1), (1.0, 1.0)], 0.05, 0.6),
        "skillet": hollow([(0.7, -1.0), (0.78, -0.95), (0.9, -0.4), (1.0, 1.0)], 0.05, 0.25),
        "tube": lathe([(0.75, -1.0), (1.0, -1.0), (1.0, 1.0), (0.75, 1.0)], closed=True),
        "shade_cone": lathe([(0.97, -1.0), (1.0, -1.0), (0.22, 1.0), (0.19, 1.0)], closed=True),
        "shade_dome": lathe(
            [
                (0.96, 0.0),
                *ball_profile(0, 80, 9),
                (0.12, 0.94),
                *[(0.95 * r, 0.95 * z) for r, z in ball_profile(2, 78, 9)[::-1]],
            ],
            closed=True,
        ),
    }


def _closed_vessels() -> dict[str, Mesh]:
    foot = [(0.0, -1.0), (0.93, -1.0), (1.0, -0.96)]
    profiles = {
        "bottle_wine": [*foot, (1.0, 0.15), (0.9, 0.28), (0.5, 0.42), (0.34, 0.52), (0.32, 1.0)],
        "bottle_jar": [*foot, (1.0, 0.62), (0.93, 0.75), (0.8, 0.8), (0.8, 1.0)],
        "bottle_squeeze": [*foot, (0.98, -0.2), (0.86, 0.1), (0.92, 0.4), (0.85, 0.62), (0.5, 0.75), (0.45, 1.0)],
        "can_soda": [(0.0, -1.0), (0.72, -1.0), (0.97, -0.9), (1.0, -0.85), (1.0, 0.72), (0.8, 0.95), (0.8, 1.0)],
        "can_spray": [(0.0, -1.0), (0.97, -1.0), (1.0, -0.98), (1.0, 0.7), (0.9, 0.76), (0.6, 0.86), (0.5, 0.88)],
        "pot_tall": [(0.0, -1.0), (0.86, -1.0), (1.0, -0.8), (0.98, -0.5), (0.66, 0.5), (0.6, 0.8), (0.66, 1.0)],
        "pot_edge": [(0.0, -1.0), (0.6, -1.0), (1.0, -0.25), (1.0, 0.0), (0.5, 1.0)],
        "urn": [(0.0, -1.0), (0.6, -1.0), (0.55, -0.85), (0.9, -0.4), (1.0, 0.0), (0.8, 0.5), (0.3, 0.9), (0.25, 1.0)],
        "cone": [(0.0, -1.0), (1.0, -1.0), (0.12, 0.95)],
        "drop": [(0.0, -1.0), (0.5, -0.9), (0.95, -0.3), (1.0, 0.0), (0.7, 0.5), (0.2, 0.95)],
    }
    meshes = {name: lathe([*profile, (0.0, profile[-1][1])]) for name, profile in profiles.items()}
    meshes["pyramid"] = lathe([(0.0, 0.0), (1.0, 0.0), (0.03, 1.0), (0.0, 1.0)], slices=4)
    return meshes


def _bent() -> dict[str, Mesh]:
    t = np.linspace(0, 1, 14)
    angle = np.radians(np.linspace(-65, 65, 14))
    neck = np.stack([0.5 - 0.5 * np.cos(np.pi * 0.9 * t), np.sin(np.pi * 0.6 * t)], -1)
    fang = np.stack([t, 0.35 * t**2], -1)
    return {
        "banana": sweep(np.stack([np.cos(angle), np.sin(angle)], -1), 0.05 + 0.2 * np.sin(np.pi * (0.1 + 0.8 * t))),
        "gooseneck": sweep(neck, np.full(14, 0.06)),
        "fang": sweep(fang, 0.18 - 0.12 * t, flatten=1.4),
    }


def _extruded() -> dict[str, Mesh]:
    return {
        "blade_chef": prism([(-1.0, -1.0), (-0.4, -1.0), (0.3, -0.7), (1.0, 0.75), (0.95, 0.95), (-1.0, 1.0)]),
        "blade_bread": prism(
            [(-1.0, -1.0), (0.8, -1.0), (0.95, -0.7), (1.0, 0.2), (0.93, 0.8), (0.8, 1.0), (-1.0, 1.0)]
        ),
        "blade_clip": prism([(-1.0, -0.8), (0.2, -1.0), (0.75, -0.4), (1.0, 0.6), (0.3, 0.5), (0.1, 1.0), (-1.0, 1.0)]),
        "blade_table": prism(
            [(-1.0, -0.5), (0.0, -0.9), (0.7, -1.0), (0.97, -0.6), (1.0, 0.3), (0.85, 0.8), (-1.0, 0.6)]
        ),
        "tri": prism([(-1.0, -0.5), (1.0, -0.5), (0.0, 1.2)]),
    }


def wider_meshes() -> dict[str, Mesh]:
    """Every one of them by name, in a fixed order."""
    return {**_open_vessels(), **_closed_vessels(), **_bent(), **_extruded()}
