"""What several dialogues, cameras and robots on one machine cost: how it is summed up and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelrs_ros.benchmark.measure import summary

BUSY = 1.0  # load average from which on the machine had more to do than this
SCENARIOS = {
    "dialogues": "dialogues with one node, one camera",
    "cameras": "cameras of one node, a dialogue about each",
    "robots": "robots, a node, a camera and a dialogue each",
}


def jain(shares: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/n where one of n has everything; 1 where none has any."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def summed_up(turns_ms: Sequence[Sequence[float]], seconds: float, resident_mb: Sequence[float]) -> dict[str, Any]:
    """One row.

    Args:
        turns_ms: Of each dialogue: how long its turns took that ended in time, from the instruction to the answer.
        seconds: How long it went on.
        resident_mb: Resident memory of each node, MB of 10^6 bytes.

    Returns:
        JSON types: "turns" by dialogue, "turns_per_s", "turn_ms" (median, p95; None without a turn), "jain" over the
        turns of the dialogues, "resident_mb" by node.
    """
    every = [turn for turns in turns_ms for turn in turns]
    return {
        "turns": [len(turns) for turns in turns_ms],
        "turns_per_s": round(len(every) / seconds, 2),
        "turn_ms": summary(every) if every else None,
        "jain": round(jain([len(turns) for turns in turns_ms]), 3),
        "resident_mb": [round(megabytes, 1) for megabytes in resident_mb],
    }


def markdown(result: dict[str, Any]) -> str:
    """The table, and on what it was measured."""
    on_gpu = any(row["device_mb"] is not None for row in result["rows"])
    head = "| what | how many | turns/s | median turn [ms] | p95 [ms] | Jain | nodes' memory [MB] |"
    lines = [head + " GPU [MB] |" * on_gpu, "|---|---|---|---|---|---|---|" + "---|" * on_gpu]
    for row in result["rows"]:
        took = row["turn_ms"] or {"median": float("nan"), "p95": float("nan")}
        cells = [SCENARIOS[row["scenario"]], row["count"], f"{row['turns_per_s']:.2f}", f"{took['median']:.0f}"]
        cells += [f"{took['p95']:.0f}", f"{row['jain']:.2f}", f"{sum(row['resident_mb']):.0f}"]
        cells += [f"{row['device_mb']:.0f}"] if on_gpu else []
        lines.append(f"| {' | '.join(map(str, cells))} |")
    made = result["made with"]
    busy = made["load average before"]
    shared = (
        ", a busy machine: other programs took their part, less of it from several nodes than from one, so believe "
    )
    shared += "memory and fairness only"
    said = f"Made with `{made['command']}` on {made['device']}, {made['cpus']} processors, {result['seconds']:g} s each"
    lines += ["", f"{said}; load average before {busy:g}{shared * (busy > BUSY)}."]
    return "\n".join(lines)
