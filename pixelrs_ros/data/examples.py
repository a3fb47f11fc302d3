"""What a network is trained on at scale: an image, a dialogue about it, a mask for each `[SEG]`; and its sources.

Segmentation data without dialogues is recast as one turn: a request that names some regions, and an answer in which
each label stands directly before its token (semantic region alignment).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.pictures import read_picture
from pixelrs_ros.text.tokenizer import ASK, NONE, OBJ, SEG

_ATTEMPTS = 1000
_REQUESTS = (
    "Please segment {}.",
    "Where is {} in this picture?",
    "Show me {}.",
    "Mark {}, please.",
    "Can you find {} here?",
    "Which pixels belong to {}?",
)
_ANSWERS = ("{}.", "Here: {}.", "I marked {}.", "You mean {}.", "Sure, {}.")


@dataclass(frozen=True)
class Example:
    """One dialogue about one image.

    Attributes:
        image: (H, W, 3) uint8 RGB in [0, 255].
        turns: (user's words, answer), oldest first, at least one.
        masks: (H, W) bool for each `[SEG]` of the answers in their order; None where the data has no mask for it.
    """

    image: np.ndarray
    turns: tuple[tuple[str, str], ...]
    masks: tuple[np.ndarray | None, ...]

    def __post_init__(self) -> None:
        wanted = sum(answer.count(SEG) for _, answer in self.turns)
        if len(self.masks) != wanted:
            raise DataError(f"a dialogue with {wanted} {SEG} needs as many masks, got {len(self.masks)}")
        for mask in self.masks:
            if mask is not None and mask.shape != self.image.shape[:2]:
                raise DataError(f"a mask of {mask.shape} px does not fit its image of {self.image.shape[:2]} px")


class Source(Protocol):
    """A data set from which examples are drawn at random."""

    def __len__(self) -> int:
        """How many different pictures or dialogues it has."""

    def draw(self, rng: np.random.Generator) -> Example:
        """An example; the same for the same state of the generator.

        Raises:
            DataError: A file is missing or malformed; the message names it.
        """


@dataclass(frozen=True)
class Region:
    """Something labeled in an image: names that mean the same, and how to get its (H, W) bool mask."""

    names: tuple[str, ...]
    mask: Callable[[], np.ndarray]


class RegionSource(ABC):
    """Labeled images, recast as one-turn dialogues about at most `max_regions` regions each."""

    def __init__(self, images: Sequence[Path], max_regions: int) -> None:
        if not images:
            raise DataError(f"{type(self).__name__}: no labeled image; remedy: check the folders of the source")
        self.images = images
        self.max_regions = max_regions

    def __len__(self) -> int:
        return len(self.images)

    @abstractmethod
    def regions(self, index: int) -> list[Region]:
        """What is labeled in an image; may be empty only where the file has to be read to know."""

    def draw(self, rng: np.random.Generator) -> Example:
        """See `Source.draw`."""
        for _ in range(_ATTEMPTS):
            index = int(rng.integers(len(self)))
            if regions := self.regions(index):
                break
        else:
            raise DataError(f"none of {_ATTEMPTS} random images around {self.images[index]} has a labeled region")
        count = int(rng.integers(1, min(self.max_regions, len(regions)) + 1))
        chosen = [regions[i] for i in rng.choice(len(regions), count, replace=False)]
        names = [region.names[int(rng.integers(len(region.names)))] for region in chosen]
        request = str(rng.choice(_REQUESTS)).format(_enumerate(names))
        answer = str(rng.choice(_ANSWERS)).format(_enumerate([f"{OBJ} {name}{SEG}" for name in names]))
        return Example(read_rgb(self.images[index]), ((request, answer),), tuple(region.mask() for region in chosen))


def plain(text: str) -> str:
    """Text of a data set without what would pass for a marker of an answer."""
    for marker in (OBJ, SEG, ASK, NONE):
        text = text.replace(marker, marker.strip("[]"))
    return text.strip()


def read_rgb(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright as its EXIF orientation says: annotations are drawn on what a viewer shows.

    Raises:
        DataError: The file is missing, damaged or not an image.
    """
    try:
        return read_picture(path)
    except BadInputError as error:
        raise DataError(str(error)) from error


def _enumerate(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
