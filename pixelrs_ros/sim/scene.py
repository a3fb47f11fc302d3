"""Scenes: which things stand where on which table, in what light, seen from where. Everything follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pixelrs_ros.sim.camera import Camera
from pixelrs_ros.sim.kinds import COLORS, FAMILIES, HELD_OUT_FAMILY, KINDS, Kind
from pixelrs_ros.sim.layout import (
    CROWDED,
    HEIGHT_PX,
    LOOSE,
    WIDTH_PX,
    Spacing,
    arrange,
    body_of,
    least_visible,
    outline_px,
)
from pixelrs_ros.sim.shapes import Color, Geom, Shaper, bounds_m, jittered, outline_points_m, rotation
from pixelrs_ros.sim.textures import floor_textures, table_textures

_MIN_OBJECTS, _MAX_OBJECTS = 4, 7
_HELD_OUT_STREAM, _SETTING_STREAM = 1, 2  # sources of their own, so that what else a seed gives does not hang on them
_CROWDED_RATE = 0.3  # of the scenes


@dataclass(frozen=True)
class SceneObject:
    """One thing on the table.

    Attributes:
        object_id: 1…N, also its value in `View.object_ids`.
        kind: Name in `KINDS`.
        color: Name in `COLORS`.
        family: Which shape family of its kind, in 0…3, or `HELD_OUT_FAMILY`.
        geoms: The meshes it is made of, placed in the world.
    """

    object_id: int
    kind: str
    color: str
    family: int
    geoms: tuple[Geom, ...]


@dataclass(frozen=True)
class Light:
    """A lamp far away that casts shadows, and what lights the scene from everywhere.

    Attributes:
        direction: Unit vector along which the light travels.
        diffuse: Color and strength of the lamp.
        ambient: Strength of the light from everywhere.
        fill: Strength of the light from the camera, which casts no shadow.
    """

    direction: tuple[float, float, float]
    diffuse: Color
    ambient: float
    fill: float


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
class Scene:
    """A table with things on it, and a camera; `spacing` is how close together they stand."""

    seed: int
    objects: tuple[SceneObject, ...]
    camera: Camera
    light: Light
    table: Table
    spacing: Spacing = LOOSE

    def with_camera(self, camera: Camera) -> Scene:
        """The same things from elsewhere."""
        return replace(self, camera=camera)


def _sample_camera(rng: np.random.Generator) -> Camera:
    return Camera(
        azimuth_deg=float(rng.uniform(0, 360)),
        elevation_deg=float(rng.uniform(36, 62)),
        distance_m=float(rng.uniform(0.55, 0.9)),
        target_m=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
        fovy_deg=float(rng.uniform(42, 48)),
    )


def _sample_light(rng: np.random.Generator, camera: Camera) -> Light:
    angle = np.radians(camera.azimuth_deg + rng.choice([-1, 1]) * rng.uniform(10, 165))
    height = np.radians(rng.uniform(40, 80))
    toward = np.array([np.cos(angle) * np.cos(height), np.sin(angle) * np.cos(height), np.sin(height)])
    warmth = rng.uniform(-0.11, 0.11)
    strength = rng.uniform(0.4, 0.76)
    x, y, z = (float(v) for v in -toward)
    diffuse = (float(strength * (1 + warmth)), float(strength), float(strength * (1 - warmth)))
    return Light((x, y, z), diffuse, float(rng.uniform(0.22, 0.4)), float(rng.uniform(0.1, 0.3)))


def _sample_table(rng: np.random.Generator, setting: np.random.Generator) -> Table:
    def tint(low: float, high: float) -> Color:
        level = rng.uniform(low, high)
        r, g, b = (float(min(level * rng.uniform(0.95, 1.05), 1.0)) for _ in range(3))
        return (r, g, b)

    return Table(
        half_m=(float(rng.uniform(0.75, 1.1)), float(rng.uniform(0.65, 0.9))),
        yaw_deg=float(rng.uniform(0, 360)),
        texture=int(rng.integers(len(table_textures()))),
        tint=tint(0.6, 1.0),
        repeat_m=float(rng.uniform(0.3, 0.95)),
        floor=int(setting.integers(len(floor_textures()))),
        floor_tint=tint(0.4, 0.9),
    )


def _sample_labels(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Kinds and colors of the scene: mostly one or two groups of a kind, few colors so that they are shared."""
    count = int(rng.integers(_MIN_OBJECTS, _MAX_OBJECTS + 1))
    kinds = [str(k) for k in rng.permutation(list(KINDS))]
    groups = []
    if rng.random() < 0.75:
        groups.append(int(rng.integers(2, 4)))
    if rng.random() < 0.5:
        groups.append(2)
    groups = groups if sum(groups) <= count else groups[:1]
    groups += [1] * (count - sum(groups))
    palette = rng.permutation(list(COLORS))[: int(rng.integers(3, 6))]
    labels = [
        (kind, str(c))
        for kind, size in zip(kinds, groups, strict=False)
        for c in rng.choice(palette, size, replace=False)
    ]
    return [labels[i] for i in rng.permutation(len(labels))]


