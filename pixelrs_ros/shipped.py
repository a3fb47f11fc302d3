"""Where checkpoints are: in folders anywhere, or by name in the one that ships. Loads nothing."""

from __future__ import annotations

from pathlib import Path

from pixelrs_ros.errors import CheckpointError

CHECKPOINTS_DIR = Path(__file__).parent / "checkpoints"


def resolve(path_or_name: str | Path) -> Path:
    """A checkpoint folder: a path, or the name of one that ships with the package.

    Raises:
        CheckpointError: Neither exists.
    """
    candidates = (Path(path_or_name), CHECKPOINTS_DIR / str(path_or_name))
    for candidate in candidates if "\0" not in str(path_or_name) else ():
        if candidate.is_dir():
            return candidate
    shipped = sorted(path.name for path in CHECKPOINTS_DIR.glob("*/") if path.is_dir())
    # As Python writes it: what a parameter or an option holds must not forge a line of the log.
    raise CheckpointError(f"no checkpoint folder {str(path_or_name)!r}; shipped: {', '.join(shipped) or 'none'}")
