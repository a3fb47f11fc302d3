"""A split as an evaluation plays it: checked whole before the network runs, images and masks read as needed."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.examples import read_rgb
from pixelrs_ros.data.readers.entries import Entry
from pixelrs_ros.data.readers.opening import open_data, require_split
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.readers.reasonseg import ReasonSegReader
from pixelrs_ros.data.shelf import Shelf
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.play import Exchange
from pixelrs_ros.evaluation.referents import Referent, Vocabulary, WordScore, score_label, score_phrases, words
from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.types import Status

HIDDEN_BELOW = 0.6  # visible share of a target that counts as hidden
_NUMBERED = re.compile(r" \d+$")  # of a twin's label, "red mug 2"
SENSOR, PLAIN, HIDDEN = "sensor effects", "plain picture", f"hidden target (< {HIDDEN_BELOW:.0%} visible)"


def is_whole(label: str) -> bool:
    """Whether a label names a whole object, not a part of one ("handle of the red mug")."""
    return " of the " not in label


@dataclass(frozen=True)
class Sample:
    """One dialogue.

    Attributes:
        index: Its place in the split's file, from 0.
        img_id: File name of its image.
        exchanges: Its turns, at least one.
        has_statuses: Whether the data gives the turns' statuses; else they are guessed from the answers' `[SEG]`.
        focus: The label of the target; empty where the last turn has none.
        labels: The labels of all that the last turn should show.
        kind: The kind of the last turn; None where the data does not say.
        target: What the target is called; None where the data does not say.
        views: What the picture is like, of `SENSOR`, `PLAIN` and `HIDDEN`, as far as the data says.
        hard: What makes the dialogue's language hard; empty also where the data does not say.
        pair: Number of its pair, if it has one.
        visible: Share of the target, in [0, 1], that other things leave to be seen; None where the data does not say.
    """

    index: int
    img_id: str
    exchanges: tuple[Exchange, ...]
    has_statuses: bool
    focus: str
    kind: str | None
    target: Referent | None
    views: tuple[str, ...] = ()
    hard: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    pair: int | None = None
    visible: float | None = None

    @property
    def has_target(self) -> bool:
        """Whether the last turn should show something."""
        return bool(self.labels)

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels of what it should show, as the masks are keyed."""
        return tuple(label.casefold() for label in self.labels)

    @property
    def is_part(self) -> bool | None:
        """Whether the target is a part; None where the data does not say."""
        return None if self.target is None else bool(self.target.parts)


