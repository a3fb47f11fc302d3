"""Which licenses this user has accepted: shown once for each name, and again where the words have changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelrs_ros.files import write_json
from pixelrs_ros.published import Weights
from pixelrs_ros.shipped import data_dir


def is_accepted(name: str, weights: Weights) -> bool:
    """Whether the license was accepted as it reads now."""
    return _accepted().get(name) == weights.license


def remember(name: str, weights: Weights) -> None:
    """Note that the license was accepted.

    Raises:
        OutputError: It cannot be written.
    """
    write_json(_path(), {**_accepted(), name: weights.license})


def _path() -> Path:
    return data_dir() / "licenses.json"


def _accepted() -> dict[str, Any]:
    """By name; nothing where the file is missing or unreadable: then it is asked again."""
    try:
        content = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
