"""Where a turn's time went, stage by stage, so that the stages add up to the whole."""

from __future__ import annotations

from collections.abc import Mapping

STAGES = ("queue", "convert", "encode", "prefill", "generate", "masks", "geometry")
OTHER, TOTAL = "other", "total"


def accounted(latency_ms: Mapping[str, float], total_ms: float) -> dict[str, float]:
    """The stages in the order in which they ran, what none of them explains as "other", and their sum as "total".

    Args:
        latency_ms: Milliseconds by stage.
        total_ms: From the instruction to its answer.
    """
    known = {stage: max(0.0, latency_ms[stage]) for stage in STAGES if stage in latency_ms}
    known[OTHER] = max(0.0, total_ms - sum(known.values()))
    return {**known, TOTAL: sum(known.values())}
