"""One thread that does jobs fairly, so that no callback ever waits for the network. Imports no ROS."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pixelrs_ros.ros.parameters.policies import BusyPolicy
from pixelrs_ros.ros.queueing.rejection import RejectionKind

JobT = TypeVar("JobT")


@dataclass(frozen=True)
class Bounds:
    """What a worker takes.

    Attributes:
        policy: What becomes of a second job of the same flow.
        max_waiting: Jobs of one flow that may wait behind the one that is being done.
        max_flows: Flows whose jobs may wait at once.
    """

    policy: BusyPolicy = BusyPolicy.QUEUE
    max_waiting: int = 8
    max_flows: int = 1


@dataclass(frozen=True)
class Submission(Generic[JobT]):
    """What became of a job that was submitted.

    Attributes:
        rejection: Why it was not taken; None when it was.
        displaced: Jobs that waited and will never be done now, because this one took their place.
        preempted: The job that is being done and has to make way for this one; the caller has to cancel it.
    """

    rejection: RejectionKind | None = None
    displaced: tuple[JobT, ...] = ()
    preempted: JobT | None = None


class Worker(Generic[JobT]):
    """A thread with a bounded queue that is fair between flows.

    A flow is a sequence of jobs that belong together, here the turns of one dialogue. The jobs of a flow are done in
    the order they came; between flows it is start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) with jobs of
    equal cost. With two flows, the one that has no job in the queue waits for the running job and no other, however
    many jobs of the other one wait. A job that preempts keeps the place of the one that waited before it, so that its
    flow is neither set back nor gets ahead.

    Args:
        work: Does one job, in the thread; must not raise.
        flow: Gives the flow of a job; without it all jobs belong to the same one.
        ended: Whether a job's result is out, though the thread may still tidy up after it: then the next job of its
            flow is not refused for being busy.
    """

    def __init__(
        self,
        work: Callable[[JobT], None],
        flow: Callable[[JobT], Hashable] = lambda job: None,
        ended: Callable[[JobT], bool] = lambda job: False,
    ) -> None:
        self._work = work
        self._flow = flow
        self._ended = ended
        self._jobs: list[tuple[int, int, JobT]] = []  # a heap of (start tag, order of arrival, job)
        self._running: JobT | None = None  # the one that is being done
        self._begun_s = 0.0  # since when, by time.monotonic()
        self._arrivals = itertools.count()
        self._waiting: Counter[Hashable] = Counter()
        self._virtual_time = 0  # start tag of the job that was begun last
        self._finish: dict[Hashable, int] = {}  # finish tag of each flow's last job, where it lies ahead
        self._changed = threading.Condition()
        self._stopping = False
        # A daemon, so that a network stuck in a driver cannot keep the process alive for ever.
        self._thread = threading.Thread(target=self._run, name="pixelrs_turns", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that wait behind the one that is being done."""
        with self._changed:
            return len(self._jobs)

    @property
    def busy_s(self) -> float:
        """How long the job that is being done has been, in seconds; 0 when there is none."""
        with self._changed:
            return 0.0 if self._running is None else time.monotonic() - self._begun_s

    def rejection(self, job: JobT, bounds: Bounds) -> RejectionKind | None:
        """Why a job would not be taken now; None when it would."""
        with self._changed:
            return self._rejection(self._flow(job), bounds)

    def submit(self, job: JobT, bounds: Bounds) -> Submission[JobT]:
        """Queue a job, or refuse it.

        Args:
            job: To be done.
            bounds: In force now; they may be others at every call.
        """
        flow = self._flow(job)
        with self._changed:
            rejection = self._rejection(flow, bounds)
            if rejection is not None:
                return Submission(rejection)
            preempts = bounds.policy is BusyPolicy.PREEMPT
            displaced = self._displace(flow, job) if preempts else []
            if not displaced:
                start = max(self._virtual_time, self._finish.get(flow, 0))
                self._finish[flow] = start + 1
                self._waiting[flow] += 1
                heapq.heappush(self._jobs, (start, next(self._arrivals), job))
            self._changed.notify()
            return Submission(None, tuple(displaced), self._running if preempts and self._runs(flow) else None)

    def jobs_of(self, flow: Hashable) -> list[JobT]:
        """The jobs of a flow that are not done: the one that is being done, and those that wait, in order."""
        with self._changed:
            waiting = [job for _, _, job in sorted(self._jobs, key=lambda entry: entry[:2]) if self._flow(job) == flow]
            return [self._running, *waiting] if self._running is not None and self._runs(flow) else waiting

    def withdraw(self, job: JobT) -> bool:
        """Take a job out of the queue; False when it does not wait there, for it has begun or was never queued."""
        with self._changed:
            kept = [entry for entry in self._jobs if entry[2] is not job]
            if len(kept) == len(self._jobs):
                return False
            self._jobs = kept
            heapq.heapify(self._jobs)
            self._leave(job)
            return True

    def stop(self, timeout_s: float) -> list[JobT]:
        """Take no more jobs, wait for the one that is being done.

        Args:
            timeout_s: How long to wait for it.

        Returns:
            The jobs that were still waiting, in order.
        """
        with self._changed:
            self._stopping = True
            left = [job for _, _, job in sorted(self._jobs, key=lambda entry: entry[:2])]
            self._jobs.clear()
            self._changed.notify()
        self._thread.join(timeout_s)
        return left

    def _rejection(self, flow: Hashable, bounds: Bounds) -> RejectionKind | None:
        """Why a job of a flow is not taken; the lock is held."""
        if self._stopping:
            return RejectionKind.STOPPED
        waits = flow in self._waiting
        if bounds.policy is BusyPolicy.REJECT and (waits or self._runs(flow)):
            return RejectionKind.BUSY
        if not waits and len(self._waiting) >= bounds.max_flows:
            return RejectionKind.TOO_MANY_FLOWS
        if bounds.policy is BusyPolicy.QUEUE and self._waiting[flow] >= bounds.max_waiting:
            return RejectionKind.QUEUE_FULL
        return None

    def _runs(self, flow: Hashable) -> bool:
        """Whether the job that is being done belongs to a flow; the lock is held."""
        running = self._running
        return running is not None and self._flow(running) == flow and not self._ended(running)

    def _displace(self, flow: Hashable, job: JobT) -> list[JobT]:
        """Put a job in the place of its flow's first waiting one; what waited, in order. The lock is held."""
        same_flow = [entry for entry in self._jobs if self._flow(entry[2]) == flow]
        if not same_flow:
            return []
        same_flow.sort(key=lambda entry: entry[:2])
        start, arrival, _ = same_flow[0]
        self._jobs = [entry for entry in self._jobs if self._flow(entry[2]) != flow]
        self._jobs.append((start, arrival, job))
        heapq.heapify(self._jobs)
        self._finish[flow] = start + 1
        self._waiting[flow] = 1
        return [waited for _, _, waited in same_flow]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._running = None
                self._changed.wait_for(lambda: self._jobs or self._stopping)
                if self._stopping:
                    return
                job = self._running = self._pop()
                self._begun_s = time.monotonic()
            self._work(job)

    def _pop(self) -> JobT:
        self._virtual_time, _, job = heapq.heappop(self._jobs)
        self._finish = {flow: tag for flow, tag in self._finish.items() if tag > self._virtual_time}
        self._leave(job)
        return job

    def _leave(self, job: JobT) -> None:
        flow = self._flow(job)
        self._waiting[flow] -= 1
        if not self._waiting[flow]:
            del self._waiting[flow]
