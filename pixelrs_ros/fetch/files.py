"""The files of a part on this disk: which are missing, and whether they are what the table says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pixelrs_ros.errors import FetchError
from pixelrs_ros.published import Part

_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_BLOCK = 1 << 20


def noted(path: Path, *keys: str) -> dict[str, Any]:
    """What we once wrote into a JSON file, or below some keys of it; nothing where it is missing or unreadable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def present(part: Part, folder: Path) -> list[Path]:
    """Files of the part that are there, in the table's order."""
    found = [path for pattern in part.files for path in sorted(folder.glob(pattern)) if path.is_file()]
    return list(dict.fromkeys(found))


def missing(part: Part, folder: Path) -> list[str]:
    """Names or patterns of what is not there, or not of its size; shards that only an index names, too."""
    absent = [name for name, file in part.files.items() if not any(_whole(folder, name, file.bytes))]
    for index in _INDEXES:
        if index in part.files and (folder / index).is_file():
            absent += [name for name in _shards(folder / index) if not (folder / name).is_file()]
    return list(dict.fromkeys(absent))


def _whole(folder: Path, name: str, size: int | None) -> Iterable[bool]:
    return (path.is_file() and size in (None, path.stat().st_size) for path in folder.glob(name))


def _shards(index: Path) -> list[str]:
    """The files that an index names.

    Raises:
        FetchError: It is malformed.
    """
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"{index} is no index of weights; remedy: remove it and fetch again") from error


def checksums(part: Part, folder: Path) -> dict[str, str]:
    """SHA-256 of each file of the part that is there, by name."""
    return {path.name: _sha256(path) for path in present(part, folder)}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
