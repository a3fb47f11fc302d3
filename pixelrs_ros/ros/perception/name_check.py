"""Finds other nodes of the same name: ROS 2 allows them, and every instruction is then answered twice."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from pixelrs_ros.ros.wire.conversions import diagnostic

_LOG_THROTTLE_S = 10.0


def name_status(node: Node) -> DiagnosticStatus:
    """Whether a node is alone with its name: OK or, also in its log, ERROR. For `/diagnostics`.

    A node that was killed still counts until its DDS lease runs out, 20 s by default.
    """
    name = node.get_fully_qualified_name()
    count = node.get_node_names_and_namespaces().count((node.get_name(), node.get_namespace()))
    if count <= 1:
        return diagnostic(name, "name", "unique")
    message = (
        f"{count} nodes are called {name}: each answers every instruction, and services reach any of them. Stop "
        "all but one, or start them under other names or namespaces (-r __node:=NAME, -r __ns:=/NAMESPACE)"
    )
    node.get_logger().error(message, throttle_duration_sec=_LOG_THROTTLE_S)
    return diagnostic(name, "name", message, level=DiagnosticStatus.ERROR)
