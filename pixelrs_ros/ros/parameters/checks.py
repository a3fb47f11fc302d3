"""What values of single parameters must be beyond type, range and choice. Imports no ROS.

Each function gives the end of a sentence that begins with "parameter 'name'", or None where the value is acceptable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NODE = re.compile(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)
_DEVICE = re.compile(r"cpu|cuda(:\d+)?")


def device(value: str) -> str | None:
    """cpu, cuda or cuda:N."""
    return None if _DEVICE.fullmatch(value) else f"must be cpu, cuda or cuda:N, got {value!r}"


def node_name(value: str) -> str | None:
    """A node's name, with its namespace or without."""
    if _NODE.fullmatch(value):
        return None
    return f"must be a node's name of letters, digits and underscores, such as perception, got {value!r}"


def checkpoint(value: str) -> str | None:
    """Some text."""
    if value.strip():
        return None
    return "is empty: name a checkpoint folder, or 'nano' for the one that is shipped"


def storage_dir(value: str) -> str | None:
    """An absolute path, or nothing."""
    if not value or value.startswith("/"):
        return None
    return f"must be an absolute path, or empty for the default one, got {value!r}"


def target_frame(value: str) -> str | None:
    """A name of TF, or nothing."""
    if value.startswith("/"):
        return f"must be a frame without a slash before it, as TF has them, got {value!r}"
    return None if value == value.strip() else f"has blanks before or after it: {value!r}"


def image_bits(value: int) -> str | None:
    """A number of bits that a picture can be made of, or 0."""
    return None if value == 0 or 8 <= value <= 16 else f"must be 0, or from 8 to 16, got {value}"


def image_topics(value: Sequence[str]) -> str | None:
    """At least one topic, each once."""
    if value and "" not in value and len(set(value)) == len(value):
        return None
    return f"must name at least one topic, each once, got {list(value)}"


def companion_topics(value: Any) -> str | None:
    """Topics, each once; an empty text stands for none."""
    if not isinstance(value, list | tuple) or not all(isinstance(topic, str) for topic in value):
        return f"must be a list of texts, got {value!r}"
    topics = [topic for topic in value if topic]
    return None if len(set(topics)) == len(topics) else f"must name each topic once, got {list(value)}"
