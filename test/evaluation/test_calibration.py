from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.evaluation.calibration import Calibration, calibrate, draw_reliability


def the_calibration(scores: list[float], ious: list[float]) -> Calibration:
    calibration = calibrate(scores, ious)
    assert calibration is not None
    return calibration


def test_the_error_is_the_gap_of_each_bin_weighted_by_its_count() -> None:
    found = the_calibration([0.81, 0.89, 0.85, 0.21], [0.5, 0.7, 0.6, 0.41])
    assert [(each.low, each.count) for each in found.bins] == [(0.2, 1), (0.8, 3)]
    assert found.bins[1].score == pytest.approx(0.85) and found.bins[1].iou == pytest.approx(0.6)
    assert found.expected_error == pytest.approx((3 * 0.25 + 1 * 0.2) / 4)
    assert found.count == 4


def test_over_and_under_confidence_cancel_within_a_bin_only() -> None:
    assert the_calibration([0.55, 0.55], [0.35, 0.75]).expected_error == pytest.approx(0.0)
    assert the_calibration([0.55, 0.65], [0.35, 0.85]).expected_error == pytest.approx(0.2)


def test_a_score_that_tells_the_expected_iou_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 1, 20_000)
    ious = (rng.uniform(0, 1, 20_000) < scores).astype(float)
    assert the_calibration(scores.tolist(), ious.tolist()).expected_error < 0.02
    assert the_calibration(scores.tolist(), (1 - ious).tolist()).expected_error > 0.4


def test_the_ends_belong_to_a_bin() -> None:
    found = the_calibration([0.0, 1.0], [0.0, 1.0])
    assert [(each.low, each.high) for each in found.bins] == [(0.0, 0.1), (0.9, 1.0)]
    assert found.expected_error == 0.0


def test_no_mask_has_no_calibration_and_nonsense_is_refused() -> None:
    assert calibrate([], []) is None
    with pytest.raises(ValueError, match="one IoU a score"):
        calibrate([0.5], [])
    with pytest.raises(ValueError, match="lie in"):
        calibrate([1.5], [0.5])
    with pytest.raises(ValueError, match="lie in"):
        calibrate([0.5], [-0.1])


def test_the_diagram_names_every_line(tmp_path: Path) -> None:
    both = {"nano, test": the_calibration([0.9], [0.4]), "other, test": the_calibration([0.9, 0.1], [0.8, 0.1])}
    draw_reliability(both, tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    draw_reliability(both, tmp_path / "r.svg")
    assert "<svg" in (tmp_path / "r.svg").read_text()
