"""What the measurement of tracking counts."""

import numpy as np
import pytest
from moving_pictures import make_stage

from pixelrs_ros.evaluation.tracking import (
    Method,
    Recording,
    follow_with_flow,
    follow_with_tracker,
    hold_still,
    measure,
    summary,
)


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Ten frames: the camera shifts, and a bar covers the target in the fifth. Its double has number 2."""
    stage = make_stage()
    both = ((50.0, 60.0), (110.0, 60.0))
    images, numbers = [], []
    for step in range(10):
        camera, cover = (1.5 * step, 0.0), 20.0 if step == 5 else None
        image, first = stage.show(camera_px=camera, discs=both, cover_px=cover)
        _, second = stage.show(camera_px=camera, discs=both[::-1], cover_px=cover)
        images.append(image)
        numbers.append(first.astype(np.uint8) + 2 * second)
    return Recording("occlusion", 0, np.stack(images), np.stack(numbers), 1, "red disc")


def play(masks: np.ndarray, confidence: float) -> Method:
    left = iter(masks[1:])
    return lambda image: (next(left), confidence)


def test_the_truth_scores_all_and_nothing_nothing(recording: Recording) -> None:
    truth = recording.truth
    perfect = measure(recording, truth[0], play(truth, 1.0))
    assert (perfect["share of the first"], perfect["visible"], perfect["lost"], perfect["wrong"]) == (1.0, 9, 0, 0)
    blind = measure(recording, truth[0], play(np.zeros_like(truth), 1.0))
    assert (blind["lost"], blind["confident"], blind["wrong"]) == (8, 0, 0)
    assert blind["IoU"] == pytest.approx(1 / 9, abs=1e-3)


def test_a_mask_on_another_object_is_wrong_only_when_it_is_confident(recording: Recording) -> None:
    double = recording.object_ids == 2
    sure = measure(recording, recording.truth[0], play(double, 0.5))
    assert (sure["wrong"], sure["beside"]) == (9, 9)
    unsure = measure(recording, recording.truth[0], play(double, 0.49))
    assert (unsure["confident"], unsure["wrong"]) == (0, 0)
    floor = measure(recording, recording.truth[0], play(recording.object_ids == 0, 1.0))
    assert (floor["wrong"], floor["beside"]) == (0, 9)


def test_the_tracker_beats_what_it_is_compared_with(recording: Recording) -> None:
    image, truth = recording.images[0], recording.truth[0]
    rows = [
        {"way": way.__name__, "first mask": "truth", "situation": "occlusion"}
        | measure(recording, truth, way(image, truth))
        for way in (follow_with_tracker, follow_with_flow, hold_still)
    ]
    ours, flow, still = summary(rows)
    assert ours["share of the first"] > max(flow["share of the first"], still["share of the first"])
    assert ours["share of the first"] > 0.9
    assert (ours["wrong"], ours["beside"], ours["videos"]) == (0, 0, 1)
