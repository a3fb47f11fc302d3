"""The drawings of a report, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pixelrs_ros.evaluation.calibration import calibrate
from pixelrs_ros.evaluation.records import RIGHT_IOU
from pixelrs_ros.evaluation.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 400  # of a curve
_BINS = 20


def draw(results: Sequence[Results]) -> str:
    """IoU histogram, precision and recall, and both reliability diagrams, a line for each report.

    Returns:
        An SVG element.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8.5), layout="constrained")
    histogram, curve, score, absent = figure.subplots(2, 2).flat
    for each in results:
        if each.iou:
            shares = np.full(len(each.iou), 1 / len(each.iou))
            histogram.hist(each.iou, bins=_BINS, range=(0, 1), weights=shares, histtype="step", label=each.name)
        recall, precision = precision_recall_curve(np.asarray(each.ranked), np.asarray(each.iou))
        curve.plot(recall, precision, label=each.name)
        _reliability(score, each.name, *each.score)
        _reliability(absent, each.name, *each.absent)
    histogram.set(xlabel="IoU", ylabel="share of the dialogues", title="IoU")
    curve.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=f"Masks of IoU > {RIGHT_IOU}")
    score.set(xlabel="mean score published", ylabel="mean IoU reached", title="Reliability of the mask score")
    absent.set(xlabel="claimed: nothing is there", ylabel="share where so it is", title='Reliability of "not found"')
    for axes in (histogram, curve, score, absent):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="x-small")
    drawn = io.StringIO()
    with rc_context({"svg.hashsalt": "pixelrs"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]


def precision_recall_curve(scores: np.ndarray, ious: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision as the least score that counts falls; a mask is right whose IoU is above `RIGHT_IOU`.

    Args:
        scores: Of each dialogue with a target, (N,); below 0 where its answer has no mask.
        ious: (N,) in [0, 1].

    Returns:
        Both of one length, at most some hundreds; empty where there is no mask.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= 0]
    right = np.cumsum(ious[order] > RIGHT_IOU)
    kept = np.unique(np.linspace(0, order.size - 1, min(order.size, _POINTS)).astype(int))
    return right[kept] / max(1, scores.size), right[kept] / (kept + 1)


def _reliability(axes: Axes, name: str, claimed: Sequence[float], reached: Sequence[float]) -> None:
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    if (found := calibrate(claimed, reached)) is not None:
        label = f"{name} (error {found.expected_error:.3f}, {found.count} answers)"
        axes.plot([each.score for each in found.bins], [each.iou for each in found.bins], marker="o", label=label)
