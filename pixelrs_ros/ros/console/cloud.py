"""A turn's points as arrays that a page can draw."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import PointCloud2

from pixelrs_ros.ros.console.views import CloudView
from pixelrs_ros.ros.wire.point_cloud import read_point_cloud

MAX_POINTS = 8000  # more than a page draws in detail


def cloud_of(message: PointCloud2) -> CloudView:
    """The points of `turn_points`, evenly thinned out where there are many."""
    points = read_point_cloud(message)
    points = points[:: max(1, -(-len(points) // MAX_POINTS))]
    rgb = points["rgb"]
    colors = np.stack([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255], axis=1).astype(np.float32) / 255
    return CloudView(np.stack([points["x"], points["y"], points["z"]], axis=1), colors)
