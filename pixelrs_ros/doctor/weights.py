"""Which public weights this machine has the memory for."""

from __future__ import annotations

from pixelrs_ros.doctor.findings import Finding, Subject, ok
from pixelrs_ros.doctor.memory import SPARE, of_this_machine
from pixelrs_ros.model.memory import BYTES, saved_bytes
from pixelrs_ros.published import Memory, published
from pixelrs_ros.shipped import CONFIG, fetched_dir


def fitting(subject: Subject) -> Finding:
    """Names that `pixelrs fetch` knows, those that fit and in which numbers first."""
    return of_this_machine(subject.device, lambda free: fit(subject.device, free))


def fit(device: str, free: float) -> Finding:
    """Judge an amount of free memory in bytes."""
    chosen = {name: precision(device, free, weights.memory) for name, weights in published().items()}
    fits = [f"{name} ({kind})" for name, kind in chosen.items() if kind]
    large = [name for name, kind in chosen.items() if not kind]
    there = [name for name in chosen if (fetched_dir(name) / CONFIG).is_file()]
    return ok(
        f"{free / 1e9:.2f} GB free on {device}, enough for: {', '.join(fits) or 'none'}; not for: "
        f"{', '.join(large) or 'none'}; fetched: {', '.join(there) or 'none'}"
    )


def precision(device: str, free: float, memory: Memory) -> str | None:
    """In which numbers the weights and one dialogue fit into so many bytes, the most exact first; None: in none."""
    on_gpu = device.startswith("cuda")
    kinds = bytes_by_kind(memory.parameters, memory.linear)
    dialogue = memory.cache_bytes_per_token * memory.context_tokens * (1 if on_gpu else 2)
    usable = ("bf16", "int8", "int4") if on_gpu else ("fp32",)  # a CPU computes in nothing smaller at speed
    return next((kind for kind in usable if free >= SPARE * (kinds[kind] + dialogue)), None)


def bytes_by_kind(parameters: int, linear: int) -> dict[str, float]:
    """Bytes of weights by kind of number.

    Args:
        parameters: Of all networks.
        linear: How many of them are in the language model's linear layers, which alone int8 and int4 make smaller.
    """
    kinds = {kind: size * parameters for kind, size in BYTES.items()}
    return kinds | {kind: kinds["bf16"] - fewer for kind, fewer in saved_bytes(linear).items()}
