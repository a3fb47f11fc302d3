"""The parameters of the perception node as they stand: declared, read, and refused with the reason."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from rclpy.exceptions import InvalidParameterValueException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.table import SPECS, Change, Spec

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a point",
    str: "a text",
    list: "a list of texts",
}
_DEVICE = re.compile(r"cpu|cuda(:\d+)?")
# Texts of which only these are accepted.
_CHOICES = {
    "backend": ("torch", "torch_compiled", "onnx"),
    "precision": ("auto", "fp32", "fp16", "bf16"),
    "language_weights": ("full", "int8", "int4"),
    "frame_policy": ("per_turn", "pin_first", "latest"),
    "image_transport": ("raw", "compressed"),
    "depth_transport": ("raw", "compressedDepth"),
    "busy_policy": ("reject", "queue", "preempt"),
}
_COMPANIONS = ("depth_topics", "camera_info_topics")  # of the cameras, by place


@dataclass(frozen=True)
class NodeParameters:
    """The values in force; the names, meanings and units are those of `SPECS`."""

    autostart: bool
    checkpoint: str
    device: str
    num_threads: int
    backend: str
    precision: str
    language_weights: str
    onnx_dir: str
    max_turns: int
    max_sessions: int
    max_history_tokens: int
    session_idle_s: float
    store_dialogues: bool
    storage_dir: str
    store_images: bool
    max_stored_days: float
    max_stored_mb: float
    max_characters: int
    max_new_tokens: int
    max_cached_sessions: int
    max_cached_frames: int
    max_frame_cache_mb: float
    max_waiting: int
    busy_policy: str
    max_instructions_per_s: float
    instruction_burst: int
    max_tracked_sessions: int
    image_topics: tuple[str, ...]
    depth_topics: tuple[str, ...]
    camera_info_topics: tuple[str, ...]
    image_transport: str
    depth_transport: str
    max_image_megapixels: float
    frame_policy: str
    frame_buffer_size: int
    max_frame_age_s: float
    max_frame_slop_s: float
    max_frame_wait_s: float
    max_depth_slop_s: float
    image_is_rectified: bool
    min_depth_m: float
    max_depth_m: float
    min_valid_depth: float
    min_depth_points: int
    edge_erosion_px: float
    remove_outliers: bool
    max_target_points: int
    publish_points: bool
    publish_overlay: bool
    jpeg_quality: int
    publish_partials: bool
    track_targets: bool
    tracking_rate_hz: float


def declare(node: Node) -> None:
    """Declare all of `SPECS` on a node, with the values given on its command line or in its YAML file.

    Raises:
        ConfigError: A given value has the wrong type or lies out of range; the message names the parameter.
    """
    for name, spec in SPECS.items():
        try:
            node.declare_parameter(name, spec.default, spec.descriptor())
        except (InvalidParameterValueException, ParameterException) as error:
            raise ConfigError(f"parameter {name!r}: {error}. {_remedy(spec)}") from error


def read(node: Node) -> NodeParameters:
    """The values in force.

    Raises:
        ConfigError: A value that no range can describe is wrong; the message names the parameter.
    """
    values = {field.name: _value(node, field.name) for field in fields(NodeParameters)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    for name, value in values.items():
        problem = problem_with(name, value)
        if problem:
            raise ConfigError(problem)
    values["storage_dir"] = values["storage_dir"] or _default_storage_dir(node)
    problem = conflict(values)
    if problem:
        raise ConfigError(problem)
    return NodeParameters(**values)


def _default_storage_dir(node: Node) -> str:
    """As the XDG Base Directory Specification has it; a node's name holds nothing that a path could stumble over."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - never raises
    return f"{state}/pixelrs_ros{node.get_fully_qualified_name()}"


def _value(node: Node, name: str) -> Any:
    try:
        value = node.get_parameter(name).value
    except ParameterException as error:  # an empty list in a YAML file
        raise ConfigError(f"parameter {name!r} has no value. {_remedy(SPECS[name])}") from error
    return [] if value is None and SPECS[name].may_be_empty else value


