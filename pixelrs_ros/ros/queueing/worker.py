"""One thread that does jobs fairly, so that no callback ever waits for the network. Imports no ROS."""

from __future__ import annotations

import enum
import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

JobT = TypeVar("JobT")


class BusyPolicy(str, enum.Enum):
    """What becomes of a job whose customer has another one running or waiting."""

    REJECT = "reject"  # it is refused
    QUEUE = "queue"  # it waits behind the other
    PREEMPT = "preempt"  # it takes the other's place


class Refusal(enum.Enum):
    """Why a job was not taken."""

    BUSY = "a job of the same customer runs or waits"
    QUEUE_FULL = "too many jobs of the same customer wait"
    TOO_MANY_CUSTOMERS = "jobs of too many customers wait"
    STOPPED = "the worker has been stopped"


@dataclass(frozen=True)
class Bounds:
    """What a worker takes.

    Attributes:
        policy: What becomes of a customer's second job.
        max_waiting: Jobs of one customer that may wait behind the one that is being done.
        max_customers: Customers whose jobs may wait at once.
    """

    policy: BusyPolicy = BusyPolicy.QUEUE
    max_waiting: int = 8
    max_customers: int = 1


@dataclass(frozen=True)
class Admission(Generic[JobT]):
    """What became of a job that was submitted.

    Attributes:
        refusal: Why it was not taken; None when it was.
        displaced: Jobs that waited and will never be done now, because this one took their place.
        preempted: The job that is being done and has to make way for this one; its work is to be told so.
    """

    refusal: Refusal | None = None
    displaced: tuple[JobT, ...] = ()
    preempted: JobT | None = None


class Worker(Generic[JobT]):
    """A thread with a bounded queue that is fair to everybody whose jobs wait in it.

    Each customer's jobs are done in the order they came; between customers it is start-time fair queueing (Goyal, Vin
    and Cheng, SIGCOMM 1996) with jobs of equal cost. With two customers, the one that has no job in the queue waits for
    the running job and no other, however many jobs the other one has queued. A job that preempts keeps the place of the
    one that waited before it, so that a customer who changes its mind is neither set back nor gets ahead.

    Args:
        work: Does one job, in the thread; must not raise.
        customer: Whose job it is; without it all jobs belong to the same one.
        ended: Whether a job has given its customer what it wanted, though the thread may still tidy up after it: then
            the customer is free to send the next.
    """

    def __init__(
        self,
        work: Callable[[JobT], None],
        customer: Callable[[JobT], Hashable] = lambda job: None,
        ended: Callable[[JobT], bool] = lambda job: False,
    ) -> None:
        self._work = work
        self._customer = customer
        self._ended = ended
        self._jobs: list[tuple[int, int, JobT]] = []  # a heap of (start tag, order of arrival, job)
        self._running: JobT | None = None  # the one that is being done
        self._begun_s = 0.0  # since when, by time.monotonic()
        self._arrivals = itertools.count()
        self._waiting: Counter[Hashable] = Counter()
        self._virtual_time = 0  # start tag of the job that was begun last
        self._finish: dict[Hashable, int] = {}  # finish tag of each customer's last job, where it lies ahead
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

    def refusal(self, job: JobT, bounds: Bounds) -> Refusal | None:
        """Why a job would not be taken now; None when it would."""
        with self._changed:
            return self._refusal(self._customer(job), bounds)

    def submit(self, job: JobT, bounds: Bounds) -> Admission[JobT]:
        """Queue a job, or refuse it.

        Args:
            job: To be done.
            bounds: In force now; they may be others at every call.
        """
        customer = self._customer(job)
        with self._changed:
            refusal = self._refusal(customer, bounds)
            if refusal is not None:
                return Admission(refusal)
            preempts = bounds.policy is BusyPolicy.PREEMPT
            displaced = self._displace(customer, job) if preempts else []
            if not displaced:
                start = max(self._virtual_time, self._finish.get(customer, 0))
                self._finish[customer] = start + 1
                self._waiting[customer] += 1
                heapq.heappush(self._jobs, (start, next(self._arrivals), job))
            self._changed.notify()
            return Admission(None, tuple(displaced), self._running if preempts and self._runs(customer) else None)

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

    def _refusal(self, customer: Hashable, bounds: Bounds) -> Refusal | None:
        """Why a customer's job is not taken; the lock is held."""
        if self._stopping:
            return Refusal.STOPPED
        waits = customer in self._waiting
        if bounds.policy is BusyPolicy.REJECT and (waits or self._runs(customer)):
            return Refusal.BUSY
        if not waits and len(self._waiting) >= bounds.max_customers:
            return Refusal.TOO_MANY_CUSTOMERS
        if bounds.policy is BusyPolicy.QUEUE and self._waiting[customer] >= bounds.max_waiting:
            return Refusal.QUEUE_FULL
        return None

    def _runs(self, customer: Hashable) -> bool:
        """Whether the job that is being done is a customer's; the lock is held."""
        running = self._running
        return running is not None and self._customer(running) == customer and not self._ended(running)

    def _displace(self, customer: Hashable, job: JobT) -> list[JobT]:
        """Put a job in the place of the customer's first waiting one; what waited, in order. The lock is held."""
        mine = [entry for entry in self._jobs if self._customer(entry[2]) == customer]
        if not mine:
            return []
        mine.sort(key=lambda entry: entry[:2])
        start, arrival, _ = mine[0]
        self._jobs = [entry for entry in self._jobs if self._customer(entry[2]) != customer]
        self._jobs.append((start, arrival, job))
        heapq.heapify(self._jobs)
        self._finish[customer] = start + 1
        self._waiting[customer] = 1
        return [waited for _, _, waited in mine]

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
        self._finish = {customer: tag for customer, tag in self._finish.items() if tag > self._virtual_time}
        self._leave(job)
        return job

    def _leave(self, job: JobT) -> None:
        customer = self._customer(job)
        self._waiting[customer] -= 1
        if not self._waiting[customer]:
            del self._waiting[customer]
