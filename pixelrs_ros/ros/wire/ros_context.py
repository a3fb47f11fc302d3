"""What every executable of the package does around its node."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from pixelrs_ros.errors import PixelrsError

_PROFILES = Path(__file__).with_name("fastdds.xml")
# Environment variables by which the user has chosen the transports.
_DECISIONS = (
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_BUILTIN_TRANSPORTS",
    "ROS_LOCALHOST_ONLY",
)
_USER_PROFILES = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")  # read from the working directory


def room_for_images() -> dict[str, str]:
    """The environment that gives Fast DDS shared memory for whole images; empty where the user has decided about it."""
    if any(map(os.environ.get, _DECISIONS)) or any(Path(name).exists() for name in _USER_PROFILES):
        return {}
    earlier = os.environ.get("ROS_DISTRO") in ("humble", "iron", "jazzy")  # with Fast DDS 2
    return {"FASTRTPS_DEFAULT_PROFILES_FILE" if earlier else "FASTDDS_DEFAULT_PROFILES_FILE": str(_PROFILES)}


def make_room_for_images() -> None:
    """Give Fast DDS shared memory for whole images, where the user has not decided about its transports."""
    os.environ.update(room_for_images())


# What rclpy raises in a thread that goes on after ROS has been shut down or the node destroyed. rclpy exports the first
# one under no public name.
ROS_ENDED_ERRORS: tuple[type[Exception], ...] = (rclpy_implementation.RCLError, InvalidHandle)


_SIGNAL_PERIOD_S = 0.1  # how long a signal may wait while nothing happens
_PATIENCE_S = 1.0  # between two signals of one that waits for the end and of one that is tired of waiting
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ros(args: list[str] | None) -> Iterator[None]:
    """ROS for the length of a `with`, which SIGINT and SIGTERM end without a word: at once, or see `spin`.

    Args:
        args: Command line, None for that of the process.

    Raises:
        SystemExit: ROS cannot be started, for instance secured as the environment demands it; the message says why.
    """
    atexit.register(_end_in_peace)
    # rclpy's own handlers shut the context down under whatever is running, which would surface as an error of some call
    # or other.
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        make_room_for_images()
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except rclpy_implementation.RCLError as error:
        raise SystemExit(f"ROS cannot be started: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    try:
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ROS_ENDED_ERRORS:
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()


def _end_in_peace() -> None:
    """Let no signal kill a process that is ending: the interpreter takes its handlers away before it is gone."""
    for number in _ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def spin(node: Node, until: Callable[[], bool] = lambda: False) -> None:
    """Let a node work until SIGINT or SIGTERM comes or a condition holds, in the main thread inside of `ros`.

    What runs then is let end, and what the caller does afterwards is not disturbed by further signals, which come in
    twos where a launch file passes on what the terminal has sent already; only a signal that comes later interrupts it.
    """
    first_s: list[float] = []

    def end(number: int, frame: Any) -> None:
        if first_s and time.monotonic() - first_s[0] > _PATIENCE_S:
            raise KeyboardInterrupt
        first_s.append(time.monotonic())

    for number in _ENDING_SIGNALS:
        signal.signal(number, end)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        while not first_s and not until() and node.context.ok():
            executor.spin_once(timeout_sec=_SIGNAL_PERIOD_S)
    finally:
        executor.shutdown(timeout_sec=0)


def run(name: str, make: Callable[[], Node], args: list[str] | None) -> int:
    """A whole program: run a node until it is interrupted.

    Args:
        name: Of the program, for messages.
        make: Makes the node.
        args: Command line, None for that of the process.

    Returns:
        The exit status: 1 when the node could not be made, with a PixelrsError.
    """
    with ros(args):
        try:
            node = make()
        except PixelrsError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        try:
            spin(node)
        finally:
            node.destroy_node()
    return 0
