"""What this package uses of tf2_ros, which ROS 2 from wheels lacks: a buffer of what a test has put there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from geometry_msgs.msg import Transform, TransformStamped
from rclpy.time import Time


class TransformException(Exception):  # noqa: N818 (tf2_ros' name)
    """What is not known."""


class TfStandIn(ModuleType):
    """The module, and TF itself.

    Attributes:
        known: Transforms by target frame, source frame and stamp in ns.
        looked: Called at every look-up, with how many there were before.
        listeners: How many listen.
        sent: What was told, in order.
        cleared: How often the buffer was emptied.
    """

    TransformException = TransformException

    def __init__(self) -> None:
        super().__init__("tf2_ros")
        self.__spec__ = ModuleSpec("tf2_ros", None)
        self.known: dict[tuple[str, str, int], Transform] = {}
        self.looked: Callable[[int], None] = lambda count: None
        self.listeners = 0
        self.cleared = 0
        self.sent: list[TransformStamped] = []
        self._count = 0

    def Buffer(self, cache_time: Any) -> TfStandIn:  # noqa: N802 (tf2_ros' name)
        """The buffer, which is this object."""
        return self

    def TransformListener(self, buffer: TfStandIn, node: Any) -> TfStandIn:  # noqa: N802 (tf2_ros' name)
        """The listener, which is this object."""
        assert buffer is self
        self.listeners += 1
        return self

    def TransformBroadcaster(self, node: Any) -> TfStandIn:  # noqa: N802 (tf2_ros' name)
        """The broadcaster, which is this object."""
        return self

    def sendTransform(self, transform: TransformStamped) -> None:  # noqa: N802 (tf2_ros' name)
        """Tell where something is."""
        self.sent.append(copy.deepcopy(transform))

    def clear(self) -> None:
        """Forget what was put there."""
        self.cleared += 1
        self.known = {}

    def unregister(self) -> None:
        """Listen no more."""
        self.listeners -= 1

    def lookup_transform(self, target: str, source: str, time: Time) -> TransformStamped:
        """What was put there for exactly this moment."""
        self.looked(self._count)
        self._count += 1
        found = self.known.get((target, source, time.nanoseconds))
        if found is None:
            raise TransformException(f"nothing is known of {source} in {target} at {time.nanoseconds}")
        return TransformStamped(transform=found)
