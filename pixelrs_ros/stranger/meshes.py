"""Triangle meshes with texture coordinates: turned, drawn out, cut out and boxed bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHARP_RAD = 0.6  # a bend of a profile beyond it is an edge, not a curve
Point = tuple[float, float]


@dataclass(frozen=True)
class Mesh:
    """A body.

    Attributes:
        vertices: (N, 3) in m.
        faces: (M, 3) indices, counterclockwise from outside.
        uv: (N, 2), the first along the texture's columns, the second from its last row up.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray

    def moved(self, offset: Sequence[float]) -> Mesh:
        """The body elsewhere; offset (x, y, z) in m."""
        return Mesh(self.vertices + np.asarray(offset, float), self.faces, self.uv)

    def turned(self, axis: str, angle_rad: float) -> Mesh:
        """The body turned around the x, y or z axis."""
        return Mesh(self.vertices @ rotation(axis, angle_rad).T, self.faces, self.uv)

    def scaled(self, factors: Sequence[float]) -> Mesh:
        """The body stretched by positive factors along x, y, z."""
        return Mesh(self.vertices * np.asarray(factors, float), self.faces, self.uv)


def rotation(axis: str, angle_rad: float) -> np.ndarray:
    """(3, 3) rotation around an axis of "xyz"."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


def joined(*meshes: Mesh) -> Mesh:
    """Several bodies as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.uv for mesh in meshes]),
    )


def _strips(rings: Sequence[tuple[int, int]], columns: int) -> np.ndarray:
    """Faces between pairs of rings of `columns` vertices each, given by their first indices."""
    faces = []
    for low, high in rings:
        for column in range(columns - 1):
            a, b, c, d = low + column, low + column + 1, high + column + 1, high + column
            faces += [(a, b, c), (a, c, d)]
    return np.array(faces, int)


def _proper(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The faces that have an area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return faces[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-10]


def lathe(profile: Sequence[Point], segments: int = 40) -> Mesh:
    """Turned around z.

    Args:
        profile: (radius, z) in m, walked with the inside on the left: outside upwards, inside downwards.
        segments: Around.
    """
    points = np.asarray(profile, float)
    steps = np.diff(points, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(steps, axis=1))])
    along /= along[-1]
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    rows: list[int] = [0]
    pairs: list[tuple[int, int]] = []
    for index in range(len(steps)):
        if index:
            bend = abs((headings[index] - headings[index - 1] + np.pi) % (2 * np.pi) - np.pi)
            if bend > SHARP_RAD:
                rows.append(index)
        rows.append(index + 1)
        pairs.append((len(rows) - 2, len(rows) - 1))
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    columns = len(angles)
    radius, height = points[rows, 0][:, None], points[rows, 1][:, None]
    x, y = radius * np.cos(angles), radius * np.sin(angles)
    vertices = np.stack([x, y, np.broadcast_to(height, x.shape)], axis=-1).reshape(-1, 3)
    u, v = np.broadcast_to(angles / (2 * np.pi), x.shape), np.broadcast_to(along[rows][:, None], x.shape)
    faces = _strips([(low * columns, high * columns) for low, high in pairs], columns)
    return Mesh(vertices, _proper(vertices, faces), np.stack([u, v], axis=-1).reshape(-1, 2))


def tube(
    path: Sequence[Sequence[float]] | np.ndarray, radii: Sequence[float], flat: float = 1.0, sides: int = 14
) -> Mesh:
    """Drawn out along a path, with round ends.

    Args:
        path: (x, y, z) in m, at least two.
        radii: In m, one a point.
        flat: The section's height over its width; its height is nearest to z.
        sides: Around.
    """
    points, sizes = np.asarray(path, float), np.asarray(radii, float)
    forward = np.gradient(points, axis=0)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    extra = [np.sin(t) for t in (0.5, 1.0, 1.4)]
    ends = [np.cos(t) for t in (0.5, 1.0, 1.4)]
    head = [(points[0] - forward[0] * sizes[0] * e * flat, sizes[0] * r, forward[0])
            for e, r in zip(extra[::-1], ends[::-1], strict=True)]  # fmt: skip
    tail = [(points[-1] + forward[-1] * sizes[-1] * e * flat, sizes[-1] * r, forward[-1])
            for e, r in zip(extra, ends, strict=True)]  # fmt: skip
    stations = head + list(zip(points, sizes, forward, strict=True)) + tail
    side = np.cross([0.0, 0.0, 1.0], stations[0][2])
    if np.linalg.norm(side) < 1e-3:
        side = np.array([0.0, 1.0, 0.0])
    angles = np.linspace(0, 2 * np.pi, sides + 1)
    rings = []
    for center, size, heading in stations:
        side = side - heading * np.dot(side, heading)
        side /= np.linalg.norm(side)
        up = np.cross(heading, side)
        rings.append(center + size * (np.cos(angles)[:, None] * side + flat * np.sin(angles)[:, None] * up))
    count, columns = len(rings), len(angles)
    vertices = np.concatenate([*rings, [rings[0].mean(0), rings[-1].mean(0)]])
    body = _strips([(i * columns, (i + 1) * columns) for i in range(count - 1)], columns)
    first, last = count * columns, count * columns + 1
    caps = [(first, i + 1, i) for i in range(sides)]
    caps += [(last, (count - 1) * columns + i, (count - 1) * columns + i + 1) for i in range(sides)]
    u = np.tile(angles / (2 * np.pi), count)
    v = np.repeat(np.linspace(0, 1, count), columns)
    uv = np.concatenate([np.stack([u, v], axis=1), [[0.5, 0.0], [0.5, 1.0]]])
    faces = np.concatenate([body, np.array(caps, int)])
    return Mesh(vertices, _proper(vertices, faces), uv)


