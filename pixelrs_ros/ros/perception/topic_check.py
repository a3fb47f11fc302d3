"""Finds out why nothing comes on a topic: another type, a transport named twice, nobody who publishes it."""

from __future__ import annotations

import re
from typing import Any

from rclpy.node import Node

RAW = "raw"
_PLUGINS = ("compressed", "compressedDepth")  # of image_transport, that the node can read
_RECTIFIED = re.compile(r"[/_]rect(ified)?(?=[/_]|$)")


def type_problem(node: Node, topic: str, message_type: type[Any]) -> str | None:
    """That a topic is published with other types only; None where it is not published, or with the right one.

    Args:
        node: Looks at the graph.
        topic: Name after remapping.
        message_type: That the node subscribes to.
    """
    expected = _name_of(message_type)
    published = {info.topic_type for info in node.get_publishers_info_by_topic(topic)}
    if not published or expected in published:
        return None
    return f"{topic} carries {', '.join(sorted(published))}, but {expected} is expected"


def image_problem(node: Node, topic: str, transport: str, parameter: str, message_type: type[Any]) -> str | None:
    """What is wrong with a topic of images, with the remedy; None where nothing is known to be.

    Args:
        node: Looks at the graph.
        topic: Name of the raw images' topic after remapping.
        transport: "raw", or that of image_transport.
        parameter: That names the transport.
        message_type: That the node subscribes to.
    """
    problem = type_problem(node, topic if transport == RAW else f"{topic}/{transport}", message_type)
    plain, _, plugin = topic.rpartition("/")
    if problem is not None and transport == RAW and plugin in _PLUGINS:
        return f"{problem}: set the parameter '{parameter}' to {plugin} and name the topic {plain}"
    if problem is not None:
        other = "send raw images there" if transport == RAW else f"set the parameter '{parameter}' to raw"
        return f"{problem}: name another topic, or {other}"
    if transport != RAW and topic.endswith(f"/{transport}"):
        return (
            f"{topic}/{transport} names its transport twice: name the topic {plain}, to which the node adds "
            f"/{transport} (parameter '{parameter}')"
        )
    return None


def silence(node: Node, topic: str, transport: str) -> str | None:
    """That nobody publishes a topic of images, and which of its other forms is published; None where somebody does."""
    used = topic if transport == RAW else f"{topic}/{transport}"
    if node.count_publishers(used):
        return None
    text = f"nobody publishes {used}: check that the camera runs and that the topic is remapped to its"
    other, name = (f"{topic}/compressed", "compressed") if transport == RAW else (topic, RAW)
    if node.count_publishers(other):
        text += f"; {other} is published: set the parameter 'image_transport' to {name}"
    return text


def is_rectified(topic: str) -> bool:
    """Whether images are rectified by their topic's name, as image_proc and camera drivers name it."""
    return _RECTIFIED.search(topic) is not None


def _name_of(message_type: type[Any]) -> str:
    """As it stands in the graph: package/msg/Name."""
    package, kind, *_ = message_type.__module__.split(".")
    return f"{package}/{kind}/{message_type.__name__}"
