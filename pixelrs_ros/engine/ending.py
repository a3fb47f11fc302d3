"""What ends every turn, whatever answers: its times and its status."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pixelrs_ros.types import Segment, Status


def ms_since(started: float) -> float:
    """Milliseconds since a `time.perf_counter()`."""
    return (time.perf_counter() - started) * 1000.0


def latencies(encode_ms: float, prefill_ms: float, masks_ms: float, answering_ms: float) -> dict[str, float]:
    """A reply's latencies by stage, in milliseconds.

    Args:
        encode_ms: Of the picture.
        prefill_ms: Until the first token; 0: there was none.
        masks_ms: Of all masks.
        answering_ms: Of the whole answer, without the picture.
    """
    prefill_ms = prefill_ms or answering_ms
    return {
        "encode": encode_ms,
        "prefill": prefill_ms,
        "generate": answering_ms - prefill_ms - masks_ms,
        "masks": masks_ms,
        "total": encode_ms + answering_ms,
    }


def ending(said: Status, segments: Sequence[Segment]) -> tuple[Status, str]:
    """How a turn ends that the network says ends so, and a message: a target without a single pixel is not there."""
    if segments and not any(segment.mask.any() for segment in segments):
        return Status.NOT_FOUND, "the network named a target but its mask is empty"
    return said, ""
