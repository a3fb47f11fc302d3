"""Oriented boxes of known bodies in any pose, and of hardly any points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrs_ros.geometry.box import Box, oriented_box, quaternion, rotation_of

angles = st.tuples(*[st.floats(-np.pi, np.pi)] * 3)
sides = st.tuples(*[st.floats(0.02, 0.5)] * 3)


def turn(angles: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) rotation about x, then y, then z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        matrix = step @ matrix
    return matrix


def surface(sides: tuple[float, float, float]) -> np.ndarray:
    """Points on the six faces of a box around the origin."""
    grid = np.linspace(-0.5, 0.5, 12)
    u, v = (part.ravel() for part in np.meshgrid(grid, grid))
    faces = [
        np.roll(np.stack([np.full_like(u, at), u, v], axis=1), axis, axis=1) for axis in range(3) for at in (-0.5, 0.5)
    ]
    return np.concatenate(faces) * sides


def check(box: Box) -> None:
    assert np.isfinite(box.center_m).all() and np.isfinite(box.size_m).all() and (box.size_m >= 0).all()
    assert box.axes.T @ box.axes == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(box.axes) == pytest.approx(1.0)
    assert np.linalg.norm(box.quaternion) == pytest.approx(1.0)
    assert rotation_of(box.quaternion) == pytest.approx(box.axes, abs=1e-6)
    assert list(box.size_m) == sorted(box.size_m, reverse=True)


@given(sides, angles, st.booleans())
@settings(max_examples=60)
def test_a_box_in_any_pose_is_found(
    sides: tuple[float, float, float], angles: tuple[float, float, float], upright: bool
) -> None:
    rotation, middle = turn(angles), np.array([0.1, -0.2, 0.9])
    points = surface(sides) @ rotation.T + middle
    box = oriented_box(points, rotation[:, 2] if upright else None)
    check(box)
    assert box.center_m == pytest.approx(middle, abs=2e-3)
    assert np.prod(box.size_m) <= 1.02 * np.prod(sides)  # the smallest there is, however it lies
    if upright:
        assert box.size_m == pytest.approx(sorted(sides, reverse=True), abs=1e-5)
    along = np.abs((points - box.center_m) @ box.axes)
    assert (along <= box.size_m / 2 + 1e-9).all()


@pytest.mark.parametrize("normal", [None, np.array([0.0, 0.6, 0.8])])
@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_a_point_a_line_and_a_plane_have_finite_boxes(count: int, rank: int, normal: np.ndarray | None) -> None:
    spread = np.random.default_rng(0).normal(0, 0.05, (count, 3)) * [1, rank > 1, 0] * (rank > 0)
    points = spread @ turn((0.3, 0.4, 0.5)).T + [0.0, 0.0, 1.0]
    box = oriented_box(points, normal)
    check(box)
    if rank == 0 or count == 1:
        assert box.size_m == pytest.approx([0, 0, 0], abs=1e-9)
        assert box.center_m == pytest.approx(points[0])


def test_axes_have_an_order_that_does_not_depend_on_the_points_order() -> None:
    points = surface((0.3, 0.2, 0.1)) @ turn((0.2, -0.4, 0.7)).T + [0, 0, 1]
    first, second = oriented_box(points), oriented_box(points[::-1])
    assert first.axes == pytest.approx(second.axes, abs=1e-6)
    assert first.axes[0, 0] > 0  # x to the right
    assert first.axes[2, 2] < 0  # the shortest side looks at the camera


@given(angles)
def test_quaternions_are_rotations_again(angles: tuple[float, float, float]) -> None:
    rotation = turn(angles)
    x, y, z, w = quaternion(rotation)
    assert rotation_of((x, y, z, w)) == pytest.approx(rotation, abs=1e-9)
    assert w >= 0
