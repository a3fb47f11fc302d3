"""COCO's annotation files: a dialogue for each category in a picture, and the referring expressions of REFER."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data.examples import plain
from pixelrs_ros.data.json_files import first_keys, visible
from pixelrs_ros.data.prist import SEG, PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import Entry, Fault, Problem, Reader, Tell, refuse
from pixelrs_ros.errors import DataError

_COCO_KEYS = frozenset({"images", "annotations", "categories", "info", "licenses"})
_REFER_PICTURES = ("images", "images/mscoco/images/train2014", "train2014", ".")
_NOTHING = "There is no such thing here."


class CocoReader(Reader):
    """`annotations/<split>.json` or `<split>.json` (COCO, LVIS, PACO); pictures in `images/` or beside, by name.

    The annotation file is read whole, and kept while its entries are read.
    """

    form = "coco"

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        """See `Reader.recognizes`."""
        return bool(cls(folder).splits()) and not _refs(folder)

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        return sorted(self._files)

    def text_files(self, split: str) -> Iterator[Path]:
        """See `Reader.text_files`."""
        if split not in self._files:
            raise DataError(f"{self.folder}: no annotation file called {split}.json; there are {sorted(self._files)}")
        yield self._files[split]

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`."""
        from pixelrs_ros.data.coco import CocoFile

        (path,) = self.text_files(split)
        content = CocoFile(path)
        folder = self._pictures or _folder_with(self.folder, content, ("images", split.split("_")[-1], "."))
        grouped: dict[Any, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for annotation in content.annotations.values():
            grouped[annotation["image_id"]][content.categories[annotation["category_id"]]].append(annotation)
        for annotation_id in content.unmasked:
            tell(
                Problem(
                    Fault.UNMASKED, f"{path}: annotation {annotation_id}", "its segmentation is empty; it is left out"
                )
            )

        @lru_cache(maxsize=2)  # the categories of a picture follow one another
        def masks(image_id: Any) -> dict[str, np.ndarray]:
            return _masks(content, {name.casefold(): found for name, found in grouped[image_id].items()})

        for image_id, by_name in grouped.items():
            picture = content.image_path(folder, image_id)
            for name in by_name:
                turn = PristTurn(f"Please segment the {name}.", f"This is the {name}: {SEG}.")
                dialogue = PristDialogue(picture.relative_to(folder).as_posix(), (turn,), name)
                yield Entry(f"{path}: image {image_id}, {name}", dialogue, picture, partial(masks, image_id))

    @cached_property
    def _files(self) -> dict[str, Path]:
        found = [*visible(self.folder, "*.json"), *visible(self.folder / "annotations", "*.json")]
        return {path.stem: path for path in found if _is_coco(path)}


class ReferReader(Reader):
    """`refs(<by>).p`, or the same list as `refs(<by>).json`, beside `instances.json` (RefCOCO, +, g; gRefCOCO).

    Both files are read whole. Where there are several lists, the first in the alphabet counts.
    """

    form = "refcoco"

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        """See `Reader.recognizes`."""
        return bool(_refs(folder)) and (folder / "instances.json").is_file()

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        return sorted({str(ref.get("split")) for ref in self._references if isinstance(ref, dict)})

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; one dialogue for each expression."""
        from pixelrs_ros.data.coco import CocoFile

        content = CocoFile(self.folder / "instances.json")
        folder = self._pictures or _folder_with(self.folder, content, _REFER_PICTURES)
        said = self._sayings(split)
        for index, ref in enumerate(self._references):
            if not isinstance(ref, dict) or ref.get("split") != split:
                continue
            where = f"{_refs(self.folder)[0]}: reference {index}"
            try:
                ids = ref["ann_id"] if isinstance(ref["ann_id"], list) else [ref["ann_id"]]
                sentences = [plain(sentence["sent"]) for sentence in ref["sentences"]]
                image_id = ref["image_id"]
                if image_id not in content.images:
                    tell(Problem(Fault.PICTURE_MISSING, where, f"image {image_id} is not in instances.json"))
                    continue
                missing = [each for each in ids if each != -1 and each not in content.annotations]
                if missing:
                    tell(Problem(Fault.LABEL, where, f"annotations {missing} are not in instances.json, or are empty"))
                    continue
            except (KeyError, TypeError) as error:
                tell(Problem(Fault.MALFORMED, where, f"{type(error).__name__} {error}"))
                continue
            targets = [content.annotations[each] for each in ids if each != -1]  # -1: nothing is meant
            picture = content.image_path(folder, image_id)
            name = picture.relative_to(folder).as_posix()
            for sentence in sentences:
                focus = sentence
                if said[image_id, sentence.casefold()] > 1:  # of two things in one picture: their labels must differ
                    focus = f"{sentence} ({', '.join(map(str, ids))})"
                answer = f"This is it: {SEG}." if targets else _NOTHING
                turn = PristTurn(f"Please segment {sentence}.", answer)
                dialogue = PristDialogue(name, (turn,), focus if targets else "")
                labeled = {focus.casefold(): targets} if targets else {}
                yield Entry(f"{where}, {sentence!r}", dialogue, picture, partial(_masks, content, labeled))

    def _sayings(self, split: str) -> Counter[tuple[Any, str]]:
        """How many references of a picture are called the same."""
        return Counter(
            (ref.get("image_id"), saying)
            for ref in self._references
            if isinstance(ref, dict) and ref.get("split") == split
            for saying in {plain(str(each.get("sent"))).casefold() for each in ref.get("sentences", ())}
        )

    @cached_property
    def _references(self) -> list[Any]:
        from pixelrs_ros.data.coco import read_refs

        found = _refs(self.folder)
        if not found:
            raise DataError(f"{self.folder}: no refs(…).p or refs(…).json")
        return read_refs(found[0])


def _masks(content: Any, labeled: Mapping[str, list[dict[str, Any]]]) -> dict[str, np.ndarray]:
    return {label: content.mask(annotations) for label, annotations in labeled.items()}


def _is_coco(path: Path) -> bool:
    is_list, keys = first_keys(path)
    return not is_list and len(keys & _COCO_KEYS) >= 1 and "shapes" not in keys


def _refs(folder: Path) -> list[Path]:
    return [*visible(folder, "refs*.p"), *visible(folder, "refs*.json")]


def _folder_with(folder: Path, content: Any, names: tuple[str, ...]) -> Path:
    """The first of some subfolders that holds the first picture; the first of all where none does."""
    first = next(iter(content.images), None)
    if first is not None:
        for name in names:
            if content.image_path(folder / name, first).is_file():
                return folder / name
    return folder / names[0]
