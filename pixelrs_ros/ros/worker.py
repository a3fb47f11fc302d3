"""One thread that does jobs fairly, so that no callback ever waits for the network. Imports no ROS."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

JobT = TypeVar("JobT")


class Worker(Generic[JobT]):
    """A thread with a bounded queue that is fair to everybody whose jobs wait in it.

    Each customer's jobs are done in the order they came; between customers it is start-time fair queueing (Goyal, Vin
    and Cheng, SIGCOMM 1996) with jobs of equal cost. With two customers, the one that has no job in the queue waits for
    the running job and no other, however many jobs the other one has queued.

    Args:
        work: Does one job, in the thread; must not raise.
        max_waiting: Jobs of one customer that may wait behind the one that is being done.
        customer: Whose job it is; without it all jobs belong to the same one.
        max_customers: Customers whose jobs may wait at once.
    """

    def __init__(
        self,
        work: Callable[[JobT], None],
        max_waiting: int,
        customer: Callable[[JobT], Hashable] = lambda job: None,
        max_customers: int = 1,
    ) -> None:
        self._work = work
        self._max_waiting = max_waiting
        self._customer = customer
        self._max_customers = max_customers
        self._jobs: list[tuple[int, int, JobT]] = []  # a heap of (start tag, order of arrival, job)
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

    def submit(self, job: JobT) -> bool:
        """Queue a job; False when the queue is full or the worker has been stopped."""
        customer = self._customer(job)
        with self._changed:
            new = customer not in self._waiting
            full = len(self._waiting) >= self._max_customers if new else self._waiting[customer] >= self._max_waiting
            if self._stopping or full:
                return False
            start = max(self._virtual_time, self._finish.get(customer, 0))
            self._finish[customer] = start + 1
            self._waiting[customer] += 1
            heapq.heappush(self._jobs, (start, next(self._arrivals), job))
            self._changed.notify()
            return True

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

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._stopping)
                if self._stopping:
                    return
                job = self._pop()
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
