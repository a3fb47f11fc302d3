"""An image topic and its compressed form; nothing is computed while nobody subscribes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pixelrs_ros.msg import Instruction, TurnImage
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.ros_context import ROS_ENDED_ERRORS

Fill = Callable[[Image, Header, np.ndarray], Image]
Compress = Callable[[CompressedImage, Header, np.ndarray], CompressedImage]


def is_wanted(publisher: LifecyclePublisher[Any]) -> bool:
    """Whether somebody receives what is published, now or, where the last message is kept for late comers, later."""
    try:
        kept = publisher.qos_profile.durability is DurabilityPolicy.TRANSIENT_LOCAL
        return kept or publisher.get_subscription_count() > 0
    except ROS_ENDED_ERRORS:  # ROS has been shut down
        return False


def send(context: Context, publisher: LifecyclePublisher[Any], message: Any) -> None:
    """Publish; does nothing when ROS has been shut down, which a worker thread may learn too late."""
    try:
        publisher.publish(message)
    except ROS_ENDED_ERRORS:
        if context.ok():
            raise


def sub_topic(node: Node, topic: str, transport: str) -> str:
    """Where image_transport sends the images of a topic in another way: below its name after remapping."""
    return f"{node.resolve_topic_name(topic)}/{transport}"


class ImageOutput:
    """Publishes pictures on `topic`, on `topic/compressed`, as image_transport names it, and on `turn_topic`.

    On the last they name their turn.

    Args:
        node: Whose publishers these are; they publish while it is active.
        topic: Name of the raw images' topic.
        fill: Fills a raw message with a picture.
        compress: Fills a compressed one.
    """

    def __init__(self, node: LifecycleNode, topic: str, *, fill: Fill, compress: Compress) -> None:
        self._context = node.context
        self._fill, self._compress = fill, compress
        self._raw = qos.advertise_managed(node, Image, topic)
        self._compressed = qos.advertise_managed(node, CompressedImage, sub_topic(node, topic, "compressed"))
        self._of_turn = qos.advertise_managed(node, TurnImage, f"turn_{topic}")

    @property
    def publishers(self) -> tuple[LifecyclePublisher[Any], ...]:
        """Of the raw and of the compressed images, and of those that name their turn."""
        return self._raw, self._compressed, self._of_turn

    @property
    def wanted(self) -> bool:
        """Whether anybody listens; ask before computing a picture."""
        return any(map(is_wanted, self.publishers))

    def publish(self, header: Header, pixels: np.ndarray, instruction: Instruction, turn: int) -> None:
        """Publish a picture in the ways that somebody listens to.

        Args:
            header: The header of the image that it belongs to.
            pixels: As `fill` and `compress` take them.
            instruction: That the picture answers.
            turn: Number of its turn.
        """
        if is_wanted(self._raw):
            send(self._context, self._raw, self._fill(Image(), header, pixels))
        if is_wanted(self._of_turn):
            image = self._fill(Image(), header, pixels)
            message = conversions.fill_turn_image(TurnImage(), header, instruction, turn, image)
            send(self._context, self._of_turn, message)
        if is_wanted(self._compressed):
            send(self._context, self._compressed, self._compress(CompressedImage(), header, pixels))


def compress_color(message: CompressedImage, header: Header, rgb: np.ndarray, jpeg_quality: int) -> CompressedImage:
    """Fill a message with a JPEG.

    Args:
        message: Filled and returned.
        header: Copied by reference into the message.
        rgb: (H, W, 3) uint8 RGB in [0, 255].
        jpeg_quality: In [1, 100].
    """
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    return _fill(message, header, data, "rgb8; jpeg compressed bgr8")


def compress_mask(message: CompressedImage, header: Header, mask: np.ndarray) -> CompressedImage:
    """Fill a message with a PNG: 255 inside, 0 outside. `mask` is (H, W) bool; other arguments as `compress_color`."""
    # Runs of one value are all that a mask has: more effort makes it no smaller.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, data = cv2.imencode(".png", mask.astype(np.uint8) * np.uint8(255), options)
    return _fill(message, header, data, "mono8; png compressed mono8")


def _fill(message: CompressedImage, header: Header, data: np.ndarray, image_format: str) -> CompressedImage:
    message.header = header
    message.format = image_format
    message.data = conversions.bytes_of(data)
    return message
