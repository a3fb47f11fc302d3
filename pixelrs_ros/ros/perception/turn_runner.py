"""One turn of a dialogue, from an instruction and its image to the messages that answer it."""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from rclpy.context import Context
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecyclePublisher
from sensor_msgs.msg import Image, PointCloud2

from pixelrs_ros.errors import BadInputError, NoFrameError, TurnCancelledError
from pixelrs_ros.msg import Explanation, Segmentation, Tracking
from pixelrs_ros.overlay import paint
from pixelrs_ros.ros.parameters.values import NodeParameters
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.perception.locating import Locator, fill_geometry
from pixelrs_ros.ros.queueing.frame_buffer import BufferedFrame, require_usable
from pixelrs_ros.ros.queueing.session_frames import SessionFrames
from pixelrs_ros.ros.queueing.turn_request import Job, Stage
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.image_outputs import ImageOutput, send
from pixelrs_ros.ros.wire.point_cloud import fill_point_cloud
from pixelrs_ros.types import Frame, Reply, Segment, Status, Turn, Utterance

_LOGGED_CHARACTERS = 200
_REFUSALS_PERIOD_S = 1.0


class Dialogues(Protocol):
    """What a turn needs of `pixelrs_ros.engine.session.Session`."""

    @property
    def backend(self) -> str:
        """What the network runs on, in words for the log and the diagnostics."""

    def say(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
    ) -> Reply:
        """Answer one utterance, telling its words and its masks as soon as they are known."""

    def ask(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
    ) -> Reply:
        """Answer one utterance outside of any dialogue."""

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The turns of a dialogue, oldest first."""

    def next_index(self, session_id: str) -> int:
        """The number that the dialogue's next turn will have."""

    def reset(self, session_id: str) -> int:
        """Forget a dialogue; how many turns it had."""

    def session_ids(self) -> tuple[str, ...]:
        """The dialogues at hand, of which more may be known than their words."""


PARTIAL_PERIOD_S = 0.05  # faster than anybody reads; a message for every token would cost as much as the token


