"""How unit meshes are made: bodies lathed, swept and extruded from formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def grid_faces(rows: int, columns: int, close_rows: bool) -> np.ndarray:
    """Triangles of a (rows, columns) grid of vertices whose columns, and on demand rows, wrap around."""
    row = np.arange(rows if close_rows else rows - 1)[:, None]
    column = np.arange(columns)[None, :]
    after_row, after_column = (row + 1) % rows, (column + 1) % columns
    a, b = row * columns + column, row * columns + after_column
    c, d = after_row * columns + after_column, after_row * columns + column
    lower, upper = np.stack(np.broadcast_arrays(a, b, c), -1), np.stack(np.broadcast_arrays(a, c, d), -1)
    return np.concatenate([lower.reshape(-1, 3), upper.reshape(-1, 3)]).astype(np.int32)


def without_slivers(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
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
    return without_slivers(vertices, grid_faces(len(radius), slices, closed))


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
    return without_slivers(np.stack([x, y, z], -1).reshape(-1, 3), grid_faces(len(center), slices, False))


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


def ball_profile(low: float = -90.0, high: float = 90.0, points: int = 17) -> list[tuple[float, float]]:
    """Profile of the unit sphere between two latitudes in degrees."""
    latitude = np.radians(np.linspace(low, high, points))
    return [(float(np.cos(a)), float(np.sin(a))) for a in latitude]


def hollow(outer: Sequence[tuple[float, float]], wall: float, floor: float, slices: int = SLICES) -> Mesh:
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


def arc(tube: float, squareness: float, flatten: float) -> Mesh:
    """Half a ring in the xz plane, from (0, -1) over (1, 0) to (0, 1); a `squareness` near 1 makes it a D."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 15)
    power = 1.0 - 0.55 * squareness
    x, z = np.cos(angle), np.sin(angle)
    path = np.stack([np.abs(x) ** power, np.sign(z) * np.abs(z) ** power], -1)
    return sweep(path, np.full(len(path), tube), flatten=flatten)
