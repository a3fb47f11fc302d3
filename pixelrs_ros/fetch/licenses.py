"""Which licenses this user has accepted: shown once for each name, and again where the words have changed."""

from __future__ import annotations

from pathlib import Path

from pixelrs_ros.fetch.files import noted
from pixelrs_ros.files import write_json
from pixelrs_ros.published import Weights
from pixelrs_ros.shipped import data_dir


def is_accepted(name: str, weights: Weights) -> bool:
    """Whether the license was accepted as it reads now; a note that cannot be read is none."""
    return noted(_path()).get(name) == weights.license


def remember(name: str, weights: Weights) -> None:
    """Note that the license was accepted.

    Raises:
        OutputError: It cannot be written.
    """
    write_json(_path(), {**noted(_path()), name: weights.license})


def _path() -> Path:
    return data_dir() / "licenses.json"
