import numpy as np
import pytest

from pixelrs_ros.config import ScoreConfig
from pixelrs_ros.engine.choice import mask_score
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.calibration import calibrate
from pixelrs_ros.evaluation.fit_score import fit_score, rescored
from pixelrs_ros.evaluation.metrics import score_mask
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.evaluation.referents import WordScore


def a_record(iou: float, quality: float | None, certainty: float | None) -> Record:
    """A last answer whose mask of 1000 pixels lies in the target and covers a share of it."""
    truth = np.ones((10, 100), bool)
    mask = np.zeros_like(truth)
    mask.ravel()[: round(iou * truth.size)] = True
    words = WordScore(referent_right=False)
    return Record("own history", 0, "a.jpg", "mug", score_mask(mask, truth), quality is not None, (), (), words,
                  quality=quality, certainty=certainty)  # fmt: skip


def test_the_fit_finds_the_line_behind_the_ious() -> None:
    rng = np.random.default_rng(0)
    truth = ScoreConfig(intercept=-0.4, quality=0.8, certainty=1.5)
    estimates = rng.uniform(0.05, 0.99, (800, 2)).tolist()
    records = [a_record(mask_score(truth, q, p), q, p) for q, p in estimates]
    fitted = fit_score([*records, a_record(0.0, None, None)])
    assert fitted.intercept == pytest.approx(truth.intercept, abs=0.05)
    assert (fitted.quality, fitted.certainty) == pytest.approx((0.8, 1.5), abs=0.05)
    before, after = (calibrate(*rescored(records, score)) for score in (ScoreConfig(), fitted))
    assert before is not None and after is not None
    assert after.expected_error < 0.02 < 0.1 < before.expected_error


def test_a_handful_of_masks_is_refused() -> None:
    with pytest.raises(DataError, match="only 3 last answers have a mask"):
        fit_score([a_record(0.5, 0.5, 0.5)] * 3 + [a_record(0.0, None, None)] * 100)
