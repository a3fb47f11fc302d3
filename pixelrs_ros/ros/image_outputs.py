"""An image topic and its compressed twin, for which nothing is computed while nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import DurabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pixelrs_ros.ros import qos

Fill = Callable[[Image, Header, np.ndarray], Image]
Compress = Callable[[CompressedImage, Header, np.ndarray], CompressedImage]


def is_wanted(publisher: LifecyclePublisher[Any]) -> bool:
    """Whether somebody receives what is published, now or, where the last message is kept for late comers, later."""
    try:
        kept = publisher.qos_profile.durability is DurabilityPolicy.TRANSIENT_LOCAL
        return kept or publisher.get_subscription_count() > 0
    except (rclpy_implementation.RCLError, InvalidHandle):  # ROS has been shut down meanwhile
        return False


class ImageOutput:
    """Publishes pictures on `topic` and on `topic/compressed`, as image_transport names it.

    Args:
        node: Whose publishers these are; they publish while it is active.
        topic: Name of the raw images' topic.
        fill: Fills a raw message with a picture.
        compress: Fills a compressed one.
        send: Publishes a message.
    """

    def __init__(
        self,
        node: LifecycleNode,
        topic: str,
        *,
        fill: Fill,
        compress: Compress,
        send: Callable[[LifecyclePublisher[Any], Any], None],
    ) -> None:
        self._fill, self._compress, self._send = fill, compress, send
        self._raw = qos.advertise_managed(node, Image, topic)
        self._compressed = qos.advertise_managed(node, CompressedImage, f"{topic}/compressed")

    @property
    def publishers(self) -> tuple[LifecyclePublisher[Any], ...]:
        """Of the raw and of the compressed images."""
        return self._raw, self._compressed

    @property
    def wanted(self) -> bool:
        """Whether anybody listens; ask before computing a picture."""
        return any(map(is_wanted, self.publishers))

    def publish(self, header: Header, pixels: np.ndarray) -> None:
        """Publish a picture in the ways that somebody listens to.

        Args:
            header: Of the image that it belongs to.
            pixels: As `fill` and `compress` take them.
        """
        if is_wanted(self._raw):
            self._send(self._raw, self._fill(Image(), header, pixels))
        if is_wanted(self._compressed):
            self._send(self._compressed, self._compress(CompressedImage(), header, pixels))
