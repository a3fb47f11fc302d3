"""Where dialogues are stored, and how that fares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Storage:
    """Where and for how long dialogues are stored.

    Attributes:
        folder: Made, for its owner's eyes only, if missing.
        images: Whether the image of each turn is kept, which an export needs.
        max_days: Dialogues silent for longer are deleted; 0 keeps them.
        max_mb: The longest silent dialogues are deleted beyond this size, in MB of 10^6 bytes; 0 sets no bound.
    """

    folder: Path
    images: bool = True
    max_days: float = 0.0
    max_mb: float = 0.0


@dataclass(frozen=True)
class Notice:
    """Something that the log should say."""

    text: str
    is_error: bool = False


@dataclass(frozen=True)
class StorageState:
    """How storage fares.

    Attributes:
        path: The file in use; None while dialogues are in memory only.
        problem: Why turns are not being stored, or where a damaged store went; None while all is well.
        failing: Whether turns are being lost to the disk now.
        unsaved: Dialogues whose last turns are in memory only.
    """

    path: Path | None
    problem: str | None
    failing: bool
    unsaved: int
