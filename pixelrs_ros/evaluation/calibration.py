"""Whether a mask's published score is the IoU that it reaches: expected calibration error and reliability diagram."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The masks whose score lies in one interval.

    Attributes:
        low: Its lower end.
        high: Its upper end; scores of 1 are in the last bin.
        count: Number of masks, at least one.
        score: Their mean score.
        iou: The mean IoU that they reach.
    """

    low: float
    high: float
    count: int
    score: float
    iou: float


@dataclass(frozen=True)
class Calibration:
    """How far scores and IoUs are apart.

    Attributes:
        count: Number of masks.
        expected_error: See `calibrate`.
        bins: Those that hold a mask, by score.
    """

    count: int
    expected_error: float
    bins: tuple[Bin, ...]


def calibrate(scores: Sequence[float], ious: Sequence[float], *, bins: int = BINS) -> Calibration | None:
    """Expected calibration error of mask scores.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", as written by Guo et al. 2017,
    "On Calibration of Modern Neural Networks" (arXiv 1706.04599), equation 3: with bins of equal width over [0, 1], the
    sum over bins of (n_b / n) |accuracy_b - confidence_b|. A score claims an IoU, so the mean IoU takes the place of
    the accuracy and the mean score that of the confidence.

    Args:
        scores: What was claimed, each in [0, 1].
        ious: What was reached, one a score, in [0, 1].
        bins: Their number.

    Returns:
        The error, in [0, 1], and its bins; None where there is no mask.

    Raises:
        ValueError: Not one IoU a score, a value outside [0, 1], or no bin.
    """
    if len(scores) != len(ious) or bins < 1:
        raise ValueError(f"need one IoU a score and a bin, got {len(scores)} scores, {len(ious)} IoUs, {bins} bins")
    if not scores:
        return None
    claimed, reached = np.asarray(scores, np.float64), np.asarray(ious, np.float64)
    if not all((values >= 0).all() and (values <= 1).all() for values in (claimed, reached)):
        raise ValueError("scores and IoUs must lie in [0, 1]")
    membership = np.minimum((claimed * bins).astype(int), bins - 1)
    filled = tuple(
        Bin(
            low=index / bins,
            high=(index + 1) / bins,
            count=int(np.count_nonzero(membership == index)),
            score=float(claimed[membership == index].mean()),
            iou=float(reached[membership == index].mean()),
        )
        for index in np.unique(membership).tolist()
    )
    error = sum(each.count * abs(each.iou - each.score) for each in filled) / len(scores)
    return Calibration(len(scores), error, filled)


def draw_reliability(calibrations: Mapping[str, Calibration], path: Path) -> None:
    """Draws mean IoU against mean score, a line each, and below how many masks each bin holds.

    Args:
        calibrations: By name, at least one.
        path: Where the picture is written; its ending says the format.

    Raises:
        OutputError: It cannot be written.
    """
    from matplotlib.figure import Figure

    from pixelrs_ros.files import write_file

    figure = Figure(figsize=(5.0, 6.0), layout="constrained")
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
    for name, calibration in calibrations.items():
        scores = [each.score for each in calibration.bins]
        label = f"{name} (error {calibration.expected_error:.3f})"
        curve.plot(scores, [each.iou for each in calibration.bins], marker="o", label=label)
        counts.plot(scores, [each.count for each in calibration.bins], marker="o")
    curve.set(xlim=(0, 1), ylim=(0, 1), ylabel="mean IoU reached", title="Reliability of the mask score")
    curve.legend(fontsize="small")
    counts.set(xlabel="mean score published", ylabel="masks")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix.lstrip("."))
    write_file(path, drawn.getvalue())
