"""The tokenizer: byte-level BPE whose special tokens can only be placed by the chat layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from pixelrs_ros.errors import CheckpointError

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
USER, ASSISTANT = "<user>", "<assistant>"
IMAGE, IMAGE_START, IMAGE_END = "<image>", "<im_start>", "<im_end>"
OBJ, SEG = "[OBJ]", "[SEG]"
ASK, NONE = "[ASK]", "[NONE]"
SPECIAL_TOKENS = (PAD, BOS, EOS, USER, ASSISTANT, IMAGE, IMAGE_START, IMAGE_END, OBJ, SEG, ASK, NONE)


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
    """Read a `tokenizer.json`.

    Raises:
        CheckpointError: The file is missing, malformed or lacks a special token.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exceptions
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from error
    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise CheckpointError(f"{path} lacks the special tokens {', '.join(missing)}")
    return tokenizer
