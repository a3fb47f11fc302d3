"""Fits the mask score to the IoUs that a network reaches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from pixelrs_ros.config import ScoreConfig
from pixelrs_ros.engine.choice import mask_score, score_features
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.records import Record

MIN_MASKS = 20  # with fewer a fitted line says nothing
_DECAY = 1e-4  # keeps the weights finite where the estimates separate good masks from bad ones perfectly


def fit_score(records: Sequence[Record]) -> ScoreConfig:
    """The score whose cross-entropy with the reached IoUs is least: logistic regression with soft targets.

    Args:
        records: The records of one condition; those without a mask are left out.

    Raises:
        DataError: Too few masks.
    """
    masked = _masked(records)
    if len(masked) < MIN_MASKS:
        raise DataError(f"only {len(masked)} last answers have a mask, {MIN_MASKS} are needed; use more dialogues")
    features = torch.tensor([score_features(quality, certainty) for quality, certainty, _ in masked]).double()
    reached = torch.tensor([iou for *_, iou in masked]).double()
    weights = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        log_odds = weights[0] + features @ weights[1:]
        value = F.binary_cross_entropy_with_logits(log_odds, reached) + _DECAY * weights[1:].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    intercept, quality, certainty = (round(float(value), 4) for value in weights.detach())
    return ScoreConfig(intercept, quality, certainty)


def rescored(records: Sequence[Record], score: ScoreConfig) -> tuple[list[float], list[float]]:
    """Scores that a fit gives to the masks of some records, and the IoUs they reach."""
    masked = _masked(records)
    return [mask_score(score, quality, certainty) for quality, certainty, _ in masked], [iou for *_, iou in masked]


def _masked(records: Sequence[Record]) -> list[tuple[float, float, float]]:
    return [
        (record.quality, record.certainty, record.mask.iou)
        for record in records
        if record.masked and record.quality is not None and record.certainty is not None
    ]