def _laid(geoms: list[Geom], roll_deg: float) -> list[Geom]:
    """Turned about the vertical, then tipped over so that the top points along x."""
    turn = rotation("y", 90.0) @ rotation("z", roll_deg)
    return [geom.moved(turn, np.zeros(3)) for geom in geoms]


def build_object(
    kind: Kind, color: str, size_m: float, rng: np.random.Generator, *, held_out: bool = False
) -> tuple[int, list[Geom]]:
    """One thing of a kind: its family, and its geoms, standing on z = 0 around the origin.

    Args:
        kind: What it is.
        color: Name in `COLORS`.
        size_m: Its longest side.
        rng: Source of its family, proportions and shade, and of whether it lies.
        held_out: Whether it is of the held-out family.
    """
    drawn = int(rng.integers(FAMILIES))
    family = HELD_OUT_FAMILY if held_out else drawn
    shaper = Shaper(rng, family, kind.parts, jittered(COLORS[color], rng))
    (kind.held_out if held_out else kind.recipe)(shaper)
    geoms = shaper.geoms
    if kind.name == "ball":
        turn = rotation("z", rng.uniform(0, 360)) @ rotation("x", rng.uniform(0, 360))
        geoms = [geom.moved(turn, np.zeros(3)) for geom in geoms]
    elif rng.random() < kind.lies:
        # A ring at +x comes to lie at the side or on top, never underneath: the body is what rests on the table.
        geoms = _laid(geoms, float(rng.uniform(90, 270)))
    low, high = bounds_m(geoms)
    scale = size_m / float((high - low).max())
    offset = -scale * np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return family, [geom.moved(scale * np.eye(3), offset) for geom in geoms]


def sample_scene(seed: int, *, held_out_rate: float = 0.0) -> Scene:
    """The scene of a seed: four to seven things, rarely fewer for lack of room, no two alike in kind and color.

    Args:
        seed: Of every choice.
        held_out_rate: How often a thing is of the held-out shape family, in [0, 1].
    """
    rng = np.random.default_rng(seed)
    unseen = np.random.default_rng([seed, _HELD_OUT_STREAM])
    setting = np.random.default_rng([seed, _SETTING_STREAM])
    camera, table = _sample_camera(rng), _sample_table(rng, setting)
    spacing = CROWDED if setting.random() < _CROWDED_RATE else LOOSE
    if spacing is CROWDED:  # from lower down more is hidden
        camera = replace(camera, elevation_deg=float(setting.uniform(24, 40)))
    light = _sample_light(rng, camera)
    focal = camera.intrinsics(WIDTH_PX, HEIGHT_PX)[0, 0]
    labels = _sample_labels(rng)
    built = []
    for name, color in labels:
        kind = KINDS[name]
        size_m = float(rng.uniform(*kind.size_px)) * camera.distance_m / focal
        held_out = bool(unseen.random() < held_out_rate)
        built.append(build_object(kind, color, size_m, rng, held_out=held_out))
    places = arrange([body_of(geoms) for _, geoms in built], camera, min(table.half_m), spacing, rng)
    objects = []
    for number, ((name, color), (family, geoms), place) in enumerate(zip(labels, built, places, strict=False), start=1):
        turn = rotation("z", place.yaw_deg)
        world = tuple(geom.moved(turn, place.offset_m()) for geom in geoms)
        objects.append(SceneObject(number, name, color, family, world))
    return Scene(seed, tuple(objects), camera, light, table, spacing)


def move_camera(scene: Scene, seed: int) -> Scene:
    """The same things from a viewpoint 15–40° further round the table, all of them still in the picture.

    Args:
        scene: What to look at.
        seed: Of the new viewpoint.
    """
    rng = np.random.default_rng([scene.seed, seed])
    old = scene.camera
    points = [outline_points_m(thing.geoms) for thing in scene.objects]
    fallback = None
    for attempt in range(60):
        camera = replace(
            old,
            azimuth_deg=old.azimuth_deg + float(rng.choice([-1, 1]) * rng.uniform(15, 40)),
            elevation_deg=float(np.clip(old.elevation_deg + rng.uniform(-6, 8), 24, 65)),
            distance_m=old.distance_m * (1.0 + 0.006 * attempt),
        )
        outlines = [outline_px(p, camera) for p in points]
        seen = [outline for outline in outlines if outline is not None]
        if len(seen) < len(points):
            continue
        fallback = camera
        distances_m = [float(np.linalg.norm(p.mean(axis=0) - camera.position_m)) for p in points]
        if least_visible(seen, distances_m) >= scene.spacing.min_visible:
            break
    return scene.with_camera(fallback or replace(camera, distance_m=old.distance_m * 1.5))
