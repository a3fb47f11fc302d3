"""Listens to what a perception node says of itself on /diagnostics, until it can be told whether the node works."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from pixelrs_ros.ros.perception.health import STATE
from pixelrs_ros.ros.wire import qos
from pixelrs_ros.ros.wire.ros_context import ros, spin


@dataclass(frozen=True)
class NodeHealth:
    """What a node last said of itself.

    Attributes:
        state: Name of its lifecycle state; empty: it was not heard.
        warnings: Names and messages of its statuses at WARN.
        errors: The same of those at ERROR or STALE.
    """

    state: str = ""
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def listen(node_name: str, timeout_s: float) -> NodeHealth:
    """Wait until an active node has reported, or for as long as is allowed.

    Args:
        node_name: Fully qualified name of the perception node, such as `/robot1/perception`.
        timeout_s: How long to wait, in seconds, discovery included; a node reports once a second.

    Returns:
        The last report that was heard.
    """
    ends_s = time.monotonic() + timeout_s
    heard = NodeHealth()

    def take(message: DiagnosticArray) -> None:
        nonlocal heard
        if own := [status for status in message.status if status.hardware_id == node_name]:
            heard = _health(own)

    with ros([]):
        # Nothing that others would have to discover every time: it comes and goes all day long.
        node = Node(f"pixelrs_health_{os.getpid()}", start_parameter_services=False, enable_rosout=False)
        qos.subscribe(node, DiagnosticArray, "/diagnostics", take)
        try:
            spin(node, until=lambda: heard.state == "active" or time.monotonic() > ends_s)
        finally:
            node.destroy_node()
    return heard


def _health(statuses: list[DiagnosticStatus]) -> NodeHealth:
    said = [(status.level, f"{status.name}: {status.message}") for status in statuses]
    states = [pair.value for status in statuses for pair in status.values if pair.key == STATE]
    return NodeHealth(
        state=next(iter(states), "unknown"),
        warnings=tuple(text for level, text in said if level == DiagnosticStatus.WARN),
        errors=tuple(text for level, text in said if level in (DiagnosticStatus.ERROR, DiagnosticStatus.STALE)),
    )
