"""A turn's targets as vision_msgs has them, for tools that know those. Imported only where vision_msgs is."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    Detection3D,
    Detection3DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
)

from pixelrs_ros.geometry.target import GeometryStatus
from pixelrs_ros.ros.wire.targets import Target


def fill_detections_2d(message: Detection2DArray, header: Header, targets: Sequence[Target]) -> Detection2DArray:
    """Fill the boxes in the picture, px; one a target with a mask, so that none is drawn at the corner."""
    message.header = header
    message.detections = []
    for target in targets:
        x0_px, y0_px, x1_px, y1_px = target.box_px
        if x1_px <= x0_px:
            continue
        detection = Detection2D(header=header, results=[_hypothesis(target)], id=target.track_id)
        detection.bbox.center.position.x = (x0_px + x1_px) / 2
        detection.bbox.center.position.y = (y0_px + y1_px) / 2
        detection.bbox.size_x, detection.bbox.size_y = float(x1_px - x0_px), float(y1_px - y0_px)
        message.detections.append(detection)
    return message


def fill_detections_3d(message: Detection3DArray, header: Header, targets: Sequence[Target]) -> Detection3DArray:
    """Fill the oriented boxes in space, m; one a target that was measured."""
    message.header = header
    message.detections = []
    for target in targets:
        geometry = target.geometry
        if geometry.status is not GeometryStatus.MEASURED:
            continue
        pose = _pose(geometry.box_center_m, geometry.box_quaternion)
        hypothesis = _hypothesis(target)
        hypothesis.pose.pose = pose
        detection = Detection3D(header=header, results=[hypothesis], id=target.track_id)
        detection.bbox.center = pose
        x_m, y_m, z_m = map(float, geometry.box_size_m)
        detection.bbox.size = Vector3(x=x_m, y=y_m, z=z_m)
        message.detections.append(detection)
    return message


def fill_label_info(message: LabelInfo, header: Header, classes: Sequence[str]) -> LabelInfo:
    """Fill the numbers of the classes that detections name: that of `classes[n]` is n."""
    message.header = header
    message.class_map = [VisionClass(class_id=number, class_name=name) for number, name in enumerate(classes)]
    return message


def _hypothesis(target: Target) -> ObjectHypothesisWithPose:
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = target.class_name
    result.hypothesis.score = float(target.score)
    return result


def _pose(center_m: Sequence[float], quaternion: Sequence[float]) -> Pose:
    x_m, y_m, z_m = map(float, center_m)
    x, y, z, w = map(float, quaternion)
    return Pose(position=Point(x=x_m, y=y_m, z=z_m), orientation=Quaternion(x=x, y=y, z=z, w=w))
