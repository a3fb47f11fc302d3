"""The frame that a planner works in: what TF says of the camera's place in it when an image was taken."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from rclpy.time import Time

from pixelrs_ros.errors import BadInputError, ConfigError
from pixelrs_ros.geometry.rigid import RigidTransform
from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.msg import Geometry as GeometryMessage
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame
from pixelrs_ros.ros.wire import conversions

_PERIOD_S = 0.01  # between two looks into the buffer; tf2's own wait stands still with a paused simulation
_MARGIN_S = 10.0  # how long TF is kept beyond the oldest image that a turn may be about
_LOG_PERIOD_S = 5.0


class TargetFrame:
    """Gives targets in the frame of the parameter `target_frame`. May be used from any thread but the executor's.

    Args:
        node: Listens to TF while this is open.
        values: `target_frame`, and how old a turn's image may be.

    Raises:
        ConfigError: `target_frame` is set and tf2_ros is not installed.
    """

    def __init__(self, node: Node, values: NodeParameters) -> None:
        self._frame = values.target_frame
        self._logger: RcutilsLogger = node.get_logger()
        # For as long as a turn is about the image or a dialogue stays with it.
        self._known: WeakKeyDictionary[BoundFrame, RigidTransform] = WeakKeyDictionary()
        self._problem = ""
        self._listener: Any = None
        if not self._frame:
            return
        if find_spec("tf2_ros") is None:
            raise ConfigError(
                f"parameter 'target_frame' is {self._frame!r}, but tf2_ros is not installed; remedy: apt-get install "
                "ros-$ROS_DISTRO-tf2-ros-py"
            )
        import tf2_ros

        self._errors = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer(cache_time=Duration(seconds=values.max_frame_age_s + _MARGIN_S))
        self._listener = tf2_ros.TransformListener(self._buffer, node)
        # The buffer goes by a clock of its own, which does not notice that a simulation or a recording begins anew.
        backwards = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True)
        self._jumps = node.get_clock().create_jump_callback(backwards, post_callback=lambda _: self._buffer.clear())

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._jumps.unregister()
            self._listener.unregister()
            self._listener = None

    def look(self, bound: BoundFrame | None) -> None:
        """Look up where the camera was when it took an image, if TF tells by now: later it may have forgotten.

        Args:
            bound: The image; None: there is none.
        """
        if self._listener is not None and bound is not None:
            with contextlib.suppress(BadInputError):
                self._transform(bound, 0.0)

    def fill(
        self, bound: BoundFrame | None, targets: Iterable[tuple[GeometryMessage, Geometry]], wait_s: float
    ) -> None:
        """Fill where a turn's targets are in the target frame, or say why that is not known.

        Args:
            bound: The image; None: there is none, and nothing is measured.
            targets: Messages, whose `target_` fields are filled, with the targets' places in the camera's frame.
            wait_s: How long a transform may be waited for that is still on its way.
        """
        if self._listener is None or bound is None:
            return
        measured = [each for each in targets if each[1].status is GeometryStatus.MEASURED]
        if not measured:
            return
        try:
            transform = self._transform(bound, wait_s)
        except BadInputError as error:
            self._problem = str(error)
            self._logger.warning(self._problem, throttle_duration_sec=_LOG_PERIOD_S)
            for message, _ in measured:
                message.target_message = self._problem
            return
        self._problem = ""
        header = bound.image.message.header
        for message, geometry in measured:
            _fill(message, geometry, transform)
            for stamped in (message.target_centroid.header, message.target_pose.header):
                stamped.stamp, stamped.frame_id = header.stamp, self._frame

    def status(self, node: str) -> DiagnosticStatus:
        """Whether the last target could be given in the target frame.

        Args:
            node: Fully qualified name of the node.
        """
        if self._listener is None:
            return conversions.diagnostic(node, "target frame", "off (parameter 'target_frame')", {})
        level, said = (DiagnosticStatus.WARN, self._problem) if self._problem else (DiagnosticStatus.OK, "no problem")
        return conversions.diagnostic(node, "target frame", said, {"target frame": self._frame}, level)

    def _transform(self, bound: BoundFrame, wait_s: float) -> RigidTransform:
        """From the image's frame to the target frame, at the image's stamp.

        Raises:
            BadInputError: TF does not tell; the message says why.
        """
        known = self._known.get(bound)
        if known is not None:
            return known
        header = bound.image.message.header
        frame_id = header.frame_id.removeprefix("/")  # as tf of ROS 1 named it, and some drivers still do
        if not frame_id:
            raise self._refused("the image's header names no frame")
        if not conversions.stamp_to_ns(header.stamp):  # tf2 would tell where the camera is now
            raise self._refused("the image's header has no stamp: let the camera's driver set it")
        ends_s = time.monotonic() + wait_s
        while True:
            try:
                found = self._buffer.lookup_transform(self._frame, frame_id, Time.from_msg(header.stamp))
                break
            except self._errors as error:
                if time.monotonic() >= ends_s:
                    raise self._refused(f"TF has no transform from {frame_id!r}: {error}") from None
            time.sleep(_PERIOD_S)
        moved, turned = found.transform.translation, found.transform.rotation
        try:
            transform = RigidTransform((moved.x, moved.y, moved.z), (turned.x, turned.y, turned.z, turned.w))
        except ValueError as error:
            raise self._refused(f"what TF says of {frame_id!r} cannot be used: {error}") from None
        self._known[bound] = transform
        return transform

    def _refused(self, why: str) -> BadInputError:
        """The error of a target that cannot be given in the target frame."""
        return BadInputError(f"no pose in target_frame {self._frame!r} at the image's stamp: {why}")


def _fill(message: GeometryMessage, geometry: Geometry, transform: RigidTransform) -> None:
    pose = message.target_pose.pose
    for point, place_m in (
        (message.target_centroid.point, geometry.centroid_m),
        (pose.position, geometry.box_center_m),
    ):
        point.x, point.y, point.z = transform.point(place_m)
    turned = transform.orientation(geometry.box_quaternion)
    pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w = turned
