"""From an instruction to a turn in the worker's queue: its image is pinned, or it is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.parameters.policies import BusyPolicy, FramePolicy
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.answers import Answers
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.queueing import admission
from pixelrs_ros.ros.queueing.frame_buffer import CameraBuffers, FrameChoice, FrameLimits
from pixelrs_ros.ros.queueing.rate_limiter import RateLimiter
from pixelrs_ros.ros.queueing.rejection import Rejection, RejectionKind
from pixelrs_ros.ros.queueing.session_frames import SessionFrames
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.queueing.worker import Worker
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Reply, Status, check_instruction_id

_POLICIES = {
    Instruction.SESSION_POLICY: None,
    Instruction.PER_TURN: FramePolicy.PER_TURN,
    Instruction.PIN_FIRST: FramePolicy.PIN_FIRST,
    Instruction.LATEST: FramePolicy.LATEST,
}


_QUOTED_CHARACTERS = 200
ASK_AGAIN = "I did not understand that. Please say it again."


class _Refused(NamedTuple):
    """A request that is to be answered without being run, as soon as the lock is free."""

    request: TurnRequest
    status: Status
    message: str
    text: str = ""  # what the robot says; empty: the message


@dataclass
class _Waiting:
    """A request that waits for its image.

    Attributes:
        request: The request.
        timed_out: Whether it has waited `max_frame_wait_s`, so that it takes the best image there is.
    """

    request: TurnRequest
    timed_out: bool = field(default=False)


class Intake:
    """Lets an instruction in or refuses it, pins its image when it comes, and queues it.

    An instruction whose image is still on its way (see `FrameBuffer.select`) waits for it without holding up other
    dialogues; the ones after it in its own dialogue wait behind it. No thread sleeps: images and a timer wake it.

    The lock covers decisions only. What is refused is answered after it has been released: publishing an
    answer runs callbacks, which may enter the intake again.

    Args:
        buffers: What the cameras have sent.
        sessions: The dialogues' frame policies and pinned images.
        answers: Answers what is refused.
        worker: Runs what is not.
        health: Counts what was refused or preempted.
        parameters: Gives the values in force.
        now_ns: Gives the node's time, nanoseconds.
        call_later: Calls something once after so many seconds.
    """

    def __init__(
        self,
        buffers: CameraBuffers,
        sessions: SessionFrames,
        answers: Answers,
        worker: Worker[TurnRequest],
        health: Health,
        *,
        parameters: Callable[[], NodeParameters],
        now_ns: Callable[[], int],
        call_later: Callable[[float, Callable[[], None]], Any],
    ) -> None:
        self._buffers = buffers
        self._sessions = sessions
        self._answers = answers
        self._worker = worker
        self._health = health
        self._limiter = RateLimiter()
        self._parameters = parameters
        self._now_ns = now_ns
        self._call_later = call_later
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []  # in the order they came
        self._closed = False

    @property
    def waiting(self) -> int:
        """Instructions that wait for their image."""
        return len(self._waiting)

    @property
    def tracked_sessions(self) -> int:
        """Dialogues whose rate is kept track of."""
        return len(self._limiter)

    def take(self, request: TurnRequest) -> None:
        """Take an instruction; it is answered sooner or later, whatever happens."""
        values = self._parameters()
        if request.one_shot:  # brings its own image
            with self._lock:
                refused = self._bad(request) or self._queue(request, values)
            self._refuse(refused)
            return
        self._health.note_instruction()
        with self._lock:
            refused = self._admit(request, values)
            must_wait = any(waiting.request is request for waiting in self._waiting)
        self._refuse(refused)
        if must_wait:
            self._call_later(values.max_frame_wait_s, lambda: self._time_out(request))

    def bind_waiting(self) -> None:
        """Pin the images of all that wait for one which is here now; called for every image."""
        if not self._waiting:  # the usual case, and images are frequent
            return
        with self._lock:
            refused = self._bind_waiting()
        self._refuse(refused)

    def cancel(self, request: TurnRequest, message: str) -> None:
        """Cancel an instruction: at once while it waits, at its next token while it is being answered."""
        with self._lock:
            refused = self._cancel(request, message)
            refused += self._bind_waiting()  # what waited behind it need not wait any more
        self._refuse(refused)

    def cancel_dialogue(self, session_id: str, message: str) -> int:
        """Cancel every instruction of a dialogue that has not been answered yet.

        Returns:
            How many there were.
        """
        with self._lock:
            waiting = [*self._waiting_of(session_id), *self._worker.jobs_of(session_id)]
            refused = [one for request in waiting for one in self._cancel(request, message)]
            refused += self._bind_waiting()
        self._refuse(refused)
        return len(waiting)

    def close(self) -> list[TurnRequest]:
        """Take no images any more, and refuse whatever else comes.

        Returns:
            What still waited for one, in order.
        """
        with self._lock:
            self._closed = True
            left, self._waiting = self._waiting, []
        return [waiting.request for waiting in left]

    # With the lock held. Each of these returns what is to be refused after the lock has been released.

    def _admit(self, request: TurnRequest, values: NodeParameters) -> list[_Refused]:
        rejection = self._rejection(request, values)
        if rejection is not None:
            self._sessions.open(request.session_id)
            return [self._reject(request, rejection)]
        if bad := self._bad(request):
            self._sessions.open(request.session_id)
            return bad
        if unclear := _unclear(request, values):
            self._sessions.open(request.session_id)
            return unclear
        requested = request.instruction.frame_policy
        self._sessions.open(request.session_id, _POLICIES.get(requested))
        if requested not in _POLICIES:
            message = f"frame_policy must be one of {', '.join(map(str, _POLICIES))}, got {requested}"
            return [_Refused(request, Status.BAD_INPUT, message)]
        refused = []
        if values.busy_policy == BusyPolicy.PREEMPT:
            for other in self._waiting_of(request.session_id):
                self._health.note_preemption()
                refused += self._cancel(other, admission.PREEMPTED)
        self._waiting.append(_Waiting(request))
        return refused + self._bind_waiting()

    def _bad(self, request: TurnRequest) -> list[_Refused]:
        """Nothing, unless the instruction could be neither stored nor named, or points at several places."""
        try:
            conversions.check_instruction_stamp(request.instruction.header.stamp)
            check_instruction_id(request.instruction.instruction_id)
            conversions.point_of(request.instruction.pointing)
        except BadInputError as error:
            return [_Refused(request, Status.BAD_INPUT, str(error))]
        return []

    def _cancel(self, request: TurnRequest, message: str) -> list[_Refused]:
        request.cancel(message)
        waited = [waiting for waiting in self._waiting if waiting.request is request]
        for waiting in waited:
            self._waiting.remove(waiting)
        if waited or self._worker.withdraw(request):
            return [_Refused(request, Status.CANCELLED, message)]
        return []

    def _bind_waiting(self) -> list[_Refused]:
        values = self._parameters()
        refused: list[_Refused] = []
        held_up: set[str] = set()
        for waiting in list(self._waiting):
            request = waiting.request
            if request.session_id in held_up or not self._bind(waiting, values):
                held_up.add(request.session_id)
                continue
            self._waiting.remove(waiting)
            refused += self._queue(request, values)
        return refused

    def _bind(self, waiting: _Waiting, values: NodeParameters) -> bool:
        """Pin the request's image; False when a better one is on its way and may still be waited for."""
        request = waiting.request
        policy = self._sessions.policy(request.session_id, FramePolicy(values.frame_policy))
        pinned = self._sessions.pinned(request.session_id) if policy is FramePolicy.PIN_FIRST else None
        if pinned is not None and request.pointed_ns in (0, pinned.image.stamp_ns):
            request.bound = pinned
            return True
        limits = FrameLimits(values.max_frame_age_s, values.max_frame_slop_s, values.max_depth_slop_s)
        stamp_ns = 0 if policy is FramePolicy.LATEST else request.stamp_ns
        camera, choice = self._buffers.select(request.camera, stamp_ns, self._now_ns(), limits, request.pointed_ns)
        if not choice.final and not waiting.timed_out and values.max_frame_wait_s > 0:
            return False
        self._pin(request, camera, choice, limits)
        usable = request.bound is not None and request.problem is None and request.bound.image.error is None
        if usable and policy is FramePolicy.PIN_FIRST and pinned is None:
            assert request.bound is not None
            self._sessions.pin(request.session_id, request.bound)
        return True

    def _pin(self, request: TurnRequest, camera: str | None, choice: FrameChoice, limits: FrameLimits) -> None:
        request.problem = choice.problem
        if camera is not None and choice.frame is not None:
            request.captured_s = time.perf_counter() - choice.age_s
            request.bound = self._buffers.bind(camera, choice.frame, limits.max_depth_slop_s)

    def _waiting_of(self, session_id: str) -> list[TurnRequest]:
        """A dialogue's instructions that wait for their image."""
        return [waiting.request for waiting in self._waiting if waiting.request.session_id == session_id]

    def _rejection(self, request: TurnRequest, values: NodeParameters) -> Rejection | None:
        """Why an instruction is not let in; None when it is."""
        if self._closed:  # in another thread, after this one had come
            return admission.rejection(RejectionKind.STOPPED, values)
        limited = self._limiter.admit(request.session_id, time.monotonic(), admission.rate_limit(values))
        if limited is not None:
            return limited
        bounds = admission.bounds_for(request, values)
        kind = self._worker.rejection(request, bounds)
        waiting = len(self._waiting_of(request.session_id))
        if waiting and bounds.policy is BusyPolicy.REJECT:
            kind = RejectionKind.BUSY
        elif bounds.policy is BusyPolicy.QUEUE and waiting >= bounds.max_waiting:
            kind = RejectionKind.QUEUE_FULL
        elif not waiting and len({other.request.session_id for other in self._waiting}) >= bounds.max_flows:
            kind = RejectionKind.TOO_MANY_FLOWS
        return None if kind is None else admission.rejection(kind, values)

    def _queue(self, request: TurnRequest, values: NodeParameters) -> list[_Refused]:
        outcome = self._worker.submit(request, admission.bounds_for(request, values))
        if outcome.rejection is not None:
            return [self._reject(request, admission.rejection(outcome.rejection, values))]
        if outcome.preempted is not None and outcome.preempted.cancel(admission.PREEMPTED):
            self._health.note_preemption()
        for _ in outcome.displaced:
            self._health.note_preemption()
        return [_Refused(other, Status.CANCELLED, admission.PREEMPTED) for other in outcome.displaced]

    def _reject(self, request: TurnRequest, rejection: Rejection) -> _Refused:
        self._health.note_rejection(rejection)
        return _Refused(request, Status.REJECTED, rejection.message)

    # Without the lock.

    def _time_out(self, request: TurnRequest) -> None:
        """The request has waited for its image long enough."""
        with self._lock:
            for waiting in self._waiting:
                waiting.timed_out = waiting.timed_out or waiting.request is request
            refused = self._bind_waiting()
        self._refuse(refused)

    def _refuse(self, refused: Iterable[_Refused]) -> None:
        for request, status, message, text in refused:
            self._answers.refuse(request, status, message, text)


def _unclear(request: TurnRequest, values: NodeParameters) -> list[_Refused]:
    """Nothing, unless the words were spoken and the recognizer was not sure enough of them to act on them."""
    heard = request.instruction
    # What is no confidence at all is refused with the rest of the instruction's errors, when its turn comes.
    if heard.source != Instruction.SPOKEN or not 0.0 <= heard.confidence < values.min_confidence:
        return []
    message = (
        f"heard {heard.text[:_QUOTED_CHARACTERS]!r} with a confidence of {heard.confidence:.2f}, below "
        f"{values.min_confidence:g} (parameter 'min_confidence'): say it again, or type it"
    )
    return [_Refused(request, Status.NOT_UNDERSTOOD, message, ASK_AGAIN)]


def inactive_answer(request: TurnRequest) -> tuple[Segmentation, Explanation]:
    """What an instruction is answered with that reaches a node which is not active, and publishes nothing."""
    reply = Reply(Status.REJECTED, "", message="the node is not active: configure and activate it first")
    segmentation = conversions.fill_segmentation(Segmentation(), request.header, request.instruction, 0, reply)
    return segmentation, conversions.fill_explanation(Explanation(), request.header, request.instruction, 0, reply)
