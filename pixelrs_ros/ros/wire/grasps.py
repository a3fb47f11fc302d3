"""Grasps as poses, and as RViz draws them. Fills messages that it is handed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose, PoseArray, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from pixelrs_ros.geometry.box import quaternion
from pixelrs_ros.gripper import Grasp, Gripper

BEST, OTHERS = "best_grasp", "other_grasps"  # namespaces, which RViz shows and hides one by one
_BEST_COLOR = ColorRGBA(r=0.16, g=0.62, b=0.56, a=0.8)
_OTHERS_COLOR = ColorRGBA(r=0.4, g=0.45, b=0.5, a=0.6)
_ARROW_M = Vector3(x=0.003, y=0.008, z=0.01)
_APPROACH_M = 0.08


def fill_poses(message: PoseArray, header: Header, grasps: Sequence[Grasp]) -> PoseArray:
    """Fill the poses of the gripper, best first: z is the approach, x the line along which the fingers close.

    Args:
        message: Filled and returned.
        header: Of the image that the grasps were planned in; they are in its optical frame.
        grasps: In that frame.
    """
    message.header = header
    message.poses = [_pose(grasp.position_m, grasp.axes) for grasp in grasps]
    return message


def fill_grasp_markers(message: MarkerArray, header: Header, grasps: Sequence[Grasp], gripper: Gripper) -> MarkerArray:
    """Fill the markers: the open gripper where the best grasp is, an arrow along the approach of every other.

    Args:
        message: Filled and returned; it takes the place of the markers before.
        header: As in `fill_poses`.
        grasps: Best first.
        gripper: Its sizes.
    """
    message.markers = [Marker(header=header, action=Marker.DELETEALL)]
    if not grasps:
        return message
    best = grasps[0]
    for number, (center, half) in enumerate(zip(*gripper.boxes(best.opening_m), strict=True)):
        pose = _pose(best.position_m + best.axes @ center, best.axes)
        scale = Vector3(x=float(2 * half[0]), y=float(2 * half[1]), z=float(2 * half[2]))
        box = Marker(header=header, ns=BEST, id=number, type=Marker.CUBE, pose=pose, scale=scale, color=_BEST_COLOR)
        message.markers.append(box)
    for number, grasp in enumerate(grasps[1:]):
        arrow = Marker(header=header, ns=OTHERS, id=number, type=Marker.ARROW, scale=_ARROW_M, color=_OTHERS_COLOR)
        arrow.points = [_point(grasp.position_m - _APPROACH_M * grasp.axes[:, 2]), _point(grasp.position_m)]
        message.markers.append(arrow)
    return message


def _pose(position_m: np.ndarray, axes: np.ndarray) -> Pose:
    x, y, z, w = quaternion(axes)
    return Pose(position=_point(position_m), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _point(place_m: np.ndarray) -> Point:
    x, y, z = map(float, place_m)
    return Point(x=x, y=y, z=z)
