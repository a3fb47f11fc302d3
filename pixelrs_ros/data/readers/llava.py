"""LLaVA's conversations: question answering about pictures, without masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import first_keys, stream_list
from pixelrs_ros.data.prist import PristDialogue, read_turns
from pixelrs_ros.data.readers.entries import Entry, Fault, Problem, SplitFileReader, Tell, refuse, require_inside
from pixelrs_ros.errors import DataError
from pixelrs_ros.text.tokenizer import IMAGE


class LlavaReader(SplitFileReader):
    """`<split>.json`, a list of `{"image": …, "conversations": […]}`; pictures in `images/`."""

    form = "llava"

    @staticmethod
    def is_split(path: Path) -> bool:
        """See `SplitFileReader.is_split`."""
        is_list, keys = first_keys(path)
        return is_list and "conversations" in keys

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; conversations without a picture are left out."""
        path = self.folder / f"{split}.json"
        pictures = self._pictures or self.folder / "images"
        for index, record in enumerate(stream_list(path)):
            where = f"{path}: conversation {index}"
            if not isinstance(record, dict):
                tell(Problem(Fault.MALFORMED, where, f"must be an object, got {type(record).__name__}"))
                continue
            if not record.get("image"):
                tell(Problem(Fault.PICTURELESS, where, "it is left out"))
                continue
            said = record.get("conversations")
            speakers = [each.get("from") for each in said if isinstance(each, dict)] if isinstance(said, list) else []
            try:
                image = require_inside(record["image"])
            except DataError as error:
                tell(Problem(Fault.MALFORMED, where, f"image: {error}"))
                continue
            try:
                turns = read_turns(where, record, "conversations", words)
            except DataError as error:
                in_order = speakers == ["human", "gpt"] * (len(speakers) // 2)
                fault = Fault.MALFORMED if in_order else Fault.ORDER
                tell(Problem(fault, where, str(error).removeprefix(where).lstrip(": ")))
                continue
            yield Entry(where, PristDialogue(image, turns, ""), pictures / image, _nothing)


def words(value: str) -> str:
    """What is said, without the mark of the picture's place."""
    return plain(value.replace(IMAGE, " "))


def _nothing() -> dict[str, np.ndarray]:
    return {}
