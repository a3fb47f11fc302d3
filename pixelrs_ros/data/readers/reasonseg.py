"""ReasonSeg: beside each picture a labelme file with questions, whose shapes are the target, or are not to count."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data import labelme
from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import first_keys, load_json, visible
from pixelrs_ros.data.prist import PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import SHOWN, UNCOUNTED, Entry, Fault, Problem, Reader, Tell, refuse
from pixelrs_ros.data.readers.headers import upright
from pixelrs_ros.errors import DataError

TARGET, IGNORE, FLAG = "target", "ignore", "flag"
_ENDINGS = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")
_SNIFFED_FILES = 20
_WHOLE = "all"  # split of a folder without subfolders


class ReasonSegReader(Reader):
    """`<split>/<name>.json` beside `<split>/<name>.jpg`; or such files in the folder itself."""

    form = "reasonseg"

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        if _has_some(self.folder):
            return [_WHOLE]
        return sorted(each.name for each in self.folder.iterdir() if each.is_dir() and _has_some(each))

    def text_files(self, split: str) -> Iterator[Path]:
        """See `Reader.text_files`."""
        folder = self.folder if split == _WHOLE else self.folder / split
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; the splits of {self.folder} are {self.splits()}")
        yield from visible(folder, "*.json")

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; one dialogue of one turn for each question."""
        for path in self.text_files(split):
            try:
                content = load_json(path)
            except DataError as error:
                tell(Problem(Fault.MALFORMED, str(path), str(error).removeprefix(f"{path}: ")))
                continue
            texts = content.get("text") if isinstance(content, dict) else None
            texts = [texts] if isinstance(texts, str) else texts
            if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t.strip() for t in texts):
                tell(Problem(Fault.MALFORMED, str(path), f"text must be questions that are not empty, got {texts!r}"))
                continue
            picture = self._picture(path)
            name = picture.relative_to(self._pictures or self.folder).as_posix()
            for index, text in enumerate(texts):
                user = plain(text) if content.get("is_sentence", True) else f"Please segment {plain(text)}."
                turn = PristTurn(user, SHOWN)
                where = f"{path}: text {index}"
                yield Entry(where, PristDialogue(name, (turn,), TARGET), picture, partial(_masks, path, picture))

    def _picture(self, path: Path) -> Path:
        folder = path.parent
        if self._pictures is not None:
            folder = self._pictures / path.parent.relative_to(self.folder)
        found = (folder / f"{path.stem}{ending}" for ending in _ENDINGS)
        return next((each for each in found if each.is_file()), folder / f"{path.stem}.jpg")


def _masks(path: Path, picture: Path) -> dict[str, np.ndarray]:
    """The target's, and what is not to count. Large shapes are drawn first, so that small ones lie on them."""
    content: dict[str, Any] = load_json(path)
    shapes = content.get("shapes")
    if not isinstance(shapes, list):
        raise DataError(f"{path}: shapes must be a list, got {type(shapes).__name__}")
    height_px, width_px = upright(picture).size_px
    drawn = [shape for shape in shapes if not _is_flag(shape)]  # flags are left from an earlier form
    sized = {**content, "shapes": drawn, "imageHeight": height_px, "imageWidth": width_px}
    target, ignored = (np.zeros((height_px, width_px), bool) for _ in range(2))
    masks = [(shape.label, shape.mask(height_px, width_px)) for shape in labelme.to_annotation(path, sized).shapes]
    for label, mask in sorted(masks, key=lambda each: -int(np.count_nonzero(each[1]))):
        target[mask], ignored[mask] = IGNORE not in label.casefold(), IGNORE in label.casefold()
    return {TARGET: target, UNCOUNTED: ignored} if ignored.any() else {TARGET: target}


def _is_flag(shape: Any) -> bool:
    return isinstance(shape, dict) and FLAG in str(shape.get("label")).casefold()


def _has_some(folder: Path) -> bool:
    """Whether one of the first files is of this format: the others may be damaged, which their reading tells."""
    return any({"text", "shapes"} <= first_keys(path)[1] for path in visible(folder, "*.json")[:_SNIFFED_FILES])
