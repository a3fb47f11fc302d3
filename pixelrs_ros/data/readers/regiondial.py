"""RegionDial-Bench: dialogues in which every turn shows a region, often beside one of an earlier answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import first_keys, stream_list
from pixelrs_ros.data.prist import PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import (
    SHOWN,
    Entry,
    Fault,
    Labels,
    Problem,
    SplitFileReader,
    Tell,
    refuse,
    require_inside,
)
from pixelrs_ros.errors import DataError

_TURNS = "conversational_turns"
_EARLIER = re.compile(r"(\bthe\s+)?<box>.*?</box>", re.IGNORECASE)  # where the benchmark writes the box of an answer


class RegionDialReader(SplitFileReader):
    """`<split>.json`, a list of `{"image_path": …, "conversational_turns": […]}`; pictures by their path."""

    form = "regiondial"

    @staticmethod
    def is_split(path: Path) -> bool:
        """See `SplitFileReader.is_split`."""
        is_list, keys = first_keys(path)
        return is_list and _TURNS in keys

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; a dialogue for each turn, with those before it, as each counts."""
        (path,) = self.text_files(split)
        pictures = self._pictures or self.folder
        labels = Labels()
        for index, record in enumerate(stream_list(path)):
            where = f"{path}: conversation {index}"
            try:
                name, said = _parts(record)
                turns = [PristTurn(_words(said, number), SHOWN) for number in range(len(said))]
            except DataError as error:
                tell(Problem(Fault.MALFORMED, where, str(error)))
                continue
            for number, turn in enumerate(said):
                focus = labels.of(name, plain(turn["question"]))
                dialogue = PristDialogue(name, tuple(turns[: number + 1]), focus)
                place = f"{where}, turn {number}"
                masks = partial(_unpacked, place, focus.casefold(), _packed(turn.get("masks")))
                yield Entry(place, dialogue, pictures / name, masks)


def _parts(record: Any) -> tuple[str, list[dict[str, Any]]]:
    """A record's picture and turns.

    Raises:
        DataError: They are not of this format.
    """
    if not isinstance(record, dict):
        raise DataError("must be an object with the path of a picture in image_path")
    picture = require_inside(record.get("image_path"))
    said = record.get(_TURNS)
    if not isinstance(said, list) or not said:
        raise DataError(f"{_TURNS} must be a list of turns that is not empty")
    for number, turn in enumerate(said):
        question = turn.get("question") if isinstance(turn, dict) else None
        if not isinstance(question, str) or not question.strip():
            raise DataError(f"turn {number} must have a question that is not empty, got {question!r}")
    return picture, said


def _words(said: list[dict[str, Any]], number: int) -> str:
    """What the user says; the box of an earlier answer becomes words for it, since the dialogue remembers that answer.

    Raises:
        DataError: A turn speaks of an answer that is not before it.
    """
    question = plain(said[number]["question"])
    if _EARLIER.search(question):
        earlier = said[number].get("context_from_turn")
        if not isinstance(earlier, int) or not 0 <= earlier < number:
            raise DataError(f"turn {number}: context_from_turn must be one of the turns before it, got {earlier!r}")
        shown = "what you showed just now" if earlier == number - 1 else f"what you showed in answer {earlier + 1}"
        question = _EARLIER.sub(shown, question)
    return f"Please segment: {question}"


def _packed(masks: Any) -> list[tuple[tuple[int, ...], np.ndarray]] | None:
    """Masks as bits, since a split's are some gigabytes of numbers; None where they are not of this format."""
    try:
        drawn = [np.asarray(mask, dtype=np.float32) > 0 for mask in masks]
    except (TypeError, ValueError):
        return None
    return [(mask.shape, np.packbits(mask)) for mask in drawn] or None


def _unpacked(where: str, label: str, masks: list[tuple[tuple[int, ...], np.ndarray]] | None) -> dict[str, np.ndarray]:
    if masks is None or len({shape for shape, _ in masks}) != 1 or len(masks[0][0]) != 2:
        raise DataError(
            f"{where}: masks must be rows of 0 and 1, all of one size; remedy: where there are none, make "
            "<name>_multi_turn.json with the benchmark's merge_mask_json.py"
        )
    height_px, width_px = masks[0][0]
    drawn = [np.unpackbits(bits, count=height_px * width_px).reshape(height_px, width_px) for _, bits in masks]
    return {label: np.any(drawn, axis=0)}