def problem_with(name: str, value: Any) -> str:
    """Why a value is wrong in a way that no range can describe; empty when it is not."""
    if isinstance(value, float) and not math.isfinite(value):  # ROS lets NaN pass every range
        return f"parameter {name!r} must be a finite number, got {value}"
    if name == "device" and not _DEVICE.fullmatch(value):
        return f"parameter 'device' must be cpu, cuda or cuda:N, got {value!r}"
    if name == "checkpoint" and not value.strip():
        return "parameter 'checkpoint' is empty: name a checkpoint folder, or 'nano' for the one that is shipped"
    if name == "storage_dir" and value and not value.startswith("/"):
        return f"parameter 'storage_dir' must be an absolute path, or empty for the default one, got {value!r}"
    if name in _CHOICES and value not in _CHOICES[name]:
        return f"parameter {name!r} must be one of {', '.join(_CHOICES[name])}, got {value!r}"
    if name == "image_topics" and (not value or "" in value or len(set(value)) < len(value)):
        return f"parameter 'image_topics' must name at least one topic, each once, got {list(value)}"
    if name in _COMPANIONS and value:
        if not isinstance(value, list | tuple) or not all(isinstance(topic, str) for topic in value):
            return f"parameter {name!r} must be a list of texts, got {value!r}"
        topics = [topic for topic in value if topic]
        if len(set(topics)) < len(topics):
            return f"parameter {name!r} must name each topic once, got {list(value)}"
    return ""


def conflict(values: Mapping[str, Any]) -> str:
    """Why values cannot hold together; empty when they can. Those that belong together are to be set together."""
    for name in _COMPANIONS:
        if len(values[name]) > len(values["image_topics"]):
            return (
                f"parameter {name!r} names {len(values[name])} topics for {len(values['image_topics'])} cameras "
                "(parameter 'image_topics'): give at most one for each camera"
            )
    if values["instruction_burst"] and not values["max_instructions_per_s"]:
        return (
            f"parameter 'instruction_burst' is {values['instruction_burst']}, but there is no rate that it could "
            "exceed ('max_instructions_per_s' is 0): set both at once (set_parameters_atomically), or a burst of 0"
        )
    if values["min_depth_m"] >= values["max_depth_m"]:
        return (
            f"parameter 'min_depth_m' must be below 'max_depth_m', got {values['min_depth_m']:g} and "
            f"{values['max_depth_m']:g}: set both at once (set_parameters_atomically)"
        )
    return ""


def check_change(
    parameters: Sequence[Parameter[Any]], values: NodeParameters, *, configured: bool, active: bool
) -> str:
    """Find out whether new values can take effect.

    Args:
        parameters: With their new values; types and ranges have been checked by ROS.
        values: In force until now.
        configured: Whether the node holds a network, which some parameters would have no effect on any more.
        active: Whether the node listens.

    Returns:
        Why they cannot, with the remedy; empty when they can.
    """
    changed = {
        parameter.name: tuple(parameter.value) if isinstance(parameter.value, list) else parameter.value
        for parameter in parameters
        if parameter.name in SPECS
    }
    for name, value in changed.items():
        if value is None:
            return f"parameter {name!r} cannot be removed; its default is {SPECS[name].default!r}"
        problem = problem_with(name, value)
        if problem:
            return problem
        if value == getattr(values, name):
            continue
        if configured and SPECS[name].change is Change.WHEN_UNCONFIGURED:
            return (
                f"parameter {name!r} is read when the node is configured: deactivate and clean it up, set the "
                "parameter, then configure and activate it again"
            )
        if active and SPECS[name].change is Change.WHEN_INACTIVE:
            return (
                f"parameter {name!r} is read when the node is activated: deactivate it, set it, and activate it again"
            )
    return conflict({**asdict(values), **changed})


def _remedy(spec: Spec) -> str:
    kind = _KINDS[type(spec.default)]
    limits = f" from {spec.low:g} to {spec.high:g}" if spec.low is not None and spec.high is not None else ""
    return f"Give it {kind}{limits}; the default is {spec.default!r}"
