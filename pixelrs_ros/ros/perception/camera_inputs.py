"""The cameras' subscriptions: every image, depth image and camera info goes into the buffers as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pixelrs_ros.encodings import UsedBits
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception import topic_check
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.queueing.bound_frame import BufferedFrame, Stream
from pixelrs_ros.ros.queueing.frame_buffer import CameraBuffers
from pixelrs_ros.ros.wire import compressed, conversions, qos
from pixelrs_ros.ros.wire.image_outputs import sub_topic

_LOG_THROTTLE_S = 5.0


@dataclass
class _Camera:
    """One camera.

    Attributes:
        image: Topic of its images after remapping.
        depth: Topic of its depth images; empty: none.
        info: Topic of its intrinsics; empty: none.
        bits: How many of 16 its images use.
        is_distorted: Whether its camera info has distortion coefficients.
        logged: The problems of its topics that stand in the log.
    """

    image: str
    depth: str
    info: str
    bits: UsedBits
    is_distorted: bool = False
    logged: set[str] = field(default_factory=set)


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
        self._cameras: dict[str, _Camera] = {}
        topics = zip_longest(values.image_topics, values.depth_topics, values.camera_info_topics, fillvalue="")
        for camera, depth, info in topics:
            names = [node.resolve_topic_name(topic) if topic else "" for topic in (camera, depth, info)]
            self._cameras[camera] = _Camera(names[0], names[1], names[2], UsedBits(values.image_bits))
            # In this order, which is the one in which the executor takes what has come: the image finds them there.
            self._subscribe(CameraInfo, info, partial(self._on_companion, camera, Stream.INFO))
            self._subscribe_images(depth, values.depth_transport, partial(self._on_companion, camera, Stream.DEPTH))
            self._subscribe_images(camera, values.image_transport, partial(self._on_image, camera))
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jumps = node.get_clock().create_jump_callback(backwards, post_callback=lambda _: self._forget())
        self.look_after()

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

    def look_after(self) -> None:
        """Find out what is wrong with the topics, and say it in the log, once, in the diagnostics and in answers."""
        for name, camera in self._cameras.items():
            of_image = self._image_problem(camera)
            problems = [problem for problem in (of_image, *self._other_problems(camera)) if problem]
            for problem in problems:
                if problem not in camera.logged:
                    self._node.get_logger().warning(f"camera {name}: {problem}")
                    camera.logged.add(problem)
            if of_image is None and self.buffers.newest(name, Stream.IMAGE) is None:
                of_image = topic_check.silence(self._node, camera.image, self._values.image_transport)
                problems += [of_image] if of_image else []
            self.buffers.complaints[name] = of_image or ""
            self._health.note_problems(name, problems)

    def _image_problem(self, camera: _Camera) -> str | None:
        transport = self._values.image_transport
        kind = Image if transport == topic_check.RAW else CompressedImage
        return topic_check.image_problem(self._node, camera.image, transport, "image_transport", kind)

    def _other_problems(self, camera: _Camera) -> list[str | None]:
        transport = self._values.depth_transport
        kind = Image if transport == topic_check.RAW else CompressedImage
        found: list[str | None] = []
        if camera.depth:
            found.append(topic_check.image_problem(self._node, camera.depth, transport, "depth_transport", kind))
        if camera.info:
            found.append(topic_check.type_problem(self._node, camera.info, CameraInfo))
        if camera.is_distorted and not self._values.image_is_rectified and topic_check.is_rectified(camera.image):
            found.append(
                f"the images of {camera.image} are rectified by their name, but their camera info has distortion (D): "
                "set the parameter 'image_is_rectified' if they are, else places are wrong"
            )
        return found

    def _forget(self) -> None:
        """Drop all frames: after the clock was set back, their stamps cannot be compared any more."""
        self.buffers.clear()
        self._health.forget_images()

    def _subscribe(self, message_type: Any, topic: str, callback: Callable[[Any], None]) -> None:
        if topic:
            self._subscriptions.append(qos.subscribe(self._node, message_type, topic, callback, qos.SENSOR_DATA))

    def _subscribe_images(self, topic: str, transport: str, callback: Callable[[Any], None]) -> None:
        """Subscribe to images in the way that they are sent, named as image_transport names it."""
        if topic and transport != topic_check.RAW:
            self._subscribe(CompressedImage, sub_topic(self._node, topic, transport), callback)
        else:
            self._subscribe(Image, topic, callback)

    def _on_image(self, camera: str, message: Image | CompressedImage) -> None:
        error: BadInputError | None = None
        size_px = (0, 0)
        try:
            if isinstance(message, CompressedImage):  # decoded when it is used, as most are not
                size_px = self._size_px(message)
            else:
                size_px = (message.width, message.height)
                conversions.check_image(message)
        except BadInputError as problem:
            error = problem
            self._node.get_logger().warning(f"bad image: {error}", throttle_duration_sec=_LOG_THROTTLE_S)
            message = Image(header=message.header)  # its pixels cannot be used
        frame = self._frame(message, error, size_px, self._cameras[camera].bits)
        self._health.note_image(camera, frame.stamp_ns, error)
        self._buffer(camera, Stream.IMAGE, frame)

    def _on_companion(self, camera: str, stream: Stream, message: Image | CompressedImage | CameraInfo) -> None:
        error: BadInputError | None = None
        size_px = (0, 0)
        if isinstance(message, CameraInfo):
            size_px = conversions.image_size_of_info(message)
            self._cameras[camera].is_distorted = any(message.d)
        elif isinstance(message, CompressedImage):
            self._health.note_depth(camera, message.format.partition(";")[0].strip())
            try:
                size_px = self._size_px(message, depth=True)
            except BadInputError as problem:
                error = problem
        else:
            self._health.note_depth(camera, message.encoding)
            size_px = (message.width, message.height)
        self._buffer(camera, stream, self._frame(message, error, size_px))

    def _size_px(self, message: CompressedImage, *, depth: bool = False) -> tuple[int, int]:
        header = compressed.inspect_message(message, self._values.max_image_megapixels, depth=depth)
        return header.width_px, header.height_px

    def _buffer(self, camera: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        self.buffers.add(camera, stream, frame)
        for listener in self._listeners:
            listener(camera, stream, frame)

    def _frame(
        self,
        message: Image | CompressedImage | CameraInfo,
        error: BadInputError | None,
        size_px: tuple[int, int],
        bits: UsedBits | None = None,
    ) -> BufferedFrame[Any]:
        now_ns = int(self._node.get_clock().now().nanoseconds)
        # Drivers that do not stamp their images exist; reception is the best guess at their capture.
        stamp_ns = conversions.stamp_to_ns(message.header.stamp) or now_ns
        ahead = stamp_ns - now_ns > self._values.max_frame_slop_s * 1e9
        return BufferedFrame(message, stamp_ns, error, message.header.frame_id, size_px, time.monotonic(), ahead, bits)
