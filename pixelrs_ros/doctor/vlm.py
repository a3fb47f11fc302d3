"""Checks of a checkpoint of kind vlm: its parts, before transformers loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from pixelrs_ros.config import VlmConfig
from pixelrs_ros.convert.files import Stored, open_weights
from pixelrs_ros.doctor.findings import Finding, Subject, fail, ok
from pixelrs_ros.engine.vlm.chat import Chat
from pixelrs_ros.engine.vlm.loading import empty_networks, load_words

_RESTORE = "run `pixelrs fetch NAME` again, or bring the part back from where it came from"
_LISTED = 8


def tokenizer(subject: Subject, folder: Path, config: VlmConfig) -> Finding:
    """Whether the tokenizer has what the dialogue is written with, and the pictures' processor can be read.

    Raises:
        CheckpointError: One of them cannot be read, or is of another model.
    """
    words, _ = load_words(folder / config.language)
    Chat(words, config.prompt)
    return ok(f"{words.get_vocab_size()} tokens, with those of ChatML")


def weights(subject: Subject, folder: Path, config: VlmConfig) -> Finding:
    """Whether transformers has the classes, and the files are whole and hold as many numbers as those.

    Raises:
        CheckpointError: A file is missing, malformed or truncated, or of another model.
    """
    said = []
    for source, network in empty_networks(folder, config).items():
        stored = open_weights(source)
        name, count, needed = type(network).__name__, _count(stored), _parameters(network)
        if count < needed:
            return fail(f"{source} holds {count:,} numbers, a {name} of its config.json has {needed:,}", _RESTORE)
        said.append(f"{source.name}: {name}, {needed / 1e6:,.1f} M parameters in {len(stored)} tensors")
    return ok("; ".join(said))


def finite(subject: Subject, folder: Path, config: VlmConfig) -> Finding:
    """Whether every weight is a number.

    Raises:
        CheckpointError: A file is missing, malformed or truncated.
    """
    for source in (folder / config.language, folder / config.sam):
        names = [name for name, stored in open_weights(source).items() if not stored.read().isfinite().all()]
        if names:
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            return fail(f"{source}: NaN or infinite weights in {', '.join(names[:_LISTED])}{more}", _RESTORE)
    return ok("every weight is finite")


def _parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _count(stored: dict[str, Stored]) -> int:
    return sum(torch.Size(tensor.shape).numel() for tensor in stored.values())
