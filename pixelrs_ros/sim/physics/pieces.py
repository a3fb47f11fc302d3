"""The unit meshes cut into convex pieces: contacts are between convex bodies, and a cup filled up has no rim."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pixelrs_ros.sim.shape.meshes import mesh_library
from pixelrs_ros.sim.shape.meshing import Mesh

_SECTORS = 12  # around a hollow body
_HALVINGS = 3  # of a bent body
_CONVEX = 1e-3  # how deep a vertex may lie under a face of a convex mesh, in the mesh's own units
_THIN = 0.015  # slabs of a profile thinner than this share of its height are joined


@lru_cache(maxsize=256)
def convex_pieces(name: str) -> tuple[np.ndarray, ...]:
    """Corners of the convex pieces of a unit mesh, (N, 3) float64 each, in the mesh's units.

    A body that bulges everywhere is one piece. A turned one is cut into rings along its profile, and hollow rings into
    sectors; whatever else is bent, into eight, across its longest side each time.

    Args:
        name: In `mesh_library()`.
    """
    mesh = mesh_library()[name]
    if _dent(mesh) <= _CONVEX:
        return (mesh.vertices,)
    profile = _profile(mesh)
    if profile is not None:
        return tuple(_turned(mesh, profile))
    pieces = [mesh.vertices[mesh.faces]]
    for _ in range(_HALVINGS):
        pieces = [half for piece in pieces for half in _halved(piece)]
    return tuple(np.unique(piece.reshape(-1, 3), axis=0) for piece in pieces)


def volume(mesh: Mesh) -> float:
    """What a closed mesh encloses, in its own units cubed."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _dent(mesh: Mesh) -> float:
    """How far the mesh's vertices lie outside of the planes of its faces, at most."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return float((mesh.vertices @ normals.T - (normals * a).sum(axis=1)).max())


def _profile(mesh: Mesh) -> np.ndarray | None:
    """(N, 2, 2) segments of (radius, z) that a turned mesh's outline consists of; None for one that was not turned."""
    places = np.column_stack([np.hypot(*mesh.vertices[:, :2].T), mesh.vertices[:, 2]])
    rings, which = np.unique(np.round(places, 6), axis=0, return_inverse=True)
    which = which.reshape(-1)
    off_axis = rings[:, 0] > 1e-6
    counts = np.bincount(which, minlength=len(rings))
    if not (counts[off_axis] >= 4).all() or len(set(counts[off_axis])) > 1:
        return None
    edges = np.sort(which[mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)], axis=1)
    edges = np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0)
    return np.asarray(rings[edges])


def _turned(mesh: Mesh, profile: np.ndarray) -> list[np.ndarray]:
    """Rings between the heights at which the profile bends, each as far from the axis as its walls are."""
    heights = np.unique(profile[:, :, 1])
    least = _THIN * (heights[-1] - heights[0])
    off_axis = mesh.vertices[np.hypot(*mesh.vertices[:, :2].T) > 1e-6]
    angles = np.unique(np.round(np.arctan2(off_axis[:, 1], off_axis[:, 0]), 6))
    kept = [heights[0]]
    for height in heights[1:-1]:
        if height - kept[-1] >= least and heights[-1] - height >= least:
            kept.append(height)
    pieces = []
    for low, high in zip(kept, [*kept[1:], heights[-1]], strict=True):
        inside = 1e-3 * (high - low)
        at_low, at_high = _radii(profile, low + inside), _radii(profile, high - inside)
        if len(at_low) != len(at_high):  # the walls part or meet within: as in the middle
            at_low = at_high = _radii(profile, (low + high) / 2)
        for (in_low, out_low), (in_high, out_high) in zip(at_low, at_high, strict=True):
            corners = [(in_low, low), (out_low, low), (in_high, high), (out_high, high)]
            pieces += _around(corners, angles)
    return pieces


def _radii(profile: np.ndarray, height: float) -> list[tuple[float, float]]:
    """Between which radii there is material at a height."""
    (r0, z0), (r1, z1) = np.moveaxis(profile, (1, 2), (0, 1))
    across = (np.minimum(z0, z1) <= height) & (height < np.maximum(z0, z1))
    share = (height - z0[across]) / (z1[across] - z0[across])
    radii = np.sort(r0[across] + share * (r1[across] - r0[across])).tolist()
    if len(radii) % 2:
        radii = [0.0, *radii]
    return list(zip(radii[::2], radii[1::2], strict=True))


def _around(corners: list[tuple[float, float]], angles: np.ndarray) -> list[np.ndarray]:
    """A ring with this section: whole where it reaches the axis, else in sectors."""

    def turned(section: list[tuple[float, float]], chosen: np.ndarray) -> np.ndarray:
        return np.array([[r * np.cos(a), r * np.sin(a), z] for r, z in section for a in chosen])

    if corners[0][0] < 0.02 and corners[2][0] < 0.02:
        return [turned([corners[1], corners[3]], angles)]
    step = max(1, len(angles) // _SECTORS)
    starts = range(0, len(angles), step)
    return [turned(corners, angles.take(range(start, start + step + 1), mode="wrap")) for start in starts]


def _halved(triangles: np.ndarray) -> list[np.ndarray]:
    """(N, 3, 3) triangles on either side of the plane across the middle of their longest side, cut where they cross."""
    points = triangles.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    axis = int((high - low).argmax())
    middle = (low[axis] + high[axis]) / 2
    sides = []
    for sign in (-1.0, 1.0):
        kept = []
        for triangle in triangles:
            distance = sign * (triangle[:, axis] - middle)
            corners = [corner for corner, d in zip(triangle, distance, strict=True) if d >= 0]
            for i, j in ((0, 1), (1, 2), (2, 0)):
                if distance[i] * distance[j] < 0:
                    corners.append(
                        triangle[i] + (triangle[j] - triangle[i]) * distance[i] / (distance[i] - distance[j])
                    )
            if len(corners) >= 3:
                kept.append(corners[:3])
                if len(corners) == 4:
                    kept.append([corners[0], corners[2], corners[3]])
        sides.append(np.array(kept))
    return [side for side in sides if len(side)]
