"""Tokenizers in the formats of the families that transformers knows, each trained on a few words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from pixelrs_ros.config import ChatTemplate

WORDS = [" The handle of the red mug, to drink from.", " USER: I want to cut bread. ASSISTANT: Which knife?"] * 3
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def _byte_level(special: list[AddedToken]) -> Tokenizer:
    """Qwen, SmolLM2, Llama 3."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(r"\s+(?!\S)|[^\s\p{L}\p{N}]+|\s?\p{L}+|\p{N}|\s+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(WORDS, trainers.BpeTrainer(vocab_size=340, initial_alphabet=alphabet))
    tokenizer.add_tokens([AddedToken("<tool_call>", special=False)])
    tokenizer.add_special_tokens(special)
    return tokenizer


def _sentencepiece(first: list[str], change: Callable[[dict[str, Any]], None]) -> Tokenizer:
    """BPE over letters, a space written as \u2581, unknown letters as bytes."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")  # SentencePiece merges no two words
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[*first, *BYTES])
    tokenizer.train_from_iterator(WORDS, trainer)
    data = json.loads(tokenizer.to_str())
    data["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    data["pre_tokenizer"] = None
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] not in BYTES]
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def _llama(data: dict[str, Any]) -> None:
    """Llama 2, Vicuna, Phi-3: a space before every text, taken away again by the decoder."""
    prepend = {"type": "Prepend", "prepend": "\u2581"}
    data["normalizer"] = {"type": "Sequence", "normalizers": [prepend, data["normalizer"]]}
    data["decoder"]["decoders"].append({"type": "Strip", "content": " ", "start": 1, "stop": 0})


def _metaspace(data: dict[str, Any]) -> None:
    """Llama's newer writing, Mistral: a space before the first text only."""
    space = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
    data |= {"normalizer": None, "pre_tokenizer": space}
    parts = data["decoder"]["decoders"]
    parts.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})


def _gemma(data: dict[str, Any]) -> None:
    newlines = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": False}
    vocab = data["model"]["vocab"]
    vocab["\n\n"] = len(vocab)
    data["added_tokens"].append({"id": vocab["\n\n"], "content": "\n\n", **newlines})


def _phi3(data: dict[str, Any]) -> None:
    _llama(data)
    for token in data["added_tokens"]:
        if token["content"].startswith("<|"):
            token["rstrip"] = True


def _unigram() -> Tokenizer:
    """XGLM's kind, with special tokens that are words of the vocabulary as well."""
    special = ["<unk>", "<s>", "</s>", "<user>", "[SEG]"]
    letters = sorted({letter for text in WORDS for letter in text.replace(" ", "\u2581")} | set("<>[]/|_SEGs"))
    pieces = [("<unk>", 0.0), *((token, -1.0) for token in special[1:]), *((letter, -6.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


@dataclass(frozen=True)
class Family:
    """A tokenizer, the pieces of its chat template, and the template as jinja has it, with its named tokens."""

    tokenizer: Callable[[], Tokenizer]
    template: ChatTemplate
    jinja: str
    named: dict[str, str]
    model_types: tuple[str, ...]


CHATML = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
CHATML += "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
VICUNA = "{{ bos_token + 'A chat.' }}{% for m in messages %}{% if m['role'] == 'user' %}{{ ' USER: ' + m['content'] }}"
VICUNA += "{% else %}{{ ' ASSISTANT: ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
VICUNA += "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
GEMMA = "{{ bos_token }}{% for m in messages %}"
GEMMA += "{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
GEMMA += "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n' + m['content'] | trim"
GEMMA += " + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
PHI3 = "{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>\\n' }}{% endfor %}"
PHI3 += "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
BOS_EOS = {"bos_token": "<s>", "eos_token": "</s>"}

FAMILIES = {
    "byte-level": Family(
        lambda: _byte_level([AddedToken(f"<|{name}|>", special=True) for name in ("im_start", "im_end", "endoftext")]),
        ChatTemplate(
            "<|im_start|>user\n<image>\n", "\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"
        ),
        CHATML,
        {"eos_token": "<|im_end|>"},
        ("qwen2", "qwen3"),
    ),
    "llama": Family(
        lambda: _sentencepiece(["<unk>", "<s>", "</s>"], _llama),
        ChatTemplate("<s> A chat. USER: <image> \n", "  USER: ", " ASSISTANT:", "</s>"),
        VICUNA,
        BOS_EOS,
        ("llama",),
    ),
    "metaspace": Family(
        lambda: _sentencepiece(["<unk>", "<s>", "</s>"], _metaspace),
        ChatTemplate("<s>A chat. USER: <image>\n", " USER: ", " ASSISTANT:", "</s>"),
        VICUNA,
        BOS_EOS,
        ("mistral",),
    ),
    "gemma": Family(
        lambda: _sentencepiece(["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"], _gemma),
        ChatTemplate(
            "<bos><start_of_turn>user\n<image>\n",
            "\n<start_of_turn>user\n",
            "<end_of_turn>\n<start_of_turn>model\n",
            "<end_of_turn>",
        ),
        GEMMA,
        {"bos_token": "<bos>", "eos_token": "<eos>"},
        ("gemma2", "gemma3_text"),
    ),
    "phi3": Family(
        lambda: _sentencepiece(["<unk>", "<s>", "</s>", "<|user|>", "<|end|>", "<|assistant|>"], _phi3),
        # A role's token swallows the end of its line; the words after it begin with a space.
        ChatTemplate("<|user|><image> \n", "<|user|> ", "<|end|><|assistant|>", "<|end|>"),
        PHI3,
        {"eos_token": "<|end|>"},
        ("phi3",),
    ),
    "unigram": Family(
        _unigram, ChatTemplate("<s><user> <image> \n", "<user> ", " ASSISTANT:", "</s>"), "", BOS_EOS, ()
    ),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@pytest.fixture(scope="session")
def families() -> dict[str, Family]:
    return FAMILIES
