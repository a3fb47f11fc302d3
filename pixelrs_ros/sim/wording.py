"""Turns a slot ("take", "np.colour", "drink.idiom") into words, from one split's own phrasings.

The phrasings are kept as text: a line `= slot` opens a slot, ` | ` and line ends part its phrasings. Training and
validation share theirs; the test split has its own and none of the others', so that a score on it says whether the
words were understood or learned by heart.
"""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Literal

from pixelrs_ros.sim.wording_train import TRAIN_FRAMES
from pixelrs_ros.sim.wording_unseen import TEST_FRAMES, TEST_WISHES
from pixelrs_ros.sim.wording_wishes import TRAIN_WISHES

Split = Literal["train", "val", "test"]

# A last turn holds one of these and is answered with names. No other turn does, except one that asks for everything.
# fmt: off
ACTION_WORDS = frozenset((
    "pick", "hand", "give", "bring", "pass", "grab", "take", "lift", "fetch", "show", "point", "hold", "open", "opens",
    "where", "which", "grip", "touch", "get", "reach",
))
# fmt: on
CONTRACTIONS = {
    "I'm": "I am",
    "I'd": "I would",
    "it's": "it is",
    "that's": "that is",
    "can't": "cannot",
    "won't": "will not",
}
_SPOKEN = re.compile(r"\b(" + "|".join(CONTRACTIONS) + r")\b")


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Reads phrasings from their text form.

    Raises:
        ValueError: A phrasing stands before the first slot, or a slot comes twice or has no phrasing.
    """
    slots: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.strip().splitlines():
        if line.startswith("= "):
            if line[2:] in slots:
                raise ValueError(f"slot {line[2:]!r} comes twice")
            current = slots.setdefault(line[2:], [])
        elif current is None:
            raise ValueError(f"expected a slot before {line!r}")
        else:
            current.extend(line.split(" | "))
    empty = [slot for slot, phrases in slots.items() if not phrases]
    if empty:
        raise ValueError(f"slots without a phrasing: {empty}")
    return {slot: tuple(phrases) for slot, phrases in slots.items()}


@cache
def phrasings(split: Split) -> dict[str, tuple[str, ...]]:
    """Every slot's phrasings in a split."""
    if split == "test":
        return {**parse(TEST_FRAMES), **parse(TEST_WISHES)}
    return {**parse(TRAIN_FRAMES), **parse(TRAIN_WISHES)}


def with_article(words: str) -> str:
    """Puts "a" or "an" before words."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def plural(kind: str) -> str:
    """More than one of a kind: "boxes", "brushes", "knives", "mugs"."""
    if kind.endswith("fe"):
        return f"{kind[:-2]}ves"
    return f"{kind}es" if kind.endswith(("x", "sh")) else f"{kind}s"


class Speaker:
    """Says things in one split's words; every choice comes from the generator it is given."""

    def __init__(self, split: Split, rng: random.Random) -> None:
        self._phrasings = phrasings(split)
        self._rng = rng

    def phrase(self, slot: str, values: dict[str, str] | None = None) -> str:
        """One phrasing of a slot, with `{name}`s filled in."""
        words = self._rng.choice(self._phrasings[slot])
        for name, value in (values or {}).items():
            words = words.replace(f"{{{name}}}", value)
        return words

    def utterance(self, words: str) -> str:
        """Makes a sentence of a phrase, as carelessly as people type: capitals, full stops, courtesy come and go."""
        rng = self._rng
        ends_in_mark = words[-1] in "?!"
        if rng.random() < 0.25:
            words = f"{self.phrase('prefix')} {words}"
        if not ends_in_mark and "please" not in words and rng.random() < 0.12:
            words = f"{words} {self.phrase('suffix')}".replace(" ,", ",")
        if rng.random() < 0.3:
            words = _SPOKEN.sub(lambda match: CONTRACTIONS[match.group(1)], words)
        style = rng.random()
        if style < 0.25:
            words = words.lower()
        elif style < 0.8:
            words = words[0].upper() + words[1:]
        if words[-1].isalnum() and rng.random() < 0.7:
            words += "."
        return words
