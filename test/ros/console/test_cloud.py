"""The points of a message, back as arrays."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.ros.console import cloud
from pixelrs_ros.ros.wire.point_cloud import fill_point_cloud


def a_message(count: int) -> tuple[PointCloud2, np.ndarray]:
    """A cloud of so many points, and where they are."""
    points_m = np.random.default_rng(0).uniform(-1.0, 1.0, (count, 3)).astype(np.float32)
    geometry = Geometry(GeometryStatus.MEASURED, points_m=points_m, pixels_px=np.zeros((count, 2), np.int64))
    image = np.full((1, 1, 3), (255, 0, 51), np.uint8)
    return fill_point_cloud(PointCloud2(), Header(), [geometry], image), points_m


def test_points_and_colors_come_back() -> None:
    message, points_m = a_message(50)
    found = cloud.cloud_of(message)
    assert np.array_equal(found.points_m, points_m)
    assert found.colors.shape == (50, 3) and found.colors[7] == pytest.approx((1.0, 0.0, 0.2))


def test_many_points_are_thinned_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "MAX_POINTS", 10)
    message, points_m = a_message(25)
    assert np.array_equal(cloud.cloud_of(message).points_m, points_m[::3])


def test_no_points_are_no_points() -> None:
    assert len(cloud.cloud_of(a_message(0)[0]).points_m) == 0