@dataclass(frozen=True)
class Outputs:
    """The publishers of a turn's messages."""

    context: Context
    segmentation: LifecyclePublisher[Segmentation]
    partial_segmentation: LifecyclePublisher[Segmentation]
    explanation: LifecyclePublisher[Explanation]
    mask: ImageOutput
    overlay: ImageOutput
    target_points: LifecyclePublisher[PointCloud2]
    tracking: LifecyclePublisher[Tracking]

    def send(self, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish, also in a thread that cannot know whether ROS has been shut down meanwhile."""
        send(self.context, publisher, message)


@dataclass
class _Turn:
    """The turn that is being answered.

    Attributes:
        job: What it answers.
        index: Within its dialogue.
        locator: Measures where its masks are in space.
        frame: Its image, None as long as it has not been converted.
        text: The explanation so far.
        told: The masks that have been published.
        pointed: How many of them the last cloud of points showed.
        spoken_s: `time.perf_counter()` when the explanation so far was last told.
    """

    job: Job
    index: int
    locator: Locator
    frame: Frame | None = None
    text: str = ""
    told: list[Segment] = field(default_factory=list)
    pointed: int = 0
    spoken_s: float = -math.inf


class TurnRunner:
    """Runs turns one after another, in the worker's thread.

    Args:
        dialogues: The network and its dialogues.
        outputs: Where the answers go.
        session_frames: Told which image each turn was about.
        health: Told how each turn ended.
        logger: Of the node.
        parameters: Gives the values in force.
        on_answered: Told of every turn of a dialogue that has been answered, with its index, image and reply.
    """

    def __init__(
        self,
        dialogues: Dialogues,
        outputs: Outputs,
        session_frames: SessionFrames,
        health: Health,
        logger: RcutilsLogger,
        parameters: Callable[[], NodeParameters],
        on_answered: Callable[[Job, int, Frame, Reply], None],
    ) -> None:
        self._dialogues = dialogues
        self._outputs = outputs
        self._session_frames = session_frames
        self._health = health
        self._logger = logger
        self._parameters = parameters
        self._on_answered = on_answered
        self._stopping = threading.Event()
        self._last: tuple[BufferedFrame[Image], Frame] | None = None  # the image that was converted last

    def stop(self) -> None:
        """End the running turn at its next token and refuse the ones after it. May be called from any thread."""
        self._stopping.set()

    def run(self, job: Job) -> None:
        """Answer an instruction. Never raises: whatever goes wrong becomes the turn's status and message."""
        started_s = time.perf_counter()
        latency_ms = {"queue": 1e3 * (started_s - job.received_s)}
        turn = self._begin(job)
        try:
            self._check(job)
            job.on_progress(Stage.ENCODING, "")
            image = require_usable(job.bound, job.problem)
            if job.captured_s is not None:
                self._health.note_frame_age(time.perf_counter() - job.captured_s)
            turn.frame = self._converted(image)
            latency_ms["convert"] = 1e3 * (time.perf_counter() - started_s)
            utterance = conversions.utterance_from_instruction(job.instruction, job.stamp_ns)
            answer = self._dialogues.ask if job.one_shot else self._dialogues.say
            reply = answer(
                utterance,
                turn.frame,
                on_text=lambda text: self._on_text(turn, text),
                on_segment=lambda segment: self._on_segment(turn, segment),
            )
            latency_ms.update(reply.latency_ms)
            if reply.segments and turn.locator.can_measure:
                latency_ms["geometry"] = turn.locator.measure(reply.segments)
        except NoFrameError as error:
            reply = Reply(status=Status.NO_FRAME, text="", message=str(error))
        except BadInputError as error:
            reply = Reply(status=Status.BAD_INPUT, text="", message=str(error))
        except TurnCancelledError as error:
            reply = Reply(status=Status.CANCELLED, text="", message=str(error))
        except Exception as error:
            self._logger.error(traceback.format_exc())
            reply = Reply(status=Status.INTERNAL_ERROR, text="", message=f"{type(error).__name__}: {error}")
        latency_ms["total"] = 1e3 * (time.perf_counter() - job.received_s)
        self._answer(turn, replace(reply, latency_ms=latency_ms))

    def refuse(self, job: Job, status: Status, message: str) -> None:
        """Answer an instruction without running it. May be called from any thread."""
        total_ms = 1e3 * (time.perf_counter() - job.received_s)
        self._answer(self._begin(job), Reply(status=status, text="", message=message, latency_ms={"total": total_ms}))

    def _begin(self, job: Job) -> _Turn:
        index = 0 if job.one_shot else self._dialogues.next_index(job.session_id)
        if job.instruction.replace_last and index:
            index -= 1
        return _Turn(job, index, Locator(job.bound, self._parameters()))

    def _converted(self, image: BufferedFrame[Image]) -> Frame:
        """The frame of an image; that of the turn before, where it is about the same one."""
        if self._last is None or self._last[0] is not image:
            self._last = (image, conversions.frame_from_image(image.message, image.stamp_ns))
        return self._last[1]

    def _check(self, job: Job) -> None:
        if self._stopping.is_set():
            raise TurnCancelledError("the node was deactivated during this turn: send it again")
        job.check()

    def _warn_of_mismatch(self, job: Job) -> None:
        mismatch = "" if job.bound is None else job.bound.mismatch()
        if not job.one_shot:  # what a caller of the service gives says nothing about the robot's camera
            self._health.note_mismatch(mismatch)
        if mismatch:
            self._logger.warning(f"no 3D for this turn: {mismatch}")

    def _on_text(self, turn: _Turn, text: str) -> None:
        self._check(turn.job)
        turn.text = text
        now_s = time.perf_counter()
        if now_s - turn.spoken_s < PARTIAL_PERIOD_S:
            return
        turn.spoken_s = now_s
        turn.job.on_progress(Stage.GROUNDING if turn.told else Stage.REASONING, text)
        if self._parameters().publish_partials:
            job = turn.job
            message = conversions.fill_partial(Explanation(), job.header, job.instruction, turn.index, text)
            self._send(turn, self._outputs.explanation, message)

    def _on_segment(self, turn: _Turn, segment: Segment) -> None:
        """Publish the masks so far: whoever waits for one need not wait for the rest of the words."""
        self._check(turn.job)
        if not segment.mask.any():
            return
        turn.told.append(segment)
        turn.job.on_progress(Stage.GROUNDING, turn.text)
        if turn.job.one_shot or not self._parameters().publish_partials:
            return
        total_ms = 1e3 * (time.perf_counter() - turn.job.received_s)
        so_far = Reply(Status.GROUNDED, "", segments=tuple(turn.told), latency_ms={"total": total_ms})
        self._send(turn, self._outputs.partial_segmentation, self._segmentation(turn, so_far))
        self._send_mask(turn, so_far)
        self._send_points(turn, so_far)

    def _segmentation(self, turn: _Turn, reply: Reply) -> Segmentation:
        """The message of a turn's masks, partial or final."""
        job = turn.job
        message = conversions.fill_segmentation(Segmentation(), job.header, job.instruction, turn.index, reply)
        for filled, segment in zip(message.segments, reply.segments, strict=True):
            fill_geometry(filled.geometry, turn.locator(segment))
        return message

    def _send(self, turn: _Turn, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish, except what is nobody's business but the caller's."""
        if not turn.job.one_shot:
            self._outputs.send(publisher, message)

    def _send_mask(self, turn: _Turn, reply: Reply) -> None:
        assert turn.frame is not None
        if self._outputs.mask.wanted and not turn.job.one_shot:
            self._outputs.mask.publish(turn.job.header, reply.union_mask(*turn.frame.image.shape[:2]))

    def _send_points(self, turn: _Turn, reply: Reply) -> None:
        """Publish the points of the masks so far, where depth came with the image and they are not out already."""
        wanted = self._parameters().publish_points and turn.locator.can_measure and not turn.job.one_shot
        if not wanted or len(reply.segments) == turn.pointed:
            return
        assert turn.frame is not None
        turn.pointed = len(reply.segments)
        geometries = [turn.locator(segment) for segment in reply.segments]
        cloud = fill_point_cloud(PointCloud2(), turn.job.header, geometries, turn.frame.image)
        self._send(turn, self._outputs.target_points, cloud)

    def _send_images(self, turn: _Turn, reply: Reply) -> None:
        assert turn.frame is not None
        values = self._parameters()
        if not (turn.told and values.publish_partials):
            self._send_mask(turn, reply)
        if values.publish_overlay and self._outputs.overlay.wanted and not turn.job.one_shot:
            painted = paint(turn.frame.image, [segment.mask for segment in reply.segments])
            self._outputs.overlay.publish(turn.job.header, painted)

    def _answer(self, turn: _Turn, reply: Reply) -> None:
        """End a turn."""
        if not self._outputs.context.ok():  # ROS has been shut down: nobody is left to tell
            return
        job, answered = turn.job, reply.status.answered
        self._health.note_turn(reply)
        if not job.one_shot:
            self._session_frames.close(job.session_id, job.bound, answered=answered)
        segmentation = self._segmentation(turn, reply)
        job.ended = True  # before anybody can know: who has the answer may speak again at once
        self._send(turn, self._outputs.segmentation, segmentation)
        if answered:
            self._send_points(turn, reply)
        # After the masks, so that whoever waits for the end of the turn has most likely had them.
        explanation = conversions.fill_explanation(Explanation(), job.header, job.instruction, turn.index, reply)
        self._send(turn, self._outputs.explanation, explanation)
        job.on_end(segmentation, explanation)
        if answered and turn.frame is not None and not job.one_shot:
            self._on_answered(job, turn.index, turn.frame, reply)
        # Pictures for people, and what nobody waits for.
        if answered:
            self._send_images(turn, reply)
            self._warn_of_mismatch(job)
        self._log(job, turn.index, reply)

    def _log(self, job: Job, turn: int, reply: Reply) -> None:
        said, session_id = _shorten(job.instruction.text), _shorten(job.session_id)
        line = f"[{session_id} {turn}] {said} -> {reply.status.value}: {_shorten(reply.text or reply.message)}"
        line += f" ({reply.latency_ms['total']:.0f} ms)"
        if reply.status is Status.INTERNAL_ERROR:
            self._logger.error(line)
        elif reply.status.answered:
            self._logger.info(line)
        elif reply.status is Status.REJECTED:  # a flood of instructions must not become one of the log
            self._logger.warning(line, throttle_duration_sec=_REFUSALS_PERIOD_S)
        else:
            self._logger.warning(line)


def _shorten(text: str) -> str:
    """A text as it goes to the log: in quotes and without control characters, which could forge lines, and not long."""
    if len(text) <= _LOGGED_CHARACTERS:
        return repr(text)
    return f"{text[:_LOGGED_CHARACTERS]!r}… ({len(text)} characters)"
