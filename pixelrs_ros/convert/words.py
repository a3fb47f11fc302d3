"""The tokenizer that comes with a language model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.config import ChatTemplate
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.text.tokenizer import adopt_tokenizer, vocabulary_size

TOKENIZER = "tokenizer.json"
_TOKENIZER_FILES = (
    TOKENIZER, "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "chat_template.json",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """A tokenizer fit for the chat layout.

    Attributes:
        tokenizer: With every token that the layout needs.
        num_own: Rows of the tokens that it came with.
        num_rows: Rows of the language model's tables: one for each token, and no fewer than it came with.
        added: Ids whose rows nobody trained.
    """

    tokenizer: Tokenizer
    num_own: int
    num_rows: int
    added: tuple[int, ...]


def read_words(
    folder: Path, num_rows: int, template: ChatTemplate, trained: tuple[str, ...] = (),
    renamed: Mapping[str, str] | None = None,
) -> Words:  # fmt: skip
    """Read a language model's tokenizer and add the tokens that the chat layout needs.

    Args:
        folder: With `tokenizer.json`, or the files of a slow tokenizer.
        num_rows: Rows of the language model's embedding table.
        template: What the dialogues will be written with.
        trained: Tokens that get the next ids where the tokenizer lacks them, as the model was trained with them.
        renamed: Our names of tokens that mean what a marker of ours does.

    Raises:
        CheckpointError: There is no tokenizer, it cannot be read, or it has more tokens than the table has rows.
    """
    own = _read_tokenizer(folder)
    own.add_special_tokens([token for token in trained if own.token_to_id(token) is None])
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / TOKENIZER
        own.save(str(path))
        tokenizer = adopt_tokenizer(path, template, renamed)
    num_own = vocabulary_size(own)
    if num_own > num_rows:
        raise CheckpointError(
            f"the tokenizer in {folder} has {num_own} tokens, but the language model's embedding has {num_rows} rows; "
            "both must come from one checkpoint"
        )
    added = sorted(set(tokenizer.get_vocab().values()) - set(own.get_vocab().values()))
    return Words(tokenizer, num_own, max(num_rows, vocabulary_size(tokenizer)), tuple(added))


def _read_tokenizer(folder: Path) -> Tokenizer:
    path = folder / TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.is_file() else _convert(folder)
    except CheckpointError:
        raise
    except Exception as error:  # the library raises bare Exceptions
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from error
    extra = folder / "added_tokens.json"
    if extra.is_file():
        added = read_json(extra)
        if not all(type(index) is int for index in added.values()):
            raise CheckpointError(f"{extra} must map tokens to their numbers")
        in_order = sorted(added, key=lambda token: added[token])
        lacking = [token for token in in_order if tokenizer.token_to_id(token) is None]
        tokenizer.add_tokens(lacking)
        moved = [token for token, index in added.items() if tokenizer.token_to_id(token) != index]
        if moved:
            raise CheckpointError(f"{extra} and the tokenizer beside it do not agree about {', '.join(moved[:8])}")
    return tokenizer


def load_tokenizer_folder(folder: Path) -> Any:
    """The tokenizer as transformers loads it, without the model's `config.json`, whose type it may not know."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in _TOKENIZER_FILES:
            if (folder / name).is_file():
                shutil.copy(folder / name, temporary)
        return AutoTokenizer.from_pretrained(temporary, local_files_only=True)


def _convert(folder: Path) -> Tokenizer:
    """A slow tokenizer, such as a SentencePiece model, as a fast one."""
    if not any((folder / name).is_file() for name in ("tokenizer.model", "vocab.json", "tokenizer_config.json")):
        raise CheckpointError(f"{folder} lacks a tokenizer: {TOKENIZER}, or tokenizer.model and tokenizer_config.json")
    try:
        return load_tokenizer_folder(folder).backend_tokenizer
    except Exception as error:  # transformers raises many kinds; all mean the same to the reader
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be made a {TOKENIZER}: {error}; remedy: pip install sentencepiece "
            "protobuf, or save it in the fast format"
        ) from error
