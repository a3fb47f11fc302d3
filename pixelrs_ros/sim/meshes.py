"""The unit meshes that every object is made of: lathed, swept and extruded bodies, generated from formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SLICES = 36  # facets around a lathed body: smooth at 200 px, cheap to draw


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed triangle mesh.

    Attributes:
        vertices: (V, 3) float64, in the mesh's own units, roughly within [-1, 1].
        faces: (F, 3) int32 vertex indices, counter-clockwise seen from outside.
    """

    vertices: np.ndarray
    faces: np.ndarray


def _grid_faces(rows: int, columns: int, close_rows: bool) -> np.ndarray:
    """Triangles of a (rows, columns) grid of vertices whose columns, and on demand rows, wrap around."""
    row = np.arange(rows if close_rows else rows - 1)[:, None]
    column = np.arange(columns)[None, :]
    after_row, after_column = (row + 1) % rows, (column + 1) % columns
    a, b = row * columns + column, row * columns + after_column
    c, d = after_row * columns + after_column, after_row * columns + column
    lower, upper = np.stack(np.broadcast_arrays(a, b, c), -1), np.stack(np.broadcast_arrays(a, c, d), -1)
    return np.concatenate([lower.reshape(-1, 3), upper.reshape(-1, 3)]).astype(np.int32)


def _without_slivers(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """Merge equal vertices and drop triangles that have no area (the poles of a lathe)."""
    unique, index = np.unique(np.round(vertices, 9), axis=0, return_inverse=True)
    faces = index.reshape(-1)[faces]
    corners = unique[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(unique, faces[area > 1e-9].astype(np.int32))


def lathe(profile: Sequence[tuple[float, float]], slices: int = SLICES, closed: bool = False) -> Mesh:
    """Turn a profile around the z axis.

    Args:
        profile: (radius, z) points from the bottom of the outside upwards; the body lies to their left.
        slices: Facets around.
        closed: Whether the last point joins the first one (rings), else both ends lie on the axis.
    """
    radius, height = np.asarray(profile, dtype=np.float64).T
    angle = (np.arange(slices) + 0.5) * 2 * np.pi / slices
    x, y = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    vertices = np.stack([x, y, np.broadcast_to(height[:, None], x.shape)], -1).reshape(-1, 3)
    return _without_slivers(vertices, _grid_faces(len(radius), slices, closed))


def sweep(path: np.ndarray, radii: np.ndarray, slices: int = 12, flatten: float = 1.0) -> Mesh:
    """Sweep an ellipse along a path in the xz plane.

    Args:
        path: (N, 2) float, x and z of the center line.
        radii: (N,) float, half the thickness in the plane of the path.
        slices: Facets around.
        flatten: Half thickness along y divided by the one in the plane.
    """
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], -1)
    # Both ends collapse to a point, so that the tube is closed.
    center = np.concatenate([path[:1], path, path[-1:]])
    normal = np.concatenate([normal[:1], normal, normal[-1:]])
    radii = np.concatenate([[0.0], radii, [0.0]])[:, None]
    angle = np.arange(slices) * 2 * np.pi / slices
    x = center[:, :1] + normal[:, :1] * radii * np.cos(angle)
    z = center[:, 1:] + normal[:, 1:] * radii * np.cos(angle)
    y = radii * np.sin(angle) * flatten
    return _without_slivers(np.stack([x, y, z], -1).reshape(-1, 3), _grid_faces(len(center), slices, False))


def prism(outline: Sequence[tuple[float, float]]) -> Mesh:
    """Extrude a counter-clockwise outline in the xy plane, star-shaped about its mean, over z in [-1, 1]."""
    points = np.asarray(outline, dtype=np.float64)
    count = len(points)
    center = points.mean(axis=0)
    rings = [np.column_stack([points, np.full(count, z)]) for z in (-1.0, 1.0)]
    vertices = np.concatenate([*rings, [[*center, -1.0], [*center, 1.0]]])
    i = np.arange(count)
    j = (i + 1) % count
    sides = [np.stack([i, j, j + count], -1), np.stack([i, j + count, i + count], -1)]
    ends = [
        np.stack([j, i, np.full(count, 2 * count)], -1),
        np.stack([i + count, j + count, np.full(count, 2 * count + 1)], -1),
    ]
    return Mesh(vertices, np.concatenate([*sides, *ends]).astype(np.int32))


def _ball_profile(low: float = -90.0, high: float = 90.0, points: int = 17) -> list[tuple[float, float]]:
    """Profile of the unit sphere between two latitudes in degrees."""
    latitude = np.radians(np.linspace(low, high, points))
    return [(float(np.cos(a)), float(np.sin(a))) for a in latitude]


def _hollow(outer: Sequence[tuple[float, float]], wall: float, floor: float, slices: int = SLICES) -> Mesh:
    """A vessel: the outside from the bottom's rim to the top, a lip, and the inside back down to the floor.

    Args:
        outer: (radius, z) of the outside, bottom first.
        wall: Thickness of the wall.
        floor: Thickness of the floor.
        slices: Facets around.
    """
    bottom = outer[0][1]
    inner = [(max(r - wall, 0.02), max(z, bottom + floor)) for r, z in reversed(outer)]
    rim_r, rim_z = outer[-1]
    lip = [(rim_r - wall * 0.25, rim_z + wall * 0.3), (rim_r - wall * 0.75, rim_z + wall * 0.3)]
    return lathe([(0.0, bottom), *outer, *lip, *inner, (0.0, bottom + floor)], slices)


