"""The cameras' subscriptions: every image, depth image and camera info goes into the buffers as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import zip_longest
from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.queueing.frame_buffer import BufferedFrame, CameraBuffers, Stream
from pixelrs_ros.ros.wire import compressed, conversions, qos
from pixelrs_ros.ros.wire.image_outputs import sub_topic

_LOG_THROTTLE_S = 5.0


class CameraInputs:
    """Fills the buffers of all cameras. Each is named by the topic of its images.

    Args:
        node: Subscribes.
        values: The parameters: topics, how images are sent, size of the buffers.
        health: Counts every image.
        listeners: Called with the camera, what it sent and the frame, after that has been buffered.

    Attributes:
        buffers: The newest frames of each camera.
    """

    def __init__(
        self,
        node: Node,
        values: NodeParameters,
        health: Health,
        listeners: list[Callable[[str, Stream, BufferedFrame[Any]], None]],
    ) -> None:
        self._node = node
        self._health = health
        self._listeners = listeners
        self._values = values
        self.buffers = CameraBuffers(values.image_topics, values.frame_buffer_size)
        self._subscriptions: list[Any] = []
        topics = zip_longest(values.image_topics, values.depth_topics, values.camera_info_topics, fillvalue="")
        for camera, depth, info in topics:
            # In this order, which is the one in which the executor takes what has come: the image finds them there.
            self._subscribe(CameraInfo, info, partial(self._on_companion, camera, Stream.INFO))
            self._subscribe_images(depth, values.depth_transport, partial(self._on_companion, camera, Stream.DEPTH))
            self._subscribe_images(camera, values.image_transport, partial(self._on_image, camera))
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jumps = node.get_clock().create_jump_callback(backwards, post_callback=lambda _: self._forget())

    def adopt(self, values: NodeParameters) -> None:
        """Put new values in force."""
        self._values = values
        self.buffers.resize(values.frame_buffer_size)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self._jumps.unregister()

    def _forget(self) -> None:
        """Drop all frames: after the clock was set back, their stamps cannot be compared any more."""
        self.buffers.clear()
        self._health.forget_images()

    def _subscribe(self, message_type: Any, topic: str, callback: Callable[[Any], None]) -> None:
        if topic:
            self._subscriptions.append(qos.subscribe(self._node, message_type, topic, callback, qos.SENSOR_DATA))

    def _subscribe_images(self, topic: str, transport: str, callback: Callable[[Any], None]) -> None:
        """Subscribe to images in the way that they are sent, named as image_transport names it."""
        if topic and transport != "raw":
            self._subscribe(CompressedImage, sub_topic(self._node, topic, transport), callback)
        else:
            self._subscribe(Image, topic, callback)

    def _on_image(self, camera: str, message: Image | CompressedImage) -> None:
        error: BadInputError | None = None
        size_px = (0, 0)
        try:
            if isinstance(message, CompressedImage):  # decoded when it is used, as most are not
                size_px = compressed.inspect_message(message, self._values.max_image_megapixels)[1:]
            else:
                size_px = (message.width, message.height)
                conversions.check_image(message)
        except BadInputError as problem:
            error = problem
            self._node.get_logger().warning(f"bad image: {error}", throttle_duration_sec=_LOG_THROTTLE_S)
            message = Image(header=message.header)  # its pixels cannot be used
        frame = self._frame(message, error, size_px)
        self._health.note_image(camera, frame.stamp_ns, error)
        self._buffer(camera, Stream.IMAGE, frame)

    def _on_companion(self, camera: str, stream: Stream, message: Image | CompressedImage | CameraInfo) -> None:
        error: BadInputError | None = None
        size_px = (0, 0)
        if isinstance(message, CameraInfo):
            size_px = conversions.image_size_of_info(message)
        elif isinstance(message, CompressedImage):
            try:
                size_px = compressed.inspect_message(message, self._values.max_image_megapixels, depth=True)[1:]
            except BadInputError as problem:
                error = problem
        else:
            size_px = (message.width, message.height)
        self._buffer(camera, stream, self._frame(message, error, size_px))

    def _buffer(self, camera: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        self.buffers.add(camera, stream, frame)
        for listener in self._listeners:
            listener(camera, stream, frame)

    def _frame(
        self, message: Image | CompressedImage | CameraInfo, error: BadInputError | None, size_px: tuple[int, int]
    ) -> BufferedFrame[Any]:
        now_ns = int(self._node.get_clock().now().nanoseconds)
        # Drivers that do not stamp their images exist; reception is the best guess at their capture.
        stamp_ns = conversions.stamp_to_ns(message.header.stamp) or now_ns
        return BufferedFrame(
            message,
            stamp_ns,
            error,
            message.header.frame_id,
            size_px,
            arrived_s=time.monotonic(),
            ahead=stamp_ns - now_ns > self._values.max_frame_slop_s * 1e9,
        )
