"""The words that are judged: the dialogues of a data set, or what checkpoints said in its place."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelrs_ros.data.prist import SEG, PristTurn
from pixelrs_ros.data.readers.entries import Entry, Reader
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.play import Condition
from pixelrs_ros.evaluation.published import PRIST, has_pictures_of_prist
from pixelrs_ros.evaluation.results import read_heads, records
from pixelrs_ros.text.answer import parse

NOTHING = "nothing: the last answer is in words alone"
_GIVEN = Condition("reference").name  # also where the picture was hidden


@dataclass(frozen=True)
class Talk:
    """The words of one dialogue.

    Attributes:
        dialogue: Its place in the split's file, from 0.
        img_id: Its picture.
        target: The label of what it should end on; empty where that is nothing.
        before: (user's words, answer) that were given and are not judged, oldest first.
        turns: (user's words, answer) that are judged, at least one; answers without markers.
        shows: Whether the last answer showed a mask.
        wanted: The data's answers to the same turns; empty where those are what is judged.
    """

    dialogue: int
    img_id: str
    target: str
    before: tuple[tuple[str, str], ...]
    turns: tuple[tuple[str, str], ...]
    shows: bool
    wanted: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """What was answered."""
        return tuple(answer for _, answer in self.turns)

    @property
    def asked(self) -> tuple[str, ...]:
        """What the user said in the turns that are judged."""
        return tuple(user for user, _ in self.turns)

    @property
    def meant(self) -> str:
        """What the dialogue should end on, for a judge."""
        return self.target or NOTHING

    def written(self) -> str:
        """The dialogue as a judge reads it, a line an utterance."""
        *early, (asked, last) = self.turns
        lines = [f"Person: {user}\nRobot (given, not judged): {answer}" for user, answer in self.before]
        lines += [f"Person: {user}\nRobot: {answer}" for user, answer in early]
        lines.append(f"Person: {asked}\nRobot: {last}{' [mask]' if self.shows else ''}")
        return "\n".join(lines)

    def hashed(self) -> str:
        """Tells whether two judges read the same words."""
        return hashlib.sha256(f"{self.meant}\n{self.written()}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Talks:
    """The dialogues of one split, as one speaker answered them.

    Attributes:
        name: Of the speaker and the split: "nano, test".
        split: The split.
        source: The file of records, or the data set's folder.
        condition: What the speaker was given, as `pixelrs evaluate` calls it; None for the data's own answers.
        all: The dialogues, in the file's order.
        is_prist: Whether the data is PRIST, as far as its form shows.
        scores: The mask scores of the condition, rates in [0, 1]; empty for the data's own answers.
    """

    name: str
    split: str
    source: str
    condition: str | None
    all: tuple[Talk, ...]
    is_prist: bool
    scores: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pictures(self) -> int:
        """How many there are."""
        return len({talk.img_id for talk in self.all})


def read_talks(
    path: Path,
    *,
    splits: Sequence[str] | None = None,
    data: Path | None = None,
    form: str | None = None,
    pictures: Path | None = None,
    limit: int | None = None,
) -> list[Talks]:
    """The dialogues of a data set's folder, or of a file that `pixelrs evaluate --json FILE` wrote.

    Args:
        path: The folder or the file; of a file the first condition of each report is read.
        splits: Only these; None: all.
        data: Where a file's data set lies now; None: where it lay. A folder is its own.
        form: Its format; None: as the file says, or found out.
        pictures: Folder of its pictures, where they do not lie where the format has them.
        limit: Only so many dialogues of each split, from the first on.

    Raises:
        DataError: Something is missing or malformed, there is nothing to judge, or the data is not as it was.
    """
    if path.is_dir():
        reader = open_data(path, form, pictures)
        found = [_own_words(path, reader, split, limit) for split in splits or reader.splits()]
    else:
        found = _said_words(path, splits, data, form, pictures, limit)
    found = [talks for talks in found if talks.all]
    if not found:
        raise DataError(f"{path}: no dialogue to judge{f' in the splits {list(splits)}' if splits else ''}")
    return found


def _own_words(folder: Path, reader: Reader, split: str, limit: int | None) -> Talks:
    entries = list(itertools.islice(reader.entries(split), limit))
    talks = tuple(
        Talk(
            dialogue=index,
            img_id=entry.dialogue.img_id,
            target=_target(entry),
            before=(),
            turns=_plain(entry.dialogue.turns),
            shows=SEG in entry.dialogue.turns[-1].answer,
        )
        for index, entry in enumerate(entries)
    )
    # The simulator's dialogues are of PRIST's form, and say more.
    is_prist = reader.form == PristReader.form and all(entry.dialogue.meta is None for entry in entries)
    is_prist = is_prist and has_pictures_of_prist(talk.img_id for talk in talks)
    return Talks(f"{folder.resolve().name}, {split}", split, str(folder), None, talks, is_prist)


def _said_words(
    path: Path,
    splits: Sequence[str] | None,
    data: Path | None,
    form: str | None,
    pictures: Path | None,
    limit: int | None,
) -> list[Talks]:
    heads, folder = read_heads(path)
    said: list[list[dict[str, Any]]] = [[] for _ in heads]
    for place, record in records(path):
        head = heads[place]
        if record["condition"] == next(iter(head["conditions"])) and (limit is None or record["dialogue"] < limit):
            said[place].append({key: record[key] for key in ("condition", "dialogue", "img_id", "said", "masked")})
    found = []
    for head, answered in zip(heads, said, strict=True):
        if splits and head["split"] not in splits:
            continue
        shown = pictures or (Path(head["pictures"]) if head.get("pictures") else None)
        reader = open_data(data or Path(folder), form or head.get("format"), shown)
        last = max((record["dialogue"] for record in answered), default=-1)
        entries = list(itertools.islice(reader.entries(head["split"]), last + 1))
        talks = tuple(_said_talk(path, entries, record) for record in answered)
        condition, scores = next(iter(head["conditions"].items()))
        name = f"{head['checkpoint']}, {head['split']}"
        found.append(Talks(name, head["split"], str(path), condition, talks, head.get("data_set") == PRIST, scores))
    return found


def _said_talk(path: Path, entries: Sequence[Entry], record: dict[str, Any]) -> Talk:
    index, said = record["dialogue"], tuple(record["said"])
    entry = entries[index] if index < len(entries) else None
    turns = _plain(entry.dialogue.turns) if entry else ()
    if entry is None or entry.dialogue.img_id != record["img_id"] or not 0 < len(said) <= len(turns):
        raise DataError(f"{path}: dialogue {index} is not in the data as it was; remedy: say with --data where that is")
    judged = turns[-len(said) :]
    return Talk(
        dialogue=index,
        img_id=record["img_id"],
        target=_target(entry),
        before=turns[: -len(said)] if record["condition"].startswith(_GIVEN) else (),
        turns=tuple((user, _tidy(answer)) for (user, _), answer in zip(judged, said, strict=True)),
        shows=record["masked"],
        wanted=tuple(answer for _, answer in judged),
    )


def _plain(turns: Sequence[PristTurn]) -> tuple[tuple[str, str], ...]:
    return tuple((turn.user, _tidy(parse(turn.answer).text)) for turn in turns)


def _tidy(text: str) -> str:
    """Without the gaps that markers leave."""
    return re.sub(r" (?=[.,;:!?])", "", " ".join(text.split()))


def _target(entry: Entry) -> str:
    return " and ".join(entry.labels)
