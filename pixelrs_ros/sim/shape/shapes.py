"""What an object is drawn with: placed unit meshes, rotations, and the shades of a color."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from pixelrs_ros.sim.shape.meshes import mesh_library

Color = tuple[float, float, float]
Vector = tuple[float, float, float]

COLORS: dict[str, Color] = {
    "red": (0.80, 0.07, 0.08),
    "green": (0.10, 0.55, 0.17),
    "blue": (0.08, 0.25, 0.82),
    "yellow": (0.98, 0.86, 0.09),
    "orange": (1.0, 0.49, 0.04),
    "purple": (0.48, 0.13, 0.66),
    "white": (0.87, 0.87, 0.86),
    "black": (0.06, 0.06, 0.07),
}

STEEL: Color = (0.70, 0.72, 0.75)
PAPER: Color = (0.92, 0.90, 0.84)
TINT = (0.0, 0.4)  # how far a neutral material leans towards its object's color


@dataclass(frozen=True)
class Geom:
    """One unit mesh, placed.

    Attributes:
        mesh: Name in `mesh_library()`.
        part: Index into the kind's parts.
        linear: Row-major 3 × 3 matrix (rotation times scale) from the mesh's units to meters.
        offset_m: Translation.
        rgb: Color in [0, 1].
        specular: Strength of the highlight, in [0, 1].
        shininess: How small the highlight is, in [0, 1].
        texture: Name in `cube_textures()`, which `rgb` multiplies; empty for a plain surface.
    """

    mesh: str
    part: int
    linear: tuple[float, ...]
    offset_m: Vector
    rgb: Color
    specular: float
    shininess: float = 0.5
    texture: str = ""

    def vertices_m(self) -> np.ndarray:
        """(V, 3) float64, the placed vertices."""
        return mesh_library()[self.mesh].vertices @ np.reshape(self.linear, (3, 3)).T + self.offset_m

    def moved(self, linear: np.ndarray, offset_m: np.ndarray) -> Geom:
        """The same mesh after x → linear @ x + offset."""
        turned = linear @ np.reshape(self.linear, (3, 3))
        offset = linear @ np.asarray(self.offset_m) + offset_m
        return replace(self, linear=tuple(turned.ravel().tolist()), offset_m=tuple(offset.tolist()))


def rotation(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) float64 rotation about "x", "y" or "z"."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


ALONG_X = rotation("y", 90.0)  # turns a body that stands along z so that its top points along x
ALONG_Y = rotation("x", -90.0)  # … along y


def mix(first: Color, second: Color, share: float) -> Color:
    """`first` with `share` of `second`."""
    r, g, b = (float(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return (r, g, b)


_HUES = (0.0, 0.08, 0.15, 0.37, 0.63, 0.78, 1.0)
_HUE_REACH = (0.012, 0.01, 0.014, 0.045, 0.035, 0.025, 0.012)  # how far a hue may go and still has its name


def jittered(color: Color, rng: np.random.Generator) -> Color:
    """The color with another hue, strength and brightness, still the same color word."""
    hue, saturation, value = colorsys.rgb_to_hsv(*color)
    if saturation < 0.3:  # black and white
        hue, saturation = rng.uniform(), rng.uniform(0.0, 0.06)
        value = rng.uniform(0.02, 0.13) if value < 0.5 else rng.uniform(0.8, 0.97)
        return colorsys.hsv_to_rgb(hue, saturation, value)
    warm = hue < 0.2 or hue > 0.9  # dark or pale, red becomes brown or pink and so do its neighbors
    reach = float(np.interp(hue, _HUES, _HUE_REACH))
    hue = (hue + rng.uniform(-reach, reach)) % 1.0
    saturation *= rng.uniform(0.88 if warm else 0.76, 1.0)
    value = min(value * rng.uniform(0.86 if warm else 0.72, 1.2), 1.0)
    return colorsys.hsv_to_rgb(hue, saturation, value)


def darker(color: Color, share: float = 0.38) -> Color:
    """A darker shade of the color."""
    return mix(color, (0.0, 0.0, 0.0), share)


def lighter(color: Color, share: float = 0.45) -> Color:
    """A lighter shade of the color; weaker for colors that are light already."""
    return mix(color, (1.0, 1.0, 1.0), share)


def brightness(color: Color) -> float:
    """Perceived brightness in [0, 1]."""
    return float(np.dot(color, (0.3, 0.59, 0.11)))


@dataclass
class Shaper:
    """Collects the geoms of one object while its kind's recipe runs.

    The recipe works in units of its own (about 1 for the whole object), z up; the sampler scales and places the result.

    Attributes:
        rng: Source of every proportion.
        family: Which shape family, from 0, or one more for the held-out one.
        parts: Names of the kind's parts.
        main: The object's color.
        trim: Color of what is only mounted to the object, None for a shade of its own color.
        geoms: What was added so far.
    """

    rng: np.random.Generator
    family: int
    parts: tuple[str, ...]
    main: Color
    trim: Color | None = None
    geoms: list[Geom] = field(default_factory=list)

    def __post_init__(self) -> None:
        # White can only be shaded down and black only up; colors in between go either way.
        level = brightness(self.main)
        up = level < 0.15 or (level < 0.6 and self.rng.random() < 0.5)
        shade = (
            lighter(self.main, 0.28 if level < 0.15 else 0.45)
            if up
            else darker(self.main, 0.26 if level > 0.8 else 0.38)
        )
        # Most handles have their thing's very color; a shade of it is the easier case.
        self.accent = mix(self.main, shade, max(float(self.rng.uniform(-0.4, 1.0)), 0.0))
        if self.trim is not None:
            self.accent = self.trim
        self.dark = darker(self.main, 0.42) if level >= 0.15 else darker(self.main, 0.3)
        self.steel = mix(STEEL, self.main, self.rng.uniform(*TINT))
        self.paper = mix(PAPER, self.main, 0.25)

    def pick(self, low: float, high: float) -> float:
        """A proportion, uniform in [low, high]."""
        return float(self.rng.uniform(low, high))

    def add(
        self,
        part: str,
        mesh: str,
        scale: Vector,
        at: Vector = (0.0, 0.0, 0.0),
        *,
        turn: np.ndarray | None = None,
        rgb: Color | None = None,
        specular: float = 0.25,
        texture: str = "",
    ) -> None:
        """Add one unit mesh: scaled along its own axes, turned, then moved; by default in the object's main color."""
        linear = np.diag(scale) if turn is None else turn @ np.diag(scale)
        color = self.main if rgb is None else rgb
        values = tuple(float(v) for v in linear.ravel())
        place = (float(at[0]), float(at[1]), float(at[2]))
        self.geoms.append(Geom(mesh, self.parts.index(part), values, place, color, specular, texture=texture))


