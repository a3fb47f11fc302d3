"""Videos: a camera that moves over a scene, something that passes before its target, and worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.scene.layout import HEIGHT_PX, WIDTH_PX
from pixelrs_ros.sim.scene.scene import Scene, SceneObject, build_object, sample_scene
from pixelrs_ros.sim.shape.shapes import bounds_m, outline_points_m, rotation

Situation = Literal["occlusion", "look_alike", "look_alike_passes", "leaves", "cut", "jump", "dark"]

SITUATIONS: tuple[Situation, ...] = get_args(Situation)
_STREAM = 4  # a source of random choices beside the scene's own
_NEXT_SCENE = 500  # how far away the seed of the scene after a cut lies
_TRIES = 40
_BORDER_PX = 10.0
_OCCLUDERS = ("box", "book", "teapot", "basket", "pan")  # without gaps to look through
_PASSES = (0.3, 0.7)  # when something passes before the target, as shares of the video
_TURN_DEG = (15.0, 40.0)  # how far the camera goes round the table in a video


@dataclass(frozen=True)
class Video:
    """One scene a frame, and whom to follow.

    Attributes:
        situation: What makes it hard.
        scenes: What each frame shows.
        target: `SceneObject.object_id` of what is followed from the first frame on.
        dark: Frames that the camera delivers black.
    """

    situation: Situation
    scenes: tuple[Scene, ...]
    target: int
    dark: frozenset[int] = frozenset()


def sample_video(seed: int, situation: Situation = "occlusion", num_frames: int = 100) -> Video:
    """The video of a seed. The camera moves smoothly all the time, and a tremor is laid over it.

    `occlusion`: an object passes close before the camera and hides the target, most often wholly. `look_alike`: the
    same, and beside the target stands its double. `look_alike_passes`: its double is what passes. `leaves`: the target
    leaves the picture and comes back, its double stays in it. `cut`: from the middle on another scene, with its double
    in it. `jump`: in the middle the camera is elsewhere at once, and the double stands in the scene. `dark`: an
    `occlusion` with black frames before it.

    Args:
        seed: Seeds the scene and everything that happens.
        situation: What happens.
        num_frames: How many, at least 10.

    Raises:
        ValueError: There are too few frames.
    """
    if num_frames < 10:
        raise ValueError(f"num_frames must be at least 10, got {num_frames}")
    rng = np.random.default_rng([seed, _STREAM, SITUATIONS.index(situation)])
    scene = sample_scene(seed, twin_rate=0.0, clutter_rate=0.0)
    target = scene.objects[int(rng.integers(len(scene.objects)))]
    if situation in ("look_alike", "leaves", "jump"):
        scene = _with_double(scene, target, rng)
    cameras = _camera_path(scene.camera, target, num_frames, rng)
    if situation == "leaves":
        cameras = _look_away(cameras, scene, target)
    if situation == "jump":
        cameras = [*cameras[: num_frames // 2], *_jumped(cameras[num_frames // 2 :], target, rng)]
    scenes = [scene.with_camera(camera) for camera in cameras]
    if situation == "cut":
        scenes[num_frames // 2 :] = _cut(scene, target, cameras[num_frames // 2 :], rng)
    if situation in ("occlusion", "look_alike", "look_alike_passes", "dark"):
        passing = _passer(scene, target, rng, alike=situation == "look_alike_passes")
        scenes = _pass_before(scenes, target, passing, rng)
    dark = frozenset(range(num_frames // 10, num_frames // 10 + 5)) if situation == "dark" else frozenset()
    return Video(situation, tuple(scenes), target.object_id, dark)


def _cut(scene: Scene, target: SceneObject, cameras: Sequence[Camera], rng: np.random.Generator) -> list[Scene]:
    """Another scene with the target's double somewhere in it; no number of the first one's objects occurs in it."""
    others = sample_scene(scene.seed + _NEXT_SCENE, twin_rate=0.0, clutter_rate=0.0)
    last = _free_id(scene)
    strangers = [replace(thing, object_id=last + thing.object_id) for thing in others.objects]
    double = _elsewhere(replace(target, object_id=last), scene.camera, rng)
    elsewhere = replace(others, objects=(double, *_clear_of(strangers, double)))
    return [elsewhere.with_camera(camera) for camera in cameras]


def _free_id(scene: Scene) -> int:
    return 1 + max(thing.object_id for thing in scene.objects)


def _middle_m(thing: SceneObject) -> np.ndarray:
    low, high = bounds_m(thing.geoms)
    middle: np.ndarray = (low + high) / 2
    return middle


def _radius_m(thing: SceneObject) -> float:
    low, high = bounds_m(thing.geoms)
    return float(np.linalg.norm((high - low)[:2])) / 2


def _placed(thing: SceneObject, offset_m: np.ndarray, turn: np.ndarray | None = None) -> SceneObject:
    linear = np.eye(3) if turn is None else turn
    return replace(thing, geoms=tuple(geom.moved(linear, offset_m) for geom in thing.geoms))


def _clear_of(others: Sequence[SceneObject], thing: SceneObject) -> tuple[SceneObject, ...]:
    """The others that do not stand where the thing stands."""
    place, radius = _middle_m(thing)[:2], _radius_m(thing)
    return tuple(
        other for other in others if np.linalg.norm(_middle_m(other)[:2] - place) > 0.75 * (radius + _radius_m(other))
    )


def _with_double(scene: Scene, target: SceneObject, rng: np.random.Generator) -> Scene:
    """The same thing once more, right beside the target as the camera sees it; what stood there is gone."""
    right = scene.camera.axes[:, 0] * [1.0, 1.0, 0.0]
    side = float(rng.choice([-1, 1]))
    reach_m = np.ptp(outline_points_m(target.geoms) @ right)
    double = _placed(target, side * 1.15 * reach_m * right)
    double = replace(double, object_id=_free_id(scene))
    others = [thing for thing in scene.objects if thing is not target]
    return replace(scene, objects=(target, *_clear_of(others, double), double))


def _elsewhere(thing: SceneObject, camera: Camera, rng: np.random.Generator) -> SceneObject:
    """Turned about the vertical and at another place that the camera sees."""
    middle_m = _middle_m(thing) * [1.0, 1.0, 0.0]
    turned = _placed(thing, -middle_m)
    turned = _placed(turned, np.zeros(3), rotation("z", float(rng.uniform(60, 300))))
    for _ in range(_TRIES):
        u, v = rng.uniform(0.2, 0.8) * WIDTH_PX, rng.uniform(0.3, 0.8) * HEIGHT_PX
        place_m = np.array([*camera.table_point(u, v, WIDTH_PX, HEIGHT_PX), 0.0])
        if np.linalg.norm(place_m - middle_m) > 0.12 and _inside(outline_points_m(turned.geoms) + place_m, camera):
            break
    return _placed(turned, place_m)


def _camera_path(start: Camera, target: SceneObject, num_frames: int, rng: np.random.Generator) -> list[Camera]:
    """A smooth way that begins at a camera and keeps the target in the picture; gentler if need be."""
    t = np.linspace(0, 1, num_frames)
    tremor_deg = np.cumsum(rng.normal(0, 0.03, (num_frames, 2)), axis=0)
    turn_deg = float(rng.choice([-1, 1]) * rng.uniform(*_TURN_DEG))
    lift_deg, approach, phase = float(rng.uniform(-8, 8)), float(rng.uniform(-0.15, 0.1)), float(rng.uniform(0.5, 1.5))
    drift_m = rng.uniform(-0.08, 0.08, 2)
    points_m = outline_points_m(target.geoms)
    for gentler in np.linspace(1.0, 0.0, _TRIES):
        swing = gentler * np.sin(np.pi * phase * t)
        ease = gentler * (3 * t**2 - 2 * t**3)
        path = [
            replace(
                start,
                azimuth_deg=start.azimuth_deg + turn_deg * ease[i] + tremor_deg[i, 0],
                elevation_deg=start.elevation_deg + lift_deg * swing[i] + tremor_deg[i, 1],
                distance_m=start.distance_m * (1 + approach * swing[i]),
                target_m=(start.target_m[0] + drift_m[0] * swing[i], start.target_m[1] + drift_m[1] * swing[i]),
            )
            for i in range(num_frames)
        ]
        if all(_inside(points_m, camera) for camera in path):
            break
    return path


def _inside(points_m: np.ndarray, camera: Camera) -> bool:
    pixels = camera.project(points_m, WIDTH_PX, HEIGHT_PX)
    return bool(((pixels > _BORDER_PX) & (pixels < np.array([WIDTH_PX, HEIGHT_PX]) - _BORDER_PX)).all())


def _look_away(cameras: Sequence[Camera], scene: Scene, target: SceneObject) -> list[Camera]:
    """Moved to the double's side until the target is out of the picture for a while in the middle of the video."""
    apart_m = (_middle_m(scene.objects[-1]) - _middle_m(target))[:2]
    away = apart_m / np.linalg.norm(apart_m)
    t = np.linspace(0, 1, len(cameras))
    ramp = np.clip(np.minimum(t - 0.2, 0.8 - t) / 0.2, 0, 1)
    share = ramp * ramp * (3 - 2 * ramp)
    points_m = outline_points_m(target.geoms)
    for shift_m in np.arange(0.0, 1.5, 0.02):
        shifts_m = share[:, None] * shift_m * away
        path = [
            replace(camera, target_m=(camera.target_m[0] + float(x), camera.target_m[1] + float(y)))
            for camera, (x, y) in zip(cameras, shifts_m, strict=True)
        ]
        pixels = path[len(path) // 2].project(points_m, WIDTH_PX, HEIGHT_PX)
        if ((pixels < 0) | (pixels > [WIDTH_PX, HEIGHT_PX])).any(axis=1).all():
            break
    return path


def _jumped(cameras: Sequence[Camera], target: SceneObject, rng: np.random.Generator) -> list[Camera]:
    points_m = outline_points_m(target.geoms)
    side = float(rng.choice([-1, 1]))
    for turn_deg in np.linspace(side * rng.uniform(12, 30), side * 3, _TRIES):
        jumped = [replace(camera, azimuth_deg=camera.azimuth_deg + turn_deg) for camera in cameras]
        if all(_inside(points_m, camera) for camera in jumped):
            break
    return jumped


def _passer(scene: Scene, target: SceneObject, rng: np.random.Generator, *, alike: bool) -> SceneObject:
    """What will pass: around the origin, of the size that hides the target from half way."""
    if alike:
        thing = _placed(target, -_middle_m(target))
        return replace(_placed(thing, np.zeros(3), 0.6 * np.eye(3)), object_id=_free_id(scene))
    low, high = bounds_m(target.geoms)
    size_m = float((high - low).max() * 0.5 * rng.uniform(1.1, 1.9))
    kind = KINDS[str(rng.choice(_OCCLUDERS))]
    color = str(rng.choice(list(COLORS)))
    family, geoms = build_object(kind, color, size_m, rng)
    thing = SceneObject(_free_id(scene), kind.name, color, family, tuple(geoms))
    tip = rotation("z", rng.uniform(0, 360)) @ rotation("x", rng.uniform(-40, 40))
    return _placed(_placed(thing, -_middle_m(thing)), np.zeros(3), tip)


def _pass_before(
    scenes: Sequence[Scene], target: SceneObject, passing: SceneObject, rng: np.random.Generator
) -> list[Scene]:
    """The thing comes in at one side, slows down before the target, half way to it, and leaves at the other side."""
    first, last = (round(share * len(scenes)) for share in _PASSES)
    side, slope = float(rng.choice([-1, 1])), float(rng.uniform(-0.2, 0.2))
    result = list(scenes)
    for index in range(first, last):
        camera = scenes[index].camera
        time = 2 * (index - first + 0.5) / (last - first) - 1
        sight = _middle_m(target) - camera.position_m
        width_m = (
            float(np.linalg.norm(sight)) * 0.5 * np.tan(np.radians(camera.fovy_deg) / 2) * 2 * WIDTH_PX / HEIGHT_PX
        )
        across = side * 1.2 * width_m * (0.3 * time + 0.7 * time**3)
        place = camera.position_m + 0.5 * sight + across * (camera.axes[:, 0] + slope * camera.axes[:, 1])
        moved = _placed(passing, place)
        result[index] = replace(scenes[index], objects=(*scenes[index].objects, moved))
    return result
