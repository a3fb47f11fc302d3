"""Many objects on disk instead of in memory, by number and by group."""

from __future__ import annotations

import os
import pickle
import sqlite3
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

T = TypeVar("T")


class Shelf(Sequence[T]):
    """A sequence whose members lie in a temporary file, which goes when the shelf does; memory does not grow with it.

    Members are in the order of the numbers under which they were put. They are pickled: nobody else can write to the
    file. A copy in another process reads what had been put when it was made.
    """

    def __init__(self) -> None:
        """An empty one, in the folder for temporary files (`TMPDIR`)."""
        handle, name = tempfile.mkstemp(prefix="pixelrs_", suffix=".sqlite")
        os.close(handle)
        self._path, self._count, self._last = Path(name), 0, -1
        self._db = self._open()
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE things (place INTEGER PRIMARY KEY, owner TEXT, data BLOB)")
        self._db.execute("CREATE INDEX owners ON things (owner, place)")
        weakref.finalize(self, _remove, self._path, os.getpid())

    @classmethod
    def of(cls, members: Iterable[T], group: Callable[[T], str] = lambda _: "") -> Shelf[T]:
        """Members one after another, each with its group."""
        shelf = cls()
        for place, member in enumerate(members):
            shelf.put(place, member, group(member))
        shelf._db.commit()
        return shelf

    def put(self, place: int, member: T, group: str = "") -> None:
        """Add a member.

        Args:
            place: Its number, which no other has.
            member: Of a class that can be pickled.
            group: See `groups`.
        """
        self._db.execute("INSERT INTO things VALUES (?, ?, ?)", (place, group, pickle.dumps(member)))
        self._count += 1
        self._last = max(self._last, place)

    def groups(self) -> Iterator[tuple[T, ...]]:
        """The members of each group together, groups in the order of their first members."""
        for (name,) in self._rows("SELECT owner FROM things GROUP BY owner ORDER BY MIN(place)"):
            found = self._rows("SELECT data FROM things WHERE owner = ? ORDER BY place", name)
            yield tuple(pickle.loads(data) for (data,) in found)

    def count_groups(self) -> int:
        """How many there are."""
        return int(next(self._rows("SELECT COUNT(DISTINCT owner) FROM things"))[0])

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        for (data,) in self._rows("SELECT data FROM things ORDER BY place"):
            yield pickle.loads(data)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        place = index + self._count if index < 0 else index
        if not 0 <= place < self._count:
            raise IndexError(f"no member {index} of {self._count}")
        if self._last == self._count - 1:  # numbered without gaps
            found = self._rows("SELECT data FROM things WHERE place = ?", place)
        else:
            found = self._rows("SELECT data FROM things ORDER BY place LIMIT 1 OFFSET ?", place)
        member: T = pickle.loads(next(found)[0])
        return member

    def __getstate__(self) -> dict[str, Any]:
        self._db.commit()
        return {**self.__dict__, "_db": None, "_opened_by": -1}

    def _rows(self, query: str, *values: object) -> Iterator[Any]:
        if self._opened_by != os.getpid():  # a copy; SQLite must not be used across a fork
            self._db = self._open()
        return self._db.execute(query, values)

    def _open(self) -> sqlite3.Connection:
        self._opened_by = os.getpid()
        return sqlite3.connect(self._path, check_same_thread=False)


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        path.unlink(missing_ok=True)
