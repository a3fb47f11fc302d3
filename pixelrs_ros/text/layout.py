"""The chat layout: the only file that knows where image tokens, `[SEG]` and the status tokens sit.

    <s><user><im_start><image>…<im_end> words<assistant>[ASK] words</s><user> words<assistant>[OBJ] phrase[SEG].</s>

The picture stands in the first turn. Users' words are encoded as plain text, so they can never place a special token.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.text.answer import MARKERS, ParsedAnswer, parse, without_markers
from pixelrs_ros.types import Status

_STATUS_TOKENS = {Status.CLARIFY: tokens.ASK, Status.NOT_FOUND: tokens.NONE}


class ChatLayout:
    """Turns dialogues into token ids and answers back into words."""

    def __init__(self, tokenizer: Tokenizer, num_image_tokens: int, *, lowercase_user: bool) -> None:
        self.tokenizer = tokenizer
        self.num_image_tokens = num_image_tokens
        self.lowercase_user = lowercase_user
        found = {token: tokenizer.token_to_id(token) for token in tokens.SPECIAL_TOKENS}
        self.ids: dict[str, int] = {token: index for token, index in found.items() if index is not None}

    @property
    def vocab_size(self) -> int:
        """Tokens, special ones included."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def eos_id(self) -> int:
        """Ends an answer."""
        return self.ids[tokens.EOS]

    @property
    def seg_id(self) -> int:
        """Asks for a mask."""
        return self.ids[tokens.SEG]

    @property
    def obj_id(self) -> int:
        """Begins the phrase that a mask grounds."""
        return self.ids[tokens.OBJ]

    @property
    def image_id(self) -> int:
        """Stands where an image token goes."""
        return self.ids[tokens.IMAGE]

    @property
    def unspeakable_ids(self) -> list[int]:
        """Special tokens that never belong into an answer."""
        speakable = {tokens.EOS, tokens.OBJ, tokens.SEG, tokens.ASK, tokens.NONE}
        return [token_id for token, token_id in self.ids.items() if token not in speakable]

    def prefix(self) -> list[int]:
        """What every dialogue begins with: the picture inside the first user turn."""
        image = [self.ids[tokens.IMAGE]] * self.num_image_tokens
        start = [self.ids[tokens.BOS], self.ids[tokens.USER], self.ids[tokens.IMAGE_START]]
        return [*start, *image, self.ids[tokens.IMAGE_END]]

    def user(self, text: str, *, first: bool) -> list[int]:
        """One user turn up to and including the token after which the answer begins."""
        words = " " + " ".join(text.split())
        encoded = self._encode_plain(words.lower() if self.lowercase_user else words)
        start = [] if first else [self.ids[tokens.USER]]
        return [*start, *encoded, self.ids[tokens.ASSISTANT]]

    def answer(self, answer: str) -> list[int]:
        """An answer with its special tokens, ended."""
        pieces = MARKERS.split(answer)
        ids: list[int] = []
        for index, piece in enumerate(pieces):
            if index % 2:
                ids.append(self.ids[piece])
            else:
                ids.extend(self._encode_plain(self._space(piece, pieces[index - 1] if index else "")))
        return [*ids, self.eos_id]

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer as the network would have written it: with the token of its status."""
        return _STATUS_TOKENS.get(status, "") + value

    def word(self, word: str) -> list[int]:
        """Token ids of one word inside a sentence."""
        return self._encode_plain(f" {word}")

    def prompt(self, turns: Sequence[tuple[str, str]], text: str) -> list[int]:
        """A whole dialogue up to the point where the network answers.

        Args:
            turns: Earlier (user's words, answer with its special tokens), oldest first.
            text: The user's new words.
        """
        ids = self.prefix()
        for index, (user, answer) in enumerate(turns):
            ids.extend(self.user(user, first=index == 0))
            ids.extend(self.answer(answer))
        return [*ids, *self.user(text, first=not turns)]

    def decode_answer(self, ids: Sequence[int]) -> str:
        """Generated ids to an answer with its special tokens; the inverse of `answer`."""
        names = {self.ids[token]: token for token in (tokens.OBJ, tokens.SEG, tokens.ASK, tokens.NONE)}
        silent = set(self.ids.values()) - set(names)
        parts: list[str] = []
        plain: list[int] = []
        for token_id in ids:
            if token_id in names:
                parts += [without_markers(self.tokenizer.decode(plain)), names[token_id]]
                plain = []
            elif token_id not in silent:
                plain.append(token_id)
        parts.append(without_markers(self.tokenizer.decode(plain)))
        return "".join(parts)

    @staticmethod
    def parse(answer: str) -> ParsedAnswer:
        """Clean text, phrases and status of an answer; a `[SEG]` without `[OBJ]` takes the clause before it."""
        return parse(answer)

    def _encode_plain(self, text: str) -> list[int]:
        self.tokenizer.encode_special_tokens = True
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    @staticmethod
    def _space(piece: str, before: str) -> str:
        """One space before words, none before punctuation, none at the end: the same words give the same tokens."""
        words = " ".join(piece.split())
        if not words:
            return ""
        return f" {words}" if before != tokens.SEG or words[0].isalnum() else words
