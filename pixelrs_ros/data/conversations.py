"""Dialogues with images: those of any data set that has a reader, and a single file of LLaVA's conversations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelrs_ros.data import prist
from pixelrs_ros.data.examples import Example, read_rgb
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.data.readers.entries import Entry, Reader
from pixelrs_ros.data.readers.llava import words
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.shelf import Shelf
from pixelrs_ros.errors import DataError
from pixelrs_ros.text.tokenizer import ASK, NONE, OBJ, SEG
from pixelrs_ros.types import Status

_MARKERS = {Status.CLARIFY: ASK, Status.NOT_FOUND: NONE}


class DialogueSource:
    """A split of a data set that has a reader."""

    def __init__(self, reader: Reader, split: str) -> None:
        """Read the dialogues; pictures and masks are read as they are drawn.

        Those of PRIST wait on disk. Other formats keep theirs in memory: their masks hang on files that are read whole.

        Raises:
            DataError: The split is missing, malformed or empty.
        """
        entries = reader.entries(split)
        on_disk = isinstance(reader, PristReader)
        self._entries: Sequence[Entry] = Shelf.of(entries) if on_disk else list(entries)
        if not self._entries:
            raise DataError(f"{reader.folder}: the split {split} has no dialogue")

    def __len__(self) -> int:
        return len(self._entries)

    def draw(self, rng: np.random.Generator) -> Example:
        """See `Source.draw`."""
        entry = self._entries[int(rng.integers(len(self)))]
        dialogue, masks = entry.dialogue, entry.masks()
        try:
            shown = tuple(None if label is None else masks[label.casefold()] for label in _labels(dialogue))
        except KeyError as error:
            raise DataError(f"{entry.where}: no mask is labeled {error}") from error
        return Example(
            read_rgb(entry.picture),
            tuple((turn.user, _answer(dialogue, index)) for index, turn in enumerate(dialogue.turns)),
            shown,
        )


def _labels(dialogue: prist.PristDialogue) -> list[str | None]:
    """The label of each `[SEG]`; without `meta` only the last is known, the focus."""
    if dialogue.meta is not None:
        return [label for labels in dialogue.meta.targets for label in labels]
    if not dialogue.focus:
        return []
    return [*[None] * (sum(turn.answer.count(SEG) for turn in dialogue.turns) - 1), dialogue.focus]


def _answer(dialogue: prist.PristDialogue, index: int) -> str:
    answer = dialogue.turns[index].answer
    if dialogue.meta is not None:
        return _MARKERS.get(dialogue.meta.statuses[index], "") + answer
    return _with_phrase(answer, dialogue.focus) if index == len(dialogue.turns) - 1 else answer


def _with_phrase(answer: str, focus: str) -> str:
    """An answer in which the focus stands right before `[SEG]`, with `[OBJ]` before it; others as they are."""
    before, seg, after = answer.partition(SEG)
    said = before.rstrip()
    if not (focus and seg and said.casefold().endswith(focus.casefold())) or OBJ in before:
        return answer
    start = len(said) - len(focus)
    return f"{said[:start]}{OBJ}{said[start:]}{SEG}{after}"


class ConversationSource:
    """LLaVA's format: a list of `{"image": …, "conversations": [{"from": "human" | "gpt", "value": …}, …]}`."""

    def __init__(self, annotations: Path, images: Path) -> None:
        """Read the list; entries without an image are left out.

        Raises:
            DataError: The file is missing or malformed, or no entry has an image.
        """
        records = load_json(annotations)
        if not isinstance(records, list):
            raise DataError(f"{annotations}: expected a list of conversations, got {type(records).__name__}")
        self._read = [
            (
                images / record["image"],
                prist.read_turns(f"{annotations}: conversation {index}", record, "conversations", words),
            )
            for index, record in enumerate(records)
            if isinstance(record, dict) and record.get("image")
        ]
        if not self._read:
            raise DataError(f"{annotations}: no conversation has an image")

    def __len__(self) -> int:
        return len(self._read)

    def draw(self, rng: np.random.Generator) -> Example:
        """See `Source.draw`."""
        path, turns = self._read[int(rng.integers(len(self)))]
        return Example(read_rgb(path), tuple((turn.user, turn.answer) for turn in turns), ())
