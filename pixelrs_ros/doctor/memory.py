"""How much memory there is, and whether a network fits into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from pixelrs_ros.doctor.findings import Finding, fail, ok, warn

# The perception node's defaults for max_cached_sessions and max_frame_cache_mb.
CACHED_SESSIONS, FRAME_CACHE_MB = 4, 256.0
SPARE = 1.1  # what a turn computes with comes and goes


def of_this_machine(device: str, check: Callable[[float], Finding]) -> Finding:
    """What a check says of the memory that is free on a device, in bytes; a failure where that is unknown."""
    try:
        free = free_memory(device)
    except (RuntimeError, AssertionError) as error:  # torch raises both for a device that is not there
        reason = str(error).splitlines()[0]
        return fail(f"the free memory of {device} is unknown: {reason}", "see the line about the device")
    return check(free)


def judge(device: str, free: float, kinds: Mapping[str, float], dialogue: float) -> Finding:
    """Judge an amount of free memory.

    Args:
        device: That the network shall run on.
        free: Bytes.
        kinds: Bytes of all weights by kind of number: "fp32", "bf16", "int8", "int4".
        dialogue: Bytes of the longest dialogue's keys and values in bf16.
    """
    on_gpu = device.startswith("cuda")
    stored = kinds["bf16" if on_gpu else "fp32"]
    dialogue *= 1 if on_gpu else 2
    least = stored + dialogue
    whole = stored + CACHED_SESSIONS * dialogue + FRAME_CACHE_MB * 1e6
    text = (
        f"{free / 1e9:.2f} GB free on {device}; {least / 1e9:.2f} GB for the weights and one dialogue, "
        f"{whole / 1e9:.2f} GB with every cache full"
    )
    if free >= SPARE * whole:
        return ok(text)
    smaller = [kind for kind in ("int8", "int4") if free >= SPARE * (kinds[kind] + dialogue)]
    choice = f"language_weights: {smaller[0]}, " if smaller else ""
    if free >= SPARE * least:
        return warn(text, f"{choice}fewer max_cached_sessions, or a smaller max_frame_cache_mb")
    return fail(text, f"end what else uses the memory, or choose {choice}a smaller checkpoint or another device")


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
