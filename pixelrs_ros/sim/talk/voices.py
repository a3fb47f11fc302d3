"""Voices: how different people say the same things. One text file each, `= slot` lines and a phrasing on every other.

Two voices in ten are never trained on: the tests speak in them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.talk.speech import (
    Habits,
    bare,
    interrupted,
    is_imperative,
    mistype,
    terse,
)

VOICES_DIR = Path(__file__).parent / "voices"
REMARKS = Path(__file__).with_name("remarks.txt")
HELD_OUT = ("nurse", "teenager")  # the tests' voices
WISHES_ONLY = "founder"  # a voice that says wishes and nothing else
CARELESS = Habits(typo=0.16, filler=0.1, hedge=0.04, aside=0.05, terse=0.08, courtesy=0.12, capitals=0.03, bare=0.12)
CAREFUL = Habits(typo=0.04, bare=0.1)
_PREFIX_RATE, _SUFFIX_RATE = 0.14, 0.12
_ORDINARY_WORD_RATE = 0.65  # of a kind's names, which are listed with the ordinary one first
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Voice:
    """One person's phrasings by slot."""

    name: str
    phrasings: Mapping[str, tuple[str, ...]]


@cache
def load_voice(name: str) -> Voice:
    """Read a voice.

    Raises:
        DataError: The file is missing, or a phrasing stands before the first slot.
    """
    path = VOICES_DIR / f"{name}.txt"
    if not path.is_file():
        raise DataError(f"no voice {path}")
    return Voice(name, _read(path))


@cache
def load_remarks() -> Mapping[str, tuple[str, ...]]:
    """What anybody says besides, in training: by slot, a habit's name."""
    return _read(REMARKS)


def _read(path: Path) -> Mapping[str, tuple[str, ...]]:
    slots: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.strip()
        if words.startswith("= "):
            current = slots.setdefault(words[2:].split(" ")[0], [])
        elif words and not words.startswith("#"):
            if current is None:
                raise DataError(f"{path}: {words!r} stands before the first slot")
            current.append(words)
    return {slot: tuple(phrases) for slot, phrases in slots.items()}


@cache
def voice_names() -> tuple[str, ...]:
    """Every voice that can hold a conversation."""
    return tuple(sorted(path.stem for path in VOICES_DIR.glob("*.txt") if path.stem != WISHES_ONLY))


def voices_of(split: str) -> tuple[str, ...]:
    """The voices of a split: those of training and validation, or the held-out ones."""
    if split in ("train", "val"):
        return tuple(name for name in voice_names() if name not in HELD_OUT)
    return HELD_OUT


@cache
def _words_on_purpose() -> frozenset[str]:
    """Every word of every voice, so that no slip of the finger ends in another word."""
    said = " ".join(
        phrase for name in voice_names() for phrases in load_voice(name).phrasings.values() for phrase in phrases
    )
    return frozenset(re.findall(r"[a-z]+", f"{said} {' '.join(KINDS)}".lower()))


class Speaker:
    """Says things in the words of the voices of one split.

    Args:
        split: Whose voices.
        rng: Every choice comes from it.
        wishes_of_founder: How often a wish is said in the words of the voice that says nothing else, in [0, 1].
    """

    def __init__(self, split: str, rng: random.Random, wishes_of_founder: float | None = None) -> None:
        self.voice = load_voice(rng.choice(voices_of(split)))
        self._rng = rng
        learning = split in ("train", "val")
        self._habits = CARELESS if learning else CAREFUL
        self._remarks = load_remarks() if learning else {}  # the tests draw no chance for what they never say
        rate = (0.3 if learning else 0.0) if wishes_of_founder is None else wishes_of_founder
        self._wishes = load_voice(WISHES_ONLY) if rng.random() < rate else self.voice

    def phrase(self, slot: str, values: Mapping[str, str] | None = None) -> str:
        """One phrasing of a slot with its placeholders filled in.

        Raises:
            DataError: The voice lacks the slot, or a value is missing.
        """
        voice = self._wishes if slot.startswith(("wish.", "want.")) else self.voice
        if slot not in voice.phrasings:
            raise DataError(f"voice {voice.name} has no slot {slot!r}")
        words = self._rng.choice(voice.phrasings[slot])
        missing = set(_SLOT.findall(words)) - set(values or {})
        if missing:
            raise DataError(f"voice {voice.name}, slot {slot!r}: nothing fills {sorted(missing)}")
        return _SLOT.sub(lambda match: (values or {})[match[1]], words)

    def word(self, name: str) -> str:
        """This person's word for a kind or a part."""
        words = self.voice.phrasings.get(f"word.{name}", (name,))
        return words[0] if self._rng.random() < _ORDINARY_WORD_RATE else self._rng.choice(words)

    def utterance(self, words: str, *, order: bool = False) -> str:
        """What is typed or recognized in the end: with words around an order, slips, and not always punctuation."""
        rng, habits = self._rng, self._habits
        if self._remarks and is_imperative(words) and rng.random() < habits.courtesy:
            words = rng.choice(self._remarks["courtesy"]).replace("{ask}", words.replace(" please", "").rstrip("."))
        elif order and rng.random() < _PREFIX_RATE:
            words = f"{self.phrase('before')} {words[0].lower() if not words.startswith('I') else 'I'}{words[1:]}"
        if order and words[-1] not in "?!" and rng.random() < _SUFFIX_RATE:
            after = self.phrase("after")
            words = words.rstrip(". ") + (after if after.startswith(",") else f" {after}")
        if order and rng.random() < habits.terse:
            words = terse(words)
        if remarks := self._remarks:
            words, _ = interrupted(words, habits, lambda slot: rng.choice(remarks[slot]), rng)
        if rng.random() < habits.typo:
            words = mistype(words, _words_on_purpose(), rng)
        style = rng.random()
        if style < habits.capitals:
            return words.upper()
        if style < 0.3:
            words = words[0].lower() + words[1:]
        elif style < 0.7:
            words = words[0].upper() + words[1:]
        if rng.random() < habits.bare:
            return bare(words) or words
        if words[-1].isalnum() and rng.random() < 0.5:
            words += "."
        return words
