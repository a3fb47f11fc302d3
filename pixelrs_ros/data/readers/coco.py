"""COCO's annotation files: a dialogue for each category in a picture, and the referring expressions of REFER."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pixelrs_ros.data.json_files import first_keys, visible
from pixelrs_ros.data.prist import SEG, PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import Entry, Fault, Problem, Reader, Tell, by_stem, refuse
from pixelrs_ros.data.refer import Reference, read_refs, to_reference
from pixelrs_ros.errors import DataError

if TYPE_CHECKING:
    from pixelrs_ros.data.coco import CocoFile

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
        content = CocoFile(path, tell)
        folder = self._pictures or _folder_with(self.folder, content, ("images", split.split("_")[-1], "."))
        grouped: dict[Any, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for annotation in content.annotations.values():
            grouped[annotation["image_id"]][content.categories[annotation["category_id"]]].append(annotation)

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
        return by_stem(path for path in found if _is_coco(path))


class ReferReader(Reader):
    """`refs(<by>).p`, or the same list as `refs(<by>).json`, beside `instances.json` (RefCOCO, +, g; gRefCOCO).

    All files are read whole. Of several lists the splits are `<by>_<split>`, such as `unc_val` and `google_val`: they
    divide the same pictures in different ways.
    """

    form = "refcoco"

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        """See `Reader.recognizes`."""
        return bool(_refs(folder)) and (folder / "instances.json").is_file()

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        return sorted({split for split, _, _ in self._references[0]})

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """See `Reader.entries`; one dialogue for each expression."""
        references, malformed = self._references
        content, wrong = self._instances
        if split == min((split for split, _, _ in references), default=split):  # what is of no split is told once
            for problem in (*malformed, *wrong):
                tell(problem)
        folder = self._pictures or _folder_with(self.folder, content, _REFER_PICTURES)
        for name, where, reference in references:
            if name != split:
                continue
            if reference.image_id not in content.images:
                tell(Problem(Fault.PICTURE_MISSING, where, f"image {reference.image_id} is not in instances.json"))
                continue
            missing = [each for each in reference.ann_ids if each not in content.annotations]
            if missing:
                tell(Problem(Fault.LABEL, where, f"annotations {missing} are not in instances.json, or are empty"))
                continue
            yield from self._dialogues(where, reference, content, folder)

    def _dialogues(self, where: str, reference: Reference, content: CocoFile, folder: Path) -> Iterator[Entry]:
        targets = [content.annotations[each] for each in reference.ann_ids]
        picture = content.image_path(folder, reference.image_id)
        for saying in reference.sayings:
            focus = saying
            if self._sayings[reference.image_id, saying.casefold()] > 1:  # of two things: their labels must differ
                focus = f"{saying} ({', '.join(map(str, reference.ann_ids))})"
            turn = PristTurn(f"Please segment {saying}.", f"This is it: {SEG}." if targets else _NOTHING)
            name = picture.relative_to(folder).as_posix()
            dialogue = PristDialogue(name, (turn,), focus if targets else "")
            labeled = {focus.casefold(): targets} if targets else {}
            yield Entry(f"{where}, {saying!r}", dialogue, picture, partial(_masks, content, labeled))

    @cached_property
    def _sayings(self) -> Counter[tuple[Any, str]]:
        """How many things of a picture are called the same, in any split: they may share pictures."""
        called = {
            (reference.image_id, saying.casefold(), reference.ann_ids)
            for _, _, reference in self._references[0]
            for saying in reference.sayings
        }
        return Counter((image_id, saying) for image_id, saying, _ in called)

    @cached_property
    def _references(self) -> tuple[list[tuple[str, str, Reference]], list[Problem]]:
        """Split, place and content of each reference, and what is wrong with others."""
        lists = {path.stem.removeprefix("refs").strip("()"): path for path in _refs(self.folder)}
        if not lists:
            raise DataError(f"{self.folder}: no refs(…).p or refs(…).json")
        found, malformed = [], []
        for by, path in lists.items():
            for index, ref in enumerate(read_refs(path)):
                where = f"{path}: reference {index}"
                try:
                    reference = to_reference(ref)
                except DataError as error:
                    malformed.append(Problem(Fault.MALFORMED, where, str(error)))
                else:
                    found.append((f"{by}_{reference.split}" if len(lists) > 1 else reference.split, where, reference))
        if not found:
            first = f", first {malformed[0].where}: {malformed[0].what}" if malformed else ""
            raise DataError(f"{self.folder}: no reference that could be read{first}")
        return found, malformed

    @cached_property
    def _instances(self) -> tuple[CocoFile, list[Problem]]:
        """The annotations, and what is wrong with some; that some have no mask counts only where one is meant."""
        from pixelrs_ros.data.coco import CocoFile

        problems: list[Problem] = []
        content = CocoFile(self.folder / "instances.json", problems.append)
        return content, [problem for problem in problems if problem.fault.is_error]


def _masks(content: CocoFile, labeled: Mapping[str, list[dict[str, Any]]]) -> dict[str, np.ndarray]:
    return {label: content.mask(annotations) for label, annotations in labeled.items()}


def _is_coco(path: Path) -> bool:
    is_list, keys = first_keys(path)
    return not is_list and len(keys & _COCO_KEYS) >= 1 and "shapes" not in keys


def _refs(folder: Path) -> list[Path]:
    return [*visible(folder, "refs*.p"), *visible(folder, "refs*.json")]


def _folder_with(folder: Path, content: CocoFile, names: tuple[str, ...]) -> Path:
    """The first of some subfolders that holds the first picture; the first of all where none does."""
    first = next(iter(content.images), None)
    if first is not None:
        for name in names:
            if content.image_path(folder / name, first).is_file():
                return folder / name
    return folder / names[0]