@dataclass(frozen=True)
class Samples:
    """The dialogues of one split; image and masks are read from the folder when asked for.

    Attributes:
        folder: The data set.
        split: Name of the split.
        all: The dialogues, in the file's order, on disk.
        vocabulary: Words of all their targets and of the simulator's things.
        form: The data set's format.
        pictures: Folder of the pictures, where they do not lie where the format has them.
    """

    folder: Path
    split: str
    all: Shelf[Sample]
    vocabulary: Vocabulary
    form: str = PristReader.form
    pictures: Path | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        split: str,
        *,
        limit: int | None = None,
        form: str | None = None,
        pictures: Path | None = None,
    ) -> Samples:
        """Read a split and check that every dialogue can be played and scored.

        Args:
            folder: The data set.
            split: Name of the split.
            limit: Keep only so many dialogues, from the first on.
            form: Its format, one of `READERS`; None finds out.
            pictures: Folder of the pictures, where they do not lie where the format has them.

        Raises:
            DataError: A file is missing or malformed, there is no dialogue, or a focus has no polygon; names the file.
        """
        reader = open_data(folder, form, pictures)
        require_split(reader, split)
        entries = itertools.islice(reader.entries(split), limit)
        colors, kinds = set(COLORS), set(KINDS)
        parts = {part for kind in KINDS.values() for part in kind.parts}

        def read() -> Iterator[Sample]:
            for index, entry in enumerate(entries):
                sample = _sample(index, entry.dialogue)
                if sample.target:
                    colors.update(sample.target.colors)
                    kinds.update(sample.target.kinds)
                    parts.update(sample.target.parts)
                yield sample

        samples = on_shelf(read())
        if not samples:
            raise DataError(f"{folder}: the split {split} has no dialogue")
        vocabulary = Vocabulary(frozenset(colors), frozenset(kinds), frozenset(parts))
        loaded = cls(folder, split, samples, vocabulary, reader.form, pictures)
        loaded.check_files()
        return loaded

    def check_files(self) -> None:
        """Look whether every image and mask is there, without drawing the masks: those are checked when they are read.

        Raises:
            DataError: One is missing; the message names it.
        """
        for group in self.by_image():
            picture = self._picture(group[0].img_id)
            if not picture.is_file():
                raise DataError(f"{picture}: image is missing")
            if self.form == PristReader.form:
                self._check_labels(group)

    def _check_labels(self, group: Sequence[Sample]) -> None:
        mask_path = prist.mask_path(self.folder, group[0].img_id)
        labels = {shape.label.casefold() for shape in labelme.read(mask_path).shapes}
        for sample in group:
            for key in sample.keys:
                if key not in labels:
                    where = f"{prist.split_path(self.folder, self.split)}: dialogue {sample.index}"
                    raise DataError(f"{where}: {labelme.unlabeled(mask_path, key, labels)}")

    def _entries(self, img_id: str) -> list[Entry]:
        return _entries_by_image(self.folder, self.split, self.form, self.pictures)[img_id]

    def _picture(self, img_id: str) -> Path:
        if self.form != PristReader.form:
            return self._entries(img_id)[0].picture
        return self.pictures / img_id if self.pictures else prist.image_path(self.folder, img_id)

    def by_image(self) -> Iterator[tuple[Sample, ...]]:
        """The dialogues of each image together, images in the order of their first dialogue."""
        return self.all.groups()

    def count_images(self) -> int:
        """How many there are."""
        return self.all.count_groups()

    def read(self, img_id: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """An image, (H, W, 3) uint8 RGB, and its masks, (H, W) bool by case-folded label.

        Raises:
            DataError: A file is missing or malformed, or their sizes differ.
        """
        image = read_rgb(self._picture(img_id))
        masks: dict[str, np.ndarray] = {}
        if self.form == PristReader.form:
            masks, where = prist.read_masks(self.folder, img_id), str(prist.mask_path(self.folder, img_id))
        else:  # where each dialogue brings its own masks
            entries = self._entries(img_id)
            where = entries[0].where
            for entry in entries:
                masks.update(entry.masks())
        for mask in masks.values():
            if mask.shape != image.shape[:2]:
                raise DataError(f"{where}: made for an image of {mask.shape}, but {img_id} has {image.shape[:2]}")
        return image, masks

    def judge(self, sample: Sample, phrases: tuple[str, ...]) -> WordScore:
        """Whether an answer's grounded phrases name the dialogue's target."""
        if not sample.has_target:
            return WordScore(not phrases)
        if self.form == ReasonSegReader.form:
            return WordScore(None)  # its label is "target", whatever is meant
        if sample.target is None:
            return score_label(phrases, sample.focus)
        return score_phrases(phrases, sample.target, self.vocabulary)


def on_shelf(samples: Iterable[Sample]) -> Shelf[Sample]:
    """Dialogues on disk, grouped by their images."""
    return Shelf.of(samples, lambda sample: sample.img_id)


@lru_cache(maxsize=4)  # the splits of one evaluation; each process that plays has its own
def _entries_by_image(folder: Path, split: str, form: str, pictures: Path | None) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in open_data(folder, form, pictures).entries(split):
        groups[entry.dialogue.img_id].append(entry)
    return dict(groups)


def _sample(index: int, dialogue: prist.PristDialogue) -> Sample:
    meta = dialogue.meta
    guessed = (Status.GROUNDED if prist.SEG in turn.answer else Status.ANSWERED for turn in dialogue.turns)
    statuses = meta.statuses if meta else tuple(guessed)
    labels = meta.targets[-1] if meta else ((dialogue.focus,) if dialogue.focus else ())
    target = None
    if meta and labels:
        several = [_NUMBERED.sub("", label).rpartition(" of the ") for label in labels] if len(labels) > 1 else []
        names = [name.split(" ", 1) for _, _, name in several] or [[meta.color, meta.kind]]
        target = Referent(
            colors=frozenset(word for name in names for word in words(name[0])),
            kinds=frozenset(word for name in names for word in words(name[-1])),
            parts=frozenset(words(meta.part or "")),
        )
    return Sample(
        index=index,
        img_id=dialogue.img_id,
        exchanges=tuple(
            Exchange(turn.user, turn.answer, status, turn.point)
            for turn, status in zip(dialogue.turns, statuses, strict=True)
        ),
        has_statuses=meta is not None,
        focus=dialogue.focus,
        kind=meta.kinds[-1] if meta else None,
        target=target,
        views=_views(meta) if meta else (),
        hard=meta.hard if meta else (),
        labels=labels,
        pair=meta.pair if meta else None,
        visible=meta.visible if meta else None,
    )


def _views(meta: prist.PristMeta) -> tuple[str, ...]:
    kind = () if meta.sensor is None else (SENSOR if meta.sensor else PLAIN,)
    return (*kind, HIDDEN) if meta.visible is not None and meta.visible < HIDDEN_BELOW else kind
