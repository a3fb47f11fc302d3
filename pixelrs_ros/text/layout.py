"""The chat layout: the only file that knows where image tokens, `[SEG]` and the status tokens sit.

    <s><user><im_start><image>…<im_end> words<assistant>[ASK] words</s><user> words<assistant>[OBJ] phrase[SEG].</s>

The words in between are the template's; above are those of our own tokenizer. The picture stands in the first turn.
A network without the image's markers has none, and one that ends its phrases with a token has it before `[SEG]`.
Users' words are encoded as plain text, so they can never place a special token.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tokenizers import Tokenizer

from pixelrs_ros.config import ChatTemplate, ReaderConfig, TextConfig
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.text.answer import MARKERS, ParsedAnswer, parse, without_markers
from pixelrs_ros.types import Status

_STATUS_TOKENS = {Status.CLARIFY: tokens.ASK, Status.NOT_FOUND: tokens.NONE}


class ChatLayout:
    """Turns dialogues into token ids and answers back into words."""

    def __init__(
        self, tokenizer: Tokenizer, num_image_tokens: int, text: TextConfig, reader: ReaderConfig | None = None
    ) -> None:
        """Read the template.

        Args:
            tokenizer: With every token of `tokens.REQUIRED_TOKENS`, as `load_tokenizer` and `adopt_tokenizer` give it.
            num_image_tokens: How many tokens one picture has.
            text: The template, and whether the user's case matters.
            reader: What reads the user's words, which are then its word pieces, numbered after the tokenizer's tokens.

        Raises:
            CheckpointError: The package lacks the reader's vocabulary.
            ConfigError: The template does not fit the tokenizer.
        """
        self.tokenizer = tokenizer
        self.num_image_tokens = num_image_tokens
        self.lowercase_user = text.lowercase_user
        self._refusal = re.compile(text.refusal) if text.refusal else None
        self.ids = tokens.special_tokens(tokenizer)
        self.vocab_size = tokens.vocabulary_size(tokenizer)
        unknown = getattr(tokenizer.model, "unk_token", None)  # what letters become that a vocabulary lacks
        self._never_said = frozenset(index for token, index in self.ids.items() if token != unknown)
        template = text.template
        _check(template, self.ids)
        longest_first = sorted(self.ids, key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        before, after = template.start.split(tokens.IMAGE)
        picture = [self.ids[tokens.IMAGE]] * num_image_tokens
        if text.image_markers:
            picture = [self.ids[tokens.IMAGE_START], *picture, self.ids[tokens.IMAGE_END]]
        self._prefix = [*self._encode(self._cut(before)), *picture]
        # Plain words next to the user's are encoded together with them, as they would be in one text.
        *head, self._before_first = self._cut(after)
        self._first_head = self._encode(head)
        *head, self._before_later = self._cut(template.user)
        self._later_head = self._encode(head)
        self._after_words, *tail = self._cut(template.assistant)
        self._tail = self._encode(tail)
        self._reader = None if reader is None else tokens.reader_tokenizer(reader.words)
        self._phrase_end = [index for index in self._cut(template.phrase_end) if isinstance(index, int)]
        self._before_seg, self._after_marker = template.before_seg, template.after_marker
        self._answer_space = "" if template.assistant[-1:].isspace() else " "
        self.eos_id: int = self.ids[template.end]

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
        speakable = {self.eos_id, *self._phrase_end, *(self.ids[marker] for marker in tokens.MARKERS)}
        return [token_id for token_id in self.ids.values() if token_id not in speakable]

    def prefix(self) -> list[int]:
        """What every dialogue begins with, up to the end of the picture inside the first user turn."""
        return list(self._prefix)

    def user(self, text: str, *, first: bool) -> list[int]:
        """One user turn up to and including the token after which the answer begins."""
        words = " ".join(text.split())
        words = words.lower() if self.lowercase_user else words
        head, before = (self._first_head, self._before_first) if first else (self._later_head, self._before_later)
        if self._reader is None:
            return [*head, *self._encode_plain(f"{before}{words}{self._after_words}"), *self._tail]
        pieces = [self.vocab_size + piece for piece in self._reader.encode(words, add_special_tokens=False).ids]
        around = (self._encode_plain(str(plain).strip()) for plain in (before, self._after_words))
        return [*head, *next(around), *pieces, *next(around), *self._tail]

    def answer(self, answer: str) -> list[int]:
        """An answer with its special tokens, ended."""
        first, *rest = MARKERS.split(answer)
        ids: list[int] = []
        words = self._space(first, None)
        in_phrase = False
        for marker, following in zip(rest[::2], rest[1::2], strict=True):
            end = self._phrase_end if marker == tokens.SEG and in_phrase else []
            before = self._before_seg if marker == tokens.SEG else ""
            ids += [*self._encode_plain(words if end else words + before), *end]
            ids += [*self._encode_plain(before if end else ""), self.ids[marker]]
            in_phrase = marker == tokens.OBJ
            words = self._space(following, marker)
        return [*ids, *self._encode_plain(words), self.eos_id]

    def history_answer(self, value: str, status: Status) -> str:
        """A data set's answer as the network would have written it: with the token of its status, if it has them."""
        return (_STATUS_TOKENS.get(status, "") if self._refusal is None else "") + value

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

    def user_runs(self, ids: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Where each utterance for the reader starts in a prompt, and its tokens."""
        start = 0
        for users, run in groupby(ids, key=lambda token: token >= self.vocab_size):
            taken = list(run)
            if users:
                yield start, taken
            start += len(taken)

    def decode_answer(self, ids: Sequence[int]) -> str:
        """Generated ids to an answer with its special tokens; the inverse of `answer`."""
        names = {self.ids[token]: token for token in tokens.MARKERS}
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

    def parse(self, answer: str) -> ParsedAnswer:
        """Clean text, phrases and status of an answer; a `[SEG]` without `[OBJ]` takes the clause before it."""
        parsed = parse(answer)
        if parsed.status is Status.ANSWERED and self._refusal is not None and self._refusal.search(parsed.text):
            return dataclasses.replace(parsed, status=Status.NOT_FOUND)
        return parsed

    def _cut(self, piece: str) -> list[str | int]:
        """A piece of the template as plain words at even places and special tokens between them."""
        words = self._special.split(piece)
        return [self.ids[word] if index % 2 else word for index, word in enumerate(words)]

    def _encode(self, cut: Sequence[str | int]) -> list[int]:
        ids: list[int] = []
        for word in cut:
            ids += [word] if isinstance(word, int) else self._encode_plain(word)
        return ids

    def _encode_plain(self, text: str) -> list[int]:
        self.tokenizer.encode_special_tokens = True
        ids = list(self.tokenizer.encode(text, add_special_tokens=False).ids)
        if self._never_said.isdisjoint(ids):
            return ids
        # Some vocabularies hold a special token's letters as an ordinary word as well; letter by letter none is met.
        letters = (self.tokenizer.encode(letter, add_special_tokens=False).ids for letter in text)
        return [index for found in letters for index in found if index not in self._never_said]

    def _space(self, piece: str, before: str | None) -> str:
        """One space before words, none before punctuation, none at the end: the same words give the same tokens."""
        words = " ".join(piece.split())
        if not words:
            return ""
        if before is None:
            return self._answer_space + words
        if before != tokens.SEG:
            return f" {words}"
        if words[0].isalnum():  # with a space of its own, which MIRAS keeps beside the marker's
            return f"{self._after_marker if self._before_seg else ''} {words}"
        return self._after_marker + words


def _check(template: ChatTemplate, special: dict[str, int]) -> None:
    """Refuse a template that cannot be written with these special tokens."""
    if template.start.count(tokens.IMAGE) != 1:
        raise ConfigError(f"text.template.start must hold {tokens.IMAGE} once, where the picture stands")
    if template.end not in special:
        raise ConfigError(
            f"text.template.end must be one special token of the tokenizer, got {template.end!r}; "
            f"it has {', '.join(list(special)[:20])}"
        )
    if any(token not in special for token in re.findall(r"\S+", template.phrase_end)):
        raise ConfigError(
            f"text.template.phrase_end must be special tokens of the tokenizer or empty, got {template.phrase_end!r}"
        )
    if not template.user or not template.assistant:
        raise ConfigError("text.template.user and assistant must not be empty: nothing would part the turns")
    for name in ("start", "user", "assistant"):
        piece = getattr(template, name).replace(tokens.IMAGE, "", 1 if name == "start" else 0)
        misplaced = [token for token in tokens.REQUIRED_TOKENS if token in piece]
        if misplaced:
            raise ConfigError(f"text.template.{name} must not hold {misplaced[0]}")
