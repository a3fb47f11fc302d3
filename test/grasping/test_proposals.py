"""Grasps of boxes, cylinders and handles: between the fingers is what should be, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrs_ros.grasping.proposals import Clearance, Tabletop, propose, surface_normals
from pixelrs_ros.gripper import Grasp, Gripper

GRIPPER = Gripper()
EYE_M = np.array([0.0, -0.6, 0.6])
NOTHING = np.zeros((0, 3))
STEP_M = 0.004


def seen(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Those of a convex body's points that face the eye."""
    return points[((EYE_M - points) * normals).sum(axis=1) > 0]


def turned(points: np.ndarray, yaw: float, at: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.asarray(points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]) + np.array([*at, 0.0]))


def box(size: tuple[float, float, float], yaw: float = 0.0, at: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """The faces of a box on the table that the eye sees."""
    points, normals = [], []
    for axis in range(3):
        a, b = (i for i in range(3) if i != axis)
        grids = [np.arange(-size[i] / 2, size[i] / 2 + 1e-9, STEP_M) for i in (a, b)]
        u, v = (grid.ravel() for grid in np.meshgrid(*grids))
        for sign in (-1, 1):
            face = np.zeros((len(u), 3))
            face[:, a], face[:, b], face[:, axis] = u, v, sign * size[axis] / 2
            points.append(face)
            normals.append(np.tile(sign * np.eye(3)[axis], (len(u), 1)))
    whole = np.concatenate(points) + np.array([0, 0, size[2] / 2])
    return seen(turned(whole, yaw, at), turned(np.concatenate(normals), yaw))


def cylinder(radius: float, height: float, at: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Side and top of an upright cylinder that the eye sees."""
    angle, z = (
        grid.ravel() for grid in np.meshgrid(np.arange(0, 2 * np.pi, STEP_M / radius), np.arange(0, height, STEP_M))
    )
    outward = np.stack([np.cos(angle), np.sin(angle), 0 * z], axis=1)
    side = seen(radius * outward + np.stack([0 * z, 0 * z, z], axis=1) + np.array([*at, 0.0]), outward)
    x, y = (grid.ravel() for grid in np.meshgrid(*[np.arange(-radius, radius + 1e-9, STEP_M)] * 2))
    inside = np.hypot(x, y) <= radius
    top = np.stack([x[inside], y[inside], np.full(inside.sum(), height)], axis=1) + np.array([*at, 0.0])
    return np.concatenate([side, top])


def lowest_m(grasp: Grasp) -> float:
    """Height of the lowest corner of the open gripper."""
    centers, halves = GRIPPER.boxes(grasp.opening_m)
    return float((grasp.position_m[2] + centers @ grasp.axes[2] - halves @ np.abs(grasp.axes[2])).min())


def between(grasp: Grasp, points: np.ndarray) -> np.ndarray:
    """Points between the open fingers, along the gripper's axes."""
    along = (points - grasp.position_m) @ grasp.axes
    sizes = np.array([grasp.opening_m, GRIPPER.finger_breadth_m, GRIPPER.finger_length_m])
    return along[(np.abs(along + np.array([0, 0, sizes[2] / 2])) <= sizes / 2).all(axis=1)]


def check(grasp: Grasp, target: np.ndarray) -> None:
    """What holds for every grasp."""
    assert np.allclose(grasp.axes.T @ grasp.axes, np.eye(3), atol=1e-9)
    assert np.linalg.det(grasp.axes) == pytest.approx(1.0)
    assert 0.0 <= grasp.score <= 1.0
    assert grasp.width_m < grasp.opening_m <= GRIPPER.max_opening_m
    assert lowest_m(grasp) > 0.0
    held = between(grasp, target)
    assert len(held) > 0
    assert np.ptp(held[:, 0]) == pytest.approx(grasp.width_m, abs=0.012)
    assert np.cos(np.radians(grasp.tilt_deg)) == pytest.approx(-grasp.axes[2, 2], abs=1e-6)


@settings(max_examples=10)
@given(
    size=st.tuples(st.floats(0.02, 0.09), st.floats(0.15, 0.25), st.floats(0.02, 0.12)),
    yaw=st.floats(0.0, np.pi),
)
def test_a_long_box_is_held_across(size: tuple[float, float, float], yaw: float) -> None:
    target = box(size, yaw)
    grasps = propose(Tabletop(target, NOTHING, EYE_M), GRIPPER)
    assert grasps
    for grasp in grasps:
        check(grasp, target)
    across = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    assert abs(grasps[0].axes[:, 0] @ across) > np.cos(np.radians(25))
    assert size[0] - 0.01 <= grasps[0].width_m <= size[0] / np.cos(np.radians(25)) + 0.02


@settings(max_examples=10)
@given(radius=st.floats(0.015, 0.05), height=st.floats(0.04, 0.2))
def test_a_can_is_held_around_its_middle(radius: float, height: float) -> None:
    target = cylinder(radius, height)
    grasps = propose(Tabletop(target, NOTHING, EYE_M), GRIPPER)
    assert grasps
    for grasp in grasps:
        check(grasp, target)
    best = grasps[0]
    assert best.width_m == pytest.approx(2 * radius, abs=0.4 * radius + 0.004)
    assert abs((best.position_m @ best.axes)[0]) < 0.4 * radius + 0.004, "centered between the fingers"


@settings(max_examples=10)
@given(side=st.floats(0.145, 0.3), height=st.floats(0.15, 0.3))
def test_what_is_too_wide_promises_less_than_what_is_not(side: float, height: float) -> None:
    wide, narrow = (propose(Tabletop(cylinder(r, height), NOTHING, EYE_M), GRIPPER) for r in (side / 2, 0.03))
    assert max((grasp.score for grasp in wide), default=0.0) < narrow[0].score - 0.05


@settings(max_examples=10)
@given(gap=st.floats(0.0, 0.004))
def test_what_stands_too_close_keeps_the_fingers_away(gap: float) -> None:
    target = box((0.03, 0.1, 0.06))
    aside = (0.03 + 0.08) / 2 + gap
    walls = np.concatenate([box((0.08, 0.3, 0.1), at=(aside, 0)), box((0.08, 0.3, 0.1), at=(-aside, 0))])
    grasps = propose(Tabletop(target, walls, EYE_M), GRIPPER)
    for grasp in grasps:
        assert abs(grasp.axes[0, 0]) < 0.5, "between the walls is no room for a finger on either side"
        assert not len(between(grasp, walls[np.abs(walls[:, 0]) > 0.03]))


@settings(max_examples=10)
@given(yaw=st.floats(0.0, np.pi), lift=st.floats(0.0, 0.02))
def test_a_handle_is_held_without_touching_its_pan(yaw: float, lift: float) -> None:
    handle = turned(box((0.16, 0.02, 0.015)) + np.array([0.17, 0.0, lift]), yaw)
    pan = cylinder(0.09, 0.05)
    grasps = propose(Tabletop(handle, pan, EYE_M), GRIPPER)
    assert grasps
    assert abs(grasps[0].axes[:, 0] @ [np.cos(yaw), np.sin(yaw), 0.0]) < 0.5, "across the handle"
    for grasp in grasps:
        check(grasp, handle)
        centers, halves = GRIPPER.boxes(grasp.opening_m)
        for center, half in zip(centers, halves, strict=True):
            along = np.abs((pan - grasp.position_m) @ grasp.axes - center)
            assert not (along <= half).all(axis=1).any()


def test_a_gripper_with_room_above_and_a_wall_on_its_way_does_not_come_from_that_side() -> None:
    target = cylinder(0.02, 0.05)
    wall = box((0.3, 0.02, 0.3), at=(0.0, 0.08))
    free = Clearance(Tabletop(target, wall, EYE_M), GRIPPER)
    for grasp in propose(Tabletop(target, wall, EYE_M), GRIPPER, count=50):
        assert free(grasp)
        palm = grasp.position_m - grasp.axes[:, 2] * (GRIPPER.finger_length_m + GRIPPER.palm_m[2] / 2)
        assert palm[1] < 0.05


def test_few_points_are_no_target() -> None:
    assert propose(Tabletop(np.zeros((3, 3)), NOTHING, EYE_M), GRIPPER) == []
    assert propose(Tabletop(NOTHING, NOTHING, EYE_M), GRIPPER) == []


def test_the_same_points_give_the_same_grasps() -> None:
    scene = Tabletop(box((0.05, 0.1, 0.05), 0.3), NOTHING, EYE_M)
    first, second = propose(scene, GRIPPER), propose(scene, GRIPPER)
    assert [grasp.position_m.tolist() for grasp in first] == [grasp.position_m.tolist() for grasp in second]


def test_normals_of_a_ball_point_away_from_its_middle_and_towards_the_eye() -> None:
    rng = np.random.default_rng(0)
    outward = rng.normal(size=(4000, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    facing = ((EYE_M - 0.05 * outward) * outward).sum(axis=1) > 0.3
    normals = surface_normals(0.05 * outward[facing], EYE_M)
    # Beside the rim neighbors are missing on one side.
    assert np.percentile((normals * outward[facing]).sum(axis=1), 5) > 0.95


def test_a_grasp_moves_with_its_frame() -> None:
    grasp = propose(Tabletop(box((0.05, 0.1, 0.05)), NOTHING, EYE_M), GRIPPER)[0]
    turn = turned(np.eye(3), 1.0).T
    there = grasp.moved(turn, np.array([1.0, 2.0, 3.0]))
    back = there.moved(turn.T, -turn.T @ [1.0, 2.0, 3.0])
    assert np.allclose(back.position_m, grasp.position_m)
    assert np.allclose(back.axes, grasp.axes)
    assert (back.width_m, back.score, back.tilt_deg) == (grasp.width_m, grasp.score, grasp.tilt_deg)
