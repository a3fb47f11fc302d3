"""From a model's own chat template, which only jinja can read, to the plain pieces that a configuration keeps.

The template is rendered with sentinels for words; what stands between them are the pieces.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pixelrs_ros.config import ChatTemplate
from pixelrs_ros.convert.words import load_tokenizer_folder
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.text.tokenizer import IMAGE, puts_space_first

_REMEDY = "remedy: write the pieces of text.template by hand, see docs/models.md"
_TURNS = ("user", "assistant", "user", "assistant", "user")
_WORDS = tuple(f"sentinel{index}words" for index in range(len(_TURNS)))


def read_template(folder: Path, system: str | None = None) -> ChatTemplate | None:
    """The words around the words that a language model's own chat template writes; None where it has none.

    The picture stands before the first user's words, on a line of its own, as LLaVA writes it.

    Args:
        folder: The language model's, with its tokenizer.
        system: System words; None leaves the template's own, if it has any.

    Raises:
        CheckpointError: The template cannot be run, or not be cut into pieces that all turns share.
    """
    files = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
    if not any((folder / name).is_file() for name in files):
        return None
    tokenizer, text = _render(folder, system)
    if text is None:
        return None
    start, assistant, between, second, again, prompt = _between(folder, text)
    if between != again or {assistant.rstrip(), second.rstrip()} != {prompt.rstrip()}:
        raise CheckpointError(f"the chat template in {folder} writes its turns unlike each other; {_REMEDY}")
    special = {token.content: token for token in tokenizer.added_tokens_decoder.values()}
    spaces = puts_space_first(tokenizer.backend_tokenizer)
    written = [_as_read(piece, special, spaces) for piece in (f"{start}{IMAGE}\n", between, prompt)]
    after = written[1].lstrip()
    end = next((token for token in sorted(special, key=len, reverse=True) if after.startswith(token)), None)
    if end is None:
        raise CheckpointError(
            f"the chat template in {folder} ends an answer with {between!r}, no special token; {_REMEDY}"
        )
    user = after.removeprefix(end)
    return ChatTemplate(start=written[0], user=user, assistant=written[2].rstrip(" "), end=end)


def _render(folder: Path, system: str | None) -> tuple[Any, str | None]:
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages += [{"role": role, "content": words} for role, words in zip(_TURNS, _WORDS, strict=True)]
    try:
        tokenizer = load_tokenizer_folder(folder)
        if not tokenizer.chat_template:
            return tokenizer, None
        return tokenizer, tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception as error:  # transformers and jinja2 raise many kinds; all mean the same to the reader
        raise CheckpointError(f"the chat template in {folder} cannot be run: {error}; {_REMEDY}") from error


def _between(folder: Path, text: str) -> list[str]:
    """What stands before, between and after the words."""
    pieces = []
    for word in _WORDS:
        piece, found, text = text.partition(word)
        if not found or word in text:
            raise CheckpointError(
                f"the chat template in {folder} does not write each turn once, in order and as it is; {_REMEDY}"
            )
        pieces.append(piece)
    return [*pieces, text]


def _as_read(piece: str, special: dict[str, Any], spaces: bool) -> str:
    """A piece without the white space that special tokens swallow, and with the space put before other texts."""
    spelled = [
        (r"\s*" if token.lstrip else "") + re.escape(name) + (r"\s*" if token.rstrip else "")
        for name, token in sorted(special.items(), key=lambda item: -len(item[0]))
    ]
    words = re.split(f"({'|'.join([*spelled, re.escape(IMAGE)])})", piece)
    read = words[0]
    for index in range(1, len(words), 2):
        follows = words[index + 1] or index + 2 == len(words)  # words of the template, or the user's
        read += words[index].strip() + (" " if spaces and follows else "") + words[index + 1]
    return read
