"""Dialogues on disk: one SQLite file in WAL mode, whole after a crash at any moment.

A commit is in the operating system's hands before it returns, so killing the process loses nothing that was committed
(sqlite.org, "PRAGMA synchronous", NORMAL). Forcing it to the disk takes milliseconds that nobody has to wait for: that
follows at once in a thread of its own, and until then a power cut may lose the last turn, but never the file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.rows import (
    BadValueError,
    StoredDialogue,
    bytes_of,
    dialogue_of,
    mark_of,
    mask_of,
    number_of,
    text_of,
    turn_of,
)
from pixelrs_ros.dialogue.store_files import refuse_links
from pixelrs_ros.dialogue.tables import APPLICATION_ID, COLUMNS, SCHEMA, SMALL_TABLES, UPGRADES, VERSION
from pixelrs_ros.errors import DamagedStoreError, StorageError, StoreHeldError
from pixelrs_ros.files import PRIVATE_FILE
from pixelrs_ros.types import Mark, Turn

BUSY_TIMEOUT_S = 2.0  # a node that was killed may take a moment to die
# SQLite's result codes (https://sqlite.org/rescode.html); Python names them only since 3.11.
_ERROR, _BUSY, _LOCKED, _CORRUPT, _FORMAT, _NOTADB = 1, 5, 6, 11, 24, 26
_HELD = frozenset({_BUSY, _LOCKED})
_DAMAGED_CODES = frozenset({_CORRUPT, _NOTADB, _FORMAT})
_WORDS = {"database is locked": _BUSY, "database table is locked": _LOCKED, "no such table": _ERROR}  # until then
_CHECKED_BYTES = 64_000_000  # up to here the whole file is checked when it is opened, which takes a moment


class Database:
    """A store's file, held open by this process alone. Calls must not overlap.

    Every method raises `DamagedStoreError` when the file turns out not to be whole, and `StorageError` when the disk
    refuses for now; nothing is half done then.

    Args:
        path: The file; made, for its owner's eyes only, if missing.
        max_turns: Newest turns that are kept of each dialogue.
        timeout_s: How long to wait for another process to let it go.

    Raises:
        DamagedStoreError: The file is not a whole store of this version, or may not be written.
        StoreHeldError: Another process holds it.
        StorageError: The disk refuses, or the file is a symbolic link.
    """

    def __init__(self, path: Path, max_turns: int, timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self.max_turns = max_turns
        self._syncer = ThreadPoolExecutor(1, "pixelrs_store")
        self._syncing: Future[None] | None = None
        with self._errors():
            refuse_links(path)
            if not path.exists():
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                os.close(os.open(path, flags, PRIVATE_FILE))
            elif not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
                raise DamagedStoreError(f"{path} is not a file that this user may read and write")
            with contextlib.suppress(PermissionError):  # the file of another user, who has let this one write it
                path.chmod(PRIVATE_FILE)  # whatever the umask; SQLite gives its companions the same mode
            self.connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
            self.connection.text_factory = bytes.decode  # what is not UTF-8 is told by the type of the error
        try:
            with self._errors():
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        run = self.connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")  # no second writer, and no shared memory beside the file
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA secure_delete = ON")  # what is forgotten is gone
        kind = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
        if kind == (0, 0) and self._number("SELECT count(*) FROM sqlite_master") == 0:
            self.connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        elif kind[0] == APPLICATION_ID and kind[1] in UPGRADES:
            self._upgrade(kind[1])
        elif kind != (APPLICATION_ID, VERSION):
            raise DamagedStoreError(
                f"{self.path} is not a store of version {VERSION}: it says application {kind[0]:#x}, version {kind[1]}"
            )
        for table, columns in COLUMNS.items():
            lacking = columns - {str(column) for _, column, *_ in run(f"PRAGMA table_info({table})")}
            if lacking:
                raise DamagedStoreError(f"{self.path} is damaged: its table {table} lacks {', '.join(sorted(lacking))}")
        with contextlib.suppress(sqlite3.OperationalError):  # a full disk; what is stored can still be read
            run("PRAGMA wal_checkpoint(TRUNCATE)")
            claimed = self._number("PRAGMA page_count") * self._number("PRAGMA page_size")
            if claimed > self.path.stat().st_size:
                raise DamagedStoreError(f"{self.path} is cut off: it should have {claimed} bytes")
        whole = self.path.stat().st_size <= _CHECKED_BYTES
        for check in ["quick_check"] if whole else [f"quick_check({table})" for table in SMALL_TABLES]:
            (found,) = run(f"PRAGMA {check}").fetchone()
            if found != "ok":
                raise DamagedStoreError(f"{self.path} is damaged: {found}")
        self._inode = self.path.stat().st_ino

    def _upgrade(self, version: int) -> None:
        """Turn the tables of an earlier version into those of this one; half of it is never done."""
        steps = " ".join(UPGRADES[older] for older in range(version, VERSION))
        try:
            self.connection.executescript(f"BEGIN IMMEDIATE; {steps} COMMIT;")
        except sqlite3.OperationalError as error:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            if _code(error) == _ERROR:  # no such table
                raise DamagedStoreError(f"{self.path} is damaged: {error}") from error
            raise

    def close(self) -> None:
        """Write everything to the disk and let the file go."""
        self._syncer.shutdown()
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def num_bytes(self) -> int:
        """What the dialogues take on disk."""
        with self._errors():
            pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
            return pages * self._number("PRAGMA page_size")

    def dialogues(self) -> list[StoredDialogue]:
        """Every dialogue, the longest silent first."""
        query = (
            "SELECT session_id, count(number), next_turn, active_ns FROM dialogues LEFT JOIN turns ON dialogue = id "
            "GROUP BY id ORDER BY active_ns, id"
        )
        with self._errors():
            return [dialogue_of(row) for row in self.connection.execute(query)]

    def silent_since(self, active_ns: int) -> list[str]:
        """The dialogues whose last turn ended by then."""
        with self._errors():
            found = self.connection.execute("SELECT session_id FROM dialogues WHERE active_ns <= ?", (active_ns,))
            return [text_of("session_id", session_id) for (session_id,) in found]

    def find(self, session_id: str) -> StoredDialogue | None:
        """A dialogue by its name."""
        query = (
            "SELECT session_id, (SELECT count(*) FROM turns WHERE dialogue = id), next_turn, active_ns FROM dialogues "
            "WHERE session_id = ?"
        )
        with self._errors():
            row = self.connection.execute(query, (session_id,)).fetchone()
            return None if row is None else dialogue_of(row)

    def turns(self, session_id: str) -> list[Turn]:
        """A dialogue's turns, oldest first; none of an unknown one."""
        query = (
            "SELECT number, text, answer, status, instruction_ns, image_ns, frame_id, instruction_id, point_x, point_y "
            "FROM turns JOIN dialogues ON dialogue = id WHERE session_id = ? ORDER BY number"
        )
        with self._errors():
            return [turn_of(row) for row in self.connection.execute(query, (session_id,))]

    def holds_picture(self, session_id: str, digest: bytes) -> bool:
        """Whether a dialogue's turns refer to an image already."""
        query = "SELECT 1 FROM pictures JOIN dialogues ON dialogue = dialogues.id WHERE session_id = ? AND digest = ?"
        with self._errors():
            return self.connection.execute(query, (session_id, digest)).fetchone() is not None

    def evidence(self, session_id: str) -> dict[int, Evidence]:
        """What is stored beside the words of a dialogue's turns, by index; images in full."""
        of_turns = (
            "SELECT number, digest, jpeg FROM turns JOIN dialogues ON turns.dialogue = dialogues.id "
            "LEFT JOIN pictures ON picture = pictures.id WHERE session_id = ?"
        )
        of_masks = (
            "SELECT phrase, score, height_px, width_px, bits FROM masks JOIN dialogues ON dialogue = id "
            "WHERE session_id = ? AND number = ? ORDER BY place"
        )
        with self._errors():
            found = self.connection.execute(of_turns, (session_id,)).fetchall()
            return {
                number_of(number): Evidence(
                    b"" if digest is None else bytes_of("digest", digest),
                    None if jpeg is None else bytes_of("jpeg", jpeg),
                    tuple(mask_of(row) for row in self.connection.execute(of_masks, (session_id, number))),
                )
                for number, digest, jpeg in found
            }

    def marks(self, session_id: str) -> dict[int, Mark]:
        """The marks of a dialogue's turns, by index."""
        query = "SELECT number, verdict, note FROM marks JOIN dialogues ON dialogue = id WHERE session_id = ?"
        with self._errors():
            return {
                number_of(number): mark_of((verdict, note))
                for number, verdict, note in self.connection.execute(query, (session_id,))
            }

    def mark(self, session_id: str, index: int, mark: Mark | None) -> bool:
        """Mark a turn, or take its mark back; whether it is stored."""
        found = "SELECT dialogue, number FROM turns JOIN dialogues ON dialogue = id WHERE session_id = ? AND number = ?"
        with self._transaction():
            turn = self.connection.execute(found, (session_id, index)).fetchone()
            if turn is not None:
                self.connection.execute("DELETE FROM marks WHERE dialogue = ? AND number = ?", turn)
            if turn is not None and mark is not None:
                row = (*turn, mark.verdict.value, mark.note)
                self.connection.execute("INSERT INTO marks VALUES (?, ?, ?, ?)", row)
        return turn is not None

    def save(self, session_id: str, turns: Sequence[Turn], evidence: Evidence, active_ns: int) -> None:
        """Store a dialogue's newest turn.

        Args:
            session_id: The dialogue.
            turns: What is remembered of it, the newest last; what is stored behind the one before that is corrected.
            evidence: What the newest turn was about.
            active_ns: When it ended.
        """
        newest, before = turns[-1], turns[-2].index if len(turns) > 1 else -1
        with self._transaction():
            dialogue = self._touch(session_id, newest.index + 1, active_ns)
            self.connection.execute("DELETE FROM turns WHERE dialogue = ? AND number > ?", (dialogue, before))
            self._put(dialogue, newest, evidence)
            self._trim(dialogue, turns[-self.max_turns :][0].index)

    def skip_to(self, session_id: str, next_turn: int) -> None:
        """Let no turn of a dialogue have a number below one."""
        with self._transaction():
            query = "UPDATE dialogues SET next_turn = max(next_turn, ?) WHERE session_id = ?"
            self.connection.execute(query, (next_turn, session_id))

    def rewrite(self, session_id: str, turns: Sequence[Turn], active_ns: int, next_turn: int) -> None:
        """Make a dialogue what it is in memory; turns that are stored as they are keep their images and masks."""
        stored = {turn.index: turn for turn in self.turns(session_id)}
        gone = stored.keys() - {turn.index for turn in turns}
        with self._transaction():
            dialogue = self._touch(session_id, next_turn, active_ns)
            for turn in turns:
                if stored.get(turn.index) != turn:
                    self._put(dialogue, turn, Evidence())
            self.connection.executemany(
                "DELETE FROM turns WHERE dialogue = ? AND number = ?", [(dialogue, number) for number in gone]
            )
            self._trim(dialogue, turns[0].index)

    def delete(self, session_ids: Collection[str]) -> None:
        """Forget dialogues; unknown ones are no error."""
        with self._transaction():
            names = [(session_id,) for session_id in session_ids]
            self.connection.executemany("DELETE FROM dialogues WHERE session_id = ?", names)

    def _touch(self, session_id: str, next_turn: int, active_ns: int) -> int:
        query = (
            "INSERT INTO dialogues (session_id, next_turn, active_ns) VALUES (?, ?, ?) ON CONFLICT (session_id) "
            "DO UPDATE SET next_turn = excluded.next_turn, active_ns = excluded.active_ns RETURNING id"
        )
        ((dialogue,),) = self.connection.execute(query, (session_id, next_turn, active_ns)).fetchall()
        return int(dialogue)

    def _put(self, dialogue: int, turn: Turn, evidence: Evidence) -> None:
        run = self.connection.execute
        run("DELETE FROM turns WHERE dialogue = ? AND number = ?", (dialogue, turn.index))
        if evidence.picture is not None:
            run(
                "INSERT INTO pictures (dialogue, digest, jpeg) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (dialogue, evidence.digest, evidence.picture),
            )
        found = run("SELECT id FROM pictures WHERE dialogue = ? AND digest = ?", (dialogue, evidence.digest)).fetchone()
        words = (turn.text, turn.answer, turn.status.value)
        seen = (turn.instruction_stamp_ns, turn.image_stamp_ns, turn.frame_id, found[0] if found else None)
        row = (dialogue, turn.index, *words, *seen, turn.instruction_id, *(turn.point or (None, None)))
        run("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        for place, mask in enumerate(evidence.masks):
            packed = (mask.phrase, mask.score, mask.height_px, mask.width_px, mask.bits)
            run("INSERT INTO masks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (dialogue, turn.index, place, *packed))

    def _trim(self, dialogue: int, first: int) -> None:
        """Forget the turns before one, and the images that no turn refers to any more."""
        self.connection.execute("DELETE FROM turns WHERE dialogue = ? AND number < ?", (dialogue, first))
        used = "SELECT picture FROM turns WHERE dialogue = ? AND picture IS NOT NULL"
        self.connection.execute(f"DELETE FROM pictures WHERE dialogue = ? AND id NOT IN ({used})", (dialogue, dialogue))

    def _number(self, query: str) -> int:
        (number,) = self.connection.execute(query).fetchone()
        return int(number)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            if not self.path.exists() or self.path.stat().st_ino != self._inode:
                raise DamagedStoreError(f"{self.path} has been taken away")
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise
        self._sync_soon()

    def _sync_soon(self) -> None:
        waiting = self._syncing is not None and not (self._syncing.running() or self._syncing.done())
        if not waiting:
            self._syncing = self._syncer.submit(_force_to_disk, Path(f"{self.path}-wal"))

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate what SQLite, the operating system and a value that fits no column have to say."""
        try:
            yield
        except (BadValueError, UnicodeDecodeError) as error:
            raise DamagedStoreError(f"{self.path} is damaged: {error}") from error
        except sqlite3.Error as error:
            if _code(error) in _HELD:
                raise StoreHeldError(
                    f"{self.path} is held by another process, perhaps a node of the same name"
                ) from error
            if _code(error) in _DAMAGED_CODES:
                raise DamagedStoreError(f"{self.path} is damaged: {error}") from error
            raise StorageError(f"{self.path}: {error}") from error
        except (OSError, ValueError, OverflowError) as error:
            raise StorageError(f"{self.path}: {error}") from error


def _force_to_disk(path: Path) -> None:
    with contextlib.suppress(OSError):  # a checkpoint has moved it on, or the disk is gone, which the next write tells
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None where nobody says it.

    Python 3.10 has no codes; there this class alone, and none of those below it, stands for a file that is not whole,
    and SQLite's own words for the others, which begin with no text of ours.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF
    if type(error) is sqlite3.DatabaseError:
        return _CORRUPT
    return next((code for words, code in _WORDS.items() if str(error).startswith(words)), None)
