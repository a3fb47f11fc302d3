"""Tokenizers: one of our own, and what every other needs before the chat layout can use it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from pixelrs_ros.config import ChatTemplate
from pixelrs_ros.errors import CheckpointError

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
USER, ASSISTANT = "<user>", "<assistant>"
IMAGE, IMAGE_START, IMAGE_END = "<image>", "<im_start>", "<im_end>"
OBJ, SEG = "[OBJ]", "[SEG]"
ASK, NONE = "[ASK]", "[NONE]"
MARKERS = (OBJ, SEG, ASK, NONE)
REQUIRED_TOKENS = (IMAGE, IMAGE_START, IMAGE_END, *MARKERS)
SPECIAL_TOKENS = (PAD, BOS, EOS, USER, ASSISTANT, *REQUIRED_TOKENS)


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE tokenizer; any text can be encoded.

    Args:
        texts: What to learn the merges from.
        vocab_size: Upper bound of the vocabulary, special tokens included.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Read the `tokenizer.json` of a checkpoint.

    Raises:
        CheckpointError: The file is missing, malformed or lacks a special token.
    """
    tokenizer = _parse(path, _read(path))
    special = special_tokens(tokenizer)
    missing = [token for token in REQUIRED_TOKENS if token not in special]
    if missing:
        raise CheckpointError(f"{path} lacks the special tokens {', '.join(missing)}")
    return tokenizer


def adopt_tokenizer(path: Path, template: ChatTemplate, renamed: Mapping[str, str] | None = None) -> Tokenizer:
    """Make another model's tokenizer fit for the chat layout.

    The markers and the image tokens are added, the template's added tokens become special, and no space is put before
    a text or swallowed any more, since texts are encoded in pieces here: the template writes its spaces itself.

    Args:
        path: A `tokenizer.json`.
        template: What the dialogues will be written with.
        renamed: Our names of added tokens that mean what a marker of ours does.

    Raises:
        CheckpointError: The file is missing or malformed.
    """
    data = _read(path)
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} is not a tokenizer: it holds no mapping")
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        data[part] = _without_prefix_space(data.get(part))
    pieces = (template.start, template.user, template.assistant, template.end, template.phrase_end)
    for token in data.get("added_tokens", []):
        token["content"] = (renamed or {}).get(token["content"], token["content"])
        if any(token["content"] in piece for piece in pieces) or token["content"] in REQUIRED_TOKENS:
            token |= {"special": True, "normalized": False}
        if token["special"]:
            token |= {"lstrip": False, "rstrip": False}
    tokenizer = _parse(path, {**data, "padding": None, "truncation": None})
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in REQUIRED_TOKENS])
    return tokenizer


def reader_tokenizer(words: str) -> Tokenizer:
    """The word pieces of a reader (`ReaderConfig.words`): BERT's way to cut words, over a vocabulary of the package.

    Raises:
        CheckpointError: The package has no such vocabulary.
    """
    path = Path(__file__).parent / f"{words}.txt"
    if not path.is_file():
        raise CheckpointError(f"no vocabulary {path}; remedy: correct reader.words in the checkpoint's configuration")
    rows = {piece: row for row, piece in enumerate(path.read_text(encoding="utf-8").splitlines())}
    tokenizer = Tokenizer(models.WordPiece(rows, unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def special_tokens(tokenizer: Tokenizer) -> dict[str, int]:
    """Ids of the tokens that plain text never becomes."""
    return {token.content: index for index, token in tokenizer.get_added_tokens_decoder().items() if token.special}


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Rows that an embedding table needs; more than the tokens where their ids have gaps."""
    return int(max(tokenizer.get_vocab().values())) + 1


def puts_space_first(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer puts a space before every text that follows a special token (Llama's habit)."""
    data = json.loads(tokenizer.to_str())
    return any(_puts_space(data.get(part)) for part in ("normalizer", "pre_tokenizer"))


def _read(path: Path) -> Any:
    if not path.is_file():
        raise CheckpointError(
            f"{path} is missing; remedy: save the tokenizer in the fast format (transformers' PreTrainedTokenizerFast)"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from error


def _parse(path: Path, data: Any) -> Tokenizer:
    try:
        return Tokenizer.from_str(json.dumps(data))
    except Exception as error:  # the library raises bare Exceptions
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from error


def _puts_space(part: Any) -> bool:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "Sequence":
        return any(_puts_space(item) for key in part if key != "type" for item in part[key])
    scheme = part.get("prepend_scheme", "always" if part.get("add_prefix_space") else "never") if kind else "never"
    return kind == "Prepend" or scheme == "always"


def _without_prefix_space(part: Any) -> Any:
    """A normalizer, pre-tokenizer or decoder as `tokenizer.json` writes it, less the space at the start of a text."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "Sequence":
        (name,) = (key for key in part if key != "type")
        inner = [_without_prefix_space(item) for item in part[name]]
        return {**part, name: [item for item in inner if item is not None]}
    if kind == "Metaspace":
        whole = {"replacement": "\u2581", "split": True, **part, "prepend_scheme": "never"}
        return {key: value for key, value in whole.items() if key not in ("add_prefix_space", "str_rep")}
    if kind == "ByteLevel":
        return {**part, "add_prefix_space": False}
    if kind == "Prepend" or (kind == "Strip" and part.get("start")):
        return None
    return part
