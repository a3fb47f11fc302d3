"""What a network is compared with: choices that understand nothing, and the network helped by the truth.

The first two cost nothing and always stand beside; whatever understands anything beats both. Those of `HELPED` are made
when asked for. A box around the largest object asks SAM what it is worth without words; a box around the target, and
the data's own words, ask the mask decoder what it is worth when the referent is known and only the mask is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.evaluation.play import AnsweringEngine, Exchange, past_turns
from pixelrs_ros.types import Reply, Turn, mask_box

Masks = Mapping[str, np.ndarray]
Chooser = Callable[[Masks, np.random.Generator], str]


def largest_object(masks: Masks, rng: np.random.Generator | None = None) -> str:
    """The label of the mask with the most pixels; the first of equals."""
    return max(sorted(masks), key=lambda label: int(np.count_nonzero(masks[label])))


def random_object(masks: Masks, rng: np.random.Generator) -> str:
    """A label drawn evenly."""
    return sorted(masks)[int(rng.integers(len(masks)))]


CHOOSERS: dict[str, Chooser] = {"largest object": largest_object, "random object": random_object}


class HelpedEngine(AnsweringEngine, Protocol):
    """What helped baselines need of an engine; one of kind vlm has no `recite`."""

    def box_mask(self, encoded: Any, box: tuple[int, int, int, int]) -> np.ndarray:
        """(H, W) bool, what SAM cuts out of a box in pixels of the picture: left, top, right, bottom."""

    def recite(self, encoded: Any, turns: Sequence[Turn], text: str, answer: str) -> Reply:
        """The reply with the masks that an answer in given words comes with."""


@dataclass(frozen=True)
class Case:
    """What a helped baseline is given.

    Attributes:
        engine: The network.
        encoded: The picture as it encoded it, not blind.
        exchanges: The dialogue.
        targets: Labels of what its last turn should show, at least one.
        masks: The masks of all that is labeled, by label.
        rivals: Those a chooser may choose among; empty where only the target is labeled.
    """

    engine: HelpedEngine
    encoded: Any
    exchanges: tuple[Exchange, ...]
    targets: tuple[str, ...]
    masks: Masks
    rivals: Masks


@dataclass(frozen=True)
class Shown:
    """A baseline's answer: an (H, W) bool mask, and the labels or phrases that it is about."""

    mask: np.ndarray
    phrases: tuple[str, ...]


def box_of_largest(case: Case) -> Shown | None:
    """SAM and a box around the largest object; None where nothing but the target is labeled."""
    return _boxed(case, (largest_object(case.rivals),)) if case.rivals else None


def box_of_target(case: Case) -> Shown | None:
    """SAM and a box around each of the targets."""
    return _boxed(case, case.targets)


def true_words(case: Case) -> Shown | None:
    """The data's history, and its last answer word by word: the masks alone are the network's.

    Raises:
        ConfigError: The network cannot be told its words.
    """
    if not hasattr(case.engine, "recite"):
        raise ConfigError("the baseline true-words needs a MIRAS; a vision-language model's words are its boxes, too")
    turns = past_turns(case.engine, case.exchanges)
    last = case.exchanges[-1]
    reply = case.engine.recite(case.encoded, turns, last.text, case.engine.history_answer(last.answer, last.status))
    shape = next(iter(case.masks.values())).shape
    return Shown(reply.union_mask(*shape), case.targets)


def _boxed(case: Case, labels: tuple[str, ...]) -> Shown | None:
    boxes = [mask_box(case.masks[label]) for label in labels if case.masks[label].any()]
    cut = [case.engine.box_mask(case.encoded, box) for box in boxes]
    return Shown(np.logical_or.reduce(cut), labels) if cut else None


# By what `pixelrs evaluate --baseline` calls them: what tables call them, and what they show.
HELPED: dict[str, tuple[str, Callable[[Case], Shown | None]]] = {
    "box-of-largest": ("SAM, box of the largest object", box_of_largest),
    "box-of-target": ("SAM, box of the target", box_of_target),
    "true-words": ("true words", true_words),
}
