"""The turns that somebody has marked, of every dialogue in a store, as a PRIST folder: what a network can learn from.

`<split>.json` holds those marked as right that grounded something. Those marked as wrong come into it when
`pixelrs label` takes back what people drew; `dialogues.json` holds them, with all that was said before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pixelrs_ros.data import prist
from pixelrs_ros.data.from_bag import DEFAULT_SPLIT, DIALOGUES_FILE, require_new
from pixelrs_ros.data.record import Recorded, as_it_was, focus_of, labeled, prist_record, write_export, write_masks
from pixelrs_ros.dialogue.archive import FILE_NAME
from pixelrs_ros.dialogue.database import Database
from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.store import DialogueSummary
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder, write_file, write_json
from pixelrs_ros.types import Mark, Verdict


@dataclass(frozen=True)
class MarkedDialogue:
    """A dialogue with marks.

    Attributes:
        session_id: Its name.
        recorded: Its turns, oldest first, each with what is stored of it.
        marks: By the turn's index, at least one.
    """

    session_id: str
    recorded: Recorded
    marks: Mapping[int, Mark]


@dataclass(frozen=True)
class WrittenMarks:
    """What was written.

    Attributes:
        good: Turns marked as right.
        bad: Turns marked as wrong, for people to label.
        examples: Dialogues of the split: those marked as right that end on a mask.
        without_picture: Marked turns that are of no use, since their image is not stored.
    """

    good: int
    bad: int
    examples: int
    without_picture: int


class Dialogues(Protocol):
    """What an `engine.session.Session` tells of its dialogues."""

    def summaries(self) -> Sequence[DialogueSummary]:
        """Every dialogue."""

    def evidence(self, session_id: str) -> Recorded:
        """A dialogue's turns, each with what is stored of it."""

    def marks(self, session_id: str) -> Mapping[int, Mark]:
        """The marks of a dialogue's turns, by index."""


def marked_in_session(dialogues: Dialogues) -> list[MarkedDialogue]:
    """The dialogues with marks of a node that runs."""
    names = [summary.session_id for summary in dialogues.summaries()]
    found = {name: marks for name in names if (marks := dialogues.marks(name))}
    return [MarkedDialogue(name, dialogues.evidence(name), marks) for name, marks in found.items()]


def marked_in_store(path: Path) -> list[MarkedDialogue]:
    """The dialogues with marks of a store that no node holds.

    Args:
        path: The store's file, or the folder that holds it (parameter 'storage_dir').

    Raises:
        DataError: There is no store.
        StorageError: A node holds it, or it is damaged.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{file}: there is no store of dialogues; remedy: the node's parameter 'storage_dir'")
    with contextlib.closing(Database(file, max_turns=1)) as database:
        names = [one.session_id for one in database.dialogues()]
        found = {name: marks for name in names if (marks := database.marks(name))}
        return [
            MarkedDialogue(
                name, [(turn, known.get(turn.index, Evidence())) for turn in database.turns(name)], marks
            )
            for name, marks in found.items()
            for known in [database.evidence(name)]
        ]  # fmt: skip


def write_marked(out: Path, dialogues: Sequence[MarkedDialogue], split: str = DEFAULT_SPLIT) -> WrittenMarks:
    """Write them into a new folder.

    Args:
        out: A folder that is not there, or is empty.
        dialogues: Those with marks.
        split: Name of the list of dialogues.

    Raises:
        DataError: Nothing is marked, the folder holds something, or a stored mask is damaged.
        OutputError: A file cannot be written.
    """
    require_new(out, split)
    if not dialogues:
        raise DataError("no turn is marked; remedy: mark turns on the operator page or with ~/mark_turn")
    for name in ("images", "masks"):
        make_folder(out / name, private=True)
    return _write(out, dialogues, split)


def export_marked(exports: Path, dialogues: Sequence[MarkedDialogue]) -> tuple[Path, WrittenMarks]:
    """As `write_marked`, into a new folder beside other exports, which appears whole or not at all."""
    if not dialogues:
        raise DataError("no turn is marked (service ~/mark_turn)")
    return write_export(exports, "marked", lambda folder: _write(folder, dialogues, DEFAULT_SPLIT))


def _write(out: Path, dialogues: Sequence[MarkedDialogue], split: str) -> WrittenMarks:
    records: list[dict[str, Any]] = []
    counts = dict.fromkeys(Verdict, 0)
    told, without_picture = [], 0
    for place, dialogue in enumerate(dialogues):
        turns = []
        for count, (turn, evidence) in enumerate(dialogue.recorded, 1):
            mark, img_id = dialogue.marks.get(turn.index), None
            if mark is not None and evidence.picture is None:
                without_picture += 1
            elif mark is not None and evidence.picture is not None:
                img_id = f"dialogue_{place:04d}_turn_{turn.index:04d}.jpg"
                write_file(prist.image_path(out, img_id), evidence.picture, private=True)
                masks = labeled(evidence.masks)
                write_masks(out, img_id, masks, private=True)
                counts[mark.verdict] += 1
                if masks and mark.verdict is Verdict.GOOD:
                    before = [each for each, _ in dialogue.recorded[:count]]
                    records.append(prist_record(img_id, before, focus_of(masks)))
            said = {"verdict": mark.verdict.value, "note": mark.note} if mark else {}
            turns.append(as_it_was(turn, evidence.masks, img_id) | said)
        told.append({"session_id": dialogue.session_id, "turns": turns})
    write_file(prist.split_path(out, split), prist.records_to_json(records), private=True)
    write_json(out / DIALOGUES_FILE, told)
    return WrittenMarks(counts[Verdict.GOOD], counts[Verdict.BAD], len(records), without_picture)
