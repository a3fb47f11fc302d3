"""Scenes: which things stand where on which table, in what light, seen from where. Everything follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.clutter import fitted
from pixelrs_ros.sim.scene.kinds import FAMILIES, HELD_OUT_FAMILY, KINDS, Kind
from pixelrs_ros.sim.scene.layout import CROWDED, LOOSE, Size, Spacing, arrange, body_of, least_visible, outline_px
from pixelrs_ros.sim.scene.setting import (
    DARKNESS,
    Light,
    Room,
    Table,
    sample_camera,
    sample_clutter,
    sample_light,
    sample_mats,
    sample_room,
    sample_table,
)
from pixelrs_ros.sim.shape.looks import dressed, sample_trim
from pixelrs_ros.sim.shape.shapes import COLORS, Geom, Shaper, jittered, moved_all, outline_points_m, rotation

_MIN_OBJECTS, _MAX_OBJECTS = 3, 9
_HELD_OUT_STREAM, _SETTING_STREAM = 1, 2  # sources of their own, so that what else a seed gives does not hang on them
_BUILD_STREAM = 5
_CROWDED_RATE = 0.3  # of the scenes
TWIN_RATE = 0.25  # of the scenes
CLUTTER_RATE = 0.3  # of the scenes
_TRIPLET_RATE, _SAME_BUILD_RATE = 0.12, 0.5  # of the twins: three of them, and the same shape and look as well
_SLIM = 0.5  # a tool's smallest size, as a share of its kind's smallest: below, too few pixels show it
_SMALLEST_PX, _LARGEST_PX = 45.0, 220.0


@dataclass(frozen=True)
class SceneObject:
    """One thing on the table.

    Attributes:
        object_id: 1…N, also its value in `View.object_ids`.
        kind: Name in `KINDS`.
        color: Name in `COLORS`.
        family: Which shape family of its kind, in 0…7, or `HELD_OUT_FAMILY`.
        geoms: The meshes it is made of, placed in the world.
    """

    object_id: int
    kind: str
    color: str
    family: int
    geoms: tuple[Geom, ...]


@dataclass(frozen=True)
class Scene:
    """A table with things on it, and a camera.

    Attributes:
        seed: Seeds every choice.
        objects: What may be talked about; several may share kind and color, their numbers differ.
        camera: Who looks.
        light: What lights it.
        table: What it stands on.
        spacing: How close together things stand.
        room: What is seen beyond the table.
        clutter: What else lies about, background to everyone: each thing's geoms.
        size_px: Width and height of the picture that the layout fits.
    """

    seed: int
    objects: tuple[SceneObject, ...]
    camera: Camera
    light: Light
    table: Table
    spacing: Spacing = LOOSE
    room: Room = DARKNESS
    clutter: tuple[tuple[Geom, ...], ...] = ()
    size_px: Size = (640, 480)

    def with_camera(self, camera: Camera) -> Scene:
        """The same things from elsewhere."""
        return replace(self, camera=camera)


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


def _with_twins(
    labels: list[tuple[str, str]], twin_rate: float, rng: np.random.Generator
) -> tuple[list[tuple[str, str]], list[int]]:
    """The labels, at times with one that two or three things share, and the number of each thing's build.

    Things with the same number are built alike: the same shape, size and look.
    """
    builds = list(range(len(labels)))
    if rng.random() >= twin_rate:
        return labels, builds
    copies = 2 if rng.random() < _TRIPLET_RATE and len(labels) > 3 else 1
    alike = rng.random() < _SAME_BUILD_RATE
    # The first things find room first: a twin that is left out would be none.
    chosen = rng.permutation(min(len(labels), 4))[: copies + 1]
    result = list(labels)
    for index in chosen[1:]:
        result[index] = labels[chosen[0]]
        if alike:
            builds[index] = builds[chosen[0]]
    return result, builds


def _laid(geoms: list[Geom], roll_deg: float) -> list[Geom]:
    """Turned about the vertical, then tipped over so that the top points along x."""
    turn = rotation("y", 90.0) @ rotation("z", roll_deg)
    return moved_all(geoms, turn, np.zeros(3))


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
    main = jittered(COLORS[color], rng)
    shaper = Shaper(rng, family, kind.parts, main, sample_trim(kind.name, color, rng))
    (kind.held_out if held_out else kind.recipe)(shaper)
    geoms = dressed(shaper.geoms, main, color, rng)
    geoms = moved_all(geoms, kind.stretch(rng), np.zeros(3))
    if kind.name == "ball":
        turn = rotation("z", rng.uniform(0, 360)) @ rotation("x", rng.uniform(0, 360))
        geoms = moved_all(geoms, turn, np.zeros(3))
    elif rng.random() < kind.lies:
        # A ring at +x comes to lie at the side or on top, never underneath: the body is what rests on the table.
        geoms = _laid(geoms, float(rng.uniform(90, 270)))
    return family, fitted(geoms, size_m)


def _size_px(kind: Kind, scale: float, rng: np.random.Generator) -> float:
    """The longest side of a thing in a scene where all are `scale` times as large as usual."""
    low, high = kind.size_px
    size = float(rng.uniform(low, high)) * scale * float(rng.uniform(0.85, 1.15))
    smallest = _SLIM * low if kind.slim else _SMALLEST_PX
    return float(np.clip(size, smallest, _LARGEST_PX))


def _sample_scale(count: int, rng: np.random.Generator) -> float:
    """How large things are drawn, as a share of their usual size; smaller where there are many."""
    largest = float(np.interp(count, (4, 9), (1.1, 0.75)))
    return float(np.exp(rng.uniform(np.log(0.42), np.log(largest))))


def sample_scene(
    seed: int,
    *,
    held_out_rate: float = 0.0,
    width_px: int = 640,
    height_px: int = 480,
    twin_rate: float = TWIN_RATE,
    clutter_rate: float = CLUTTER_RATE,
) -> Scene:
    """The scene of a seed: three to nine things, fewer for lack of room.

    Args:
        seed: Seeds every choice.
        held_out_rate: How often a thing is of the held-out shape family, in [0, 1].
        width_px: The picture's width.
        height_px: The picture's height.
        twin_rate: How often two or three things share kind and color, in [0, 1].
        clutter_rate: How often things of no kind lie about, in [0, 1].
    """
    size_px = (width_px, height_px)
    rng = np.random.default_rng(seed)
    unseen = np.random.default_rng([seed, _HELD_OUT_STREAM])
    setting = np.random.default_rng([seed, _SETTING_STREAM])
    spacing = CROWDED if setting.random() < _CROWDED_RATE else LOOSE
    camera = sample_camera(setting, crowded=spacing is CROWDED)
    table, room, light = sample_table(setting), sample_room(setting), sample_light(setting, camera)
    labels, builds = _with_twins(_sample_labels(rng), twin_rate, rng)
    meters_per_px = camera.distance_m / camera.intrinsics(*size_px)[0, 0] * min(width_px / 640, height_px / 480)
    scale = _sample_scale(len(labels), rng)
    built = []
    for (name, color), build in zip(labels, builds, strict=True):
        source = np.random.default_rng([seed, _BUILD_STREAM, build])
        size_m = _size_px(KINDS[name], scale, source) * meters_per_px
        held_out = bool(unseen.random() < held_out_rate)
        built.append(build_object(KINDS[name], color, size_m, source, held_out=held_out))
    others = sample_clutter(meters_per_px * max(scale, 0.6), setting) if setting.random() < clutter_rate else []
    bodies = [body_of(geoms) for geoms in (*(geoms for _, geoms in built), *others)]
    places = arrange(bodies, camera, min(table.half_m), spacing, rng, size_px)
    world = []
    for geoms, place in zip((*(geoms for _, geoms in built), *others), places, strict=False):
        world.append(tuple(moved_all(geoms, rotation("z", place.yaw_deg), place.offset_m())))
    objects = tuple(
        SceneObject(number, name, color, family, geoms)
        for number, ((name, color), (family, _), geoms) in enumerate(zip(labels, built, world, strict=False), start=1)
    )
    mats = sample_mats([place.offset_m() for place in places], meters_per_px, setting)
    clutter = (*mats, *world[len(objects) :])
    return Scene(seed, objects, camera, light, table, spacing, room, clutter, size_px)


def move_camera(scene: Scene, seed: int) -> Scene:
    """The same things from a viewpoint 15–40° further round the table, all of them still in the picture.

    Args:
        scene: What to look at.
        seed: Seeds the new viewpoint.
    """
    rng = np.random.default_rng([scene.seed, seed])
    old = scene.camera
    points = [outline_points_m(thing.geoms) for thing in scene.objects]
    fallback = None
    for attempt in range(60):
        camera = replace(
            old,
            azimuth_deg=old.azimuth_deg + float(rng.choice([-1, 1]) * rng.uniform(15, 40)),
            elevation_deg=float(np.clip(old.elevation_deg + rng.uniform(-6, 8), 18, 75)),
            distance_m=old.distance_m * (1.0 + 0.006 * attempt),
        )
        outlines = [outline_px(p, camera, scene.size_px) for p in points]
        seen = [outline for outline in outlines if outline is not None]
        if len(seen) < len(points):
            continue
        fallback = camera
        distances_m = [float(np.linalg.norm(p.mean(axis=0) - camera.position_m)) for p in points]
        if least_visible(seen, distances_m, scene.size_px) >= scene.spacing.min_visible:
            break
    return scene.with_camera(fallback or replace(camera, distance_m=old.distance_m * 1.5))
