"""Where checkpoints are: in folders anywhere, or by name where they ship or were fetched to. Loads nothing."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import yaml

from pixelrs_ros.errors import CheckpointError

CHECKPOINTS_DIR = Path(__file__).parent / "checkpoints"
PUBLISHED = Path(__file__).parent / "published.yaml"  # what pixelrs_ros/published.py reads
CONFIG = "config.yaml"  # written last, so that a folder with one is whole


def data_dir() -> Path:
    """Where this user's fetched weights are, and the licenses that were accepted for them."""
    home = os.environ.get("XDG_DATA_HOME", "")
    # The specification of XDG: a relative one is to be ignored.
    return Path(home if home.startswith("/") else os.path.expanduser("~/.local/share")) / "pixelrs_ros"  # noqa: PTH111


def fetched_dir(name: str) -> Path:
    """Where `pixelrs fetch` puts weights unless told otherwise; it need not be there."""
    return data_dir() / "checkpoints" / name


def resolve(path_or_name: str | Path) -> Path:
    """A checkpoint folder: a path, or the name of one that ships with the package or was fetched.

    Raises:
        CheckpointError: None of them exists; for a name that can be fetched, the message says how.
    """
    name = str(path_or_name)
    candidates = (Path(path_or_name), CHECKPOINTS_DIR / name)
    for candidate in candidates if "\0" not in name else ():
        if candidate.is_dir():
            return candidate
    known = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["weights"]
    if name in known:
        if (fetched_dir(name) / CONFIG).is_file():
            return fetched_dir(name)
        raise CheckpointError(f"{name} has not been fetched, or not to its end; remedy: pixelrs fetch {name}")
    here = sorted(path.name for path in CHECKPOINTS_DIR.glob("*/") if path.is_dir())
    likely = difflib.get_close_matches(name, [*here, *known], n=1)
    meant = f"; did you mean {likely[0]}?" if likely else ""
    # As Python writes it: what a parameter or an option holds must not forge a line of the log.
    raise CheckpointError(
        f"no checkpoint folder {name!r}{meant}; shipped: {', '.join(here) or 'none'}; "
        f"to be had by pixelrs fetch: {', '.join(known)}"
    )
