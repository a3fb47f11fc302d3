"""The points of a turn's targets as sensor_msgs/PointCloud2. Fills a message that it is handed, and reads it back."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from pixelrs_ros.geometry.target import Geometry

# As PCL and RViz read it: the color's three bytes sit in a number that claims to be a float32.
_OFFSETS = {"x": 0, "y": 4, "z": 8, "rgb": 12, "segment": 16}
_POINT = np.dtype(
    {
        "names": list(_OFFSETS),
        "formats": ["f4", "f4", "f4", "u4", "u2"],
        "offsets": list(_OFFSETS.values()),
        "itemsize": 20,
    }
)
_TYPES = dict.fromkeys(("x", "y", "z", "rgb"), PointField.FLOAT32) | {"segment": PointField.UINT16}


def fill_point_cloud(
    message: PointCloud2, header: Header, geometries: Sequence[Geometry], image: np.ndarray
) -> PointCloud2:
    """Fill an unorganized, dense cloud with the points of all targets, one target after another.

    Args:
        message: Filled and returned.
        header: The image's header: the points are in its optical frame, meters.
        geometries: One a segment; the field `segment` (uint16) of their points is their index. Those without points
            leave none.
        image: (H, W, 3) uint8 RGB that the points take their colors from.
    """
    points = np.zeros(sum(geometry.num_points for geometry in geometries), dtype=_POINT)
    start = 0
    for index, geometry in enumerate(geometries):
        part = points[start : start + geometry.num_points]
        part["x"], part["y"], part["z"] = geometry.points_m.T
        colors = image[geometry.pixels_px[:, 1], geometry.pixels_px[:, 0]].astype(np.uint32)
        part["rgb"] = colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2]
        part["segment"] = index
        start += geometry.num_points
    message.header = header
    message.height, message.width = 1, len(points)
    message.fields = [
        PointField(name=name, offset=offset, datatype=_TYPES[name], count=1) for name, offset in _OFFSETS.items()
    ]
    message.is_bigendian = sys.byteorder == "big"
    message.point_step, message.row_step = _POINT.itemsize, points.nbytes
    message.is_dense = True
    data: array[int] = array("B")
    data.frombytes(points.tobytes())
    message.data = data
    return message


def read_point_cloud(message: PointCloud2) -> np.ndarray:
    """The points that `fill_point_cloud` has put into a message: (N,) with the fields x, y, z, rgb and segment."""
    return np.frombuffer(message.data, _POINT.newbyteorder(">" if message.is_bigendian else "<"))
