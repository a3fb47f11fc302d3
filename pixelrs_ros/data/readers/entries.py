"""What every reader gives: a dialogue, where its picture is, how its masks are had; and what is wrong with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from pixelrs_ros.data import labelme
from pixelrs_ros.data.json_files import visible
from pixelrs_ros.data.prist import SEG, PristDialogue
from pixelrs_ros.errors import DataError

SHOWN = f"It is this: {SEG}."  # the answer, where a data set has masks and no words
UNCOUNTED = labelme.HOLES[1]  # label of the pixels that a data set wants scored neither as right nor as wrong


class Fault(Enum):
    """What may be wrong in a data set; the value says it in words."""

    PICTURE_MISSING = "missing picture"
    PICTURE_DAMAGED = "damaged picture"
    MASKS_UNREADABLE = "unreadable masks"
    MASK_EMPTY = "empty mask"
    MASK_SIZE = "mask of another size than its picture"
    LABEL = "label that matches nothing"
    POLYGON = "bad polygon"
    MALFORMED = "malformed entry"
    ORDER = "utterances out of order"
    SEG_COUNT = "more or fewer [SEG] than masks"
    SEG_UNKNOWN = "[SEG] of which the data has no mask"
    UNMASKED = "annotation without a mask"
    DUPLICATE = "duplicate"
    TURNED = "picture turned by EXIF"
    ENCODING = "text in cp1252"
    PICTURELESS = "conversation without a picture"
    EMPTY = "no dialogue"

    @property
    def is_error(self) -> bool:
        """Whether training and evaluation cannot use it; the others are read rightly, and worth knowing."""
        return self not in _NOTES


_NOTES = (
    Fault.SEG_UNKNOWN, Fault.UNMASKED, Fault.DUPLICATE, Fault.TURNED, Fault.ENCODING, Fault.PICTURELESS,
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something wrong.

    Attributes:
        fault: Its kind.
        where: File, and place in it.
        what: In words.
        picture: The picture that it is about, to be shown; None where there is none.
    """

    fault: Fault
    where: str
    what: str
    picture: Path | None = None


Tell = Callable[[Problem], None]


def refuse(problem: Problem) -> None:
    """Takes no data with errors, whatever can be read rightly.

    Raises:
        DataError: The problem is an error.
    """
    if problem.fault.is_error:
        raise DataError(f"{problem.where}: {problem.what}")


def require_inside(path: object) -> str:
    """A path as a data set has it, from a folder: no data set makes anything be read that lies elsewhere.

    Raises:
        DataError: It is no text, or leads out of the folder.
    """
    if not isinstance(path, str) or not path.strip():
        raise DataError(f"expected the path of a file, got {path!r}")
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise DataError(f"{path!r} leads out of the folder; remedy: paths from there, or --images DIR")
    return path


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """The files of splits by the splits' names.

    Raises:
        DataError: Two have the same.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if (other := found.setdefault(path.stem, path)) != path:
            raise DataError(f"{other} and {path} are splits of the same name; remedy: give one another name")
    return found


@dataclass(frozen=True)
class Entry:
    """One dialogue of a data set.

    Attributes:
        where: File and place in it, for messages.
        dialogue: In PRIST's form; its `img_id` names the picture within the data set, with "/" where it lies deeper.
            The focus is empty where it ends on no mask.
        picture: File of the picture.
        masks: Gives (H, W) bool by case-folded label, the focus among them; also `UNCOUNTED` where there
            are such pixels.

    `masks` raises DataError where they are missing or malformed.
    """

    where: str
    dialogue: PristDialogue
    picture: Path
    masks: Callable[[], dict[str, np.ndarray]]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of what the last answer shows."""
        meta, focus = self.dialogue.meta, self.dialogue.focus
        if meta is not None:
            return meta.targets[-1]
        return (focus,) if focus else ()


class Labels:
    """Names the masks of pictures after what the user says, each once: of the same words again, the second is "(2)"."""

    def __init__(self) -> None:
        self._met: Counter[tuple[str, str]] = Counter()

    def of(self, picture: str, words: str) -> str:
        """The label of a picture's next mask that is asked for in these words."""
        key = (picture, words.casefold())
        self._met[key] += 1
        return words if self._met[key] == 1 else f"{words} ({self._met[key]})"


class Reader(ABC):
    """A data set on disk.

    Attributes:
        form: Name of its format, as `--format` takes it.
        folder: Where it lies.
    """

    form: ClassVar[str]

    def __init__(self, folder: Path, pictures: Path | None = None) -> None:
        self.folder = folder
        self._pictures = pictures

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        """Whether the folder looks like this format, by its files' names and beginnings: it has splits."""
        return bool(cls(folder).splits())

    @abstractmethod
    def splits(self) -> list[str]:
        """Names of its splits, in the alphabet's order; empty where it has none."""

    @abstractmethod
    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        """The dialogues of a split, one after another.

        Args:
            split: Its name.
            tell: Told of what is wrong with an entry, which is then left out.

        Raises:
            DataError: A file is missing or is not of this format; what `tell` raises.
        """

    def text_files(self, split: str) -> Iterator[Path]:
        """The files whose text the entries come from."""
        yield from ()


class SplitFileReader(Reader):
    """A data set that has one JSON file for each split, `<split>.json` in its folder."""

    @staticmethod
    @abstractmethod
    def is_split(path: Path) -> bool:
        """Whether a JSON file is a split of this format, by its beginning."""

    def splits(self) -> list[str]:
        """See `Reader.splits`."""
        return [path.stem for path in visible(self.folder, "*.json") if self.is_split(path)]

    def text_files(self, split: str) -> Iterator[Path]:
        """See `Reader.text_files`."""
        yield self.folder / f"{split}.json"
