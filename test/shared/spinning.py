"""An executor at work in a thread of its own, which surely ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.executors import Executor

_PERIOD_S = 0.1  # how long the end may be overlooked


@contextmanager
def spinning(executor: Executor) -> Iterator[threading.Thread]:
    """Let an executor's nodes work for the length of a `with`.

    `Executor.spin` in a thread does not surely end: `shutdown` wakes a wait that has begun, and destroys what wakes it
    at once, so that a wait that is about to begin lasts until something else happens to the nodes, or for ever.

    Yields:
        The thread; it ends before the `with` does.
    """
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            executor.spin_once(timeout_sec=_PERIOD_S)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        ended.set()
        thread.join()
        executor.shutdown()
