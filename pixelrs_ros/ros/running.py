"""What every executable of the package does around its node."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation


@contextmanager
def ros(args: list[str] | None) -> Iterator[None]:
    """ROS for the length of a `with`, which SIGINT and SIGTERM end at once and without a word.

    Args:
        args: Command line, None for that of the process.
    """
    # rclpy calls the handler that it finds. Its own shuts the context down under whatever is running, which while a
    # network is loading or a node half made would surface as an error of some call or other.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rclpy.init(args=args)
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (rclpy_implementation.RCLError, InvalidHandle):
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()
