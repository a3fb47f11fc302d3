"""Scores of masks and of statuses. Plain functions of arrays; nothing here knows a network or a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

BOUNDARY_DILATION_RATIO = 0.02
_DRAWN_AT_ONCE = 2_000_000  # numbers of a bootstrap, which would otherwise fill the memory with a large data set's


@dataclass(frozen=True)
class MaskScore:
    """One predicted mask against its truth; the counts add up over a data set.

    Attributes:
        intersection_px: Pixels in both.
        predicted_px: Pixels of the prediction.
        truth_px: Pixels of the truth.
        boundary_iou: See `boundary_iou`, in [0, 1].
    """

    intersection_px: int
    predicted_px: int
    truth_px: int
    boundary_iou: float

    @property
    def union_px(self) -> int:
        """Pixels in either."""
        return self.predicted_px + self.truth_px - self.intersection_px

    @property
    def iou(self) -> float:
        """Intersection over union, in [0, 1]; 1 when both masks are empty."""
        return self.intersection_px / self.union_px if self.union_px else 1.0


def score_mask(predicted: np.ndarray, truth: np.ndarray) -> MaskScore:
    """Compare two masks.

    Args:
        predicted: (H, W) bool.
        truth: (H, W) bool.

    Raises:
        ValueError: The shapes differ or a mask is not bool.
    """
    _check_pair(predicted, truth)
    return MaskScore(
        intersection_px=int(np.count_nonzero(predicted & truth)),
        predicted_px=int(np.count_nonzero(predicted)),
        truth_px=int(np.count_nonzero(truth)),
        boundary_iou=boundary_iou(predicted, truth),
    )


def iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks, in [0, 1]; 1 when both are empty."""
    _check_pair(predicted, truth)
    union = int(np.count_nonzero(predicted | truth))
    return int(np.count_nonzero(predicted & truth)) / union if union else 1.0


def boundary_iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of the inner boundary bands of two masks.

    Cheng et al. 2021, "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation" (arXiv 2103.16562): the
    band is the mask's pixels within d of its contour, d = 2 % of the image diagonal, at least 1 px; where the image's
    edge cuts the mask off, the edge is contour.

    Args:
        predicted: (H, W) bool.
        truth: (H, W) bool.

    Returns:
        A value in [0, 1]; 1 when both masks are empty.

    Raises:
        ValueError: The shapes differ or a mask is not bool.
    """
    _check_pair(predicted, truth)
    return iou(_boundary_band(predicted), _boundary_band(truth))


def _boundary_band(mask: np.ndarray) -> np.ndarray:
    """Pixels of an (H, W) bool mask that erosion by the boundary width takes away, (H, W) bool."""
    width_px = max(1, round(BOUNDARY_DILATION_RATIO * float(np.hypot(*mask.shape))))
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    # Beyond the one pixel of padding OpenCV's default border value never erodes, so the padding alone is the contour.
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width_px)[1:-1, 1:-1]
    return mask & (eroded == 0)


def _check_pair(predicted: np.ndarray, truth: np.ndarray) -> None:
    if predicted.dtype != np.bool_ or truth.dtype != np.bool_ or predicted.shape != truth.shape or truth.ndim != 2:
        raise ValueError(
            f"masks must be (H, W) bool of one size, got {predicted.dtype} {predicted.shape} "
            f"and {truth.dtype} {truth.shape}"
        )


@dataclass(frozen=True)
class MaskSummary:
    """A data set's mask scores, each in [0, 1].

    Attributes:
        count: Number of masks.
        g_iou: Mean of the masks' IoU.
        c_iou: Sum of intersections over sum of unions.
        boundary_iou: Mean of the masks' boundary IoU.
        precision: Share of all predicted pixels that are right (pixels summed over the data set, as for cIoU).
        recall: Share of all true pixels that were found.
        f1: Harmonic mean of the two.
    """

    count: int
    g_iou: float
    c_iou: float
    boundary_iou: float
    precision: float
    recall: float
    f1: float


@dataclass
class MaskSums:
    """Scores of masks, added up one after another."""

    count: int = 0
    iou: float = 0.0
    boundary_iou: float = 0.0
    intersection_px: int = 0
    predicted_px: int = 0
    truth_px: int = 0

    def add(self, score: MaskScore) -> None:
        """Count a mask."""
        self.count += 1
        self.iou += score.iou
        self.boundary_iou += score.boundary_iou
        self.intersection_px += score.intersection_px
        self.predicted_px += score.predicted_px
        self.truth_px += score.truth_px

    def summary(self) -> MaskSummary:
        """Of all that were counted.

        Raises:
            ValueError: There are none.
        """
        if not self.count:
            raise ValueError("no masks to sum up")
        both = self.predicted_px + self.truth_px
        return MaskSummary(
            count=self.count,
            g_iou=self.iou / self.count,
            c_iou=_ratio(self.intersection_px, both - self.intersection_px),
            boundary_iou=self.boundary_iou / self.count,
            precision=_ratio(self.intersection_px, self.predicted_px),
            recall=_ratio(self.intersection_px, self.truth_px),
            f1=_ratio(2 * self.intersection_px, both),
        )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def bootstrap_interval(
    values: Sequence[float], groups: Sequence[str] | Sequence[int], *, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % confidence interval of the mean by the percentile bootstrap.

    Whole groups are drawn, because dialogues about one image share what is hard about it.

    Args:
        values: One number a sample.
        groups: The group (image) that each sample belongs to.
        rounds: Number of resamplings.
        seed: Seeds the resampling.

    Returns:
        Lower and upper end.

    Raises:
        ValueError: No values, or not one group a value.
    """
    if not values or len(values) != len(groups):
        raise ValueError(f"need one group a value and at least one, got {len(values)} values, {len(groups)} groups")
    names, membership = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(membership, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(membership)
    rng = np.random.default_rng(seed)
    means = np.empty(rounds)
    at_once = max(1, _DRAWN_AT_ONCE // names.size)
    for start in range(0, rounds, at_once):
        drawn = rng.integers(0, names.size, size=(min(at_once, rounds - start), names.size))
        means[start : start + at_once] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def confusion(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Count (true, predicted) pairs: `table[true][predicted]`, both sorted by name, without empty cells."""
    table: dict[str, dict[str, int]] = {}
    for (true, predicted), count in sorted(Counter(pairs).items()):
        table.setdefault(true, {})[predicted] = count
    return table


def precision_recall(table: dict[str, dict[str, int]], name: str) -> tuple[float | None, float | None]:
    """Precision and recall of one class of a confusion table, each None where nothing was predicted or true."""
    hits = table.get(name, {}).get(name, 0)
    true = sum(table.get(name, {}).values())
    predicted = sum(row.get(name, 0) for row in table.values())
    return (hits / predicted if predicted else None, hits / true if true else None)
