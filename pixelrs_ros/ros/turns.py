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
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import LifecyclePublisher
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.overlay import paint
from pixelrs_ros.ros import conversions
from pixelrs_ros.ros.frames import BufferedFrame, require_usable
from pixelrs_ros.ros.health import Health
from pixelrs_ros.ros.parameters import NodeParameters
from pixelrs_ros.types import DEFAULT_SESSION_ID, Frame, Reply, Segment, Status, Turn, Utterance

_LOGGED_CHARACTERS = 120


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

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The turns of a dialogue, oldest first."""

    def next_index(self, session_id: str) -> int:
        """The number that the dialogue's next turn will have."""

    def reset(self, session_id: str) -> int:
        """Forget a dialogue; how many turns it had."""

    def session_ids(self) -> tuple[str, ...]:
        """The dialogues that are remembered."""


PARTIAL_PERIOD_S = 0.05  # faster than anybody reads; a message for every token would cost as much as the token


class TurnCancelledError(Exception):
    """Ends a turn that nobody waits for any more."""


@dataclass(frozen=True)
class Job:
    """An instruction and the image that it speaks about.

    Attributes:
        instruction: As it came.
        stamp_ns: Start of the utterance, nanoseconds.
        selected: What `FrameBuffer.select` chose when the instruction came, so that waiting does not age it.
        received_s: `time.perf_counter()` when the instruction came.
    """

    instruction: Instruction
    stamp_ns: int
    selected: tuple[BufferedFrame[Image] | None, str]
    received_s: float

    @property
    def session_id(self) -> str:
        """The dialogue, never empty."""
        return self.instruction.session_id or DEFAULT_SESSION_ID

    @property
    def header(self) -> Header:
        """Of the image; without one that of the instruction."""
        frame, _ = self.selected
        return self.instruction.header if frame is None else frame.message.header


@dataclass(frozen=True)
class Outputs:
    """The publishers of a turn's messages."""

    context: Context
    segmentation: LifecyclePublisher[Segmentation]
    partial_segmentation: LifecyclePublisher[Segmentation]
    explanation: LifecyclePublisher[Explanation]
    mask: LifecyclePublisher[Image]
    overlay: LifecyclePublisher[Image]

    def send(self, publisher: LifecyclePublisher[Any], message: Any) -> None:
        """Publish, unless ROS has been shut down meanwhile, which a turn in another thread cannot foresee."""
        try:
            publisher.publish(message)
        except (rclpy_implementation.RCLError, InvalidHandle):
            if self.context.ok():
                raise


@dataclass
class _Turn:
    """The turn that is being answered.

    Attributes:
        job: What it answers.
        index: Within its dialogue.
        frame: Its image, None as long as it has not been converted.
        told: The masks that have been published.
        spoken_s: `time.perf_counter()` when the explanation so far was last published.
    """

    job: Job
    index: int
    frame: Frame | None = None
    told: list[Segment] = field(default_factory=list)
    spoken_s: float = -math.inf


