"""Follows the targets of the last grounded turn from image to image, in a thread of its own, without the network."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import TrackedSegment, Tracking
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.outputs import Outputs
from pixelrs_ros.ros.queueing.bound_frame import BufferedFrame, Stream
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.tracking.tracker import TrackedMask, Tracker
from pixelrs_ros.types import Frame, Reply, Segment

# At 10 Hz beside `nano` on two CPUs a turn took 13 to 21 % longer.
_BUSY_FACTOR = 3.0  # how many times rarer the targets are looked for while a turn is answered
_CATCH_UP_FRAMES = 15  # that came while the turn was answered and are looked at, evenly spread, to catch up with now


@dataclass(eq=False)
class _Targets:
    """What is followed.

    Attributes:
        session_id: The dialogue.
        instruction_id: The instruction that grounded them.
        turn: Number of the turn that grounded them.
        image: (H, W, 3) uint8 RGB, the picture that the masks belong to.
        segments: With their masks.
        missed: Images that came since, oldest first.
    """

    session_id: str
    instruction_id: str
    turn: int
    image: np.ndarray
    segments: tuple[Segment, ...]
    missed: Sequence[BufferedFrame[Image]]


class TargetFollower:
    """Publishes where the targets of the last grounded turn are, for the newest image and never faster than allowed.

    An image that comes while another is being worked on replaces the one that waits; nothing queues.

    Args:
        outputs: Where it publishes.
        logger: The node's logger.
        parameters: Gives the values in force.
        is_busy: Whether a turn is being answered, which needs the processor more.
    """

    def __init__(
        self,
        outputs: Outputs,
        logger: RcutilsLogger,
        parameters: Callable[[], NodeParameters],
        is_busy: Callable[[], bool],
    ) -> None:
        self._outputs = outputs
        self._logger = logger
        self._parameters = parameters
        self._is_busy = is_busy
        self._recent: deque[tuple[str, BufferedFrame[Image]]] = deque(maxlen=parameters().frame_buffer_size)
        self._changed = threading.Condition()
        self._targets: _Targets | None = None
        self._camera = ""
        self._newest: BufferedFrame[Image] | None = None
        self._closed = False
        self._followed = self._dropped = 0
        self._following: _Targets | None = None  # with its tracker, of the thread alone
        self._tracker: Tracker | None = None
        self._thread: threading.Thread | None = None  # begins with the first target

    def status(self, node: str) -> DiagnosticStatus:
        """Whose targets are followed, in how many images they were looked for and how many were dropped.

        Args:
            node: Fully qualified name of the node.
        """
        with self._changed:
            targets, followed, dropped = self._targets, self._followed, self._dropped
        message = "no target is followed" if targets is None else f"following turn {targets.turn}"
        if not self._parameters().track_targets:
            message = "off (parameter 'track_targets')"
        values = {"images looked at": str(followed), "images dropped for newer ones": str(dropped)}
        return conversions.diagnostic(node, "tracking", message, values)

    def on_frame(self, camera: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        """Take an image; costs the caller next to nothing."""
        if stream is not Stream.IMAGE or frame.error is not None:
            return
        with self._changed:
            self._recent.append((camera, frame))
            if self._targets is None or camera != self._camera:
                return
            self._dropped += self._newest is not None
            self._newest = frame
            self._changed.notify()

    def begin(self, request: TurnRequest, turn: int, frame: Frame, reply: Reply) -> None:
        """Follow what a turn has grounded, instead of what was followed before.

        Args:
            request: The turn's instruction and image.
            turn: Number within its dialogue.
            frame: The image.
            reply: With the masks; a turn without any leaves everything as it is.
        """
        if request.bound is None or not any(segment.mask.any() for segment in reply.segments):
            return
        with self._changed:
            shown = request.bound.image
            camera = next((name for name, other in self._recent if other is shown), None)
            if camera is None:  # it has left the buffer: an image that was pinned long ago
                frame_id = shown.frame_id
                camera = next((name for name, other in reversed(self._recent) if other.frame_id == frame_id), "")
            later = [other for name, other in self._recent if name == camera and other.stamp_ns > shown.stamp_ns]
            stride = max(1, -(-len(later) // _CATCH_UP_FRAMES))
            missed = later[::-1][::stride][::-1]  # the newest is always among them
            ids = request.session_id, request.instruction.instruction_id, turn
            self._targets = _Targets(*ids, frame.image, reply.segments, missed)
            self._camera, self._newest = camera, None
            self._changed.notify()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="pixelrs_tracking", daemon=True)
                self._thread.start()

    def forget(self, session_id: str) -> None:
        """Follow a dialogue's targets no longer."""
        with self._changed:
            if self._targets is not None and self._targets.session_id == session_id:
                self._targets = self._newest = None

    def close(self) -> None:
        """End the thread; waits for the image that is being worked on."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._newest or self._targets is not self._following)
                if self._closed:
                    return
                targets, frame, self._newest = self._targets, self._newest, None
            started_s = time.monotonic()
            try:
                self._follow(targets, frame)
            except BadInputError as error:  # a compressed image that cannot be decoded; the next one may be whole
                self._logger.warning(f"tracking skips an image: {error}", throttle_duration_sec=5.0)
            except Exception:  # in a thread nobody would see it, and the turns must go on
                self._logger.error(traceback.format_exc())
                self._abandon(targets)
            period_s = (_BUSY_FACTOR if self._is_busy() else 1.0) / self._parameters().tracking_rate_hz
            with self._changed:
                rest_s = started_s + period_s - time.monotonic()
                self._changed.wait_for(lambda: self._closed or self._targets is not self._following, max(0.0, rest_s))

    def _follow(self, targets: _Targets | None, frame: BufferedFrame[Image] | None) -> None:
        """Begin with new targets, and publish where they are if there is an image."""
        if targets is not self._following:
            self._following, self._tracker = targets, None
        if targets is None or not self._parameters().track_targets:
            return
        if self._tracker is None:
            self._tracker = self._catch_up(targets)
        if frame is None:
            return
        message = _tracking_message(self._tracker, targets, frame, self._parameters().mask_encoding)
        with self._changed:
            self._followed += 1
            wanted = self._targets is targets and not self._closed
        if wanted:
            self._outputs.send(self._outputs.tracking, message)

    def _catch_up(self, targets: _Targets) -> Tracker:
        """A tracker that has seen what came while the turn was answered."""
        tracker = Tracker(targets.image, [segment.mask for segment in targets.segments])
        for frame in targets.missed:
            if self._closed or self._targets is not targets:
                break
            with contextlib.suppress(BadInputError):  # one that cannot be decoded
                tracker.update(conversions.image_to_rgb(frame.message, frame.bits))
        return tracker

    def _abandon(self, targets: _Targets | None) -> None:
        with self._changed:
            if self._targets is targets:
                self._targets = self._newest = None


def _tracking_message(tracker: Tracker, targets: _Targets, frame: BufferedFrame[Image], encoding: str) -> Tracking:
    """The message of one image."""
    header = frame.message.header
    found = tracker.update(conversions.image_to_rgb(frame.message, frame.bits))
    message = Tracking(header=header, session_id=targets.session_id, turn=targets.turn)
    message.instruction_id = targets.instruction_id
    for index, (segment, tracked) in enumerate(zip(targets.segments, found, strict=True)):
        filled = fill_tracked(TrackedSegment(), header, index, segment.phrase, tracked, encoding)
        filled.track_id = conversions.track_id(targets.instruction_id, index)
        message.segments.append(filled)
    return message


def fill_tracked(
    message: TrackedSegment, header: Header, index: int, phrase: str, tracked: TrackedMask,
    encoding: str = conversions.FULL,
) -> TrackedSegment:  # fmt: skip
    """Fill one target's message.

    Args:
        message: Filled and returned.
        header: The image's header.
        index: The segment's index in its turn.
        phrase: The words that name it.
        tracked: Its mask in this image.
        encoding: How the mask is sent, one of `conversions.MASK_ENCODINGS`.
    """
    message.state = tracked.state.value
    message.segment, message.phrase, message.confidence = index, phrase, tracked.confidence
    conversions.fill_mask_and_box(message, header, tracked.mask, encoding)
    return message