def moved_all(geoms: Sequence[Geom], linear: np.ndarray, offset_m: np.ndarray) -> list[Geom]:
    """The same meshes after x → linear @ x + offset."""
    matrices = (linear @ np.array([geom.linear for geom in geoms]).reshape(-1, 3, 3)).reshape(-1, 9).tolist()
    offsets = (np.array([geom.offset_m for geom in geoms]) @ linear.T + offset_m).tolist()
    return [
        Geom(g.mesh, g.part, tuple(matrix), (at[0], at[1], at[2]), g.rgb, g.specular, g.shininess, g.texture)
        for g, matrix, at in zip(geoms, matrices, offsets, strict=True)
    ]


def bounds_m(geoms: Sequence[Geom]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner, each (3,) float64, of the axis-aligned box around the geoms."""
    points = np.concatenate([geom.vertices_m() for geom in geoms])
    return points.min(axis=0), points.max(axis=0)


def _directions(count: int) -> np.ndarray:
    """(3, count) float64 unit vectors spread evenly over the sphere (a Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = np.pi * (1 + 5**0.5) * index
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z])


_DIRECTIONS = _directions(96)


@lru_cache(maxsize=256)
def _far_vertices(mesh: str) -> np.ndarray:
    """(N, 3) float64 vertices of a unit mesh that are the farthest ones in some of many directions."""
    vertices = mesh_library()[mesh].vertices
    return np.asarray(vertices[np.unique((vertices @ _directions(250)).argmax(axis=0))])


def outline_points_m(geoms: Sequence[Geom]) -> np.ndarray:
    """(N, 3) float64 points of the surface that show the outline: the farthest ones in many directions."""
    points = np.concatenate(
        [_far_vertices(geom.mesh) @ np.reshape(geom.linear, (3, 3)).T + geom.offset_m for geom in geoms]
    )
    return np.asarray(points[np.unique((points @ _DIRECTIONS).argmax(axis=0))])
