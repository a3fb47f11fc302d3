"""A store of dialogues in a folder, on a clock that a test moves, and what goes wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.errors import StorageError
from pixelrs_ros.types import Segment, Status, Turn

NS_PER_S = 1_000_000_000
MAX_TURNS = 3
# Names as hostile as a message may carry.
SESSIONS = ("a", "'; DROP TABLE turns; --", "../../etc/passwd", "%s{0}", "日本\u202e\x07", "x" * 256)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def ns(self) -> int:
        return round(self.now_s * NS_PER_S)

    def s(self) -> float:
        return self.now_s


def an_archive(
    folder: Path | None, clock: Clock | None = None, max_sessions: int = 2, max_days: float = 0.0, max_mb: float = 0.0
) -> DialogueArchive:
    clock = clock or Clock()
    storage = None if folder is None else Storage(folder, max_days=max_days, max_mb=max_mb)
    return DialogueArchive(DialogueStore(max_sessions, MAX_TURNS, clock.s), storage, clock.ns)


def a_turn(index: int, text: str = "the mug") -> Turn:
    return Turn(index, text, "[OBJ] it[SEG].", Status.GROUNDED, 5 + index, 7, "camera")


def evidence(value: int = 0, picture: bytes | None = b"jpeg") -> Evidence:
    mask = np.zeros((5, 7), np.bool_)
    mask[1, value % 7] = True
    return Evidence(bytes([value]), picture, (StoredMask.of(Segment(f"it {value}", mask, 0.5)),))


def say(archive: DialogueArchive, session_id: str, text: str = "the mug", with_it: Evidence | None = None) -> None:
    archive.put(session_id, a_turn(archive.next_index(session_id), text), with_it)


def words(archive: DialogueArchive, session_id: str = "a") -> list[str]:
    return [turn.text for turn in archive.turns(session_id)]


def notices(archive: DialogueArchive) -> str:
    return "\n".join(notice.text for notice in archive.take_notices())


def problem_of(archive: DialogueArchive) -> str:
    """Empty while all is well, to be looked into."""
    return archive.state().problem or ""


def limit_pages(archive: DialogueArchive, pages: int) -> None:
    """Stand for a disk of that size; SQLite takes no less than the file has, so 0 is a full one."""
    assert archive.database is not None
    archive.database.connection.execute(f"PRAGMA max_page_count = {max(pages, 1)}")


def make_read_only(archive: DialogueArchive, pages: int) -> None:
    """Stand for a disk that may be written or, with 0, not."""
    assert archive.database is not None
    archive.database.connection.execute(f"PRAGMA query_only = {pages == 0}")


def refuse(*_: object) -> None:
    raise StorageError("disk I/O error")
