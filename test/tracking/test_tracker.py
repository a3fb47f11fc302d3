"""The mask follows its target, and nothing else."""

import numpy as np
import pytest
from moving_pictures import Stage, iou, make_stage

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.tracking.tracker import MIN_CONFIDENCE, TrackedMask, Tracker, TrackState


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def is_lost(result: TrackedMask) -> bool:
    assert (result.state is TrackState.LOST) == (not result.mask.any()) == (result.confidence < MIN_CONFIDENCE)
    return result.state is TrackState.LOST


def test_a_still_picture_keeps_its_mask(stage: Stage) -> None:
    image, truth = stage.show()
    (result,) = Tracker(image, [truth]).update(image)
    assert not is_lost(result)
    assert result.mask.shape == truth.shape and result.mask.dtype == np.bool_
    assert iou(result.mask, truth) > 0.97


def test_it_follows_a_camera_that_shifts_and_turns(stage: Stage) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    found = []
    for step in range(1, 31):
        image, truth = stage.show(camera_px=(1.0 * step, -0.6 * step), turn_deg=1.2 * step)
        (result,) = tracker.update(image)
        found.append(iou(result.mask, truth))
    assert min(found) > 0.8
    assert found[-1] > 0.85, "errors of single steps do not add up"


def test_it_follows_a_thing_that_moves_by_itself(stage: Stage) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    for step in range(1, 21):
        image, truth = stage.show(discs=((80.0 + 1.5 * step, 60.0 - step),))
        (result,) = tracker.update(image)
    assert iou(result.mask, truth) > 0.8


def test_what_hides_it_is_not_taken_for_it_and_it_is_found_again(stage: Stage) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    seen, hidden = [], []
    for step in range(1, 45):
        image, truth = stage.show(camera_px=(0.3 * step, 0.0), cover_px=-60.0 + 5.0 * step)
        (result,) = tracker.update(image)
        if not truth.any():
            hidden.append(is_lost(result))
        elif result.mask.any():
            assert (result.mask & truth).sum() > 0.8 * result.mask.sum(), f"step {step}: on what hides it"
        if truth.sum() > 900:
            seen.append(iou(result.mask, truth))
    assert len(hidden) > 3 and all(hidden)
    assert np.mean(seen) > 0.75
    assert seen[-1] > 0.85


def test_a_double_beside_it_is_never_taken_for_it(stage: Stage) -> None:
    both = ((60.0, 60.0), (102.0, 60.0))
    image, truth = stage.show(discs=both)
    tracker = Tracker(image, [truth])
    # The target alone is taken away while a bar covers the place; its double stays where it was.
    for step in range(1, 41):
        cover = -60.0 + 5.0 * step
        hidden = cover > 15.0
        image, truth = stage.show(discs=both[::-1][:1] if hidden else both, cover_px=cover)
        (result,) = tracker.update(image)
        if hidden and cover < 40.0:
            assert is_lost(result)
    assert is_lost(result)


def test_the_double_is_not_taken_when_the_target_leaves_the_picture(stage: Stage) -> None:
    both = ((40.0, 60.0), (90.0, 60.0))
    image, truth = stage.show(discs=both)
    tracker = Tracker(image, [truth])
    for step in range(1, 26):
        image, truth = stage.show(camera_px=(3.0 * step, 0.0), discs=both)
        (result,) = tracker.update(image)
    assert not truth.any() and is_lost(result)
    for step in range(24, -1, -1):
        image, truth = stage.show(camera_px=(3.0 * step, 0.0), discs=both)
        assert is_lost(tracker.update(image)[0]), "it is not sure which of the two this is"


def test_after_a_cut_everything_stays_lost(stage: Stage) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    elsewhere = Stage(np.ascontiguousarray(stage.floor[::-1, ::-1]), stage.disc)
    for step in range(10):
        # The same disc, where the target was but for a few pixels.
        image, _ = elsewhere.show(camera_px=(0.5 * step, 0.0), discs=((92.0, 66.0),))
        assert is_lost(tracker.update(image)[0])


@pytest.mark.parametrize("level", [0, 255, 120])
def test_blank_pictures_lose_it_for_as_long_as_they_last(stage: Stage, level: int) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    for _ in range(4):
        assert is_lost(tracker.update(np.full_like(image, level))[0])
    for _ in range(2):
        image, truth = stage.show(camera_px=(2.0, 1.0))
        (result,) = tracker.update(image)
    assert iou(result.mask, truth) > 0.9


def test_another_size_loses_it_for_as_long_as_it_lasts(stage: Stage) -> None:
    image, truth = stage.show()
    tracker = Tracker(image, [truth])
    for size in ((240, 320), (120, 161), (4, 4)):
        (result,) = tracker.update(np.zeros((*size, 3), np.uint8))
        assert is_lost(result) and result.mask.shape == size
    for _ in range(2):
        (result,) = tracker.update(image)
    assert iou(result.mask, truth) > 0.95


def test_several_targets_keep_their_order_and_an_empty_mask_is_lost(stage: Stage) -> None:
    both = ((40.0, 60.0), (110.0, 60.0))
    image, first = stage.show(discs=both)
    _, second = stage.show(discs=both[::-1])
    tracker = Tracker(image, [first, np.zeros_like(first), second])
    for step in range(1, 6):
        image, first = stage.show(camera_px=(0.0, step), discs=both)
        _, second = stage.show(camera_px=(0.0, step), discs=both[::-1])
        results = tracker.update(image)
    assert [is_lost(result) for result in results] == [False, True, False]
    assert iou(results[0].mask, first) > 0.85 and iou(results[2].mask, second) > 0.85


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 900), (700, 5)])
def test_pictures_of_any_size_are_taken(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*shape, 3), dtype=np.uint8)
    tracker = Tracker(image, [np.ones(shape, np.bool_)])
    (result,) = tracker.update(image)
    assert result.mask.shape == shape
    (result,) = tracker.update(image[::-1, ::-1].copy())
    assert result.mask.shape == shape


def test_a_mask_of_another_size_and_a_picture_that_is_none_are_refused(stage: Stage) -> None:
    image, truth = stage.show()
    with pytest.raises(BadInputError, match="masks must be"):
        Tracker(image, [truth[1:]])
    with pytest.raises(BadInputError, match="image must be"):
        Tracker(image, [truth]).update(image[..., 0])
