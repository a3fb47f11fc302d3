"""Which object and part a phrase names, judged by its words alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without punctuation and articles."""
    return tuple(word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in {"the", "a", "an"})


@dataclass(frozen=True)
class Vocabulary:
    """The words that name colors, kinds and parts, in lower case; a word may be both a kind and a part ("bowl")."""

    colors: frozenset[str]
    kinds: frozenset[str]
    parts: frozenset[str]


@dataclass(frozen=True)
class WordScore:
    """Whether an answer's grounded phrases name the target.

    Attributes:
        referent_right: They name it and nothing else; None where the data does not name its targets.
        object_right: They name its object; None where the data does not say which words that takes.
        part_right: They name its part, or no part when it is a whole object; None likewise.
    """

    referent_right: bool | None
    object_right: bool | None = None
    part_right: bool | None = None


@dataclass(frozen=True)
class Referent:
    """What a phrase names, or what it should: "handle of the red mug" is (("red",), ("mug",), ("handle",))."""

    colors: frozenset[str]
    kinds: frozenset[str]
    parts: frozenset[str]

    def same_object(self, other: Referent) -> bool:
        """Whether both name the same colors and kinds, and no others."""
        return self.colors == other.colors and self.kinds == other.kinds

    def same_part(self, other: Referent) -> bool:
        """Whether both name the same parts, or both none."""
        return self.parts == other.parts


def referent_of(phrases: Iterable[str], vocabulary: Vocabulary) -> Referent:
    """Read what grounded phrases name, by words alone.

    What stands before the last "of" names parts, what stands after it kinds: so "the bowl of the blue spoon" is a
    spoon's bowl. Colors count on both sides. Without an "of" a word that may be both is a kind ("the blue bowl").
    Several phrases are taken together, so that an answer which names two objects equals no single one.
    """
    colors: set[str] = set()
    kinds: set[str] = set()
    parts: set[str] = set()
    for phrase in phrases:
        spoken = words(phrase)
        split = len(spoken) - spoken[::-1].index("of") if "of" in spoken else 0
        before, after = set(spoken[:split]), set(spoken[split:])
        colors |= (before | after) & vocabulary.colors
        kinds |= (after & vocabulary.kinds) | (before & vocabulary.kinds - vocabulary.parts)
        parts |= (before & vocabulary.parts) | (after & vocabulary.parts - vocabulary.kinds)
    return Referent(frozenset(colors), frozenset(kinds), frozenset(parts))


def score_phrases(phrases: Sequence[str], truth: Referent, vocabulary: Vocabulary) -> WordScore:
    """Judge an answer's grounded phrases where the data names its target's color, kind and part."""
    named = referent_of(phrases, vocabulary)
    object_right, part_right = named.same_object(truth), named.same_part(truth)
    return WordScore(object_right and part_right, object_right, part_right)


def score_label(phrases: Sequence[str], label: str) -> WordScore:
    """Judge them where the data has only its target's label: every phrase must have the label's words, in order."""
    return WordScore(bool(phrases) and all(words(phrase) == words(label) for phrase in phrases))
