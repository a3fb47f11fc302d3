"""What a grounded phrase names: a thing, perhaps a part of it, perhaps its color."""

from __future__ import annotations

import re
from typing import NamedTuple

_COLORS = frozenset((
    "amber", "aqua", "azure", "beige", "black", "blue", "bronze", "brown", "charcoal", "copper", "cream", "crimson",
    "cyan", "fuchsia", "gold", "golden", "gray", "green", "grey", "indigo", "ivory", "khaki", "lavender", "lilac",
    "lime", "magenta", "maroon", "mint", "mustard", "navy", "ochre", "olive", "orange", "peach", "pink", "plum",
    "purple", "red", "rose", "ruby", "rust", "salmon", "scarlet", "silver", "silvery", "tan", "teal", "transparent",
    "turquoise", "violet", "white", "yellow",
))  # fmt: skip
_SHADES = frozenset((
    "light", "dark", "bright", "pale", "deep",
))  # fmt: skip
# Words that point without naming.
_POINTING = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "my", "your", "his", "her", "its", "our", "their", "some",
    "one", "ones", "thing", "things", "object", "objects", "item", "items", "color", "colored", "colour",
    "coloured", "it", "them", "they", "other", "another", "same", "here", "there", "very", "both", "all", "each",
    "every", "yes", "sure", "and", "is", "are",
))  # fmt: skip
# Where the thing is, or how it compares: about it, but not its name.
_PLACE = re.compile(
    r"(?<=\w) (?:on|in|at|to|by|near|next|behind|beside|under|above|below|between|from|with|which|that|who|for|closest|"
    r"farthest|nearest|further)\b"
)
_SIDES = frozenset((
    "left", "right", "leftmost", "rightmost", "front", "back", "nearest", "closest", "farthest", "middle", "upper",
    "lower", "near", "far",
))  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


class Name(NamedTuple):
    """What a phrase names.

    Attributes:
        label: The thing; empty where the phrase only points, as "this one" does.
        part: The part of it that is meant; empty: the whole thing.
        color: The thing's, or the part's where that has one of its own; empty: none is named.
    """

    label: str
    part: str
    color: str


def name_of(phrase: str) -> Name:
    """Take an English noun phrase apart: "the handle of the red mug" is the part "handle" of a "mug" that is "red".

    Args:
        phrase: Words of an answer that ground a segment.
    """
    words = phrase.casefold().strip()
    part = ""
    whole = words
    before, of, after = words.partition(" of ")
    possessive = re.fullmatch(r"(.*\w)['’]s? (.+)", words)
    color_of_part = ""
    if of:
        (part, color_of_part), whole = _noun(before), after
    elif possessive is not None and possessive[1].split()[-1] not in ("it", "that", "there", "here"):
        (part, color_of_part), whole = _noun(possessive[2]), possessive[1]
    label, color = _noun(whole)
    return Name(label, part, color_of_part or color)


def _noun(words: str) -> tuple[str, str]:
    """The name of a thing without articles, and its color."""
    head = _PLACE.split(words, maxsplit=1)[0]
    kept: list[str] = []
    color = ""
    for word in _WORD.findall(head):
        if word in _COLORS:
            color = color or word
        elif word not in _POINTING and word not in _SIDES and word not in _SHADES:
            kept.append(word)
    return " ".join(kept), color
