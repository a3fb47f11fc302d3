"""Things come to rest on the table, and a gripper lifts what it closes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pixelrs_ros.gripper import Grasp, Gripper
from pixelrs_ros.sim.physics.world import LIFT_M, World
from pixelrs_ros.sim.scene.household import household_scale
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import Scene, SceneObject, build_object, sample_scene
from pixelrs_ros.sim.shape.shapes import bounds_m, moved_all

GRIPPER = Gripper()
DOWN = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A can of 11 cm and a book 30 cm beside it."""
    built = []
    for number, (kind, color, x_m) in enumerate([("can", "red", 0.0), ("book", "blue", 0.3)], start=1):
        family, geoms = build_object(KINDS[kind], color, 0.11, np.random.default_rng(3))
        placed = moved_all(geoms, np.eye(3), np.array([x_m, 0.0, 0.0]))
        built.append(SceneObject(number, kind, color, family, tuple(placed)))
    return replace(sample_scene(0, clutter_rate=0.0), objects=tuple(built), clutter=())


@pytest.fixture(scope="module")
def world(scene: Scene) -> World:
    world = World(scene, GRIPPER, 1.0)
    world.settle()
    return world


def from_above(x_m: float, z_m: float, opening_m: float = 0.12) -> Grasp:
    return Grasp(np.array([x_m, 0.0, z_m]), DOWN, 0.06, opening_m, 1.0, 0.0)


def test_what_stands_firmly_stays_where_it_is(scene: Scene) -> None:
    rested = World(scene, GRIPPER, 1.0).settle()
    for before, after in zip(scene.objects, rested.objects, strict=True):
        assert np.allclose(bounds_m(before.geoms), bounds_m(after.geoms), atol=0.003)


def test_what_hangs_in_the_air_falls_onto_the_table(scene: Scene) -> None:
    (can, book) = scene.objects
    hung = replace(can, geoms=tuple(moved_all(can.geoms, np.eye(3), np.array([0.0, 0.0, 0.05]))))
    (fallen, _) = World(replace(scene, objects=(hung, book)), GRIPPER, 1.0).settle().objects
    assert bounds_m(fallen.geoms)[0][2] == pytest.approx(0.0, abs=0.003)


def test_a_can_between_the_fingers_is_lifted(world: World) -> None:
    stages: list[str] = []
    lift = world.execute(from_above(0.0, 0.05), 1, stages.append)
    assert lift.lifted
    assert not lift.touched
    assert lift.raised_m == pytest.approx(LIFT_M, abs=0.02)
    assert stages == ["approached", "closed", "lifted"]


def test_the_same_try_has_the_same_end(world: World) -> None:
    first, second = (world.execute(from_above(0.0, 0.05), 1) for _ in range(2))
    assert first.raised_m == pytest.approx(second.raised_m, abs=1e-6)


def test_fingers_that_close_on_air_lift_nothing(world: World) -> None:
    lift = world.execute(from_above(0.0, 0.15), 1)
    assert not lift.lifted
    assert lift.raised_m == pytest.approx(0.0, abs=0.003)


def test_a_finger_that_comes_down_on_the_can_says_so(world: World) -> None:
    assert world.execute(from_above(0.06, 0.05), 1).touched


def test_lifting_one_thing_is_not_lifting_another(world: World) -> None:
    assert not world.execute(from_above(0.0, 0.05), 2).lifted


def test_things_of_every_scene_are_of_household_size() -> None:
    for seed in range(20):
        scene = sample_scene(seed)
        scale = household_scale(scene)
        longest = [scale * float(np.ptp(bounds_m(thing.geoms), axis=0).max()) for thing in scene.objects]
        assert 0.08 < np.median(longest) < 0.25
