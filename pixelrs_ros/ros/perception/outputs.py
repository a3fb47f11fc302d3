"""The publishers of what comes of a turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.publisher import Publisher
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import MarkerArray

from pixelrs_ros.msg import Explanation, Segmentation, Tracking, TurnPoints
from pixelrs_ros.ros.perception.detection_outputs import DetectionOutputs
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.image_outputs import ImageOutput, compress_color, compress_mask, send
from pixelrs_ros.ros.wire.ros_context import ROS_ENDED_ERRORS


@dataclass(frozen=True)
class Outputs:
    """All publishers of the node that work only while it is active."""

    context: Context
    segmentation: LifecyclePublisher[Segmentation]
    partial_segmentation: LifecyclePublisher[Segmentation]
    explanation: LifecyclePublisher[Explanation]
    mask: ImageOutput
    overlay: ImageOutput
    target_points: LifecyclePublisher[PointCloud2]
    turn_points: LifecyclePublisher[TurnPoints]
    markers: LifecyclePublisher[MarkerArray]
    detections: DetectionOutputs
    tracking: LifecyclePublisher[Tracking]

    @classmethod
    def advertise(cls, node: LifecycleNode, jpeg_quality: Callable[[], int]) -> Outputs:
        """Make all publishers.

        Args:
            node: Publishes.
            jpeg_quality: Gives the quality of `overlay/compressed` in force, in [1, 100].

        Raises:
            ConfigError: A QoS override is impossible; the message names its parameter.
        """
        return cls(
            context=node.context,
            segmentation=qos.advertise_managed(node, Segmentation, "segmentation", qos.ANSWERS),
            partial_segmentation=qos.advertise_managed(node, Segmentation, "partial_segmentation"),
            explanation=qos.advertise_managed(node, Explanation, "explanation", qos.ANSWERS),
            mask=ImageOutput(node, "mask", fill=conversions.fill_mask, compress=compress_mask),
            overlay=ImageOutput(
                node,
                "overlay",
                fill=partial(conversions.fill_image, encoding="rgb8"),
                compress=lambda message, header, rgb: compress_color(message, header, rgb, jpeg_quality()),
            ),
            target_points=qos.advertise_managed(node, PointCloud2, "target_points"),
            turn_points=qos.advertise_managed(node, TurnPoints, "turn_points"),
            markers=qos.advertise_managed(node, MarkerArray, "markers"),
            detections=DetectionOutputs(node),
            tracking=qos.advertise_managed(node, Tracking, "tracking"),
        )

    def destroy(self, node: LifecycleNode) -> None:
        """Take all publishers off the graph."""
        for publisher in (
            self.segmentation,
            self.partial_segmentation,
            self.explanation,
            *self.mask.publishers,
            *self.overlay.publishers,
            self.target_points,
            self.turn_points,
            self.markers,
            *self.detections.publishers,
            self.tracking,
        ):
            node.destroy_lifecycle_publisher(publisher)

    def answer(self, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish also when the node is not active any more: an instruction that was taken is owed its answer."""
        if publisher.is_activated:
            send(self.context, publisher, message)
        else:
            with contextlib.suppress(*ROS_ENDED_ERRORS):  # the publisher may be gone already
                Publisher.publish(publisher, message)

    def send(self, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish; does nothing when ROS has been shut down, which a worker thread may learn too late."""
        send(self.context, publisher, message)
