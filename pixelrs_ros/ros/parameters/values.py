"""The values of all parameters together: what is wrong with them. Imports no ROS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.spec import Spec
from pixelrs_ros.ros.parameters.table import SPECS, NodeParameters


def problem_with(name: str, value: Any, specs: Mapping[str, Spec] = SPECS) -> ConfigError | None:
    """What is wrong with a value, apart from its type and range, which ROS checks; None when nothing is."""
    spec = specs[name]
    if isinstance(value, float) and not math.isfinite(value):  # ROS lets NaN pass every range
        return ConfigError(f"parameter {name!r} must be a finite number, got {value}")
    if spec.choices and value not in spec.choices:
        return ConfigError(f"parameter {name!r} must be one of {', '.join(spec.choices)}, got {value!r}")
    problem = None if spec.check is None else spec.check(value)
    return None if problem is None else ConfigError(f"parameter {name!r} {problem}")


def conflict(values: Mapping[str, Any]) -> ConfigError | None:
    """Why values cannot hold together; None when they can. Those that belong together are to be set together."""
    for name in ("depth_topics", "camera_info_topics"):
        if len(values[name]) > len(values["image_topics"]):
            return ConfigError(
                f"parameter {name!r} names {len(values[name])} topics for {len(values['image_topics'])} cameras "
                "(parameter 'image_topics'): give at most one for each camera"
            )
    if values["instruction_burst"] and not values["max_instructions_per_s"]:
        return ConfigError(
            f"parameter 'instruction_burst' is {values['instruction_burst']}, but there is no rate that it could "
            "exceed ('max_instructions_per_s' is 0): set both at once (set_parameters_atomically), or a burst of 0"
        )
    if values["min_depth_m"] >= values["max_depth_m"]:
        return ConfigError(
            f"parameter 'min_depth_m' must be below 'max_depth_m', got {values['min_depth_m']:g} and "
            f"{values['max_depth_m']:g}: set both at once (set_parameters_atomically)"
        )
    return None


def checked(values: Mapping[str, Any]) -> NodeParameters:
    """The values of all parameters, checked one by one and against each other.

    Raises:
        ConfigError: A value is impossible; the message names the parameter.
    """
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    problems = [problem_with(name, value) for name, value in values.items()]
    problem = next(filter(None, problems), None) or conflict(values)
    if problem is not None:
        raise problem
    return NodeParameters(**values)
