"""ConverSeg: a line of JSON for each prompt, with a picture and a picture of its mask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import UTF8, encoding_of, visible
from pixelrs_ros.data.prist import PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import (
    SHOWN,
    Entry,
    Fault,
    Labels,
    Problem,
    Reader,
    Tell,
    by_stem,
    refuse,
    require_inside,
)
from pixelrs_ros.errors import DataError

_SNIFFED_LINES = 20
_MASKS = ("mask", "mask_merged")  # of what is tested with, and of what is trained with


class ConverSegReader(Reader):
    """`data/<split>.jsonl` or `<split>.jsonl` with image, mask and prompt; paths from the folder."""

    form = "converseg"

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        return sorted(self._files())

    def text_files(self, split: str) -> Iterator[Path]:
        """See `Reader.text_files`."""
        files = self._files()
        if split not in files:
            raise DataError(f"{self.folder}: there is no {split}.jsonl of this format; there are {sorted(files)}")
        yield files[split]

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; a dialogue of one turn for each prompt."""
        (path,) = self.text_files(split)
        pictures = self._pictures or self.folder
        labels = Labels()
        with path.open(encoding=encoding_of(path)) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                where = f"{path}: line {number}"
                try:
                    name, mask, prompt = _parts(line)
                except DataError as error:
                    tell(Problem(Fault.MALFORMED, where, str(error)))
                    continue
                focus = labels.of(name, prompt)
                turn = PristTurn(f"Please segment: {prompt}", SHOWN)
                masks = partial(_masks, self.folder / mask, focus.casefold())
                yield Entry(where, PristDialogue(name, (turn,), focus), pictures / name, masks)

    def _files(self) -> dict[str, Path]:
        found = [*visible(self.folder, "*.jsonl"), *visible(self.folder / "data", "*.jsonl")]
        return by_stem(path for path in found if _is_split(path))


def _is_split(path: Path) -> bool:
    """By its first lines, of which some may be damaged."""
    try:
        with path.open(encoding=UTF8, errors="replace") as file:
            return any(map(_is_whole, islice(file, _SNIFFED_LINES)))
    except OSError:
        return False


def _is_whole(line: str) -> bool:
    try:
        _parts(line)
    except DataError:
        return False
    return True


def _parts(line: str) -> tuple[str, str, str]:
    """Paths of the picture and of the mask, and the prompt.

    Raises:
        DataError: They are not there.
    """
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"is not JSON: {error}") from error
    record = record if isinstance(record, dict) else {}
    mask = next((record[key] for key in _MASKS if key in record), None)
    parts = (record.get("image"), mask, record.get("prompt"))
    if not all(isinstance(part, str) and part.strip() for part in parts):
        raise DataError(f"must have image, mask and prompt, as texts that are not empty; it has {sorted(record)}")
    return require_inside(parts[0]), require_inside(parts[1]), plain(str(parts[2]))


def _masks(path: Path, label: str) -> dict[str, np.ndarray]:
    """What is not black, or not transparent where the mask has an alpha channel."""
    try:
        with Image.open(path) as picture:
            has_alpha = picture.mode in ("RGBA", "LA")
            return {label: np.asarray(picture.getchannel("A") if has_alpha else picture.convert("L")) > 0}
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: mask cannot be read: {error}") from error
