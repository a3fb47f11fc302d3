"""Quality of service of the node's topics, and the parameters that override it.

Every subscription and publisher made here takes `qos_overrides.<topic>.<subscription or publisher>.<policy>`, with the
topic's full name after remapping and the policies history, depth, reliability and durability, for instance
`qos_overrides./robot1/image.subscription.reliability: reliable`. They are read when the entity is made and read-only
afterwards, as everywhere in ROS 2.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from rclpy.subscription import Subscription

from pixelrs_ros.errors import ConfigError

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# An instruction that the middleware drops gets no answer, and the node cannot even know; they are small.
INSTRUCTIONS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
# Nor may the answers to a flood push each other out; these may carry masks.
ANSWERS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
SENSOR_DATA = qos_profile_sensor_data
MAX_DEPTH = 10_000

_ENUMS = {
    QoSPolicyKind.HISTORY: HistoryPolicy,
    QoSPolicyKind.RELIABILITY: ReliabilityPolicy,
    QoSPolicyKind.DURABILITY: DurabilityPolicy,
}
_POLICIES = (*_ENUMS, QoSPolicyKind.DEPTH)

MessageT = TypeVar("MessageT")


def subscribe(
    node: Node,
    message_type: type[MessageT],
    topic: str,
    callback: Callable[[MessageT], None],
    profile: QoSProfile = RELIABLE,
) -> Subscription[MessageT]:
    """Subscribe to a topic.

    Args:
        node: Whose subscription and parameters these are.
        message_type: The topic's type.
        topic: Its name, relative or not.
        callback: Called with every message.
        profile: What holds where no parameter says otherwise.

    Raises:
        ConfigError: A parameter has an impossible value; the message names it.
    """
    with _naming_the_parameter(node, "subscription", topic):
        return node.create_subscription(
            message_type, topic, callback, copy.copy(profile), qos_overriding_options=_options()
        )


def advertise(
    node: Node, message_type: type[MessageT], topic: str, profile: QoSProfile = RELIABLE
) -> Publisher[MessageT]:
    """Make a publisher that publishes in every state of the node. Arguments and errors as in `subscribe`."""
    with _naming_the_parameter(node, "publisher", topic):
        return node.create_publisher(message_type, topic, copy.copy(profile), qos_overriding_options=_options())


def advertise_managed(
    node: LifecycleNode, message_type: type[MessageT], topic: str, profile: QoSProfile = RELIABLE
) -> LifecyclePublisher[MessageT]:
    """Make a publisher that publishes only while its node is active. Arguments and errors as in `subscribe`."""
    with _naming_the_parameter(node, "publisher", topic):
        return node.create_lifecycle_publisher(
            message_type, topic, copy.copy(profile), qos_overriding_options=_options()
        )


def _options() -> QoSOverridingOptions:
    def check(profile: QoSProfile) -> SetParametersResult:
        # The enumerations also allow values that no middleware takes; those would fail without a message later.
        unknown = any(getattr(profile, kind.name.lower()).name == "UNKNOWN" for kind in _ENUMS)
        return SetParametersResult(successful=not unknown and 1 <= profile.depth <= MAX_DEPTH)

    return QoSOverridingOptions(_POLICIES, callback=check)


@contextmanager
def _naming_the_parameter(node: Node, kind: str, topic: str) -> Iterator[None]:
    """Turn what rclpy says of an impossible override into an error that names the parameter and what it accepts."""
    try:
        yield
    except InvalidParameterTypeException as error:
        raise ConfigError(f"a QoS override has the wrong type: {error}") from error
    except (InvalidQosOverridesError, RuntimeError) as error:
        prefix = f"qos_overrides.{node.resolve_topic_name(topic)}.{kind}"
        for policy in _POLICIES:
            name = f"{prefix}.{policy.name.lower()}"
            problem = _problem_with(policy, node.get_parameter(name).value) if node.has_parameter(name) else None
            if problem is not None:
                raise ConfigError(f"parameter {name!r} {problem}") from error
        raise


def _problem_with(policy: QoSPolicyKind, value: Any) -> str | None:
    """Why a value of a policy is impossible, as the end of a sentence; None when it is possible."""
    if policy is QoSPolicyKind.DEPTH:
        return None if 1 <= value <= MAX_DEPTH else f"must lie from 1 to {MAX_DEPTH} messages, got {value}"
    accepted = [member.name.lower() for member in _ENUMS[policy] if member.name != "UNKNOWN"]
    return None if value.lower() in accepted else f"must be one of {', '.join(accepted)}, got {value!r}"
