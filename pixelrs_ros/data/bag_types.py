"""Definitions of ROS 2 messages as text, from the packages that are installed. Imports no ROS."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from pixelrs_ros.errors import DataError

OWN_PACKAGE = "pixelrs_ros"
_SEPARATOR = "=" * 80
_NAME = re.compile(r"[A-Za-z]\w*/msg/[A-Za-z]\w*")
# The type of a field or constant; not one of a length or default that follows it.
_FIELD_TYPE = re.compile(r"^\s*([A-Za-z]\w*(?:/[A-Za-z]\w*)*)(?:<=\d+)?(?:\[[^]]*\])?\s+[A-Za-z]", re.MULTILINE)
_PRIMITIVE = re.compile(r"bool|byte|char|w?string|float(32|64)|u?int(8|16|32|64)")


class Definition(NamedTuple):
    """A message type as a recording keeps it.

    Attributes:
        text: Its definition, and after it those of all that it is made of, as rosbag2 joins them.
        digest: Of the whole type (REP-2011).
    """

    text: str
    digest: str


def definition_of(name: str) -> Definition:
    """The definition of an installed type, such as "sensor_msgs/msg/Image".

    Raises:
        DataError: It is not installed, or cannot be understood.
    """
    text = _joined(name)
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text, name))
    return Definition(text, store.hash_rihs01(name))


def known_types() -> Typestore:
    """ROS 2's own types, and this package's where it is installed: for recordings that say nothing about types."""
    store = get_typestore(Stores.LATEST)
    own: Typesdict = {}
    for folder in _folders(OWN_PACKAGE):
        for path in sorted(folder.glob("*.msg")):
            name = f"{OWN_PACKAGE}/msg/{path.stem}"
            own.update(get_types_from_msg(path.read_text(encoding="utf-8"), name))
    store.register(own)
    return store


def _joined(name: str) -> str:
    texts, waiting = {name: _read(name)}, [name]
    while waiting:
        owner = waiting.pop()
        for part in _parts(owner, texts[owner]):
            if part not in texts:
                texts[part] = _read(part)
                waiting.append(part)
    first, *others = texts.items()
    rest = (f"{_SEPARATOR}\nMSG: {part.replace('/msg/', '/')}\n{text}" for part, text in others)
    return "".join((first[1], *rest))


def _parts(owner: str, text: str) -> Iterator[str]:
    """Full names of the types that a definition uses."""
    for used in _FIELD_TYPE.findall(text):
        *package, short = used.split("/")
        if package:
            yield f"{package[0]}/msg/{short}"
        elif not _PRIMITIVE.fullmatch(short):
            yield f"{owner.split('/')[0]}/msg/{short}"


def _read(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise DataError(f"{name!r} is not the name of a message type, such as sensor_msgs/msg/Image")
    package, _, short = name.split("/")
    for folder in _folders(package):
        path = folder / f"{short}.msg"
        if path.is_file():
            return f"{path.read_text(encoding='utf-8').rstrip()}\n"
    raise DataError(f"the message type {name} is not installed; remedy: source the workspace that builds {package}")


def _folders(package: str) -> Iterator[Path]:
    """Where a package's messages are, in the order in which ROS looks."""
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        yield Path(prefix) / "share" / package / "msg"
