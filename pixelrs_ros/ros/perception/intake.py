"""From an instruction to a turn in the worker's queue: its image is pinned, and it is refused where it cannot wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.parameters.values import NodeParameters
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.perception.turn_runner import TurnRunner
from pixelrs_ros.ros.queueing import admission
from pixelrs_ros.ros.queueing.frame_buffer import Cameras, Choice, Limits
from pixelrs_ros.ros.queueing.rate_limiter import RateLimiter
from pixelrs_ros.ros.queueing.session_frames import FramePolicy, SessionFrames
from pixelrs_ros.ros.queueing.turn_request import Job
from pixelrs_ros.ros.queueing.worker import BusyPolicy, Refusal, Worker
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Reply, Status

_POLICIES = {
    Instruction.SESSION_POLICY: None,
    Instruction.PER_TURN: FramePolicy.PER_TURN,
    Instruction.PIN_FIRST: FramePolicy.PIN_FIRST,
    Instruction.LATEST: FramePolicy.LATEST,
}


class Intake:
    """Lets an instruction in or refuses it, pins its image when it comes, and queues it.

    An instruction whose image is still on its way (see `FrameBuffer.select`) waits for it without holding up other
    dialogues; the ones after it in its own dialogue wait behind it. No thread sleeps: images and a timer wake it.

    Args:
        cameras: What the cameras have sent.
        sessions: The dialogues' frame policies and pinned images.
        runner: Answers what is refused.
        worker: Runs what is not.
        health: Told what was refused or preempted.
        parameters: Gives the values in force.
        now_ns: Gives the node's time, nanoseconds.
        after: Calls something once after so many seconds.
    """

    def __init__(
        self,
        cameras: Cameras,
        sessions: SessionFrames,
        runner: TurnRunner,
        worker: Worker[Job],
        health: Health,
        *,
        parameters: Callable[[], NodeParameters],
        now_ns: Callable[[], int],
        after: Callable[[float, Callable[[], None]], Any],
    ) -> None:
        self._cameras = cameras
        self._sessions = sessions
        self._runner = runner
        self._worker = worker
        self._health = health
        self._limiter = RateLimiter()
        self._parameters = parameters
        self._now_ns = now_ns
        self._after = after
        self._lock = threading.RLock()
        self._waiting: list[Job] = []  # for their images, in the order they came
        self._impatient: set[Job] = set()  # those of them that have waited long enough

    @property
    def waiting(self) -> int:
        """Instructions that wait for their image."""
        return len(self._waiting)

    def take(self, job: Job) -> None:
        """Take an instruction; it is answered sooner or later, whatever happens."""
        if job.one_shot:  # brings its own image
            self._queue(job)
            return
        self._health.note_instruction()
        with self._lock:
            values = self._parameters()
            kind, problem = self._refusal(job, values)
            if problem:
                self._sessions.open(job.session_id)
                self._reject(job, kind, problem)
                return
            requested = job.instruction.frame_policy
            self._sessions.open(job.session_id, _POLICIES.get(requested))
            if requested not in _POLICIES:
                message = f"frame_policy must be one of {', '.join(map(str, _POLICIES))}, got {requested}"
                self._runner.refuse(job, Status.BAD_INPUT, message)
                return
            if values.busy_policy == BusyPolicy.PREEMPT:
                for other in self._waiting_of(job.session_id):
                    self._health.note_preemption()
                    self.cancel(other, admission.PREEMPTED)
            self._waiting.append(job)
            self.bind_waiting()
            if job in self._waiting:
                self._after(values.max_frame_wait_s, lambda: self._lose_patience(job))

    def bind_waiting(self) -> None:
        """Pin the images of all that wait for one which is here now; called for every image."""
        if not self._waiting:  # as nearly always
            return
        with self._lock:
            held_up: set[str] = set()
            for job in list(self._waiting):
                if job.session_id in held_up or not self._bind(job):
                    held_up.add(job.session_id)
                    continue
                self._waiting.remove(job)
                self._impatient.discard(job)
                self._queue(job)

    def cancel(self, job: Job, message: str) -> None:
        """Call an instruction off: at once while it waits, at its next token while it is being answered."""
        job.cancel(message)
        with self._lock:
            waited = job in self._waiting
            if waited:
                self._waiting.remove(job)
                self._impatient.discard(job)
        if waited or self._worker.withdraw(job):
            self._runner.refuse(job, Status.CANCELLED, message)
        self.bind_waiting()  # what waited behind it need not wait any more

    def close(self) -> list[Job]:
        """Take no images any more.

        Returns:
            What still waited for one, in order.
        """
        with self._lock:
            left, self._waiting = self._waiting, []
            self._impatient.clear()
        return left

    def _lose_patience(self, job: Job) -> None:
        with self._lock:
            if job in self._waiting:
                self._impatient.add(job)
                self.bind_waiting()

    def _bind(self, job: Job) -> bool:
        """Pin the job's image; False when a better one is on its way and may still be waited for."""
        values = self._parameters()
        policy = self._sessions.policy(job.session_id, FramePolicy(values.frame_policy))
        pinned = self._sessions.pinned(job.session_id) if policy is FramePolicy.PIN_FIRST else None
        if pinned is not None:
            job.bound = pinned
            return True
        limits = Limits(values.max_frame_age_s, values.max_frame_slop_s, values.max_depth_slop_s)
        stamp_ns = 0 if policy is FramePolicy.LATEST else job.stamp_ns
        camera, choice = self._cameras.select(job.instruction.header.frame_id, stamp_ns, self._now_ns(), limits)
        if not choice.final and job not in self._impatient and values.max_frame_wait_s > 0:
            return False
        self._pin(job, camera, choice, limits)
        usable = job.bound is not None and not job.problem and not job.bound.image.error
        if usable and policy is FramePolicy.PIN_FIRST:
            assert job.bound is not None
            self._sessions.pin(job.session_id, job.bound)
        return True

    def _pin(self, job: Job, camera: str, choice: Choice, limits: Limits) -> None:
        job.problem = choice.problem
        if choice.frame is not None:
            age_s = (self._now_ns() - choice.frame.stamp_ns) / 1e9
            job.captured_s = time.perf_counter() - age_s
            job.bound = self._cameras.bind(camera, choice.frame, limits.max_depth_slop_s)

    def _waiting_of(self, session_id: str) -> list[Job]:
        """A dialogue's instructions that wait for their image."""
        return [other for other in self._waiting if other.session_id == session_id]

    def _refusal(self, job: Job, values: NodeParameters) -> tuple[str, str]:
        """Why an instruction is not let in: the kind of reason, and the reason; empty when it is let in."""
        problem = self._limiter.admit(job.session_id, time.monotonic(), admission.rate_limit(values))
        if problem:
            return admission.RATE_LIMITED, problem
        bounds = admission.bounds_for(job, values)
        refusal = self._worker.refusal(job, bounds)
        waiting = len(self._waiting_of(job.session_id))
        if waiting and bounds.policy is BusyPolicy.REJECT:
            refusal = Refusal.BUSY
        elif bounds.policy is BusyPolicy.QUEUE and waiting >= bounds.max_waiting:
            refusal = Refusal.QUEUE_FULL
        elif not waiting and len({other.session_id for other in self._waiting}) >= bounds.max_customers:
            refusal = Refusal.TOO_MANY_CUSTOMERS
        return ("", "") if refusal is None else (admission.KINDS[refusal], admission.explain(refusal, values))

    def _queue(self, job: Job) -> None:
        values = self._parameters()
        outcome = self._worker.submit(job, admission.bounds_for(job, values))
        if outcome.refusal is not None:
            self._reject(job, admission.KINDS[outcome.refusal], admission.explain(outcome.refusal, values))
        if outcome.preempted is not None and outcome.preempted.cancel(admission.PREEMPTED):
            self._health.note_preemption()
        for other in outcome.displaced:
            self._health.note_preemption()
            self._runner.refuse(other, Status.CANCELLED, admission.PREEMPTED)

    def _reject(self, job: Job, kind: str, problem: str) -> None:
        self._health.note_refusal(kind, problem)
        self._runner.refuse(job, Status.REJECTED, problem)


def inactive_answer(job: Job) -> tuple[Segmentation, Explanation]:
    """What an instruction is answered with that reaches a node which is not active, and publishes nothing."""
    reply = Reply(Status.REJECTED, "", message="the node is not active: configure and activate it first")
    segmentation = conversions.fill_segmentation(Segmentation(), job.header, job.instruction, 0, reply)
    return segmentation, conversions.fill_explanation(Explanation(), job.header, job.instruction, 0, reply)
