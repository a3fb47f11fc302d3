"""Turns a slot ("take", "np.color", "drink.idiom") into words, from one split's own phrasings.

The phrasings are kept as text: a line `= slot` opens a slot, ` | ` and line ends part its phrasings. Training and
validation share theirs; the test split has its own and none of the others', so that a score on it says whether the
words were understood or learned by heart. The language test speaks like the test split, far more carelessly, and wishes
in words that training never uses.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pixelrs_ros.sim.scene.kinds import COLORS, KINDS
from pixelrs_ros.sim.talk.speech import (
    Habits,
    bare,
    interrupted,
    is_imperative,
    mistype,
    plural,
    terse,
)

Split = Literal["train", "val", "test", "test_language"]

_LEARNING = Habits(typo=0.16, filler=0.1, hedge=0.04, aside=0.05, terse=0.1, courtesy=0.2, capitals=0.03, bare=0.1)
HABITS: dict[Split, Habits] = {
    "train": _LEARNING,
    "val": _LEARNING,
    "test": Habits(),
    "test_language": Habits(
        typo=0.3, filler=0.25, hedge=0.1, aside=0.1, terse=0.15, courtesy=0.4, capitals=0.05, bare=0.15
    ),
}

# A last turn holds one of these or names a part, and is answered with names. No other turn does, except one that asks
# for everything.
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
# By part: what a person asks for who does not name it.
FUNCTIONS = {
    "handle": "handle", "lid": "opens", "cap": "opens", "cover": "opens", "body": "inside", "spout": "spout",
    "blade": "blade", "head": "head", "shaft": "shaft", "bowl": "bowl", "bristles": "bristles", "base": "base",
    "shade": "shade", "pages": "pages",
}  # fmt: skip


def _text(name: str) -> str:
    """The phrasings of one file of `words/`."""
    return (Path(__file__).parent / "words" / f"{name}.txt").read_text(encoding="utf-8")


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Reads phrasings from their text form.

    Raises:
        ValueError: A phrasing stands before the first slot, or a slot comes twice or has no phrasing.
    """
    slots: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.strip().splitlines():
        if line.startswith("#"):
            continue
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
    if split == "test_language":
        return {**parse(_text("test_frames")), **parse(_text("unheard_wishes"))}
    if split == "test":
        return {**parse(_text("test_frames")), **parse(_text("test_wishes"))}
    return {**parse(_text("train_frames")), **parse(_text("train_wishes"))}


@cache
def _known_words() -> frozenset[str]:
    """Every word that somebody may say on purpose; no slip of the finger ends in one of them."""
    said = (phrase for split in HABITS for phrases in phrasings(split).values() for phrase in phrases)
    kinds = (*KINDS, *(kind for split in HABITS for kind in phrasings(split)["unknown"]))
    parts = (part for kind in KINDS.values() for part in kind.parts)
    names = " ".join((*COLORS, *kinds, *map(plural, kinds), *parts))
    return frozenset(re.findall(r"[a-z]+", f"{' '.join(said)} {names}".lower()))


@dataclass(frozen=True)
class Said:
    """An utterance.

    Attributes:
        text: Its words.
        hard: What makes it hard to understand: names of `Habits`.
    """

    text: str
    hard: frozenset[str]


class Speaker:
    """Says things in one split's words; every choice comes from the generator it is given.

    Attributes:
        unheard_wishes: Whether its wishes are said in words that training never uses.
    """

    def __init__(self, split: Split, rng: random.Random) -> None:
        self.unheard_wishes = split == "test_language"
        self._phrasings = phrasings(split)
        self._habits = HABITS[split]
        self._rng = rng

    def phrase(self, slot: str, values: dict[str, str] | None = None) -> str:
        """One phrasing of a slot, with `{name}`s filled in."""
        words = self._rng.choice(self._phrasings[slot])
        for name, value in (values or {}).items():
            words = words.replace(f"{{{name}}}", value)
        return words

    def utterance(self, words: str) -> Said:
        """Makes an utterance of a phrase, as people talk and type: short or courteous, with fillers and slips."""
        hard: set[str] = set()
        for form in (self._formed, self._interrupted, self._typed):
            words = form(words, hard)
        return Said(words, frozenset(hard))

    def _formed(self, words: str, hard: set[str]) -> str:
        """Terse, courteous, or with a few words before and after."""
        rng, habits = self._rng, self._habits
        if rng.random() < habits.terse and (short := terse(words)) != words:
            hard.add("terse")
            return short
        if is_imperative(words) and rng.random() < habits.courtesy:
            hard.add("courtesy")
            words = self.phrase("courtesy", {"ask": words.replace(" please", "")})
        if rng.random() < 0.25:
            words = f"{self.phrase('prefix')} {words}"
        if words[-1] not in "?!" and "please" not in words and rng.random() < 0.12:
            words = f"{words} {self.phrase('suffix')}".replace(" ,", ",")
        if rng.random() < 0.3:
            words = _SPOKEN.sub(lambda match: CONTRACTIONS[match.group(1)], words)
        return words

    def _interrupted(self, words: str, hard: set[str]) -> str:
        """With what people say besides."""
        words, shown = interrupted(words, self._habits, self.phrase, self._rng)
        hard |= shown
        return words

    def _typed(self, words: str, hard: set[str]) -> str:
        """With slips of the finger, and with capitals and full stops that come and go."""
        rng, habits = self._rng, self._habits
        if rng.random() < habits.typo:
            for _ in range(rng.choice((1, 1, 1, 2))):
                slipped = mistype(words, _known_words(), rng)
                if slipped != words:
                    hard.add("typo")
                words = slipped
        style = rng.random()
        if style < 0.25:
            words = words.lower()
        elif style < 0.8:
            words = words[0].upper() + words[1:]
        elif style > 1 - habits.capitals:
            hard.add("capitals")
            words = words.upper()
        if rng.random() < habits.bare:
            hard.add("bare")
            return bare(words)
        if words[-1].isalnum() and rng.random() < 0.7:
            words += "."
        return words