def _arc(tube: float, squareness: float, flatten: float) -> Mesh:
    """Half a ring in the xz plane, from (0, -1) over (1, 0) to (0, 1); a `squareness` near 1 makes it a D."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 15)
    power = 1.0 - 0.55 * squareness
    x, z = np.cos(angle), np.sin(angle)
    path = np.stack([np.abs(x) ** power, np.sign(z) * np.abs(z) ** power], -1)
    return sweep(path, np.full(len(path), tube), flatten=flatten)


def _solids() -> dict[str, Mesh]:
    c = 0.94  # where the corners of a slab are cut
    square = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    rounded = [(-c, -1.0), (c, -1.0), (1.0, -c), (1.0, c), (c, 1.0), (-c, 1.0), (-1.0, c), (-1.0, -c)]
    end = [(r, -1 + 0.14 * (1 + z)) for r, z in _ball_profile(-90, 0, 7)]
    capsule = end + [(r, -z) for r, z in reversed(end)]
    cylinder = [(0.0, -1.0), (0.95, -1.0), (1.0, -0.94), (1.0, 0.94), (0.95, 1.0), (0.0, 1.0)]
    return {
        "box": prism(square),
        "slab": prism(rounded),
        "sphere": lathe(_ball_profile()),
        "cylinder": lathe(cylinder),
        "hexagon": lathe(cylinder, slices=6),
        "capsule": lathe(capsule, slices=20),
        "grip": lathe(
            [(0.0, -1.0), (0.7, -1.0), (0.95, -0.9), (1.0, -0.6), (0.86, 0.1), (0.95, 0.6), (0.8, 0.93), (0.0, 1.0)], 20
        ),
        "cone_50": lathe([(0.0, -1.0), (1.0, -1.0), (0.5, 1.0), (0.0, 1.0)]),
        "cone_75": lathe([(0.0, -1.0), (1.0, -1.0), (0.75, 1.0), (0.0, 1.0)]),
        "dome": lathe([(0.0, 0.0), *_ball_profile(0, 90, 9)]),
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
        "cup": _hollow([(0.93, -1.0), (1.0, -0.93), (1.0, 1.0)], 0.1, 0.12),
        "cup_taper": _hollow([(0.66, -1.0), (0.72, -0.95), (1.0, 1.0)], 0.1, 0.12),
        "cup_barrel": _hollow(barrel, 0.1, 0.12),
        "bowl_round": _hollow(bowl, 0.07, 0.25),
        "bowl_flare": _hollow(flare, 0.07, 0.3),
        "bowl_straight": _hollow([(0.6, -1.0), (0.64, -0.9), (1.0, 1.0)], 0.07, 0.2),
        "dish": _hollow([(0.8, -1.0), (0.86, -0.9), (1.0, 1.0)], 0.06, 0.35),
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
        "pot_0": _ball_profile(-65, 70, 13),
        "pot_1": [(0.7, -1.0), (0.9, -0.75), (1.0, -0.35), (0.95, 0.2), (0.7, 0.75), (0.5, 1.0)],
        "pot_2": [(0.9, -1.0), (1.0, -0.85), (0.88, 0.0), (0.62, 0.9), (0.55, 1.0)],
        "pot_3": [(0.55, -1.0), (0.75, -0.7), (0.93, -0.1), (1.0, 0.35), (0.9, 0.75), (0.6, 1.0)],
    }
    meshes = {name: lathe([*foot, *profile, (0.0, 1.0)]) for name, profile in bottles.items()}
    for name, profile in pots.items():
        meshes[name] = lathe([(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])])
    meshes["can"] = lathe([(0.0, -1.0), (0.84, -1.0), (1.0, -0.9), (1.0, 0.86), (0.84, 1.0), (0.0, 1.0)])
    meshes["zone"] = lathe([(0.8, -0.3), *_ball_profile(-17, 17, 7), (0.8, 0.3)], closed=True)
    meshes["polar"] = lathe([(0.0, 0.6), *_ball_profile(52, 90, 6)])
    return meshes


def _swept() -> dict[str, Mesh]:
    t = np.linspace(0, 1, 12)
    spout = np.stack([t, t**1.8], -1)
    bend = np.stack([t, 0.5 - 0.5 * np.cos(np.pi * t)], -1)
    return {
        "arc": _arc(0.2, 0.0, 1.0),
        "arc_d": _arc(0.2, 0.8, 1.2),
        "arch": _arc(0.085, 0.0, 1.5),
        "arch_d": _arc(0.085, 0.7, 1.5),
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
    return {"segment": _without_slivers(vertices, _grid_faces(13, 7, False))}


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
        "cup_facets": _hollow([(0.96, -1.0), (1.0, -0.94), (0.78, 1.0)], 0.1, 0.12, slices=6),
        "bowl_square": _hollow([(0.5, -1.0), (0.56, -0.9), (0.8, 0.1), (1.0, 1.0)], 0.08, 0.25, slices=4),
        "dish_square": _hollow([(0.9, -1.0), (0.94, -0.9), (1.0, 1.0)], 0.06, 0.35, slices=4),
        "crate": _hollow([(0.84, -1.0), (0.86, -0.95), (1.0, 1.0)], 0.07, 0.12, slices=4),
        "spoon_facets": _hollow([(0.4, -1.0), (0.72, -0.5), (1.0, 1.0)], 0.09, 0.25, slices=6),
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
    return {**_solids(), **_vessels(), **_lathed(), **_swept(), **_segments(), **_blades(), **_held_out()}
