"""Where a scene plays: camera, light, table, room, and what lies about that nobody talks about."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.clutter import build_clutter, build_mat
from pixelrs_ros.sim.shape.shapes import Color, Geom
from pixelrs_ros.sim.shape.textures import floor_textures, table_textures, tintable_textures, wall_textures

_COLORED_RATE = 0.35  # of the tables: of any color instead of a material's own
_WALL_RATE = 0.85  # of the scenes
_MAT_RATE = 0.25  # of the scenes


@dataclass(frozen=True)
class Light:
    """A lamp far away that casts shadows, and what lights the scene from everywhere.

    Attributes:
        direction: Unit vector along which the light travels.
        diffuse: Color and strength of the lamp.
        ambient: Strength of the light from everywhere.
        fill: Strength of the light from the camera, which casts no shadow.
        second: Color and strength of another lamp, which casts no shadow.
        second_direction: Unit vector along which its light travels.
    """

    direction: tuple[float, float, float]
    diffuse: Color
    ambient: float
    fill: float
    second: Color = (0.0, 0.0, 0.0)
    second_direction: tuple[float, float, float] = (0.0, 0.0, -1.0)


@dataclass(frozen=True)
class Table:
    """The table top: its half sides and turn, its texture, the texture's tint and repetition; the floor below."""

    half_m: tuple[float, float]
    yaw_deg: float
    texture: int
    tint: Color
    repeat_m: float
    floor: int
    floor_tint: Color


@dataclass(frozen=True)
class Room:
    """What is seen beyond the table: a wall, far behind it.

    Attributes:
        wall: Index into `wall_textures()`, or None for darkness.
        tint: The texture's tint.
        distance_m: From the table's middle.
        yaw_deg: How far the wall is turned about the vertical away from facing the camera.
        repeat_m: After which the texture repeats.
    """

    wall: int | None = None
    tint: Color = (1.0, 1.0, 1.0)
    distance_m: float = 3.0
    yaw_deg: float = 0.0
    repeat_m: float = 2.0


DARKNESS = Room()


def sample_camera(rng: np.random.Generator, *, crowded: bool) -> Camera:
    """A viewpoint; from lower down where things stand close together, so that more is hidden."""
    if crowded:
        elevation_deg = rng.uniform(22, 42)
    else:
        elevation_deg = rng.uniform(32, 62) if rng.random() < 0.6 else rng.uniform(18, 75)
    return Camera(
        azimuth_deg=float(rng.uniform(0, 360)),
        elevation_deg=float(elevation_deg),
        distance_m=float(rng.uniform(0.45, 1.3)),
        target_m=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
        fovy_deg=float(rng.uniform(35, 65)),
        roll_deg=float(rng.uniform(-8, 8)) if rng.random() < 0.7 else 0.0,
    )


def _lamp(rng: np.random.Generator, azimuth_deg: float) -> tuple[float, float, float]:
    angle, height = np.radians(azimuth_deg), np.radians(rng.uniform(35, 82))
    x, y, z = -np.cos(angle) * np.cos(height), -np.sin(angle) * np.cos(height), -np.sin(height)
    return (float(x), float(y), float(z))


def _glow(rng: np.random.Generator, low: float, high: float) -> Color:
    strength, warmth = rng.uniform(low, high), rng.uniform(-0.14, 0.14)
    return (float(strength * (1 + warmth)), float(strength), float(strength * (1 - warmth)))


def sample_light(rng: np.random.Generator, camera: Camera) -> Light:
    """One lamp or two, hard or soft, warm or cold, bright or dim."""
    direction = _lamp(rng, camera.azimuth_deg + rng.choice([-1, 1]) * rng.uniform(10, 165))
    softness, level = rng.uniform(0, 1), rng.uniform(0.78, 1.3)
    diffuse = _glow(rng, 0.42 * level, (0.8 - 0.3 * softness) * level)
    ambient, fill = (0.2 + 0.24 * softness) * level, rng.uniform(0.05, 0.3) * level
    second: Color = _glow(rng, 0.08, 0.3) if rng.random() < 0.45 else (0.0, 0.0, 0.0)
    return Light(direction, diffuse, float(ambient), float(fill), second, _lamp(rng, float(rng.uniform(0, 360))))


def _level(rng: np.random.Generator, low: float, high: float) -> Color:
    level = rng.uniform(low, high)
    r, g, b = (float(level * rng.uniform(0.93, 1.07)) for _ in range(3))
    return (r, g, b)


def _paint(rng: np.random.Generator) -> Color:
    """Any color, mostly pale or dull."""
    return colorsys.hsv_to_rgb(rng.uniform(), min(rng.gamma(2.0, 0.16), 0.8), rng.uniform(0.25, 1.0))


def sample_table(rng: np.random.Generator) -> Table:
    """A table top and the floor below it."""
    tops, tintable = len(table_textures()), len(tintable_textures())
    colored = rng.random() < _COLORED_RATE
    return Table(
        half_m=(float(rng.uniform(0.55, 1.1)), float(rng.uniform(0.55, 0.9))),
        yaw_deg=float(rng.uniform(0, 360)),
        texture=int(rng.integers(tops - tintable, tops) if colored else rng.integers(tops - tintable)),
        tint=_paint(rng) if colored else _level(rng, 0.65, 1.15),
        repeat_m=float(rng.uniform(0.25, 1.0)),
        floor=int(rng.integers(len(floor_textures()))),
        floor_tint=_level(rng, 0.4, 1.0),
    )


def sample_room(rng: np.random.Generator) -> Room:
    """A wall or none."""
    if rng.random() >= _WALL_RATE:
        return DARKNESS
    wall = int(rng.integers(len(wall_textures())))
    tint = _paint(rng) if wall < len(tintable_textures()) else _level(rng, 0.5, 1.0)
    return Room(wall, tint, float(rng.uniform(1.3, 3.5)), float(rng.uniform(-30, 30)), float(rng.uniform(0.8, 3.0)))


def sample_clutter(meters_per_px: float, rng: np.random.Generator) -> list[list[Geom]]:
    """One to three things of no kind, each standing on z = 0 around the origin."""
    return [build_clutter(meters_per_px, rng) for _ in range(int(rng.integers(1, 4)))]


def sample_mats(places_m: list[np.ndarray], meters_per_px: float, rng: np.random.Generator) -> list[tuple[Geom, ...]]:
    """Under some of the places a mat, or none at all."""
    if not places_m or rng.random() >= _MAT_RATE:
        return []
    return [build_mat(places_m[int(rng.integers(len(places_m)))], meters_per_px, rng)]
