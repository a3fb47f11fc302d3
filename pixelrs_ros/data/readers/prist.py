"""PRIST folders, with or without what the simulator knows beyond PRIST."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data import prist
from pixelrs_ros.data.json_files import first_keys, stream_list
from pixelrs_ros.data.readers.entries import Entry, Fault, Problem, SplitFileReader, Tell, refuse
from pixelrs_ros.errors import DataError


class PristReader(SplitFileReader):
    """`<split>.json` beside `images/` and `masks/`."""

    form = "prist"

    @staticmethod
    def is_split(path: Path) -> bool:
        """Whether it is one, or is empty or damaged where one would be: its reading says more."""
        is_list, keys = first_keys(path)
        return (is_list and {"img_id", "dialogue"} <= keys) or (not keys and (path.parent / "masks").is_dir())

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`."""
        path = prist.split_path(self.folder, split)
        masks = _Masks(self.folder)
        for index, record in enumerate(stream_list(path)):
            where = f"{path}: dialogue {index}"
            problem = _problem(where, record)
            if problem is not None:
                tell(replace(problem, picture=self._picture(record["img_id"]) if _is_name(record) else None))
                if problem.fault.is_error:
                    continue
            try:
                dialogue = prist.to_dialogue(where, record)
            except DataError as error:
                tell(Problem(Fault.MALFORMED, where, str(error).removeprefix(where).lstrip(": ")))
                continue
            img_id = dialogue.img_id
            yield Entry(where, dialogue, self._picture(img_id), partial(masks, img_id))

    def _picture(self, img_id: str) -> Path:
        return self._pictures / img_id if self._pictures else prist.image_path(self.folder, img_id)


class _Masks:
    """Draws masks by picture. Dialogues about one stand together as a rule: its masks are drawn once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._draw = lru_cache(maxsize=2)(prist.read_masks)

    def __call__(self, img_id: str) -> dict[str, np.ndarray]:
        return self._draw(self._folder, img_id)

    def __reduce__(self) -> tuple[type[_Masks], tuple[Path]]:
        return _Masks, (self._folder,)


def _is_name(record: dict[str, Any]) -> bool:
    """Whether a record says which file of the folder of pictures it is about."""
    img_id = record.get("img_id")
    return isinstance(img_id, str) and Path(img_id).name == img_id != ""


def _problem(where: str, record: Any) -> Problem | None:
    """What is wrong with the order of the utterances, or with the number of `[SEG]`."""
    said = record.get("dialogue") if isinstance(record, dict) else None
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        return None  # its reading says more
    speakers = [each.get("from") for each in said]
    if speakers != ["human", "gpt"] * (len(speakers) // 2):
        told = ", ".join(map(str, speakers))
        return Problem(Fault.ORDER, where, f"utterances must be in pairs of human and gpt, got {told}")
    found = [str(each.get("value")).count(prist.SEG) for each in said[1::2]]
    meta = record.get("meta")
    targets = meta.get("targets") if isinstance(meta, dict) else None
    counts = f"{prist.SEG} by answer: {found}"
    if targets is None:
        if found and found[-1] == 0:
            return Problem(Fault.SEG_COUNT, where, f"the focus is a mask of the last answer, which has none; {counts}")
        if sum(found) > 1:
            return Problem(Fault.SEG_UNKNOWN, where, f"the focus is the mask of the last one; {counts}")
    elif isinstance(targets, list) and all(isinstance(each, list) for each in targets):
        wanted = [len(each) for each in targets]
        if found != wanted:
            return Problem(Fault.SEG_COUNT, where, f"targets by answer: {wanted}; {counts}")
    return None
