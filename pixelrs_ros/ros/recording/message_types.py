"""Classes of messages by their names, and quality of service as a recording keeps it."""

from __future__ import annotations

import importlib
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from pixelrs_ros.errors import DataError

_NS_PER_S = 1_000_000_000


def message_class(kind: str) -> Any:
    """The class of a type such as "sensor_msgs/msg/Image".

    Raises:
        DataError: It is not installed.
    """
    package, _, name = kind.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise DataError(
            f"the message type {kind} is not installed; remedy: source the workspace of {package}"
        ) from error


def kind_of(message_type: Any) -> str:
    """The name of a class of messages."""
    package, kind, *_ = message_type.__module__.split(".")
    return f"{package}/{kind}/{message_type.__name__}"


def offered_qos(node: Node, topic: str) -> list[Qos]:
    """What the publishers of a topic offer, each once."""
    profiles = [_recorded(info.qos_profile) for info in node.get_publishers_info_by_topic(topic)]
    return list(dict.fromkeys(profiles))


def _recorded(profile: QoSProfile) -> Qos:
    return Qos(
        QosHistory(profile.history.value),
        profile.depth,
        QosReliability(profile.reliability.value),
        QosDurability(profile.durability.value),
        _time(profile.deadline),
        _time(profile.lifespan),
        QosLiveliness(profile.liveliness.value),
        _time(profile.liveliness_lease_duration),
        bool(profile.avoid_ros_namespace_conventions),
    )


def _time(duration: Duration) -> QosTime:
    seconds, nanoseconds = divmod(duration.nanoseconds, _NS_PER_S)
    return QosTime(seconds, nanoseconds)
