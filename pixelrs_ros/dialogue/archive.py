"""Dialogues in memory and on disk as one: what is said goes on whatever the disk does."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pixelrs_ros.dialogue.database import BUSY_TIMEOUT_S, Database
from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.storage import Notice, Storage, StorageState
from pixelrs_ros.dialogue.store import DialogueStore, DialogueSummary
from pixelrs_ros.dialogue.store_files import remove_partial_exports, remove_set_aside, set_aside
from pixelrs_ros.errors import DamagedStoreError, StorageError
from pixelrs_ros.files import make_folder, require_own_folder
from pixelrs_ros.types import Mark, Turn, is_unicode

FILE_NAME = "dialogues.sqlite3"
EXPORTS = "exports"  # folder beside it
_NS_PER_S = 1_000_000_000
_S_PER_DAY = 86_400
_BYTES_PER_MB = 1_000_000
_PRUNE_PERIOD_S = 60.0
_RETRY_PERIOD_S = 1.0
_MAX_NOTICES = 100  # in case nobody takes them

AnswerT = TypeVar("AnswerT")


class DialogueArchive:
    """A `DialogueStore` that is written through to a `Database`, which may fail.

    Memory has the last word: what could not be written is written with the next turn that can be. A store that cannot
    be opened, perhaps because the process that this one replaces still holds it, is tried again, and then what was said
    meanwhile goes behind what it holds. Calls must not overlap.

    Args:
        memory: The dialogues at hand.
        storage: Where to keep them; None keeps them in memory only.
        clock: Nanoseconds since the epoch, which may jump.
    """

    def __init__(
        self, memory: DialogueStore, storage: Storage | None = None, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self.storage = storage
        self._memory = memory
        self._clock = clock
        self._database: Database | None = None
        self._behind: set[str] = set()  # dialogues that are not on disk as they are in memory, perhaps forgotten here
        self._notices: deque[Notice] = deque(maxlen=_MAX_NOTICES)
        self._forgotten: set[str] = set()  # dialogues that were reset before the store could be opened
        self._problem: str | None = None
        self._failing = False
        self._closed = False
        self._opened = False  # ever: from then on memory holds what the disk does
        self._tried_s = -math.inf
        self._pruned_s = -math.inf
        if storage is not None:
            self._opened = self._open(storage, BUSY_TIMEOUT_S)
        if storage is not None and self._opened:
            remove_partial_exports(storage.folder / EXPORTS)  # this process alone is here, and has begun none

    @property
    def database(self) -> Database | None:
        """The store's file; None while dialogues are in memory only. To look at, for tests."""
        return self._database

    # Dialogues

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        """The remembered turns, oldest first; empty for an unknown dialogue."""
        if not self._is_on_disk_only(session_id):
            return self._memory.turns(session_id)
        turns: Sequence[Turn] = self._read(lambda database: database.turns(session_id)) or ()
        return tuple(turns[-self._memory.max_turns :])

    def next_index(self, session_id: str) -> int:
        """The smallest number that the dialogue's next turn can have, counted from 0 since it began."""
        if not self._is_on_disk_only(session_id):
            return self._memory.next_index(session_id)
        found = self._read(lambda database: database.find(session_id))
        return 0 if found is None else found.next_index

    def put(self, session_id: str, turn: Turn, evidence: Evidence | None = None, *, replace_last: bool = False) -> None:
        """Remember a dialogue's next turn, or another one in the place of its last, and store it.

        Raises:
            ValueError: The turn's number is not free any more.
        """
        self._recall(session_id)
        self._note_evicted(self._memory.put(session_id, turn, replace_last=replace_last))
        self._open_again()  # not before: the turn has been given its number
        now_ns = self._clock()
        kept = self._memory.turns(session_id)  # with other numbers if they had to be put behind others
        self._write(session_id, lambda database: database.save(session_id, kept, evidence or Evidence(), now_ns))

    def skip_to(self, session_id: str, next_index: int) -> None:
        """Let no turn of a dialogue that is known have a number below one: others were given to turns that failed."""
        self._recall(session_id)
        if not self._memory.skip_to(session_id, next_index):
            return
        self._write(session_id, lambda database: database.skip_to(session_id, next_index))

    def resize(self, max_sessions: int, max_turns: int) -> None:
        """Set new bounds of the memory and, from each dialogue's next turn on, of the disk."""
        self._note_evicted(self._memory.resize(max_sessions, max_turns))
        if self._database is not None:
            self._database.max_turns = max_turns

    def reset(self, session_id: str) -> int:
        """Forget a dialogue, here and on disk; returns how many remembered turns were dropped."""
        dropped = len(self.turns(session_id))
        self._memory.reset(session_id)
        if not self._opened:
            self._forgotten.add(session_id)
        self._write(session_id, lambda database: database.delete([session_id]))
        return dropped

    def in_memory(self) -> tuple[str, ...]:
        """The dialogues at hand, the longest silent first."""
        return self._memory.session_ids()

    def summaries(self) -> tuple[DialogueSummary, ...]:
        """Every dialogue, here or on disk, the longest silent first."""
        stored = self._read(lambda database: database.dialogues()) or ()
        elsewhere = [
            DialogueSummary(
                one.session_id, min(one.num_turns, self._memory.max_turns), one.next_index, self._idle_s(one.active_ns)
            )
            for one in stored
            if self._is_on_disk_only(one.session_id)
        ]
        return tuple(sorted((*elsewhere, *self._memory.summaries()), key=lambda summary: -summary.idle_s))

    def evidence(self, session_id: str) -> tuple[tuple[Turn, Evidence], ...]:
        """The remembered turns, each with what is stored beside its words."""
        turns = self.turns(session_id)
        stored = {turn.index: turn for turn in self._read(lambda database: database.turns(session_id)) or ()}
        found = self._read(lambda database: database.evidence(session_id)) or {}
        known = {index: one for index, one in found.items() if stored.get(index) in turns}
        return tuple((turn, known.get(turn.index, Evidence())) for turn in turns)

    def marks(self, session_id: str) -> dict[int, Mark]:
        """The marks of the remembered turns, by index; without storage there are none."""
        return self._read(lambda database: database.marks(session_id)) or {}

    def mark(self, session_id: str, index: int, mark: Mark | None) -> None:
        """Mark a turn, or take its mark back.

        Raises:
            StorageError: Nothing is stored, or the turn is not.
        """
        if self._database is None:
            raise StorageError(self._problem or "storage is off: set the parameter 'store_dialogues' to mark turns")
        try:
            self._catch_up()
            is_stored = self._database.mark(session_id, index, mark)
        except StorageError as error:
            self._go_on_after(error)
            raise
        if not is_stored:
            raise StorageError(f"turn {index} of dialogue {session_id!r} is not stored")

    def holds_picture(self, session_id: str, digest: bytes) -> bool:
        """Whether the image of a turn need not be given again."""
        return bool(self._read(lambda database: database.holds_picture(session_id, digest)))

    def expire(self, idle_s: float, spare: str | None = None) -> tuple[str, ...]:
        """Forget the dialogues that have been silent for so long, all but one; returns them."""
        silent = {summary.session_id for summary in self._memory.summaries() if summary.idle_s >= idle_s}
        before_ns = max(0, self._clock() - round(idle_s * _NS_PER_S))
        stored = self._read(lambda database: database.silent_since(before_ns)) or ()
        silent.update(session_id for session_id in stored if self._is_on_disk_only(session_id))
        silent.discard(spare or "")
        for session_id in silent:
            dropped = self.reset(session_id)
            self._notices.append(Notice(f"dialogue {session_id!r} is over: {dropped} turns, silent for {idle_s:g} s"))
        return tuple(silent)

    # Storage

    def state(self) -> StorageState:
        """How storage fares."""
        path = None if self._database is None else self._database.path
        return StorageState(path, self._problem, self._failing, len(self._behind))

    def take_notices(self) -> list[Notice]:
        """What has not been said to the log yet."""
        notices = list(self._notices)
        self._notices.clear()
        return notices

    def prune(self, spare: str | None = None) -> None:
        """Delete what is older or larger than the storage may be, all but one; once a minute at most.

        Args:
            spare: The dialogue in which a turn is being answered, if there is one.
        """
        if spare is None:
            self._open_again()
        storage, now_s = self.storage, time.monotonic()
        if storage is None or self._database is None or now_s - self._pruned_s < _PRUNE_PERIOD_S:
            return
        self._pruned_s = now_s
        if storage.max_days:
            self.expire(storage.max_days * _S_PER_DAY, spare)
            remove_set_aside(self._database.path, self._clock() / _NS_PER_S - storage.max_days * _S_PER_DAY)
        if storage.max_mb:
            self._shrink(round(storage.max_mb * _BYTES_PER_MB))

    def close(self) -> None:
        """Let the file go, for good."""
        self._closed = True
        if self._database is not None:
            self._database.close()
            self._database = None

    def _shrink(self, max_bytes: int) -> None:
        for one in self._read(lambda database: database.dialogues()) or ():
            if (self._read(lambda database: database.num_bytes()) or 0) <= max_bytes:
                return
            if self._is_on_disk_only(one.session_id):
                self.reset(one.session_id)
                self._notices.append(
                    Notice(f"dialogue {one.session_id!r} was deleted: the store has more than {max_bytes} bytes")
                )

    def _is_on_disk_only(self, session_id: str) -> bool:
        if self._database is None or not is_unicode(session_id):
            return False
        return session_id not in self._memory and session_id not in self._behind

    def _idle_s(self, active_ns: int) -> float:
        return max(0.0, (self._clock() - active_ns) / _NS_PER_S)

    def _recall(self, session_id: str) -> None:
        """Bring a dialogue that is only on disk back into memory."""
        if not self._is_on_disk_only(session_id):
            return
        read = self._read(lambda database: (database.find(session_id), database.turns(session_id)))
        if read is None:  # whatever the disk holds of it is not what will be said from here on
            self._behind.add(session_id)
            return
        found, turns = read
        if found is not None:
            idle_s = self._idle_s(found.active_ns)
            self._note_evicted(self._memory.restore(session_id, turns, found.next_index, idle_s))

    def _note_evicted(self, session_ids: Sequence[str]) -> None:
        for session_id in self._behind.intersection(session_ids):
            self._behind.discard(session_id)
            text = f"the last turns of dialogue {session_id!r} are lost: memory is full and {self._problem}"
            self._notices.append(Notice(text, is_error=True))

    def _open(self, storage: Storage, timeout_s: float) -> bool:
        """Whether the store can be used; else the reason has become the problem."""
        path = storage.folder / FILE_NAME
        self._tried_s = time.monotonic()
        try:
            if not storage.folder.is_absolute():
                raise StorageError(f"the folder must be an absolute path, got {str(storage.folder)!r}")
            make_folder(storage.folder, private=True)
            require_own_folder(storage.folder)
            try:
                self._database = Database(path, self._memory.max_turns, timeout_s)
            except DamagedStoreError as error:
                self._replace(path, error)
        except (OSError, StorageError) as error:
            self._database = None
            self._fail(
                f"dialogues are kept in memory only: {error} (parameters 'storage_dir', 'store_dialogues'); it is "
                "tried again all the time"
            )
            return False
        return True

    def _open_again(self) -> None:
        """Try once more to open a store that could not be opened, and store what was said meanwhile."""
        if self.storage is None or self._database is not None or self._closed:
            return
        if time.monotonic() - self._tried_s < _RETRY_PERIOD_S:
            return
        if not self._open(self.storage, timeout_s=0.0):
            return
        try:
            if not self._opened:
                self._join()
            self._behind.update(self._memory.session_ids())
            self._opened = True
            self._catch_up()
        except StorageError as error:
            self._go_on_after(error)

    def _join(self) -> None:
        """Put the turns at hand behind those that the store holds of the same dialogues, with the numbers that follow.

        Raises:
            StorageError: The store cannot be read.
        """
        database = self._database
        assert database is not None
        idle_s = {summary.session_id: summary.idle_s for summary in self._memory.summaries()}
        for session_id in self._memory.session_ids():
            found = database.find(session_id)
            if session_id in self._forgotten or found is None:
                continue
            first = found.next_index
            said = [replace(turn, index=turn.index + first) for turn in self._memory.turns(session_id)]
            turns = [*database.turns(session_id), *said]
            next_index = first + self._memory.next_index(session_id)
            self._memory.restore(session_id, turns, next_index, idle_s[session_id])
        self._forgotten.clear()

    def _replace(self, path: Path, damage: DamagedStoreError) -> None:
        """Begin a new file in the place of a damaged one.

        Raises:
            StorageError: The old file cannot be set aside, or the new one not used.
        """
        if self._database is not None:
            self._database.close()
            self._database = None
        try:
            kept = set_aside(path)
        except OSError as error:
            raise StorageError(f"{damage}; nor can it be set aside: {error.strerror}") from error
        self._database = Database(path, self._memory.max_turns)
        self._opened = True
        self._behind.update(self._memory.session_ids())
        self._problem = f"{damage}; it was set aside as {kept}, and dialogues are stored in a new file"
        self._failing = False
        self._notices.append(Notice(self._problem, is_error=True))

    def _read(self, query: Callable[[Database], AnswerT]) -> AnswerT | None:
        """The answer of the database; None when there is none, or it fails."""
        if self._database is None:
            return None
        try:
            return query(self._database)
        except StorageError as error:
            self._go_on_after(error)
            return None

    def _write(self, session_id: str, change: Callable[[Database], None]) -> None:
        """Make a change of a dialogue, and mend what could not be written before."""
        if self.storage is None or self._closed or not is_unicode(session_id):
            return
        if self._database is None:
            self._behind.add(session_id)
            return
        was_behind = session_id in self._behind
        self._behind.add(session_id)
        try:
            if not was_behind:
                change(self._database)
                self._behind.discard(session_id)
            self._catch_up()
        except StorageError as error:
            self._go_on_after(error)

    def _catch_up(self) -> None:
        """Make every dialogue on disk what it is in memory.

        Raises:
            StorageError: The disk refuses.
        """
        assert self._database is not None
        for session_id in tuple(self._behind):
            turns = self._memory.turns(session_id)
            if turns:
                next_index = self._memory.next_index(session_id)
                self._database.rewrite(session_id, turns, self._clock(), next_index)
            else:
                self._database.delete([session_id])
            self._behind.discard(session_id)
        if self._failing:
            self._failing, self._problem = False, None
            self._notices.append(Notice("dialogues are stored again; images and masks of the turns between are lost"))

    def _go_on_after(self, error: StorageError) -> None:
        """Go on after the database failed; in memory only where a damaged one cannot be replaced."""
        assert self._database is not None
        if not isinstance(error, DamagedStoreError):
            self._fail(f"turns are kept in memory only: {error}")
            return
        try:
            self._replace(self._database.path, error)
            self._catch_up()
        except StorageError as second:
            self._fail(f"turns are kept in memory only: {second}")

    def _fail(self, problem: str) -> None:
        if not self._failing or problem != self._problem:
            self._notices.append(Notice(problem, is_error=True))
        self._failing, self._problem = True, problem
