"""From other threads into a node's executor, and later in time. Works with every kind of executor."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.task import Future
from rclpy.timer import Timer

STEADY = Clock(clock_type=ClockType.STEADY_TIME)


class ExecutorBridge:
    """Completes futures in the executor's thread with what another thread has found.

    A coroutine that awaits a future is looked at again only when its executor wakes, and completing the future in
    another thread wakes no executor in some releases of ROS.

    Args:
        node: The node whose executor completes the futures.
    """

    def __init__(self, node: Node) -> None:
        self._results: queue.SimpleQueue[tuple[Future[Any], Any]] = queue.SimpleQueue()
        # A group of its own, so that it never waits for the node's other callbacks.
        self._guard = node.create_guard_condition(self._complete_all, callback_group=ReentrantCallbackGroup())

    def complete(self, future: Future[Any], value: Any) -> None:
        """Complete a future soon. May be called from any thread."""
        self._results.put((future, value))
        try:
            self._guard.trigger()
        except InvalidHandle:  # the node has been destroyed, and nobody waits any more
            return

    def run(self, pool: Executor, work: Callable[[], Any]) -> Any:
        """Let another thread work; returns a `Future`, as rclpy types which awaiting one may give None, of its result.

        Args:
            pool: Whose thread.
            work: Must not raise.
        """
        future: Future[Any] = Future()
        pool.submit(lambda: self.complete(future, work()))
        return future

    def _complete_all(self) -> None:
        while True:
            try:
                future, value = self._results.get_nowait()
            except queue.Empty:
                return
            future.set_result(value)


def call_later(node: Node, delay_s: float, call: Callable[[], None]) -> Timer:
    """Call something once, later, by the steady clock; `node.destroy_timer` prevents it.

    Args:
        node: The node whose executor calls it.
        delay_s: How much later, in seconds.
        call: What to call.
    """
    created = threading.Lock()  # another thread of the executor may be quicker than the assignment

    def fire() -> None:
        with created:
            timer.cancel()
            node.destroy_timer(timer)
        call()

    with created:
        timer = node.create_timer(max(delay_s, 0.0), fire, clock=STEADY)
    return timer


def take_all(subscription: Subscription[Any]) -> None:
    """Call a subscription's callback with what has arrived and its executor has not come to yet."""
    handle: Any = subscription.handle  # as rclpy types it, there is always a message, and callbacks want two arguments
    callback: Any = subscription.callback
    while True:
        with handle:
            taken = handle.take_message(subscription.msg_type, subscription.raw)
        if taken is None:
            return
        callback(taken[0])
