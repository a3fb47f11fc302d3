from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.geometry.box import rotation_of
from pixelrs_ros.geometry.rigid import RigidTransform

places = st.tuples(*[st.floats(-10.0, 10.0)] * 3)
turns = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1).map(
    lambda q: tuple(float(value) for value in np.asarray(q) / np.linalg.norm(q))
)  # fmt: skip


def test_a_camera_that_looks_down_sees_the_table_below_it() -> None:
    # REP-103: the optical axis (z) points down in the robot's frame, x to the robot's right.
    down = RigidTransform((0.5, 0.0, 1.2), (np.sqrt(0.5), -np.sqrt(0.5), 0.0, 0.0))
    assert down.point((0.0, 0.0, 1.2)) == pytest.approx((0.5, 0.0, 0.0))
    assert down.point((0.1, 0.0, 1.2)) == pytest.approx((0.5, -0.1, 0.0))
    assert rotation_of(down.orientation((0.0, 0.0, 0.0, 1.0)))[:, 2] == pytest.approx((0.0, 0.0, -1.0), abs=1e-9)


@given(places, turns, places, places)
def test_distances_stay(
    moved: tuple[float, ...], turn: tuple[float, ...], one: tuple[float, ...], other: tuple[float, ...]
) -> None:
    transform = RigidTransform(moved, turn)
    between = np.subtract(transform.point(one), transform.point(other))
    assert np.linalg.norm(between) == pytest.approx(np.linalg.norm(np.subtract(one, other)), abs=1e-9)


@given(turns, turns)
def test_axes_turn_as_points_do(turn: tuple[float, ...], own: tuple[float, ...]) -> None:
    transform = RigidTransform((0.0, 0.0, 0.0), turn)
    turned = rotation_of(transform.orientation(own))
    for axis in range(3):
        assert turned[:, axis] == pytest.approx(transform.point(rotation_of(own)[:, axis].tolist()), abs=1e-6)


@pytest.mark.parametrize("rotation", [(0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 0.0, 0.0), (np.nan, 0.0, 0.0, 1.0)])
def test_no_rotation_is_refused(rotation: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="no rigid transform"):
        RigidTransform((0.0, 0.0, 0.0), rotation)


def test_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="no rigid transform"):
        RigidTransform((np.inf, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
