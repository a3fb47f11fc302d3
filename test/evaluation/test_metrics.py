import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixelrs_ros.evaluation import metrics


def square(top: int, left: int, side: int, size: int = 100) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def summed(scores: list[metrics.MaskScore]) -> metrics.MaskSummary:
    sums = metrics.MaskSums()
    for score in scores:
        sums.add(score)
    return sums.summary()


def test_counts_and_iou_of_two_overlapping_squares() -> None:
    score = metrics.score_mask(square(0, 0, 20), square(0, 10, 20))
    assert (score.intersection_px, score.predicted_px, score.truth_px, score.union_px) == (200, 400, 400, 600)
    assert score.iou == pytest.approx(1 / 3)


def test_boundary_iou_looks_at_a_band_of_two_percent_of_the_diagonal() -> None:
    # 100 px: the diagonal is 141 px, the band round(2.8) = 3 px.
    truth = square(20, 20, 40)
    hollow = truth & ~square(23, 23, 34)
    assert metrics.boundary_iou(hollow, truth) == 1.0
    assert metrics.iou(hollow, truth) == pytest.approx((1600 - 34 * 34) / 1600)
    eroded = square(23, 23, 34)  # its whole band lies inside the truth's band's inner edge
    assert metrics.boundary_iou(eroded, truth) == 0.0
    assert metrics.iou(eroded, truth) == pytest.approx(34 * 34 / 1600)


def test_the_images_edge_counts_as_contour() -> None:
    everything = np.ones((100, 100), bool)
    frame_px = 100 * 100 - 94 * 94
    assert metrics.boundary_iou(everything & ~square(3, 3, 94), everything) == 1.0
    assert metrics.boundary_iou(square(0, 0, 3), everything) == pytest.approx(9 / frame_px)


def test_summary_adds_pixels_for_c_iou_and_averages_for_g_iou() -> None:
    small = metrics.score_mask(square(0, 0, 10), square(0, 0, 10))
    missing = metrics.score_mask(np.zeros((100, 100), bool), square(0, 0, 20))
    summary = summed([small, missing])
    assert summary.count == 2
    assert summary.g_iou == pytest.approx(0.5)
    assert summary.c_iou == pytest.approx(100 / 500)
    assert summary.precision == pytest.approx(1.0)
    assert summary.recall == pytest.approx(100 / 500)
    assert summary.f1 == pytest.approx(2 * 1.0 * 0.2 / 1.2)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        metrics.iou(np.zeros((4, 4), bool), np.zeros((4, 5), bool))
    with pytest.raises(ValueError, match="uint8"):
        metrics.score_mask(np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match="no masks"):
        summed([])
    with pytest.raises(ValueError, match="one group a value"):
        metrics.bootstrap_interval([0.5], [])


masks = arrays(bool, (24, 32))


@settings(max_examples=60, deadline=None)
@given(masks, masks)
def test_overlaps_are_symmetric_and_bounded(first: np.ndarray, second: np.ndarray) -> None:
    for overlap in (metrics.iou, metrics.boundary_iou):
        assert 0.0 <= overlap(first, second) <= 1.0
        assert overlap(first, second) == overlap(second, first)
        assert overlap(first, first) == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(masks, masks), min_size=1, max_size=4))
def test_f1_and_c_iou_agree(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    summary = summed([metrics.score_mask(*pair) for pair in pairs])
    assert summary.f1 == pytest.approx(2 * summary.c_iou / (1 + summary.c_iou))


def test_bootstrap_draws_whole_images() -> None:
    values = [0.0, 1.0] * 50
    alone = metrics.bootstrap_interval(values, [str(index) for index in range(100)])
    in_pairs = metrics.bootstrap_interval(values, [str(index // 2) for index in range(100)])
    assert alone[0] == pytest.approx(0.4, abs=0.02) and alone[1] == pytest.approx(0.6, abs=0.02)
    assert in_pairs == (0.5, 0.5)  # every image has one good and one bad dialogue
    assert metrics.bootstrap_interval(values, ["one"] * 100) == (0.5, 0.5)


def test_confusion_table_and_its_rates() -> None:
    pairs = [("grounded", "grounded"), ("clarify", "grounded"), ("clarify", "clarify"), ("grounded", "grounded")]
    table = metrics.confusion(pairs)
    assert table == {"clarify": {"clarify": 1, "grounded": 1}, "grounded": {"grounded": 2}}
    assert metrics.precision_recall(table, "clarify") == (1.0, 0.5)
    assert metrics.precision_recall(table, "grounded") == (pytest.approx(2 / 3), 1.0)
    assert metrics.precision_recall(table, "not_found") == (None, None)