class TurnRunner:
    """Runs turns one after another, in the worker's thread.

    Args:
        dialogues: The network and its dialogues.
        outputs: Where the answers go.
        health: Told how each turn ended.
        logger: Of the node.
        parameters: Gives the values in force.
    """

    def __init__(
        self,
        dialogues: Dialogues,
        outputs: Outputs,
        health: Health,
        logger: RcutilsLogger,
        parameters: Callable[[], NodeParameters],
    ) -> None:
        self._dialogues = dialogues
        self._outputs = outputs
        self._health = health
        self._logger = logger
        self._parameters = parameters
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the running turn at its next word and refuse the ones after it. May be called from any thread."""
        self._cancelled.set()

    def run(self, job: Job) -> None:
        """Answer an instruction. Never raises: whatever goes wrong becomes the turn's status and message."""
        started_s = time.perf_counter()
        latency_ms = {"queue": 1e3 * (started_s - job.received_s)}
        turn = _Turn(job, self._dialogues.next_index(job.session_id))
        try:
            turn.frame = self._frame(job)
            latency_ms["convert"] = 1e3 * (time.perf_counter() - started_s)
            utterance = conversions.utterance_from_instruction(job.instruction, job.stamp_ns)
            reply = self._dialogues.say(
                utterance,
                turn.frame,
                on_text=lambda text: self._on_text(turn, text),
                on_segment=lambda segment: self._on_segment(turn, segment),
            )
        except BadInputError as error:
            reply = Reply(status=Status.BAD_INPUT, text="", message=str(error))
        except TurnCancelledError:
            reply = Reply(
                status=Status.INTERNAL_ERROR,
                text="",
                message="the node was deactivated during this turn: send it again",
            )
        except Exception as error:
            self._logger.error(traceback.format_exc())
            reply = Reply(status=Status.INTERNAL_ERROR, text="", message=f"{type(error).__name__}: {error}")
        latency_ms.update(reply.latency_ms)
        latency_ms["total"] = 1e3 * (time.perf_counter() - job.received_s)
        self._answer(turn, replace(reply, latency_ms=latency_ms))

    def refuse(self, job: Job, status: Status, message: str) -> None:
        """Answer an instruction without running it."""
        total_ms = 1e3 * (time.perf_counter() - job.received_s)
        reply = Reply(status=status, text="", message=message, latency_ms={"total": total_ms})
        self._answer(_Turn(job, self._dialogues.next_index(job.session_id)), reply)

    def _frame(self, job: Job) -> Frame:
        if self._cancelled.is_set():
            raise TurnCancelledError
        buffered = require_usable(job.selected)
        return conversions.frame_from_image(buffered.message, buffered.stamp_ns)

    def _on_text(self, turn: _Turn, text: str) -> None:
        if self._cancelled.is_set():
            raise TurnCancelledError
        now_s = time.perf_counter()
        if self._parameters().publish_partials and now_s - turn.spoken_s >= PARTIAL_PERIOD_S:
            turn.spoken_s = now_s
            message = conversions.fill_partial(Explanation(), turn.job.header, turn.job.instruction, turn.index, text)
            self._outputs.send(self._outputs.explanation, message)

    def _on_segment(self, turn: _Turn, segment: Segment) -> None:
        """Publish the masks so far: whoever waits for one need not wait for the rest of the words."""
        if self._cancelled.is_set():
            raise TurnCancelledError
        if not segment.mask.any() or not self._parameters().publish_partials:
            return
        turn.told.append(segment)
        total_ms = 1e3 * (time.perf_counter() - turn.job.received_s)
        so_far = Reply(Status.GROUNDED, "", segments=tuple(turn.told), latency_ms={"total": total_ms})
        message = conversions.fill_segmentation(
            Segmentation(), turn.job.header, turn.job.instruction, turn.index, so_far
        )
        self._outputs.send(self._outputs.partial_segmentation, message)
        self._send_mask(turn, so_far)

    def _send_mask(self, turn: _Turn, reply: Reply) -> None:
        assert turn.frame is not None
        union = reply.union_mask(*turn.frame.image.shape[:2])
        self._outputs.send(self._outputs.mask, conversions.fill_mask(Image(), turn.job.header, union))

    def _answer(self, turn: _Turn, reply: Reply) -> None:
        if not self._outputs.context.ok():  # ROS has been shut down: nobody is left to tell
            return
        self._health.note_turn(reply)
        job, send = turn.job, self._outputs.send
        self._log(job, turn.index, reply)
        if turn.frame is not None and reply.status not in (Status.BAD_INPUT, Status.INTERNAL_ERROR):
            if not turn.told:
                self._send_mask(turn, reply)
            if self._parameters().publish_overlay:
                painted = paint(turn.frame.image, [segment.mask for segment in reply.segments])
                send(self._outputs.overlay, conversions.fill_image(Image(), job.header, painted, "rgb8"))
        segmentation = conversions.fill_segmentation(Segmentation(), job.header, job.instruction, turn.index, reply)
        send(self._outputs.segmentation, segmentation)
        # Last, so that whoever waits for the end of the turn has most likely had the rest.
        explanation = conversions.fill_explanation(Explanation(), job.header, job.instruction, turn.index, reply)
        send(self._outputs.explanation, explanation)

    def _log(self, job: Job, turn: int, reply: Reply) -> None:
        text = job.instruction.text
        said = text if len(text) <= _LOGGED_CHARACTERS else f"{text[:_LOGGED_CHARACTERS]}… ({len(text)} characters)"
        line = f"[{job.session_id} {turn}] {said!r} -> {reply.status.value}: {reply.text or reply.message!r}"
        line += f" ({reply.latency_ms['total']:.0f} ms)"
        if reply.status is Status.INTERNAL_ERROR:
            self._logger.error(line)
        elif reply.status is Status.BAD_INPUT:
            self._logger.warning(line)
        else:
            self._logger.info(line)
