"""A PRIST split as an evaluation plays it: checked whole before the network runs, images and masks read as needed."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelrs_ros.data import labelme, prist
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
        folder: The PRIST folder.
        split: Name of the split.
        all: The dialogues, in the file's order.
        vocabulary: Words of all their targets and of the simulator's things.
    """

    folder: Path
    split: str
    all: tuple[Sample, ...]
    vocabulary: Vocabulary

    @classmethod
    def load(cls, folder: Path, split: str, *, limit: int | None = None) -> Samples:
        """Read a split and check that every dialogue can be played and scored.

        Args:
            folder: The PRIST folder.
            split: Name of the split.
            limit: Keep only so many dialogues, from the first on.

        Raises:
            DataError: A file is missing or malformed, there is no dialogue, or a focus has no polygon; names the file.
        """
        samples = tuple(_sample(index, one) for index, one in enumerate(prist.read_split(folder, split)[:limit]))
        if not samples:
            raise DataError(f"{prist.split_path(folder, split)} has no dialogue")
        targets = [sample.target for sample in samples if sample.target]
        vocabulary = Vocabulary(
            colors=frozenset(COLORS).union(*(target.colors for target in targets)),
            kinds=frozenset(KINDS).union(*(target.kinds for target in targets)),
            parts=frozenset(part for kind in KINDS.values() for part in kind.parts).union(
                *(target.parts for target in targets)
            ),
        )
        loaded = cls(folder, split, samples, vocabulary)
        loaded.check_files()
        return loaded

    def check_files(self) -> None:
        """Look whether every image and mask is there.

        Raises:
            DataError: One is missing; the message names it.
        """
        for group in self.by_image():
            img_id = group[0].img_id
            image_path, mask_path = prist.image_path(self.folder, img_id), prist.mask_path(self.folder, img_id)
            if not image_path.is_file():
                raise DataError(f"{image_path}: image is missing")
            labels = {shape.label.casefold() for shape in labelme.read(mask_path).shapes}
            for sample in group:
                for key in sample.keys:
                    if key not in labels:
                        where = f"{prist.split_path(self.folder, self.split)}: dialogue {sample.index}"
                        raise DataError(f"{where}: no polygon in {mask_path} is labeled {key!r}")

    def by_image(self) -> list[tuple[Sample, ...]]:
        """The dialogues of each image together, images in the order of their first dialogue."""
        groups: dict[str, list[Sample]] = defaultdict(list)
        for sample in self.all:
            groups[sample.img_id].append(sample)
        return [tuple(group) for group in groups.values()]

    def read(self, img_id: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """An image, (H, W, 3) uint8 RGB, and its masks, (H, W) bool by case-folded label.

        Raises:
            DataError: A file is missing or malformed, or their sizes differ.
        """
        image, masks = prist.read_image(self.folder, img_id), prist.read_masks(self.folder, img_id)
        for mask in masks.values():
            if mask.shape != image.shape[:2]:
                path = prist.mask_path(self.folder, img_id)
                raise DataError(f"{path}: made for an image of {mask.shape}, but {img_id} has {image.shape[:2]}")
        return image, masks

    def judge(self, sample: Sample, phrases: tuple[str, ...]) -> WordScore:
        """Whether an answer's grounded phrases name the dialogue's target."""
        if not sample.has_target:
            return WordScore(not phrases)
        if sample.target is None:
            return score_label(phrases, sample.focus)
        return score_phrases(phrases, sample.target, self.vocabulary)


def _sample(index: int, dialogue: prist.PristDialogue) -> Sample:
    meta = dialogue.meta
    guessed = (Status.GROUNDED if prist.SEG in turn.answer else Status.ANSWERED for turn in dialogue.turns)
    statuses = meta.statuses if meta else tuple(guessed)
    labels = meta.targets[-1] if meta else (dialogue.focus,)
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
            Exchange(turn.user, turn.answer, status) for turn, status in zip(dialogue.turns, statuses, strict=True)
        ),
        has_statuses=meta is not None,
        focus=dialogue.focus,
        kind=meta.kinds[-1] if meta else None,
        target=target,
        views=_views(meta) if meta else (),
        hard=meta.hard if meta else (),
        labels=labels,
        pair=meta.pair if meta else None,
    )


def _views(meta: prist.PristMeta) -> tuple[str, ...]:
    kind = () if meta.sensor is None else (SENSOR if meta.sensor else PLAIN,)
    return (*kind, HIDDEN) if meta.visible is not None and meta.visible < HIDDEN_BELOW else kind
