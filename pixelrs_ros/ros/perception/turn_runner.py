"""One turn of a dialogue: from an instruction and its image to the network's reply."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import Image

from pixelrs_ros.errors import BadInputError, NoFrameError, TurnCancelledError
from pixelrs_ros.ros.perception.answers import Answers, OpenTurn
from pixelrs_ros.ros.perception.latency import accounted
from pixelrs_ros.ros.queueing import admission
from pixelrs_ros.ros.queueing.bound_frame import BufferedFrame, require_usable
from pixelrs_ros.ros.queueing.turn_request import Stage, TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Frame, Reply, Segment, Status

if TYPE_CHECKING:  # importing torch takes seconds, in which the node can already answer lifecycle calls
    from pixelrs_ros.engine.session import Session


class _NotBegunError(Exception):
    """The node was deactivated before this turn."""


class TurnRunner:
    """Runs turns one after another, in the worker's thread.

    Args:
        session: The network and its dialogues.
        answers: Publishes what the network finds.
        logger: The node's logger.
        note_frame_age: Called with the age of a turn's image when the turn begins, in seconds.
    """

    def __init__(
        self,
        session: Session,
        answers: Answers,
        logger: RcutilsLogger,
        note_frame_age: Callable[[float], None],
    ) -> None:
        self._session = session
        self._answers = answers
        self._logger = logger
        self._note_frame_age = note_frame_age
        self._stopping = threading.Event()
        self._last: tuple[BufferedFrame[Image], Frame] | None = None  # the image that was converted last

    def stop(self) -> None:
        """End the running turn at its next word or stage, refuse the ones after it. May be called from any thread."""
        self._stopping.set()

    def run(self, request: TurnRequest) -> None:
        """Answer an instruction. Never raises: whatever goes wrong becomes the turn's status and message."""
        started_s = time.perf_counter()
        latency_ms = {"queue": 1e3 * (started_s - request.received_s)}
        turn = self._answers.open(request)
        try:
            reply = self._reply(turn, latency_ms, started_s)
        except _NotBegunError:
            reply = Reply(status=Status.REJECTED, text="", message=admission.DEACTIVATED)
        except NoFrameError as error:
            reply = Reply(status=Status.NO_FRAME, text="", message=str(error))
        except BadInputError as error:
            reply = Reply(status=Status.BAD_INPUT, text="", message=str(error))
        except TurnCancelledError as error:
            reply = Reply(status=Status.CANCELLED, text="", message=str(error))
        except Exception as error:
            self._logger.error(traceback.format_exc())
            reply = Reply(status=Status.INTERNAL_ERROR, text="", message=f"{type(error).__name__}: {error}")
        total_ms = 1e3 * (time.perf_counter() - request.received_s)
        self._answers.end(turn, replace(reply, latency_ms=accounted(latency_ms, total_ms)))

    def _reply(self, turn: OpenTurn, latency_ms: dict[str, float], started_s: float) -> Reply:
        """The network's reply; fills `latency_ms`, milliseconds by stage."""
        request = turn.request
        if self._stopping.is_set():
            raise _NotBegunError
        self._check(request)
        request.on_progress(Stage.ENCODING, "")
        image = require_usable(request.bound, request.problem)
        if request.captured_s is not None:
            self._note_frame_age(time.perf_counter() - request.captured_s)
        turn.frame = self._converted(image)
        latency_ms["convert"] = 1e3 * (time.perf_counter() - started_s)
        number = None if request.one_shot else turn.index
        utterance = conversions.utterance_from_instruction(request.instruction, request.stamp_ns, number)
        answer = self._session.ask if request.one_shot else self._session.say
        reply = answer(
            utterance,
            turn.frame,
            on_text=lambda text: self._on_text(turn, text),
            on_segment=lambda segment: self._on_segment(turn, segment),
            on_stage=lambda: self._check(request),
        )
        latency_ms.update(reply.latency_ms)
        if "generate" in latency_ms:  # masks were measured as soon as they were there, between two words
            latency_ms["generate"] -= turn.locator.measure(())
        if reply.segments and turn.locator.can_measure:
            latency_ms["geometry"] = turn.locator.measure(reply.segments)
        return reply

    def _converted(self, image: BufferedFrame[Image]) -> Frame:
        """The frame of an image; that of the turn before, where it is about the same one."""
        if self._last is None or self._last[0] is not image:
            self._last = (image, conversions.frame_from_image(image.message, image.stamp_ns, image.bits))
        return self._last[1]

    def _check(self, request: TurnRequest) -> None:
        if self._stopping.is_set():
            raise TurnCancelledError("the node was deactivated during this turn: send it again")
        request.check()

    def _on_text(self, turn: OpenTurn, text: str) -> None:
        self._check(turn.request)
        self._answers.add_text(turn, text)

    def _on_segment(self, turn: OpenTurn, segment: Segment) -> None:
        self._check(turn.request)
        self._answers.add_segment(turn, segment)
