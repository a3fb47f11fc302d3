"""What came of each turn of the demo, and the numbers over all of them. Imports no ROS."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from pixelrs_ros import files
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.ros.demo.script import PlayedTurn
from pixelrs_ros.types import GroundedPhrase

UNANSWERED = "unanswered"


@dataclass(frozen=True, eq=False)
class TurnResult:
    """One turn as it was played, answered and scored.

    Attributes:
        played: What the operator said, and what the answer should have segmented.
        image: (H, W, 3) uint8 RGB, what the camera saw.
        truth: (H, W) bool, what should have been segmented; None when nothing should.
        status: Value of a `Status`, or `UNANSWERED`.
        explanation: The robot's words.
        phrases: Which of these words belong to which mask.
        masks: (H, W) bool each.
        latency_ms: Milliseconds by stage.
    """

    played: PlayedTurn
    image: np.ndarray
    truth: np.ndarray | None
    status: str = UNANSWERED
    explanation: str = ""
    phrases: tuple[GroundedPhrase, ...] = ()
    masks: tuple[np.ndarray, ...] = ()
    latency_ms: dict[str, float] = field(default_factory=dict)

    @property
    def iou(self) -> float | None:
        """IoU of all masks together with the truth, 0 when there is no mask; None when nothing should be segmented."""
        if self.truth is None:
            return None
        predicted = np.zeros(self.truth.shape, dtype=np.bool_)
        for mask in self.masks:
            if mask.shape != predicted.shape:
                return 0.0
            predicted |= mask
        return iou(predicted, self.truth)

    def to_dict(self) -> dict[str, Any]:
        """One entry of `turns` in results.json."""
        score = self.iou
        return {
            "scene": self.played.scene_seed,
            "camera": self.played.camera_seed,
            "session_id": self.played.session_id,
            "turn": self.played.turn,
            "text": self.played.text,
            "explanation": self.explanation,
            "status": self.status,
            "iou": None if score is None else round(score, 4),
            "target": self.played.target,
            "latency_ms": {stage: round(value, 1) for stage, value in self.latency_ms.items()},
        }


def summarize(turns: list[TurnResult]) -> dict[str, Any]:
    """The content of results.json.

    `mean_iou` is over the turns that have a target, `mean_final_iou` over the last turns of the dialogues; null when
    there are none. A missing mask counts as 0. `masks` counts those that are not empty.
    """
    last = {result.played.session_id: result for result in turns}
    scores = [result.iou for result in turns if result.iou is not None]
    final_scores = [result.iou for result in last.values() if result.iou is not None]
    totals_ms = [result.latency_ms["total"] for result in turns if "total" in result.latency_ms]
    return {
        "turns": [result.to_dict() for result in turns],
        "mean_iou": round(mean(scores), 4) if scores else None,
        "mean_final_iou": round(mean(final_scores), 4) if final_scores else None,
        "dialogues": len(last),
        "answered": sum(result.status != UNANSWERED for result in turns),
        "unanswered": sum(result.status == UNANSWERED for result in turns),
        "masks": sum(bool(mask.any()) for result in turns for mask in result.masks),
        "median_latency_ms": round(median(totals_ms), 1) if totals_ms else None,
    }


def write_results(path: Path, turns: list[TurnResult]) -> dict[str, Any]:
    """Write results.json; its content.

    Raises:
        OutputError: It cannot be written.
    """
    summary = summarize(turns)
    files.write_json(path, summary, indent=2)
    return summary
