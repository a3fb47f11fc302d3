"""An answer while it is being generated: each token is read once, whatever the length of what came before."""

from __future__ import annotations

import re

from tokenizers.decoders import DecodeStream

from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.text.answer import AnswerParser, ParsedAnswer, without_markers
from pixelrs_ros.text.layout import ChatLayout

# Letters that may yet turn out to spell a marker, which the whole answer will be without.
_UNDECIDED = re.compile(r"(?:\[[A-Z]{0,4})+$")
# A byte of a letter that the vocabulary lacks. One more may turn all of them into something else, which tokenizers'
# stream takes for an error.
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


class AnswerStream:
    """Parses token after token what `ChatLayout.decode_answer` and `ChatLayout.parse` make of the whole answer.

    It may lag behind by a character whose bytes have not all come, and by letters that may spell a marker.
    """

    def __init__(self, layout: ChatLayout) -> None:
        self._tokenizer = layout.tokenizer
        self._markers = {layout.ids[name]: name for name in tokens.MARKERS}
        self._silent = set(layout.ids.values()) - set(self._markers)
        self._parser = AnswerParser()
        self._undecided = ""
        self._begin_words()

    def push(self, token_id: int) -> None:
        """Read the next token."""
        if token_id in self._markers:
            self._end_words()
            self._parser.add_marker(self._markers[token_id])
            self._begin_words()
        elif token_id not in self._silent:
            self._word_ids.append(token_id)
            if _BYTE.fullmatch(self._tokenizer.id_to_token(token_id) or ""):
                self._bytes.append(token_id)
                return
            self._undecided += self._decoded_bytes()
            self._undecided += self._decoding.step(self._tokenizer, token_id) or ""
            self._undecided = without_markers(self._undecided)
            maybe = _UNDECIDED.search(self._undecided)
            end = maybe.start() if maybe else len(self._undecided)
            self._tell(self._undecided[:end])
            self._undecided = self._undecided[end:]

    def parsed(self) -> ParsedAnswer:
        """The answer so far."""
        return self._parser.parsed()

    def _begin_words(self) -> None:
        self._bytes: list[int] = []
        self._decoding = DecodeStream(skip_special_tokens=True)
        self._word_ids: list[int] = []
        self._undecided = ""
        self._reported = 0

    def _decoded_bytes(self) -> str:
        letters = self._tokenizer.decode(self._bytes) if self._bytes else ""
        self._bytes = []
        return letters

    def _tell(self, words: str) -> None:
        self._parser.add_words(words)
        self._reported += len(words)

    def _end_words(self) -> None:
        """Tell what was held back, read as `ChatLayout.decode_answer` reads it."""
        words = without_markers(self._tokenizer.decode(self._word_ids))
        self._parser.add_words(words[self._reported :])
