"""A scene's geoms as triangles with normals and texture coordinates, as the renderer draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pixelrs_ros.sim.picture.canvas import mujoco
from pixelrs_ros.sim.picture.render import compile_model
from pixelrs_ros.sim.shape.meshes import mesh_library
from pixelrs_ros.sim.shape.patterns import FACE_PX
from pixelrs_ros.sim.shape.shapes import Geom

_FLAT = 0.8  # cosine of the angle from which on MuJoCo draws an edge instead of rounding it
_BENT = 0.02  # how far a triangle's depth in the cube may vary before a texture on it would bend visibly
_SPLITS = 3
_HALF_PX = 0.5 / FACE_PX
# Of each face of the cube, in OpenGL's order: axis and sign of its normal, and of its picture's right and down.
_CUBE = (
    (0, 1, (2, -1), (1, -1)),
    (0, -1, (2, 1), (1, -1)),
    (1, 1, (0, 1), (2, 1)),
    (1, -1, (0, 1), (2, -1)),
    (2, 1, (0, 1), (1, -1)),
    (2, -1, (0, -1), (1, -1)),
)


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles of one material, counter-clockwise seen from outside.

    Attributes:
        material: Its name.
        corners: (F, 3, 3) float64, meters.
        normals: (F, 3, 3) float64, of length 1.
        texels: (F, 3, 2) float64, how far right and down in the material's picture; beyond 1 it repeats.
    """

    material: str
    corners: np.ndarray
    normals: np.ndarray
    texels: np.ndarray

    def moved(self, offset_m: np.ndarray) -> Surface:
        """The same triangles elsewhere."""
        return Surface(self.material, self.corners + offset_m, self.normals, self.texels)


def joined(surfaces: Sequence[Surface]) -> list[Surface]:
    """One surface for each material, in the order in which the materials come."""
    by_material: dict[str, list[Surface]] = {}
    for surface in surfaces:
        by_material.setdefault(surface.material, []).append(surface)
    return [
        Surface(
            name,
            np.concatenate([each.corners for each in same]),
            np.concatenate([each.normals for each in same]),
            np.concatenate([each.texels for each in same]),
        )
        for name, same in by_material.items()
    ]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A unit mesh as MuJoCo holds it: (F, 3, 3) corners and normals in its frame, and where that frame lies in ours."""

    corners: np.ndarray
    normals: np.ndarray
    turn: np.ndarray
    shift: np.ndarray


@lru_cache(maxsize=1)
def _drawn_meshes() -> dict[str, _Drawn]:
    model = compile_model(1, 1)
    found = {}
    for name in mesh_library():
        mesh = model.mesh(name)
        rows = slice(mesh.faceadr[0], mesh.faceadr[0] + mesh.facenum[0])
        corners = model.mesh_vert[mesh.vertadr[0] + model.mesh_face[rows]].astype(np.float64)
        normals = model.mesh_normal[model.mesh_normaladr[mesh.id] + model.mesh_facenormal[rows]].astype(np.float64)
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, model.mesh_quat[mesh.id])
        flat = np.repeat(_face_normals(corners)[:, None], 3, axis=1)
        hard = (normals * flat).sum(-1, keepdims=True) < _FLAT
        found[name] = _Drawn(
            corners, np.where(hard, flat, normals), turn.reshape(3, 3), model.mesh_pos[mesh.id].astype(np.float64)
        )
    return found


def _face_normals(corners: np.ndarray) -> np.ndarray:
    """(F, 3) unit normals of (F, 3, 3) corners."""
    return _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def surface_of(geom: Geom, material: str) -> Surface:
    """The triangles of a geom; a cube texture's six faces are taken to lie one below the other in one picture."""
    drawn = _drawn_meshes()[geom.mesh]
    corners, normals, texels = drawn.corners, drawn.normals, np.full((*drawn.corners.shape[:2], 2), 0.5)
    if geom.texture:
        corners, normals, texels = _unwrapped(corners, normals)
    linear = np.reshape(geom.linear, (3, 3))
    matrix = linear @ drawn.turn
    placed = corners @ matrix.T + linear @ drawn.shift + geom.offset_m
    turned = _unit(normals @ np.linalg.inv(matrix))
    if np.linalg.det(matrix) < 0:  # mirrored: the other way round again
        placed, turned, texels = placed[:, ::-1], turned[:, ::-1], texels[:, ::-1]
    return Surface(material, placed, turned, texels)


