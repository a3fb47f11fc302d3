"""What every executable of the package does around its node."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation

_PROFILES = Path(__file__).with_name("fastdds.xml")
# Environment variables by which the user has chosen the transports.
_DECISIONS = (
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_BUILTIN_TRANSPORTS",
    "ROS_LOCALHOST_ONLY",
)
_USER_PROFILES = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")  # read from the working directory


def make_room_for_images() -> None:
    """Give Fast DDS shared memory for whole images, where the user has not decided about its transports."""
    if any(map(os.environ.get, _DECISIONS)) or any(Path(name).exists() for name in _USER_PROFILES):
        return
    earlier = os.environ.get("ROS_DISTRO") in ("humble", "iron", "jazzy")  # with Fast DDS 2
    os.environ["FASTRTPS_DEFAULT_PROFILES_FILE" if earlier else "FASTDDS_DEFAULT_PROFILES_FILE"] = str(_PROFILES)


# What rclpy raises in a thread that goes on after ROS has been shut down or the node destroyed. rclpy exports the first
# one under no public name.
ROS_ENDED_ERRORS: tuple[type[Exception], ...] = (rclpy_implementation.RCLError, InvalidHandle)


@contextmanager
def ros(args: list[str] | None) -> Iterator[None]:
    """ROS for the length of a `with`, which SIGINT and SIGTERM end at once and without a word.

    Args:
        args: Command line, None for that of the process.

    Raises:
        SystemExit: ROS cannot be started, for instance secured as the environment demands it; the message says why.
    """
    # rclpy calls the handler that it finds. Its own shuts the context down under whatever is running, which while a
    # network is loading or a node half made would surface as an error of some call or other.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_room_for_images()
    try:
        rclpy.init(args=args)
    except rclpy_implementation.RCLError as error:
        raise SystemExit(f"ROS cannot be started: {error}") from None
    try:
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ROS_ENDED_ERRORS:
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()
