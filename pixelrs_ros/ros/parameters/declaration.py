"""The parameters of the perception node in ROS: declared, read once, and changed or refused with the reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterValueException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.given import misspelled
from pixelrs_ros.ros.parameters.spec import Change, Spec
from pixelrs_ros.ros.parameters.table import SPECS, NodeParameters
from pixelrs_ros.ros.parameters.values import checked, problem_with

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a point",
    str: "a text",
    list: "a list of texts",
}


def declare(node: Node, specs: Mapping[str, Spec] = SPECS) -> None:
    """Declare parameters on a node, with the values given on its command line or in its YAML file.

    What is given there and is no parameter of the node is logged as a warning.

    Raises:
        ConfigError: A given value has the wrong type or lies out of range; the message names the parameter.
    """
    for name, spec in specs.items():
        try:
            node.declare_parameter(name, spec.default, descriptor(spec))
        except (InvalidParameterValueException, ParameterException) as error:
            raise ConfigError(f"parameter {name!r}: {error}. {_remedy(spec)}") from error
    for said in misspelled(sys.argv, node.get_name(), node.get_parameters_by_prefix("")):
        node.get_logger().warning(said)


def read_all(node: Node, specs: Mapping[str, Spec]) -> dict[str, Any]:
    """Declare parameters that are read once, and what the node was started with, by name.

    Raises:
        ConfigError: A value is impossible; the message names the parameter.
    """
    declare(node, specs)
    values = {name: _value(node, name, specs) for name in specs}
    for name, value in values.items():
        problem = problem_with(name, value, specs)
        if problem is not None:
            raise problem
    return values


def descriptor(spec: Spec) -> ParameterDescriptor:
    """The ROS descriptor of a parameter, with the range and the read-only flag."""
    message = ParameterDescriptor(
        description=spec.description,
        read_only=spec.change is Change.AT_START,
        dynamic_typing=spec.may_be_empty,
    )
    message.additional_constraints = f"changes {spec.change.value}"
    if spec.choices:
        message.additional_constraints += f"; one of {', '.join(spec.choices)}"
    if spec.low is not None and spec.high is not None:
        if isinstance(spec.default, float):
            message.floating_point_range = [FloatingPointRange(from_value=spec.low, to_value=spec.high)]
        else:
            message.integer_range = [IntegerRange(from_value=int(spec.low), to_value=int(spec.high), step=1)]
    return message


def read(node: Node) -> NodeParameters:
    """The values that a node was started with.

    Raises:
        ConfigError: A value that no range can describe is wrong; the message names the parameter.
    """
    values = {name: _value(node, name) for name in SPECS}
    return checked({**values, "storage_dir": values["storage_dir"] or _default_storage_dir(node)})


def changed(
    node: Node, values: NodeParameters, parameters: Sequence[Parameter[Any]], *, configured: bool, active: bool
) -> NodeParameters:
    """The values after a change.

    Args:
        node: The node.
        values: In force until now.
        parameters: With their new values; types and ranges have been checked by ROS.
        configured: Whether the node has loaded a network, so that some parameters would have no effect any more.
        active: Whether the node listens.

    Raises:
        ConfigError: The change is refused; the message says why, and what helps.
    """
    new = {parameter.name: parameter.value for parameter in parameters if parameter.name in SPECS}
    for name, value in new.items():
        if value is None:
            raise ConfigError(f"parameter {name!r} cannot be removed; its default is {SPECS[name].default!r}")
    if not new.get("storage_dir", "/"):
        new["storage_dir"] = _default_storage_dir(node)
    after = checked({**asdict(values), **new})
    for name in new:
        if getattr(after, name) != getattr(values, name):
            _require_changeable(name, configured=configured, active=active)
    return after


def _require_changeable(name: str, *, configured: bool, active: bool) -> None:
    if configured and SPECS[name].change is Change.WHEN_UNCONFIGURED:
        raise ConfigError(
            f"parameter {name!r} is read when the node is configured: deactivate and clean it up, set the parameter, "
            "then configure and activate it again"
        )
    if active and SPECS[name].change is Change.WHEN_INACTIVE:
        raise ConfigError(
            f"parameter {name!r} is read when the node is activated: deactivate it, set it, and activate it again"
        )


def _default_storage_dir(node: Node) -> str:
    """As the XDG Base Directory Specification has it; the name of a node contains no character that paths forbid."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - never raises
    return f"{state}/pixelrs_ros{node.get_fully_qualified_name()}"


def _value(node: Node, name: str, specs: Mapping[str, Spec] = SPECS) -> Any:
    try:
        value = node.get_parameter(name).value
    except ParameterException as error:  # an empty list or a blank in a YAML file
        raise ConfigError(f"parameter {name!r} has no value. {_remedy(specs[name])}") from error
    return [] if value is None and specs[name].may_be_empty else value


def _remedy(spec: Spec) -> str:
    kind = _KINDS[type(spec.default)]
    limits = f" from {spec.low:g} to {spec.high:g}" if spec.low is not None and spec.high is not None else ""
    return f"Give it {kind}{limits}; the default is {spec.default!r}"
