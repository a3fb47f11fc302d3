"""Which parameters a command line gives a node: ROS keeps silent about those that the node does not have."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_VALUES = "ros__parameters"
_EVERYBODY = ("*", "**")
_OF_ROS = "qos_overrides."  # declared when a topic is
_CLOSE = 0.8  # as difflib measures it


def misspelled(arguments: Sequence[str], node: str, known: Collection[str]) -> list[str]:
    """What to say of the parameters that a node is given and does not have.

    Args:
        arguments: The command line of a process with one node of ours.
        node: Name of the node.
        known: Names of its parameters.

    Returns:
        A sentence for each. Nothing is said of a name in a section for all nodes that is like none of this one's.
    """
    said = {}
    for name, meant in _given(arguments, node):
        if name in known or name.startswith(_OF_ROS):
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE)
        if close or meant:
            remedy = f"did you mean {close[0]!r}?" if close else "it changes nothing"
            said[name] = f"there is no parameter {name!r}: {remedy}"
    return list(said.values())


def _given(arguments: Sequence[str], node: str) -> Iterator[tuple[str, bool]]:
    """Name of each parameter, and whether it is meant for this node alone."""
    of_ros = False
    for word, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if word in ("--ros-args", "--"):
            of_ros = word == "--ros-args"
        elif of_ros and word in ("-p", "--param"):
            place, _, name = value.partition(":=")[0].rpartition(":")
            if place in ("", node):
                yield name, True
        elif of_ros and word == "--params-file":
            yield from _in_section(yaml.safe_load(Path(value).read_text(encoding="utf-8")), "", node)


def _in_section(content: Any, place: str, node: str) -> Iterator[tuple[str, bool]]:
    if not isinstance(content, Mapping):
        return
    for key, value in content.items():
        if key != _VALUES:
            yield from _in_section(value, f"{place}/{key}", node)
        elif (last := place.rpartition("/")[2]) in (node, *_EVERYBODY):
            yield from ((name, last == node) for name in _flat(value))


def _flat(values: Any, prefix: str = "") -> Iterator[str]:
    for name, value in (values or {}).items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
