"""Looks through a data set and says what is wrong with it; memory does not grow with the data set."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixelrs_ros.data.json_files import WESTERN, encoding_of
from pixelrs_ros.data.labelme import LabelError, ShapeError
from pixelrs_ros.data.readers.entries import Entry, Fault, Problem, Reader, Tell
from pixelrs_ros.data.readers.headers import upright
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.pictures import JPEG_START, PNG_SIGNATURE, read_picture, require_whole


@dataclass
class Counts:
    """What a split holds, of what could be read."""

    dialogues: int = 0
    turns: int = 0
    pictures: int = 0
    masks: int = 0


@dataclass
class CheckReport:
    """What was found.

    Attributes:
        form: The data set's format.
        folder: The data set.
        splits: By name.
        faults: How many problems of each kind.
    """

    form: str
    folder: Path
    splits: dict[str, Counts] = field(default_factory=dict)
    faults: dict[Fault, int] = field(default_factory=dict)
    _store: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:"), repr=False)

    @property
    def errors(self) -> int:
        """Number of problems that keep training and evaluation from using the data as it is."""
        return sum(count for fault, count in self.faults.items() if fault.is_error)

    def problems(self, fault: Fault | None = None, limit: int = -1) -> Iterator[Problem]:
        """The problems in the order in which they were found, of one kind or of all; at most `limit`, -1: all."""
        rows = self._store.execute(
            "SELECT fault, place, what, picture FROM problems WHERE ?1 IS NULL OR fault = ?1 ORDER BY rowid LIMIT ?2",
            (fault.name if fault else None, limit),
        )
        for name, place, what, picture in rows:
            yield Problem(Fault[name], place, what, Path(picture) if picture else None)


@contextmanager
def check(reader: Reader, splits: list[str], on_progress: Callable[[], None] = lambda: None) -> Iterator[CheckReport]:
    """Look at every dialogue, picture and mask.

    Args:
        reader: Of the data set.
        splits: Which of its splits.
        on_progress: Called after each dialogue.

    Yields:
        What was found; its problems can be read within the context.
    """
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as file, closing(sqlite3.connect(file.name)) as store:
        store.execute("PRAGMA journal_mode = OFF")
        store.execute("PRAGMA synchronous = OFF")
        store.execute("CREATE TABLE problems (fault TEXT, place TEXT, what TEXT, picture TEXT)")
        store.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, place TEXT) WITHOUT ROWID")
        report = CheckReport(reader.form, reader.folder, _store=store)

        def tell(problem: Problem) -> None:
            report.faults[problem.fault] = report.faults.get(problem.fault, 0) + 1
            picture = str(problem.picture) if problem.picture else None
            store.execute(
                "INSERT INTO problems VALUES (?, ?, ?, ?)",
                (problem.fault.name, problem.where, problem.what, picture),
            )

        for split in splits:
            before, counts = report.errors, report.splits.setdefault(split, Counts())
            _check_split(reader, split, counts, _Seen(store), tell, on_progress)
            if not counts.dialogues and report.errors == before:
                tell(Problem(Fault.EMPTY, split, "there is nothing in it to train on or to score"))
        yield report


class _Seen:
    """What has been met, on disk."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store

    def add(self, key: str, place: str) -> str | None:
        """Remember something; gives the place where it was met before, or None."""
        digest = hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()
        found = self._store.execute("SELECT place FROM seen WHERE digest = ?", (digest,)).fetchone()
        if found is not None:
            return str(found[0])
        self._store.execute("INSERT INTO seen VALUES (?, ?)", (digest, place))
        return None


def _check_split(
    reader: Reader, split: str, counts: Counts, seen: _Seen, tell: Tell, on_progress: Callable[[], None]
) -> None:
    try:
        for path in reader.text_files(split):
            _check_encoding(path, tell)
        for entry in reader.entries(split, tell):
            counts.dialogues += 1
            counts.turns += len(entry.dialogue.turns)
            key = json.dumps([entry.dialogue.to_record(), split], sort_keys=True)
            if (before := seen.add(key, entry.where)) is not None:
                tell(Problem(Fault.DUPLICATE, entry.where, f"the same as {before}", entry.picture))
            if seen.add(f"picture {split} {entry.picture}", entry.where) is None:
                counts.pictures += 1
                _check_picture(entry, tell)
            counts.masks += _check_masks(entry, tell)
            on_progress()
    except DataError as error:  # nothing more can be read of this split
        tell(Problem(Fault.MALFORMED, split, str(error)))


def _check_encoding(path: Path, tell: Tell) -> None:
    if path.is_file() and encoding_of(path) == WESTERN:
        tell(Problem(Fault.ENCODING, str(path), "its text is not UTF-8; it was read as cp1252"))


def _check_picture(entry: Entry, tell: Tell) -> None:
    path = entry.picture
    if not path.is_file():
        tell(Problem(Fault.PICTURE_MISSING, entry.where, f"{path}: no file of this name"))
        return
    try:
        data = path.read_bytes()
        if data[:8] == PNG_SIGNATURE or data[:3] == JPEG_START:
            require_whole(data)
        else:
            read_picture(path)
        orientation = upright(path).orientation
    except (BadInputError, DataError, OSError) as error:
        tell(Problem(Fault.PICTURE_DAMAGED, entry.where, f"{path}: {str(error).removeprefix(f'{path}: ')}"))
        return
    if orientation != 1:
        what = f"{path}: EXIF orientation {orientation}; masks are taken to be drawn on the upright picture"
        tell(Problem(Fault.TURNED, entry.where, what, path))


def _check_masks(entry: Entry, tell: Tell) -> int:
    """Tells what is wrong with the masks that a dialogue needs, and counts those that are right."""
    labels = _labels(entry)
    try:
        size = upright(entry.picture).size_px
    except DataError:
        return 0  # told with the picture
    try:
        masks = entry.masks() if labels else {}
    except ShapeError as error:
        tell(Problem(Fault.POLYGON, entry.where, str(error).removeprefix(f"{entry.where}: "), entry.picture))
        return 0
    except DataError as error:
        tell(Problem(Fault.MASKS_UNREADABLE, entry.where, str(error).removeprefix(f"{entry.where}: "), entry.picture))
        return 0
    right = 0
    for label in labels:
        problem = _mask_problem(masks, label, size)
        if problem is None:
            right += 1
        else:
            tell(Problem(problem[0], entry.where, problem[1], entry.picture))
    return right


def _mask_problem(masks: Mapping[str, np.ndarray], label: str, size: tuple[int, int]) -> tuple[Fault, str] | None:
    try:
        mask = masks[label.casefold()]
    except LabelError as error:
        return Fault.LABEL, str(error)
    except KeyError:
        return Fault.LABEL, f"no mask is labeled {label!r}"
    if mask.shape != size:
        return Fault.MASK_SIZE, f"the mask of {label!r} is for a picture of {mask.shape} px, this one has {size} px"
    if not mask.any():
        return Fault.MASK_EMPTY, f"the mask of {label!r} has no pixel in the picture"
    return None


def _labels(entry: Entry) -> tuple[str, ...]:
    """Every label that a dialogue is about, each once."""
    meta = entry.dialogue.meta
    every = [label for labels in meta.targets for label in labels] if meta is not None else entry.labels
    return tuple(dict.fromkeys(every))
