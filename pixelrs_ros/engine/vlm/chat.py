"""The dialogue as Qwen's models read it: ChatML, the picture in the first user turn, earlier answers as their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from pixelrs_ros.engine.vlm.answer import START
from pixelrs_ros.errors import CheckpointError

PROMPT = Path(__file__).with_name("prompt.txt")
SPECIAL = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>")


class Chat:
    """Token ids of prompts.

    Attributes:
        tokenizer: Its own.
        end_id: Ends an answer.
        picture_id: Stands where a piece of the picture goes.
        unspeakable: Tokens that never belong into an answer.
        num_tokens: The language model may have more rows, of no token.

    Args:
        tokenizer: Its own; what users say is encoded so that it never becomes a special token.
        prompt: What the model is told first; empty: that of `prompt.txt`.

    Raises:
        CheckpointError: The tokenizer lacks one of ChatML's tokens.
    """

    def __init__(self, tokenizer: Tokenizer, prompt: str = "") -> None:
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # what spells a special token in somebody's words stays letters
        ids = [one for one in map(tokenizer.token_to_id, SPECIAL) if one is not None]
        missing = [name for name in SPECIAL if tokenizer.token_to_id(name) is None]
        if missing:
            raise CheckpointError(
                f"the tokenizer lacks {', '.join(missing)}: it is none of a Qwen vision-language model"
            )
        self._begin, self.end_id, self._see, self.picture_id, self._seen = ids
        added = tokenizer.get_added_tokens_decoder()
        self.unspeakable = sorted(one for one in added if one != self.end_id)
        self.num_tokens = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
        told = prompt or PROMPT.read_text(encoding="utf-8").strip()
        self._head = [*self._turn("system", told), *self._open("user")]
        self._to_answer = [self.end_id, *self._words("\n"), *self._open("assistant")]
        self._to_user = [self.end_id, *self._words("\n"), *self._open("user")]
        self._start = self._words(START)

    def turn_length(self, text: str, answer: str) -> int:
        """How many tokens an earlier turn takes."""
        return len(self._words(text)) + len(self._to_answer) + len(self._words(answer)) + len(self._to_user)

    def prompt(self, num_picture_tokens: int, turns: Sequence[tuple[str, str]], text: str) -> list[int]:
        """Everything up to where the answer goes on after `START`.

        Args:
            num_picture_tokens: Places that the picture takes.
            turns: Earlier words and the JSON that answered them.
            text: The words to be answered.
        """
        ids = [*self._head, self._see, *[self.picture_id] * num_picture_tokens, self._seen]
        for words, answer in turns:
            ids += [*self._words(words), *self._to_answer, *self._words(answer), *self._to_user]
        return [*ids, *self._words(text), *self._to_answer, *self._start]

    def _turn(self, role: str, words: str) -> list[int]:
        return [*self._open(role), *self._words(words), self.end_id, *self._words("\n")]

    def _open(self, role: str) -> list[int]:
        return [self._begin, *self._words(f"{role}\n")]

    def _words(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids
