"""From an answer with its special tokens to clean text and phrases, whole or while it is being written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.types import GroundedPhrase, Status

MARKERS = re.compile("(" + "|".join(re.escape(t) for t in (tokens.OBJ, tokens.SEG, tokens.ASK, tokens.NONE)) + ")")


@dataclass(frozen=True)
class ParsedAnswer:
    """An answer for people: clean text, the phrase of each `[SEG]`, and the status the network chose."""

    text: str
    phrases: tuple[GroundedPhrase, ...]
    status: Status


class AnswerParser:
    """Reads an answer piece by piece; a `[SEG]` without `[OBJ]` takes the clause before it."""

    def __init__(self) -> None:
        self._text = ""
        self._phrases: list[GroundedPhrase] = []
        self._start: int | None = None
        self._status = Status.ANSWERED

    def add_words(self, words: str) -> None:
        """Words without any marker."""
        self._text += words

    def add_marker(self, marker: str) -> None:
        """One of `[OBJ]`, `[SEG]`, `[ASK]` and `[NONE]`."""
        text = self._text
        if marker == tokens.OBJ:
            self._start = len(text)
        elif marker == tokens.SEG:
            begin = _clause_start(text, self._phrases) if self._start is None else self._start
            begin += len(text[begin:]) - len(text[begin:].lstrip())
            self._phrases.append(GroundedPhrase(begin, max(begin, len(text.rstrip())), len(self._phrases)))
            self._start = None
        else:
            self._status = Status.CLARIFY if marker == tokens.ASK else Status.NOT_FOUND

    def parsed(self) -> ParsedAnswer:
        """The answer so far."""
        lead = len(self._text) - len(self._text.lstrip())
        text = self._text.strip()

        def shift(position: int) -> int:
            return min(len(text), max(0, position - lead))

        phrases = tuple(
            GroundedPhrase(shift(phrase.start), shift(phrase.end), phrase.segment) for phrase in self._phrases
        )
        return ParsedAnswer(text, phrases, Status.GROUNDED if phrases else self._status)


def parse(answer: str) -> ParsedAnswer:
    """Clean text, phrases and status of a whole answer."""
    parser = AnswerParser()
    for index, piece in enumerate(MARKERS.split(answer)):
        if index % 2:
            parser.add_marker(piece)
        else:
            parser.add_words(piece)
    return parser.parsed()


def marked(text: str, phrases: Sequence[GroundedPhrase], status: Status) -> str:
    """An answer with its special tokens, of what `parse` makes of it.

    Args:
        text: Clean text.
        phrases: Character ranges that each ground a mask; those of one answer follow each other.
        status: How the turn ended.
    """
    answer, position = "", 0
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        answer += f"{text[position : phrase.start]}{tokens.OBJ}{text[phrase.start : phrase.end]}{tokens.SEG}"
        position = phrase.end
    first = {Status.CLARIFY: tokens.ASK, Status.NOT_FOUND: tokens.NONE}.get(status, "")
    return f"{first}{answer}{text[position:]}"


def without_markers(text: str) -> str:
    """Drops letters that merely spell a marker, else they would become one when read as history."""
    while MARKERS.search(text):  # again, since dropping one may bring the letters of another together
        text = MARKERS.sub("", text)
    return text


def _clause_start(text: str, phrases: Sequence[GroundedPhrase]) -> int:
    after = phrases[-1].end if phrases else 0
    boundary = max((text.rstrip(" .,:;!?").rfind(mark) + 1 for mark in ".,:;!?"), default=0)
    return max(after, boundary)
