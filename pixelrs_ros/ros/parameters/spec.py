"""What there is to know of one parameter. Imports no ROS."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Change(enum.Enum):
    """When a parameter may change."""

    AT_START = "only when the node starts"  # read-only for ROS
    WHEN_UNCONFIGURED = "only while the node is not configured"
    WHEN_INACTIVE = "only while the node is not active"
    ANY_TIME = "at any time"


# The end of a sentence that begins with "parameter 'name' ", or None where the value is acceptable.
Check = Callable[[Any], str | None]


@dataclass(frozen=True)
class Spec:
    """What there is to know of one parameter.

    Attributes:
        default: As ROS declares it.
        description: What it does, with its unit.
        change: When it may change.
        low: Smallest number that is accepted; None for what is no number.
        high: Largest one.
        choices: The texts that are accepted; empty: any.
        check: What else is wrong with a value.
        may_be_empty: It is a list that may be empty; ROS gives an empty list no type.
        bounds_session: It is an argument of `Session.set_bounds` under the same name.
    """

    default: bool | int | float | str | list[str]
    description: str
    change: Change
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Check | None = None
    may_be_empty: bool = False
    bounds_session: bool = False


def parameter(default: Any, description: str, change: Change, **more: Any) -> Any:
    """A field of `NodeParameters`; `more` are further attributes of its `Spec`."""
    declared = list(default) if isinstance(default, tuple) else default
    return field(default=default, metadata={"spec": Spec(declared, description, change, **more)})
