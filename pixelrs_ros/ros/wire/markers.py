"""A turn's targets as RViz draws them. Fills a message that it is handed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pixelrs_ros.geometry.box import rotation_of
from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.overlay import color_of
from pixelrs_ros.ros.wire.targets import Target

BOX, LABEL, GRASP = "box", "label", "grasp"  # namespaces, which RViz shows and hides one by one
_BOX_ALPHA = 0.35
_LABEL_HEIGHT_M = 0.03
_CLEARANCE_M = 0.02  # by which the axis sticks out of the box
_SHAFT_M, _HEAD_M = 0.004, 0.01
_LEAST_SIDE_M = 0.001  # RViz refuses to draw what has no extent


def fill_markers(message: MarkerArray, header: Header, instruction_id: str, targets: Sequence[Target]) -> MarkerArray:
    """Fill the markers of a turn: they take the place of those of the turn before.

    Each target that was measured has a box, a label above it, and an arrow along the shortest side of the box, which is
    how a parallel gripper closes. The color is that of its mask in `overlay`, the number that of its segment.

    Args:
        message: Filled and returned.
        header: The image's header.
        instruction_id: Stands in the text of each box, which RViz does not draw.
        targets: One a segment.
    """
    message.markers = [Marker(header=header, action=Marker.DELETEALL)]
    for index, target in enumerate(targets):
        if target.geometry.status is GeometryStatus.MEASURED:
            message.markers += _markers(header, index, instruction_id, target)
    return message


def grasp_axis(geometry: Geometry) -> tuple[np.ndarray, float]:
    """Direction of the shortest side of a target's box, (3,) of length 1 in the optical frame, and that side in m."""
    side = int(np.argmin(geometry.box_size_m))
    return rotation_of(geometry.box_quaternion)[:, side], float(geometry.box_size_m[side])


def _markers(header: Header, index: int, instruction_id: str, target: Target) -> list[Marker]:
    geometry = target.geometry
    red, green, blue = (value / 255 for value in color_of(index))
    center = np.asarray(geometry.box_center_m, float)
    x, y, z, w = map(float, geometry.box_quaternion)
    pose = Pose(position=_point(center), orientation=Quaternion(x=x, y=y, z=z, w=w))
    size = Vector3(**{name: max(float(m), _LEAST_SIDE_M) for name, m in zip("xyz", geometry.box_size_m, strict=True)})
    box = Marker(header=header, ns=BOX, id=index, type=Marker.CUBE, pose=pose, scale=size, text=instruction_id)
    box.color = ColorRGBA(r=red, g=green, b=blue, a=_BOX_ALPHA)
    label = Marker(header=header, ns=LABEL, id=index, type=Marker.TEXT_VIEW_FACING, text=target.phrase)
    # Above in the picture: an optical frame's y points down.
    above = center - [0.0, float(np.linalg.norm(geometry.box_size_m)) / 2 + _LABEL_HEIGHT_M, 0.0]
    label.pose = Pose(position=_point(above))
    label.scale = Vector3(z=_LABEL_HEIGHT_M)
    label.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    axis, side_m = grasp_axis(geometry)
    reach = axis * (side_m / 2 + _CLEARANCE_M)
    grasp = Marker(header=header, ns=GRASP, id=index, type=Marker.ARROW)
    grasp.points = [_point(center - reach), _point(center + reach)]
    grasp.scale = Vector3(x=_SHAFT_M, y=_HEAD_M, z=_HEAD_M)
    grasp.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return [box, label, grasp]


def _point(place_m: np.ndarray) -> Point:
    x, y, z = map(float, place_m)
    return Point(x=x, y=y, z=z)
