"""From what the network has found to the messages that answer a turn: partial, final, or a refusal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecyclePublisher
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import MarkerArray

from pixelrs_ros.msg import Explanation, Segmentation, TurnPoints
from pixelrs_ros.overlay import paint
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.perception.latency import accounted
from pixelrs_ros.ros.perception.locating import Locator, fill_geometry
from pixelrs_ros.ros.perception.outputs import Outputs
from pixelrs_ros.ros.perception.target_frame import TargetFrame
from pixelrs_ros.ros.queueing.session_frames import SessionFrames
from pixelrs_ros.ros.queueing.turn_numbers import TurnNumbers
from pixelrs_ros.ros.queueing.turn_request import Stage, TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.image_outputs import is_wanted
from pixelrs_ros.ros.wire.markers import fill_markers
from pixelrs_ros.ros.wire.point_cloud import fill_point_cloud
from pixelrs_ros.ros.wire.targets import Target
from pixelrs_ros.types import Frame, Reply, Segment, Status, unlikely

PARTIAL_PERIOD_S = 0.05  # faster than anybody reads; a message for every token would cost as much as the token
_LOGGED_CHARACTERS = 200
_REFUSALS_PERIOD_S = 1.0


@dataclass
class OpenTurn:
    """A turn that has not been answered yet.

    Attributes:
        request: The instruction.
        index: Number within its dialogue.
        locator: Measures where its masks are in space.
        frame: Its image, None until it has been converted.
        text: The explanation so far.
        segments: The masks so far.
        num_points_published: How many of them the last point cloud showed.
        text_published_s: `time.perf_counter()` when the explanation so far was last published.
        opened_s: `time.perf_counter()` when it began.
    """

    request: TurnRequest
    index: int
    locator: Locator
    frame: Frame | None = None
    text: str = ""
    segments: list[Segment] = field(default_factory=list)
    num_points_published: int = 0
    text_published_s: float = -math.inf
    opened_s: float = field(default_factory=time.perf_counter)


class Answers:
    """Publishes what is known of a turn, and ends it. May be used from any thread.

    Args:
        numbers: Numbers the turns of each dialogue.
        outputs: Where the answers go.
        session_frames: Notes which image each turn was about.
        health: Counts how turns ended.
        target_frame: Gives targets in the frame that a planner works in.
        logger: The node's logger.
        parameters: Gives the values in force.
        on_answered: Called for every turn of a dialogue that has been answered, with its index, image and reply.
    """

    def __init__(
        self,
        numbers: TurnNumbers,
        outputs: Outputs,
        session_frames: SessionFrames,
        health: Health,
        target_frame: TargetFrame,
        logger: RcutilsLogger,
        parameters: Callable[[], NodeParameters],
        on_answered: Callable[[TurnRequest, int, Frame, Reply], None],
    ) -> None:
        self._numbers = numbers
        self._outputs = outputs
        self._session_frames = session_frames
        self._health = health
        self._target_frame = target_frame
        self._logger = logger
        self._parameters = parameters
        self._on_answered = on_answered

    def open(self, request: TurnRequest) -> OpenTurn:
        """The turn of a request, numbered within its dialogue."""
        self._target_frame.look(request.bound)
        index = 0 if request.one_shot else self._numbers.take(request.session_id)
        return OpenTurn(request, index, Locator(request.bound, self._parameters()))

    def refuse(self, request: TurnRequest, status: Status, message: str, text: str = "") -> None:
        """Answer a request without running it; the robot says `text`, or the message where that is empty."""
        waited_ms = 1e3 * (time.perf_counter() - request.received_s)
        latency_ms = accounted({"queue": waited_ms}, waited_ms)
        self.end(self.open(request), Reply(status=status, text=text, message=message, latency_ms=latency_ms))

    def add_text(self, turn: OpenTurn, text: str) -> None:
        """Publish the explanation so far, unless it has just been published."""
        turn.text = text
        now_s = time.perf_counter()
        if now_s - turn.text_published_s < PARTIAL_PERIOD_S:
            return
        turn.text_published_s = now_s
        turn.request.on_progress(Stage.GROUNDING if turn.segments else Stage.REASONING, text)
        if self._parameters().publish_partials:
            request = turn.request
            message = conversions.fill_partial(Explanation(), request.header, request.instruction, turn.index, text)
            self._send(turn, self._outputs.explanation, message)

    def add_segment(self, turn: OpenTurn, segment: Segment) -> None:
        """Publish the masks so far: whoever waits for one need not wait for the rest of the words."""
        if not segment.mask.any():
            return
        turn.segments.append(segment)
        turn.request.on_progress(Stage.GROUNDING, turn.text)
        if turn.request.one_shot or not self._parameters().publish_partials:
            return
        received_s = turn.request.received_s
        latency_ms = accounted({"queue": 1e3 * (turn.opened_s - received_s)}, 1e3 * (time.perf_counter() - received_s))
        so_far = Reply(Status.GROUNDED, "", segments=tuple(turn.segments), latency_ms=latency_ms)
        self._send(turn, self._outputs.partial_segmentation, self._segmentation(turn, so_far))
        self._send_mask(turn, so_far)
        self._send_points(turn, so_far)

    def end(self, turn: OpenTurn, reply: Reply) -> None:
        """End a turn with its answer."""
        if not self._outputs.context.ok():  # ROS has been shut down: nobody receives an answer
            return
        request, answered = turn.request, reply.status.answered
        self._health.note_turn(reply)
        if not request.one_shot:
            if not answered and reply.status is not Status.REJECTED:  # a flood must not wear out the disk
                self._numbers.keep(request.session_id, turn.index)
            self._session_frames.close(request.session_id, request.bound, answered=answered)
        segmentation = self._segmentation(turn, reply)
        shown = zip(segmentation.segments, reply.segments, strict=True)
        places = ((filled.geometry, turn.locator(one)) for filled, one in shown)
        self._target_frame.fill(request.bound, places, self._parameters().target_frame_wait_s)
        request.ended = True  # before it is published: whoever receives the answer may send the next one at once
        if not request.one_shot:
            self._outputs.answer(self._outputs.segmentation, segmentation)
        if answered:
            self._send_points(turn, reply)
        # Before the end of the turn is known, so that an image that is shown after it is followed.
        if answered and turn.frame is not None and not request.one_shot:
            self._on_answered(request, turn.index, turn.frame, reply)
        # After the masks, so that whoever waits for the end of the turn has most likely received them.
        explanation = conversions.fill_explanation(
            Explanation(), request.header, request.instruction, turn.index, reply
        )
        if not request.one_shot:
            self._outputs.answer(self._outputs.explanation, explanation)
        request.on_end(segmentation, explanation)
        if turn.segments and not answered:
            self._send_mask(turn, reply)  # an empty one: what was shown before the turn failed does not hold
        # Pictures for people come last: no program waits for them.
        if answered:
            self._send_markers(turn, reply)
            self._send_detections(turn, reply)
            self._send_images(turn, reply)
            self._warn_of_mismatch(request)
        self._log(request, turn.index, reply)
        if reply.is_unlikely:
            said = "said once; see `novelty` in every Segmentation, and the diagnostics"
            self._logger.warning(f"[{_shorten(request.session_id)} {turn.index}] {unlikely(reply)} ({said})", once=True)

    def _segmentation(self, turn: OpenTurn, reply: Reply) -> Segmentation:
        """The message of a turn's masks, partial or final."""
        request = turn.request
        ids, encoding = (request.header, request.instruction, turn.index), self._parameters().mask_encoding
        message = conversions.fill_segmentation(Segmentation(), *ids, reply, encoding)
        for filled, segment in zip(message.segments, reply.segments, strict=True):
            fill_geometry(filled.geometry, turn.locator(segment))
        return message

    def _send(self, turn: OpenTurn, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish, unless the answer goes to one caller alone."""
        if not turn.request.one_shot:
            self._outputs.send(publisher, message)

    def _send_mask(self, turn: OpenTurn, reply: Reply) -> None:
        assert turn.frame is not None
        if self._outputs.mask.wanted and not turn.request.one_shot:
            mask = reply.union_mask(*turn.frame.image.shape[:2])
            self._outputs.mask.publish(turn.request.header, mask, turn.request.instruction, turn.index)

    def _send_points(self, turn: OpenTurn, reply: Reply) -> None:
        """Publish the points of the masks so far, where depth came with the image and they are not out already."""
        wanted = self._parameters().publish_points and turn.locator.can_measure and not turn.request.one_shot
        if not wanted or len(reply.segments) == turn.num_points_published:
            return
        assert turn.frame is not None
        turn.num_points_published = len(reply.segments)
        geometries = [turn.locator(segment) for segment in reply.segments]
        cloud = fill_point_cloud(PointCloud2(), turn.request.header, geometries, turn.frame.image)
        self._send(turn, self._outputs.target_points, cloud)
        if is_wanted(self._outputs.turn_points):
            ids = turn.request.header, turn.request.instruction, turn.index
            self._send(turn, self._outputs.turn_points, conversions.fill_turn_points(TurnPoints(), *ids, cloud))

    def _send_markers(self, turn: OpenTurn, reply: Reply) -> None:
        """Publish what RViz draws of a turn's targets, where depth came with the image."""
        if turn.request.one_shot or not turn.locator.can_measure or not is_wanted(self._outputs.markers):
            return
        name = turn.request.instruction.instruction_id
        markers = fill_markers(MarkerArray(), turn.request.header, name, _targets(turn, reply))
        self._send(turn, self._outputs.markers, markers)

    def _send_detections(self, turn: OpenTurn, reply: Reply) -> None:
        """Publish the targets for tools that know vision_msgs, where that is installed."""
        if not turn.request.one_shot:
            self._outputs.detections.publish(turn.request.header, lambda: _targets(turn, reply))

    def _send_images(self, turn: OpenTurn, reply: Reply) -> None:
        assert turn.frame is not None
        values = self._parameters()
        if not (turn.segments and values.publish_partials):
            self._send_mask(turn, reply)
        if values.publish_overlay and self._outputs.overlay.wanted and not turn.request.one_shot:
            point = conversions.point_of(turn.request.instruction.pointing)
            painted = paint(turn.frame.image, [segment.mask for segment in reply.segments], point=point)
            self._outputs.overlay.publish(turn.request.header, painted, turn.request.instruction, turn.index)

    def _warn_of_mismatch(self, request: TurnRequest) -> None:
        mismatch = None if request.bound is None else request.bound.mismatch()
        if not request.one_shot:  # what a caller of the service gives says nothing about the robot's camera
            self._health.note_mismatch(mismatch)
        if mismatch is not None:
            self._logger.warning(f"no 3D for this turn: {mismatch}")

    def _log(self, request: TurnRequest, index: int, reply: Reply) -> None:
        said, session_id = _shorten(request.instruction.text), _shorten(request.session_id)
        line = f"[{session_id} {index}] {said} -> {reply.status.value}: {_shorten(reply.text or reply.message)}"
        line += f" ({reply.latency_ms['total']:.0f} ms)"
        if reply.status is Status.INTERNAL_ERROR:
            self._logger.error(line)
        elif reply.status.answered:
            self._logger.info(line)
        elif reply.status is Status.REJECTED:  # a flood of instructions must not flood the log
            self._logger.warning(line, throttle_duration_sec=_REFUSALS_PERIOD_S)
        else:
            self._logger.warning(line)


def _targets(turn: OpenTurn, reply: Reply) -> list[Target]:
    """What messages of other packages say of a turn's segments."""
    name = turn.request.instruction.instruction_id
    return [
        Target(one.phrase, turn.locator(one), conversions.track_id(name, index), one.score, one.box)
        for index, one in enumerate(reply.segments)
    ]


def _shorten(text: str) -> str:
    """A text for the log: quoted, cut, and without control characters, which could forge lines."""
    if len(text) <= _LOGGED_CHARACTERS:
        return repr(text)
    return f"{text[:_LOGGED_CHARACTERS]!r}… ({len(text)} characters)"
