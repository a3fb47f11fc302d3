"""The publishers of what comes of a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from sensor_msgs.msg import PointCloud2

from pixelrs_ros.msg import Explanation, Segmentation, Tracking
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.image_outputs import ImageOutput, compress_color, compress_mask, send


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
            self.tracking,
        ):
            node.destroy_lifecycle_publisher(publisher)

    def send(self, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish; does nothing when ROS has been shut down, which a worker thread may learn too late."""
        send(self.context, publisher, message)
