"""Checks of a checkpoint, and of the memory that it or a preset needs."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import nn

from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, broken_weights, check_weights, read_config, read_sizes, resolve
from pixelrs_ros.config import MirasConfig, VlmConfig
from pixelrs_ros.doctor.findings import Check, Finding, Subject, fail, ok, warn
from pixelrs_ros.engine.vlm.loading import empty_parts
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.model import memory as sizes
from pixelrs_ros.settings import load_config
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import load_tokenizer, special_tokens

# The perception node's defaults for max_cached_sessions and max_frame_cache_mb.
CACHED_SESSIONS, FRAME_CACHE_MB = 4, 256.0
RESTORE = "choose another --checkpoint, or bring this one back from where it came from"
_LISTED = 8
_SPARE = 1.1  # what a turn computes with comes and goes


def _of_files(check: Check) -> Check:
    """A check that reads a checkpoint or a preset; what is wrong with its files is foreseen."""

    @functools.wraps(check)
    def checked(subject: Subject) -> Finding:
        try:
            return check(subject)
        except PixelrsError as error:
            return fail(str(error), "choose a --preset that there is" if subject.preset else RESTORE)

    return checked


def _of_miras(check: Check) -> Check:
    """A check of files that only a MIRAS has."""

    @functools.wraps(check)
    def checked(subject: Subject) -> Finding:
        if not subject.preset and isinstance(read_config(resolve(subject.checkpoint)), VlmConfig):
            return ok("not examined: the checkpoint is of kind vlm, which transformers checks when it is loaded")
        return check(subject)

    return checked


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
@_of_miras
def tokenizer(subject: Subject) -> Finding:
    """Whether the tokenizer has the special tokens and fits the chat template."""
    if subject.preset:
        return _no_checkpoint()
    folder = resolve(subject.checkpoint)
    config, loaded = load_config(MirasConfig, folder / CONFIG), load_tokenizer(folder / TOKENIZER)
    layout = ChatLayout(loaded, config.clip.num_patches, config.text, config.reader)
    return ok(f"{layout.vocab_size} tokens, {len(special_tokens(loaded))} of them special")


@_of_files
@_of_miras
def weights(subject: Subject) -> Finding:
    """Whether the headers of the weight files fit the configuration."""
    return (
        _no_checkpoint() if subject.preset else ok(f"{check_weights(subject.checkpoint)} tensors of the right shapes")
    )


@_of_files
@_of_miras
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
    try:
        free = free_memory(subject.device)
    except (RuntimeError, AssertionError) as error:  # torch raises both for a device that is not there
        reason = str(error).splitlines()[0]
        return fail(f"the free memory of {subject.device} is unknown: {reason}", "see the line about the device")
    return fit(subject, free)


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
    on_gpu = subject.device.startswith("cuda")
    kinds = {kind: sum(parts.values()) for kind, parts in sizes.weight_bytes(network).items()}
    stored = kinds["bf16" if on_gpu else "fp32"]
    dialogue = sizes.cache_bytes_per_token(network) * context * (1 if on_gpu else 2)
    least = stored + dialogue
    whole = stored + CACHED_SESSIONS * dialogue + FRAME_CACHE_MB * 1e6
    text = (
        f"{free / 1e9:.2f} GB free on {subject.device}; {least / 1e9:.2f} GB for the weights and one dialogue, "
        f"{whole / 1e9:.2f} GB with every cache full"
    )
    if free >= _SPARE * whole:
        return ok(text)
    smaller = [kind for kind in ("int8", "int4") if free >= _SPARE * (kinds[kind] + dialogue)]
    choice = f"language_weights: {smaller[0]}, " if smaller else ""
    if free >= _SPARE * least:
        return warn(text, f"{choice}fewer max_cached_sessions, or a smaller max_frame_cache_mb")
    return fail(text, f"end what else uses the memory, or choose {choice}a smaller checkpoint or another device")


def _empty(subject: Subject) -> tuple[nn.Module, int]:
    """The network without memory for its weights, and the tokens of its context."""
    if not subject.preset and isinstance(vlm := read_config(resolve(subject.checkpoint)), VlmConfig):
        return empty_parts(resolve(subject.checkpoint), vlm), vlm.max_context_tokens
    config, vocab_size = sizes.preset_sizes(subject.preset) if subject.preset else read_sizes(subject.checkpoint)
    return sizes.empty(config, vocab_size), config.text.max_context_tokens


def free_memory(device: str) -> int:
    """Bytes that can still be had on a device: of the GPU, else of the machine within its control group's limit."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    group = Path("/sys/fs/cgroup")  # a container's own
    limit, used = ((group / name) for name in ("memory.max", "memory.current"))
    if limit.is_file() and (text := limit.read_text(encoding="ascii").strip()) != "max":
        free = min(free, max(0, int(text) - int(used.read_text(encoding="ascii"))))
    return free


def _no_checkpoint() -> Finding:
    return ok("not asked for: a preset was chosen")
