"""The unit meshes that every object is made of."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pixelrs_ros.sim.shape.meshes_wider import wider_meshes
from pixelrs_ros.sim.shape.meshing import (
    Mesh,
    arc,
    ball_profile,
    grid_faces,
    hollow,
    lathe,
    prism,
    sweep,
    without_slivers,
)


def _solids() -> dict[str, Mesh]:
    c = 0.94  # where the corners of a slab are cut
    square = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    rounded = [(-c, -1.0), (c, -1.0), (1.0, -c), (1.0, c), (c, 1.0), (-c, 1.0), (-1.0, c), (-1.0, -c)]
    end = [(r, -1 + 0.14 * (1 + z)) for r, z in ball_profile(-90, 0, 7)]
    capsule = end + [(r, -z) for r, z in reversed(end)]
    cylinder = [(0.0, -1.0), (0.95, -1.0), (1.0, -0.94), (1.0, 0.94), (0.95, 1.0), (0.0, 1.0)]
    return {
        "box": prism(square),
        "slab": prism(rounded),
        "sphere": lathe(ball_profile()),
        "cylinder": lathe(cylinder),
        "hexagon": lathe(cylinder, slices=6),
        "capsule": lathe(capsule, slices=20),
        "grip": lathe(
            [(0.0, -1.0), (0.7, -1.0), (0.95, -0.9), (1.0, -0.6), (0.86, 0.1), (0.95, 0.6), (0.8, 0.93), (0.0, 1.0)], 20
        ),
        "cone_50": lathe([(0.0, -1.0), (1.0, -1.0), (0.5, 1.0), (0.0, 1.0)]),
        "cone_75": lathe([(0.0, -1.0), (1.0, -1.0), (0.75, 1.0), (0.0, 1.0)]),
        "dome": lathe([(0.0, 0.0), *ball_profile(0, 90, 9)]),
        "torus": lathe(
            [(1 + 0.09 * np.cos(a), 0.09 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 10, endpoint=False)],
            closed=True,
        ),
        "wedge": prism([(-1.0, -1.0), (1.0, -0.25), (1.0, 0.25), (-1.0, 1.0)]),
        "fan": prism([(-1.0, -0.55), (1.0, -1.0), (1.0, 1.0), (-1.0, 0.55)]),
    }


def _vessels() -> dict[str, Mesh]:
    bowl = [(0.45, -1.0), (0.48, -0.88), (0.72, -0.6), (0.9, -0.1), (0.98, 0.5), (1.0, 1.0)]
    flare = [(0.4, -1.0), (0.42, -0.8), (0.55, -0.5), (0.66, 0.0), (0.82, 0.6), (1.0, 1.0)]
    barrel = [(0.72, -1.0), (0.86, -0.8), (0.98, -0.3), (1.0, 0.1), (0.95, 0.6), (0.86, 1.0)]
    return {
        "cup": hollow([(0.93, -1.0), (1.0, -0.93), (1.0, 1.0)], 0.1, 0.12),
        "cup_taper": hollow([(0.66, -1.0), (0.72, -0.95), (1.0, 1.0)], 0.1, 0.12),
        "cup_barrel": hollow(barrel, 0.1, 0.12),
        "bowl_round": hollow(bowl, 0.07, 0.25),
        "bowl_flare": hollow(flare, 0.07, 0.3),
        "bowl_straight": hollow([(0.6, -1.0), (0.64, -0.9), (1.0, 1.0)], 0.07, 0.2),
        "dish": hollow([(0.8, -1.0), (0.86, -0.9), (1.0, 1.0)], 0.06, 0.35),
        "shade": lathe([(0.97, -1.0), (1.0, -1.0), (0.55, 1.0), (0.52, 1.0)], closed=True),
        "shade_drum": lathe([(0.97, -1.0), (1.0, -1.0), (0.72, 1.0), (0.69, 1.0)], closed=True),
        "shade_bell": lathe(
            [
                (0.97, -1.0),
                (1.0, -1.0),
                (0.8, -0.75),
                (0.62, -0.3),
                (0.46, 0.4),
                (0.36, 1.0),
                (0.33, 1.0),
                (0.42, 0.4),
                (0.58, -0.3),
                (0.76, -0.75),
            ],
            closed=True,
        ),
    }


def _lathed() -> dict[str, Mesh]:
    foot = [(0.0, -1.0), (0.93, -1.0), (1.0, -0.96)]
    bottles = {
        "bottle_0": [(1.0, 0.1), (0.9, 0.3), (0.55, 0.5), (0.38, 0.62), (0.36, 1.0)],
        "bottle_1": [(1.0, 0.3), (0.97, 0.38), (0.8, 0.47), (0.42, 0.53), (0.4, 1.0)],
        "bottle_2": [(0.92, -0.5), (0.8, -0.1), (0.6, 0.3), (0.42, 0.6), (0.36, 1.0)],
        "bottle_3": [(1.0, -0.35), (0.84, -0.2), (0.84, 0.0), (1.0, 0.15), (0.95, 0.35), (0.45, 0.6), (0.42, 1.0)],
    }
    pots = {
        "pot_0": ball_profile(-65, 70, 13),
        "pot_1": [(0.7, -1.0), (0.9, -0.75), (1.0, -0.35), (0.95, 0.2), (0.7, 0.75), (0.5, 1.0)],
        "pot_2": [(0.9, -1.0), (1.0, -0.85), (0.88, 0.0), (0.62, 0.9), (0.55, 1.0)],
        "pot_3": [(0.55, -1.0), (0.75, -0.7), (0.93, -0.1), (1.0, 0.35), (0.9, 0.75), (0.6, 1.0)],
    }
    meshes = {name: lathe([*foot, *profile, (0.0, 1.0)]) for name, profile in bottles.items()}
    for name, profile in pots.items():
        meshes[name] = lathe([(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])])
    meshes["can"] = lathe([(0.0, -1.0), (0.84, -1.0), (1.0, -0.9), (1.0, 0.86), (0.84, 1.0), (0.0, 1.0)])
    meshes["zone"] = lathe([(0.8, -0.3), *ball_profile(-17, 17, 7), (0.8, 0.3)], closed=True)
    meshes["polar"] = lathe([(0.0, 0.6), *ball_profile(52, 90, 6)])
    return meshes


def _swept() -> dict[str, Mesh]:
    t = np.linspace(0, 1, 12)
    spout = np.stack([t, t**1.8], -1)
    bend = np.stack([t, 0.5 - 0.5 * np.cos(np.pi * t)], -1)
    return {
        "arc": arc(0.2, 0.0, 1.0),
        "arc_d": arc(0.2, 0.8, 1.2),
        "arch": arc(0.085, 0.0, 1.5),
        "arch_d": arc(0.085, 0.7, 1.5),
        "spout": sweep(spout, 0.34 - 0.16 * t),
        "spout_s": sweep(bend, 0.34 - 0.16 * t),
    }


def _segments() -> dict[str, Mesh]:
    """A sixth of the sphere between two meridians, for balls of two shades."""
    latitude = np.radians(np.linspace(-90, 90, 13))
    longitude = np.radians(np.linspace(-30, 30, 6))
    grid = np.stack(
        [
            np.cos(latitude)[:, None] * np.cos(longitude),
            np.cos(latitude)[:, None] * np.sin(longitude),
            np.repeat(np.sin(latitude)[:, None], 6, 1),
        ],
        -1,
    )
    # The axis is a seventh column: the grid wraps around over it and so the segment is closed.
    axis = np.stack([np.zeros(13), np.zeros(13), np.sin(latitude)], -1)[:, None, :]
    vertices = np.concatenate([grid, axis], axis=1).reshape(-1, 3)
    return {"segment": without_slivers(vertices, grid_faces(13, 7, False))}


def _blades() -> dict[str, Mesh]:
    return {
        "blade_0": prism([(-1.0, -0.8), (-0.6, -1.0), (0.2, -0.9), (0.65, -0.5), (1.0, 0.7), (0.6, 1.0), (-1.0, 1.0)]),
        "blade_1": prism([(-1.0, -0.7), (0.5, -1.0), (0.85, -0.7), (1.0, 0.0), (0.9, 0.7), (0.6, 1.0), (-1.0, 0.7)]),
        "blade_2": prism([(-1.0, -1.0), (0.3, -1.0), (1.0, 0.1), (0.75, 0.8), (0.3, 1.0), (-1.0, 1.0)]),
        "blade_3": prism([(-1.0, -1.0), (0.9, -1.0), (1.0, -0.9), (1.0, 0.9), (0.9, 1.0), (-1.0, 1.0)]),
    }


def _held_out() -> dict[str, Mesh]:
    """What only the held-out shape family is made of; with four facets the sides face along x and y, at 0.71 radii."""
    latitude = np.radians(np.linspace(-90, 90, 19))
    oval = [(float(np.cos(a) ** 1.2), float(np.sin(a))) for a in latitude]
    bell = [(0.0, 0.8), (0.4, 0.4), (0.84, -0.35), (0.94, -1.0), (1.0, -1.0), (0.92, -0.3), (0.5, 0.5), (0.26, 1.0)]
    bulb = [(0.0, -1.0), (0.55, -1.0), (0.95, -0.75), (1.0, -0.35), (0.8, 0.1), (0.45, 0.5), (0.4, 0.8), (0.62, 1.0)]
    belly = [
        (-1.0, -0.75),
        (-0.4, -0.95),
        (0.4, -1.0),
        (0.85, -0.8),
        (1.0, -0.3),
        (0.95, 1.0),
        (-0.9, 1.0),
        (-1.0, 0.6),
    ]
    oblong = [(np.sign(c) * abs(c) ** 0.45, np.sign(d) * abs(d) ** 0.45) for c, d in _circle(40)]
    square_bottle = [(0.0, -1.0), (0.96, -1.0), (1.0, -0.97), (1.0, 0.42), (0.9, 0.5), (0.0, 0.5)]
    return {
        "cup_facets": hollow([(0.96, -1.0), (1.0, -0.94), (0.78, 1.0)], 0.1, 0.12, slices=6),
        "bowl_square": hollow([(0.5, -1.0), (0.56, -0.9), (0.8, 0.1), (1.0, 1.0)], 0.08, 0.25, slices=4),
        "dish_square": hollow([(0.9, -1.0), (0.94, -0.9), (1.0, 1.0)], 0.06, 0.35, slices=4),
        "crate": hollow([(0.84, -1.0), (0.86, -0.95), (1.0, 1.0)], 0.07, 0.12, slices=4),
        "spoon_facets": hollow([(0.4, -1.0), (0.72, -0.5), (1.0, 1.0)], 0.09, 0.25, slices=6),
        "frame": lathe([(0.93, -1.0), (1.0, -1.0), (1.0, 1.0), (0.93, 1.0)], slices=4, closed=True),
        "bottle_square": lathe(square_bottle, slices=4),
        "pot_facets": lathe([(0.0, -1.0), (0.72, -1.0), (1.0, -0.5), (1.0, 0.2), (0.62, 1.0), (0.0, 1.0)], slices=6),
        "oval": lathe(oval),
        "oval_tip": lathe([(0.0, oval[14][1]), *oval[14:]]),
        "bell": lathe([*bell, (0.0, 1.0)]),
        "bulb": lathe([*bulb, (0.0, 1.0)], slices=24),
        "taper": lathe([(0.0, -1.0), (1.0, -1.0), (0.6, 1.0), (0.0, 1.0)], slices=8),
        "oblong": prism(oblong),
        "blade_broad": prism(belly),
    }


def _circle(points: int) -> list[tuple[float, float]]:
    """Points of the unit circle, counter-clockwise."""
    angles = (np.arange(points) + 0.5) * 2 * np.pi / points
    return [(float(np.cos(a)), float(np.sin(a))) for a in angles]


@lru_cache(maxsize=1)
def mesh_library() -> dict[str, Mesh]:
    """Every unit mesh by name, in a fixed order."""
    return {
        **_solids(),
        **_vessels(),
        **_lathed(),
        **_swept(),
        **_segments(),
        **_blades(),
        **_held_out(),
        **wider_meshes(),
    }
