"""The files of a store of dialogues: none of them a link, damaged ones set aside and later removed, and exports."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import time
from pathlib import Path

from pixelrs_ros.errors import StorageError

COMPANIONS = ("", "-wal", "-shm", "-journal")  # of SQLite's files
PARTIAL = ".partial"  # ends the name of an export that is being written
_DAMAGED = ".damaged-"  # in the name of a store that was set aside


def refuse_links(path: Path) -> None:
    """A store that is somewhere else than where it seems to be could be anybody's file.

    Raises:
        StorageError: The file, or one that belongs to it, is a symbolic link.
    """
    for companion in COMPANIONS:
        part = Path(f"{path}{companion}")
        if part.is_symlink():
            raise StorageError(f"{part} is a symbolic link; remedy: remove it, or name the real folder")


def set_aside(path: Path) -> Path:
    """Give a damaged store, or what is left of it, another name in its folder.

    Returns:
        The new name.

    Raises:
        OSError: The folder does not allow it.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    names = (path.with_name(f"{path.stem}{_DAMAGED}{stamp}-{count}{path.suffix}") for count in itertools.count())
    kept = next(name for name in names if not os.path.lexists(name))
    for companion in COMPANIONS:
        part = Path(f"{path}{companion}")
        if os.path.lexists(part):
            part.rename(f"{kept}{companion}")
    return kept


def remove_set_aside(path: Path, before_s: float) -> None:
    """Delete the damaged stores beside one that were last written before a time in seconds since the epoch."""
    for kept in path.parent.glob(f"{path.stem}{_DAMAGED}*"):
        with contextlib.suppress(OSError):
            if kept.is_file() and kept.stat().st_mtime < before_s:
                kept.unlink()


def remove_partial_exports(exports: Path) -> None:
    """Delete what exports left that were ended half-way, by a crash or by the power; no link is followed."""
    if exports.is_symlink():
        return
    for partial in exports.glob(f".*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if partial.is_dir() and not partial.is_symlink():
                shutil.rmtree(partial)
            else:
                partial.unlink()
