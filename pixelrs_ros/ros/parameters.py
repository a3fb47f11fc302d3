"""Every parameter of the perception node: its default, what it does, what it accepts and when it may change."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from pixelrs_ros.errors import ConfigError

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
}
_COMPANIONS = ("depth_topics", "camera_info_topics")  # of the cameras, by place


class Change(enum.Enum):
    """When a parameter may change."""

    AT_START = "only when the node starts"  # read-only for ROS
    WHEN_UNCONFIGURED = "only while the node is not configured"
    ANY_TIME = "at any time"


@dataclass(frozen=True)
class Spec:
    """One parameter. `low` and `high` bound a number, both included."""

    default: bool | int | float | str | list[str]
    description: str
    change: Change
    low: float | None = None
    high: float | None = None
    may_be_empty: bool = False  # a list; ROS gives an empty one no type

    def descriptor(self) -> ParameterDescriptor:
        """The ROS descriptor, with the range and the read-only flag."""
        descriptor = ParameterDescriptor(
            description=self.description,
            read_only=self.change is Change.AT_START,
            dynamic_typing=self.may_be_empty,
        )
        descriptor.additional_constraints = f"changes {self.change.value}"
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                limits = FloatingPointRange(from_value=self.low, to_value=self.high)
                descriptor.floating_point_range = [limits]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)]
        return descriptor


SPECS: dict[str, Spec] = {
    "autostart": Spec(False, "Configure and activate the node when it starts.", Change.AT_START),
    "checkpoint": Spec(
        "nano", "Checkpoint folder, or the name of one that is shipped with the package.", Change.WHEN_UNCONFIGURED
    ),
    "device": Spec("cpu", "Where the network runs: cpu, cuda or cuda:N.", Change.WHEN_UNCONFIGURED),
    "num_threads": Spec(
        0,
        "CPU threads of the words and of SAM's image encoder each; 0 takes half of the CPUs.",
        Change.WHEN_UNCONFIGURED,
        0,
        256,
    ),
    "backend": Spec(
        "torch",
        "What runs the network: torch; torch_compiled: words decoded with a static cache, torch.compile and, on a GPU, "
        "a CUDA graph; onnx, after `pixelrs export`: encoders, prompt and mask decoder in ONNX Runtime.",
        Change.WHEN_UNCONFIGURED,
    ),
    "precision": Spec(
        "auto",
        "Of the network: fp32, fp16, bf16, or auto: fp32 on a CPU, bf16 on a GPU that computes in it, else fp16.",
        Change.WHEN_UNCONFIGURED,
    ),
    "language_weights": Spec(
        "full", "Of the language model: full, or quantized by torchao to int8 or int4.", Change.WHEN_UNCONFIGURED
    ),
    "onnx_dir": Spec(
        "", "Where `pixelrs export` wrote; empty: `onnx` in the checkpoint's folder.", Change.WHEN_UNCONFIGURED
    ),
    "max_turns": Spec(
        16, "Turns of a dialogue that are remembered; older ones are forgotten.", Change.WHEN_UNCONFIGURED, 1, 1000
    ),
    "max_sessions": Spec(
        8,
        "Dialogues in memory; the one idle longest makes room. It is forgotten, or read back from the store if it "
        "goes on.",
        Change.WHEN_UNCONFIGURED,
        1,
        1000,
    ),
    "max_history_tokens": Spec(
        0,
        "Past turns that the network is shown, in tokens; 0 takes what the checkpoint's context leaves.",
        Change.WHEN_UNCONFIGURED,
        0,
        1_000_000,
    ),
    "session_idle_s": Spec(
        0.0,
        "Silence after which a dialogue is over and forgotten, here and on disk, in seconds; 0: never.",
        Change.WHEN_UNCONFIGURED,
        0.0,
        1e9,
    ),
    "store_dialogues": Spec(
        True,
        "Store every turn before it is answered, so that dialogues survive a restart; false: nothing is written.",
        Change.WHEN_UNCONFIGURED,
    ),
    "storage_dir": Spec(
        "",
        "Folder of the store and of exports, an absolute path; empty: pixelrs_ros/<name of the node> in "
        "$XDG_STATE_HOME, which is ~/.local/state where it is not set.",
        Change.WHEN_UNCONFIGURED,
    ),
    "store_images": Spec(
        True, "Store the image of each turn too, as JPEG; an export needs it.", Change.WHEN_UNCONFIGURED
    ),
    "max_stored_days": Spec(
        30.0, "Stored dialogues silent for longer are deleted; 0: none for its age.", Change.WHEN_UNCONFIGURED, 0.0, 1e6
    ),
    "max_stored_mb": Spec(
        1000.0,
        "The dialogues silent longest are deleted when the store takes more, in MB of 10^6 bytes; 0: no bound.",
        Change.WHEN_UNCONFIGURED,
        0.0,
        1e9,
    ),
    "max_characters": Spec(
        2000, "Longest instruction that is accepted, in characters.", Change.WHEN_UNCONFIGURED, 1, 100_000
    ),
    "max_new_tokens": Spec(
        0, "Longest answer, in tokens; 0 takes the checkpoint's own limit.", Change.WHEN_UNCONFIGURED, 0, 4096
    ),
    "max_cached_sessions": Spec(
        4,
        "Dialogues whose keys and values are kept between turns; the others are read anew at their next turn.",
        Change.WHEN_UNCONFIGURED,
        1,
        1000,
    ),
    "max_cached_frames": Spec(
        8, "Encoded images that are kept for the dialogues that refer to them.", Change.WHEN_UNCONFIGURED, 1, 1000
    ),
    "max_frame_cache_mb": Spec(
        256.0, "Memory for encoded images, in MB of 10^6 bytes.", Change.WHEN_UNCONFIGURED, 1.0, 1_000_000.0
    ),
    "max_waiting": Spec(
        8,
        "Instructions of one dialogue that may wait for an answer; one more is refused.",
        Change.WHEN_UNCONFIGURED,
        1,
        1000,
    ),
    "image_topics": Spec(
        ["image"],
        "Topics of the cameras; an instruction names its camera by frame_id, else the first one is meant.",
        Change.WHEN_UNCONFIGURED,
    ),
    "depth_topics": Spec(
        ["depth"],
        "Topics of the depth images, in the order of image_topics and registered to those images; an empty text, or "
        "none at the end: that camera has no depth.",
        Change.WHEN_UNCONFIGURED,
        may_be_empty=True,
    ),
    "camera_info_topics": Spec(
        ["camera_info"],
        "Topics of the cameras' intrinsics, in the order of image_topics; an empty text, or none at the end: none.",
        Change.WHEN_UNCONFIGURED,
        may_be_empty=True,
    ),
    "frame_policy": Spec(
        "per_turn",
        "Which image a turn looks at: per_turn: that of its moment; pin_first: that of its dialogue's first turn; "
        "latest: the newest. An instruction may ask for another for its dialogue.",
        Change.ANY_TIME,
    ),
    "frame_buffer_size": Spec(
        30,
        "Newest images of each camera kept to choose an instruction's image from.",
        Change.WHEN_UNCONFIGURED,
        1,
        1000,
    ),
    "max_frame_age_s": Spec(
        2.0, "How much older than its instruction an image may be, in seconds.", Change.ANY_TIME, 0.01, 3600.0
    ),
    "max_frame_slop_s": Spec(
        2.0, "How much younger than its instruction an image may be, in seconds.", Change.ANY_TIME, 0.01, 3600.0
    ),
    "max_frame_wait_s": Spec(
        0.3,
        "How long an instruction waits for an image that was captured before it and is still on its way, in seconds.",
        Change.ANY_TIME,
        0.0,
        60.0,
    ),
    "max_depth_slop_s": Spec(
        0.05,
        "How far the stamps of depth and camera info may be from their image's, in seconds.",
        Change.ANY_TIME,
        0.0,
        60.0,
    ),
    "image_is_rectified": Spec(
        False,
        "The images have been rectified: their pixels follow P of camera info, not K and D.",
        Change.ANY_TIME,
    ),
    "min_depth_m": Spec(0.1, "Smallest depth that is believed, in metres.", Change.ANY_TIME, 0.0, 1000.0),
    "max_depth_m": Spec(10.0, "Largest depth that is believed, in metres.", Change.ANY_TIME, 0.01, 1000.0),
    "min_valid_depth": Spec(
        0.2, "Share of a mask's pixels that need a depth for a measurement, in [0, 1].", Change.ANY_TIME, 0.0, 1.0
    ),
    "min_depth_points": Spec(
        20, "Points that must be left after cleaning for a measurement.", Change.ANY_TIME, 1, 1_000_000
    ),
    "edge_erosion_px": Spec(
        1.5,
        "Width of a mask's rim whose depth is not believed, in px; thin masks lose less.",
        Change.ANY_TIME,
        0.0,
        50.0,
    ),
    "remove_outliers": Spec(True, "Drop flying pixels and small stray surfaces.", Change.ANY_TIME),
    "max_target_points": Spec(
        40_000, "Points of a target; a larger mask is sampled evenly.", Change.ANY_TIME, 100, 10_000_000
    ),
    "publish_points": Spec(True, "Publish `target_points`, the targets' points in space.", Change.ANY_TIME),
    "publish_overlay": Spec(True, "Publish `overlay`, the image with the masks painted over it.", Change.ANY_TIME),
    "publish_partials": Spec(True, "Publish the explanation also while it is being generated.", Change.ANY_TIME),
}


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
    image_topics: tuple[str, ...]
    depth_topics: tuple[str, ...]
    camera_info_topics: tuple[str, ...]
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
    publish_partials: bool


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
    for name in _COMPANIONS:
        if len(values[name]) > len(values["image_topics"]):
            raise ConfigError(
                f"parameter {name!r} names {len(values[name])} topics for {len(values['image_topics'])} cameras "
                "(parameter 'image_topics'): give at most one for each camera"
            )
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


def check_change(parameters: Sequence[Parameter[Any]], *, configured: bool) -> SetParametersResult:
    """Accept or refuse new values; for `Node.add_on_set_parameters_callback`.

    Args:
        parameters: With their new values; types and ranges have been checked by ROS.
        configured: Whether the node holds a network, which some parameters would have no effect on any more.
    """
    for parameter in parameters:
        spec = SPECS.get(parameter.name)
        if spec is None:
            continue
        problem = problem_with(parameter.name, parameter.value)
        if not problem and configured and spec.change is Change.WHEN_UNCONFIGURED:
            problem = (
                f"parameter {parameter.name!r} is read when the node is configured: deactivate and clean it up, "
                "set the parameter, then configure and activate it again"
            )
        if problem:
            return SetParametersResult(successful=False, reason=problem)
    return SetParametersResult(successful=True)


def _remedy(spec: Spec) -> str:
    kind = _KINDS[type(spec.default)]
    limits = f" from {spec.low:g} to {spec.high:g}" if spec.low is not None and spec.high is not None else ""
    return f"Give it {kind}{limits}; the default is {spec.default!r}"
