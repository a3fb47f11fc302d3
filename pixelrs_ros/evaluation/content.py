"""Whether an answer in words says what the data's answer says: the same things, colors, numbers, yes or no."""

from __future__ import annotations

import re

from pixelrs_ros.sim.scene.kinds import COLORS, KINDS

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "none")
_MEANT = frozenset((*COLORS, *KINDS, *_NUMBERS, "yes", "no"))
_SINGULAR = {"knives": "knife", "boxes": "box", "brushes": "brush"} | {f"{kind}s": kind for kind in KINDS}


def content(text: str) -> tuple[str, ...]:
    """The words of a text that can be right or wrong, in order of the alphabet; what is said twice stands twice."""
    spoken = (_SINGULAR.get(word, word) for word in re.findall(r"[a-z]+", text.casefold()))
    return tuple(sorted(word for word in spoken if word in _MEANT))


def content_right(said: str, wanted: str) -> bool | None:
    """Whether both say the same; None where the data's answer says nothing that could be right or wrong."""
    meant = content(wanted)
    return content(said) == meant if meant else None