def cutout(outline: Sequence[Point], thickness_m: float) -> Mesh:
    """Cut out of a plate that lies on z = 0; the outline, counterclockwise, is seen whole from its middle."""
    flat = np.asarray(outline, float)
    count = len(flat)
    low, high = flat.min(0), flat.max(0)
    middle = flat.mean(0)
    plates: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    for z, is_top in ((0.0, False), (thickness_m, True)):
        start = len(plates) * (count + 1)
        ring = np.concatenate([flat, middle[None]])
        plates.append(np.column_stack([ring, np.full(count + 1, z)]))
        for i in range(count):
            j = (i + 1) % count
            faces.append((start + i, start + j, start + count) if is_top else (start + j, start + i, start + count))
    base = 2 * (count + 1)
    sides = []
    for i in range(count):
        j = (i + 1) % count
        sides += [(*flat[i], 0.0), (*flat[j], 0.0), (*flat[j], thickness_m), (*flat[i], thickness_m)]
        faces += [
            (base + 4 * i, base + 4 * i + 1, base + 4 * i + 2),
            (base + 4 * i, base + 4 * i + 2, base + 4 * i + 3),
        ]
    vertices = np.concatenate([*plates, np.array(sides)])
    uv = (vertices[:, :2] - low) / np.maximum(high - low, 1e-6)
    triangles = np.array(faces, int)
    return Mesh(vertices, _proper(vertices, triangles), uv)


def block(size: Sequence[float], rim_m: float = 0.0) -> Mesh:
    """A box (x, y, z) in m around the origin; every side shows the whole texture, upright where the side stands.

    Args:
        size: The box's sides.
        rim_m: How much of each edge is cut off.
    """
    half = np.asarray(size, float) / 2
    sides = [  # outward, the texture's right, the texture's up
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
        ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
        ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
        ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
        ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    ]
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    uv: list[tuple[float, float]] = []
    for out, right, up in (tuple(np.array(v, float) for v in side) for side in sides):
        start = len(vertices)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            inner = (half - rim_m) * (a * right + b * up)
            vertices.append(out * half + inner)
            uv.append(((a + 1) / 2, (b + 1) / 2))
        faces += [(start, start + 1, start + 2), (start, start + 2, start + 3)]
    flat = Mesh(np.array(vertices), np.array(faces), np.array(uv))
    return joined(flat, _edges(half, rim_m)) if rim_m > 0 else flat


def _edges(half: np.ndarray, rim_m: float) -> Mesh:
    """The slants and corners where a block's edges are cut off."""
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        for a in (-1, 1):
            for b in (-1, 1):
                quad = np.zeros((4, 3))
                quad[:, first] = a * (half[first] - np.array([0, rim_m, rim_m, 0]))
                quad[:, second] = b * (half[second] - np.array([rim_m, 0, 0, rim_m]))
                quad[:, axis] = (half[axis] - rim_m) * np.array([-1, -1, 1, 1])
                start, order = len(vertices), (0, 1, 2, 3) if a * b > 0 else (3, 2, 1, 0)
                vertices += list(quad)
                i, j, k, m = (start + n for n in order)
                faces += [(i, j, k), (i, k, m)]
    for signs in np.ndindex(2, 2, 2):
        sign = np.array(signs) * 2 - 1
        corner = np.stack([sign * (half - rim_m * (1 - np.eye(3)[axis])) for axis in range(3)])
        start = len(vertices)
        vertices += list(corner)
        faces.append((start, start + 1, start + 2) if sign.prod() > 0 else (start, start + 2, start + 1))
    return Mesh(np.array(vertices), np.array(faces), np.full((len(vertices), 2), 0.02))


def rounded(height_m: float, radius_m: float, bulge: float = 0.0, count: int = 14) -> list[Point]:
    """A profile of a body between flat and round: a cylinder whose sides bulge by a share of its radius."""
    turns = np.linspace(0.0, 1.0, count)
    return [(radius_m * (1 + bulge * (np.sin(np.pi * t) - 1)), height_m * t) for t in turns]


def arc(start_rad: float, end_rad: float, width_m: float, height_m: float, count: int = 12) -> np.ndarray:
    """(count, 2) points of an ellipse's arc around the origin."""
    angles = np.linspace(start_rad, end_rad, count)
    return np.column_stack([width_m * np.cos(angles), height_m * np.sin(angles)])
