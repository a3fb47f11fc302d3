"""Videos show what their situation says."""

from collections.abc import Iterator

import numpy as np
import pytest

from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.picture.video import SITUATIONS, Situation, Video, sample_video

FRAMES = 20


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(320, 240) as renderer:
        yield renderer


def seen(view: View, target: int) -> int:
    return int((view.object_ids == target).sum())


def doubles(video: Video, frame: int) -> list[int]:
    """Numbers of the other things of the target's kind and color."""
    target = next(thing for thing in video.scenes[0].objects if thing.object_id == video.target)
    return [
        thing.object_id
        for thing in video.scenes[frame].objects
        if (thing.kind, thing.color) == (target.kind, target.color) and thing.object_id != video.target
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_video_is_the_same_each_time_and_its_camera_never_rests(situation: Situation) -> None:
    video = sample_video(3, situation, FRAMES)
    assert video == sample_video(3, situation, FRAMES)
    assert len(video.scenes) == FRAMES
    steps = [
        np.linalg.norm(after.camera.position_m - before.camera.position_m)
        for before, after in zip(video.scenes, video.scenes[1:], strict=False)
    ]
    assert min(steps) > 0
    # Whatever is in the picture has a number of its own.
    for scene in video.scenes:
        numbers = [thing.object_id for thing in scene.objects]
        assert len(set(numbers)) == len(numbers)


def test_something_passes_before_the_target_and_leaves(renderer: Renderer) -> None:
    video = sample_video(6, "occlusion", FRAMES)
    areas = [seen(renderer.render(scene), video.target) for scene in video.scenes[:: FRAMES // 2]]
    middle = seen(renderer.render(video.scenes[FRAMES // 2]), video.target)
    assert middle < 0.5 * areas[0]
    assert len(video.scenes[FRAMES // 2].objects) == len(video.scenes[0].objects) + 1
    assert len(video.scenes[-1].objects) == len(video.scenes[0].objects)


def test_the_target_leaves_the_picture_and_its_double_does_not(renderer: Renderer) -> None:
    video = sample_video(1, "leaves", FRAMES)
    first, middle, last = (renderer.render(video.scenes[index]) for index in (0, FRAMES // 2, FRAMES - 1))
    assert seen(first, video.target) > 0 and seen(last, video.target) > 0
    assert seen(middle, video.target) == 0
    (double,) = doubles(video, FRAMES // 2)
    assert seen(middle, double) > 0


def test_after_a_cut_there_is_only_the_double(renderer: Renderer) -> None:
    video = sample_video(1, "cut", FRAMES)
    assert video.target not in [thing.object_id for thing in video.scenes[-1].objects]
    (double,) = doubles(video, FRAMES - 1)
    assert seen(renderer.render(video.scenes[-1]), double) > 0
    assert not doubles(video, 0)


def test_a_jump_is_one_step_and_darkness_lasts_five_frames() -> None:
    azimuths = [scene.camera.azimuth_deg for scene in sample_video(2, "jump", FRAMES).scenes]
    steps = np.abs(np.diff(azimuths))
    assert np.argmax(steps) == FRAMES // 2 - 1
    assert steps.max() > 3 * np.sort(steps)[-2]
    assert sample_video(2, "dark", FRAMES).dark == {2, 3, 4, 5, 6}


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="num_frames"):
        sample_video(0, "occlusion", 9)