def _unwrapped(corners: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut where the faces of the cube around them meet: corners, normals, and places in the picture of the six."""
    both = _halved(np.concatenate([corners, normals], axis=-1))
    pieces, texels = [], []
    for number, (axis, sign, (right, right_sign), (down, down_sign)) in enumerate(_CUBE):
        planes = np.zeros((4, 3))
        planes[:, axis] = sign
        planes[(0, 1), right] = 1, -1
        planes[(2, 3), down] = 1, -1
        seen = _clipped(both, planes)
        depth = np.maximum(np.abs(seen[..., axis]), 1e-9)
        across = (right_sign * seen[..., right] / depth + 1) / 2
        below = (down_sign * seen[..., down] / depth + 1) / 2
        inside = [np.clip(value, _HALF_PX, 1 - _HALF_PX) for value in (across, below)]
        pieces.append(seen)
        texels.append(np.stack([inside[0], (number + inside[1]) / len(_CUBE)], axis=-1))
    whole = np.concatenate(pieces)
    return whole[..., :3], _unit(whole[..., 3:]), np.concatenate(texels)


def _halved(triangles: np.ndarray) -> np.ndarray:
    """(F, 3, 6), those cut in four whose distance from the middle of the cube varies: a picture would bend on them."""
    for _ in range(_SPLITS):
        depth = np.abs(triangles[..., :3]).max(axis=-1)
        bent = np.ptp(depth, axis=1) > _BENT + 0.1 * depth.mean(axis=1)
        a, b, c = (triangles[bent, i] for i in range(3))
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        quarters = [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        triangles = np.concatenate([triangles[~bent], *quarters])
    return triangles


def _clipped(triangles: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """(G, 3, 6): what of (F, 3, 6) lies on the positive side of all planes (P, 3) through the origin, as triangles."""
    sides = triangles[..., :3] @ planes.T
    whole = (sides >= 0).all(axis=(1, 2))
    cut = ~whole & (sides > 0).any(axis=1).all(axis=1)
    found = [triangles[whole]]
    for polygon in triangles[cut]:
        for plane in planes:
            polygon = _half(polygon, plane)
        found += [polygon[[0, i, i + 1]][None] for i in range(1, len(polygon) - 1)]
    return np.concatenate(found)


def _half(polygon: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """(M, 6) corners of what of a convex polygon (N, 6) lies on the positive side of a plane."""
    sides = polygon[:, :3] @ plane
    kept = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if sides[i] >= 0:
            kept.append(polygon[i])
        if (sides[i] < 0) != (sides[j] < 0):
            share = sides[i] / (sides[i] - sides[j])
            kept.append(polygon[i] + share * (polygon[j] - polygon[i]))
    return np.array(kept).reshape(-1, polygon.shape[1])


def slab(
    material: str,
    half_m: tuple[float, float],
    thickness_m: float,
    repeats: tuple[float, float] = (1.0, 1.0),
) -> Surface:
    """A board whose upper side lies on z = 0 around the origin, its picture laid on it from above.

    Args:
        material: Name of its material.
        half_m: Half its sides along x and y.
        thickness_m: How far it reaches down.
        repeats: How often the picture fits along x and y.
    """
    signs = np.array([[x, y, z] for z in (0, -1) for y in (-1, 1) for x in (-1, 1)], np.float64)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (1, 5, 7, 3), (3, 7, 6, 2), (2, 6, 4, 0)]
    corners = signs[np.array([[(q[0], q[1], q[2]), (q[0], q[2], q[3])] for q in quads]).reshape(-1, 3)]
    placed = corners * [*half_m, thickness_m]
    texels = np.stack([(corners[..., 0] + 1) / 2 * repeats[0], (1 - corners[..., 1]) / 2 * repeats[1]], axis=-1)
    return Surface(material, placed, np.repeat(_face_normals(placed)[:, None], 3, axis=1), texels)
