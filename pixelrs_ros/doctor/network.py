"""Checks of a checkpoint, and of the memory that it or a preset needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from torch import nn

from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, broken_weights, check_weights, read_config, read_sizes, resolve
from pixelrs_ros.config import MirasConfig, VlmConfig
from pixelrs_ros.doctor import vlm
from pixelrs_ros.doctor.findings import Check, Finding, Subject, fail, ok
from pixelrs_ros.doctor.memory import judge, of_this_machine
from pixelrs_ros.engine.vlm.loading import empty_parts
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.model import memory as sizes
from pixelrs_ros.settings import load_config
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import load_tokenizer, special_tokens

RESTORE = "choose another --checkpoint, or bring this one back from where it came from"
_LISTED = 8


def _of_files(check: Check) -> Check:
    """A check that reads a checkpoint or a preset; what is wrong with its files is foreseen."""

    @functools.wraps(check)
    def checked(subject: Subject) -> Finding:
        try:
            return check(subject)
        except PixelrsError as error:
            return fail(str(error), "choose a --preset that there is" if subject.preset else RESTORE)

    return checked


def _unless_vlm(other: Callable[[Subject, Path, VlmConfig], Finding]) -> Callable[[Check], Check]:
    """A check that a checkpoint of kind vlm has another one for."""

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def checked(subject: Subject) -> Finding:
            folder = None if subject.preset else resolve(subject.checkpoint)
            config = read_config(folder) if folder else None
            if folder and isinstance(config, VlmConfig):
                return other(subject, folder, config)
            return check(subject)

        return checked

    return decorate


@_of_files
def configuration(subject: Subject) -> Finding:
    """Whether `config.yaml`, or the preset, can be read."""
    if subject.preset:
        sizes.preset_sizes(subject.preset)
        return ok(f"preset {subject.preset}; it has no weights: no checkpoint is examined")
    folder = resolve(subject.checkpoint)
    config = read_config(folder)
    if isinstance(config, VlmConfig):
        return ok(f"{folder}: of kind vlm, up to {config.max_context_tokens} tokens of context")
    return ok(f"{folder}: up to {config.text.max_context_tokens} tokens of context")


@_of_files
@_unless_vlm(vlm.tokenizer)
def tokenizer(subject: Subject) -> Finding:
    """Whether the tokenizer has the special tokens and fits the chat template."""
    if subject.preset:
        return _no_checkpoint()
    folder = resolve(subject.checkpoint)
    config, loaded = load_config(MirasConfig, folder / CONFIG), load_tokenizer(folder / TOKENIZER)
    layout = ChatLayout(loaded, config.clip.num_patches, config.text, config.reader)
    return ok(f"{layout.vocab_size} tokens, {len(special_tokens(loaded))} of them special")


@_of_files
@_unless_vlm(vlm.weights)
def weights(subject: Subject) -> Finding:
    """Whether the headers of the weight files fit the configuration."""
    return (
        _no_checkpoint() if subject.preset else ok(f"{check_weights(subject.checkpoint)} tensors of the right shapes")
    )


@_of_files
@_unless_vlm(vlm.finite)
def finite(subject: Subject) -> Finding:
    """Whether every weight is a number."""
    if subject.preset:
        return _no_checkpoint()
    names = broken_weights(subject.checkpoint)
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        return fail(f"NaN or infinite weights in {', '.join(names[:_LISTED])}{more}", RESTORE)
    return ok("every weight is finite")


@_of_files
def memory(subject: Subject) -> Finding:
    """Free memory against what a node needs, by the numbers of `pixelrs info`."""
    return of_this_machine(subject.device, lambda free: fit(subject, free))


def fit(subject: Subject, free: float) -> Finding:
    """Judge an amount of free memory.

    Args:
        subject: What is examined.
        free: Bytes.

    Raises:
        CheckpointError: The checkpoint's tokenizer, or a part's configuration, cannot be read.
        ConfigError: Its configuration cannot be read, or there is no such preset.
    """
    network, context = _empty(subject)
    kinds = {kind: sum(parts.values()) for kind, parts in sizes.weight_bytes(network).items()}
    return judge(subject.device, free, kinds, sizes.cache_bytes_per_token(network) * context)


def _empty(subject: Subject) -> tuple[nn.Module, int]:
    """The network without memory for its weights, and the tokens of its context."""
    if not subject.preset and isinstance(found := read_config(resolve(subject.checkpoint)), VlmConfig):
        return empty_parts(resolve(subject.checkpoint), found), found.max_context_tokens
    config, vocab_size = sizes.preset_sizes(subject.preset) if subject.preset else read_sizes(subject.checkpoint)
    return sizes.empty(config, vocab_size), config.text.max_context_tokens


def _no_checkpoint() -> Finding:
    return ok("not asked for: a preset was chosen")
