"""One thread that does jobs in the order they came, so that no callback ever waits for the network. Imports no ROS."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

JobT = TypeVar("JobT")


class Worker(Generic[JobT]):
    """A thread with a bounded queue.

    Args:
        work: Does one job, in the thread; must not raise.
        max_waiting: Jobs that may wait behind the one that is being done.
    """

    def __init__(self, work: Callable[[JobT], None], max_waiting: int) -> None:
        self._work = work
        self._max_waiting = max_waiting
        self._jobs: deque[JobT] = deque()
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
        with self._changed:
            if self._stopping or len(self._jobs) >= self._max_waiting:
                return False
            self._jobs.append(job)
            self._changed.notify()
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
            left = list(self._jobs)
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
                job = self._jobs.popleft()
            self._work(job)
