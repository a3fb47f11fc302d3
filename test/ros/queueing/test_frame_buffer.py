import re

import pytest

from pixelrs_ros.errors import BadInputError, NoFrameError
from pixelrs_ros.ros.queueing.frame_buffer import (
    BoundFrame,
    BufferedFrame,
    CameraBuffers,
    FrameBuffer,
    FrameLimits,
    Stream,
    require_usable,
)

S = 1_000_000_000
LIMITS = FrameLimits(max_age_s=2.0, max_slop_s=1.0)


def buffer_of(*stamps_s: float, size: int = 10) -> FrameBuffer[str]:
    frames = FrameBuffer[str](size)
    for stamp_s in stamps_s:
        frames.add(BufferedFrame(f"at {stamp_s:g}", round(stamp_s * S)))
    return frames


@pytest.mark.parametrize(
    ("stamp_s", "expected"), [(1.0, "at 1"), (1.4, "at 1"), (1.6, "at 2"), (1.5, "at 2"), (9.0, "at 3")]
)
def test_the_nearest_frame_is_chosen_and_of_equals_the_newer(stamp_s: float, expected: str) -> None:
    frame = buffer_of(1, 2, 3).nearest(round(stamp_s * S))
    assert frame is not None
    assert frame.message == expected


def test_the_newest_push_out_the_oldest() -> None:
    frames = buffer_of(1, 2, 3, size=2)
    frame = frames.nearest(1 * S)
    assert frame is not None
    assert (len(frames), frame.message) == (2, "at 2")


def test_an_utterance_without_a_stamp_means_the_newest_frame() -> None:
    choice = buffer_of(1, 2, 3).select(0, 4 * S, LIMITS)
    assert choice.frame is not None
    assert (choice.frame.message, choice.problem, choice.final) == ("at 3", None, True)


@pytest.mark.parametrize(
    ("stamps_s", "stamp_s", "now_s", "words"),
    [
        ((), 1.0, 1.0, "no image has arrived"),
        ((1.0,), 4.0, 4.0, "3.0 s older .* max_frame_age_s"),
        ((1.0,), 0.0, 4.0, "3.0 s older"),
        ((5.0, 6.0), 3.0, 6.0, "2.0 s younger .* max_frame_slop_s"),
    ],
)
def test_a_frame_of_another_time_is_refused(
    stamps_s: tuple[float, ...], stamp_s: float, now_s: float, words: str
) -> None:
    choice = buffer_of(*stamps_s).select(round(stamp_s * S), round(now_s * S), LIMITS)
    with pytest.raises(NoFrameError, match=words):
        require_usable(BoundFrame(choice.frame) if choice.frame else None, choice.problem)


def test_an_instruction_about_a_bad_image_is_refused_and_one_about_a_good_one_is_not() -> None:
    frames = buffer_of(1)
    frames.add(BufferedFrame("bad", 2 * S, error=BadInputError("the image is truncated")))
    bad, good = (frames.select(stamp_ns, 2 * S, LIMITS).frame for stamp_ns in (2 * S, 1 * S))
    assert bad is not None and good is not None
    with pytest.raises(BadInputError, match="truncated"):
        require_usable(BoundFrame(bad), None)
    assert require_usable(BoundFrame(good), None).message == "at 1"


@pytest.mark.parametrize(
    ("stamps_s", "stamp_s", "final", "why"),
    [
        ((1.0, 1.1, 1.2), 1.2, True, "the image of the very moment is here"),
        ((1.0, 1.1, 1.2), 1.15, True, "a later image is here, so none of before can be missing"),
        ((1.0, 1.1, 1.2), 1.29, True, "the next image will be captured after the utterance"),
        ((1.0, 1.1, 1.2), 1.31, False, "an image captured before the utterance is on its way"),
        ((1.0, 1.1, 1.2, 1.21), 1.29, True, "one hiccup does not change the camera's rhythm"),
        ((1.0,), 1.01, False, "a camera without a rhythm as yet"),
        ((1.0, 1.0), 1.01, False, "the same image twice is no rhythm"),
        ((1.0, 6.0), 9.0, False, "within a period, but too old to be used"),
        ((), 1.0, False, "the first image may be on its way"),
        ((5.0, 6.0), 3.0, True, "the images of that moment are gone for good"),
    ],
)
def test_the_choice_is_final_when_no_better_frame_can_be_on_its_way(
    stamps_s: tuple[float, ...], stamp_s: float, final: bool, why: str
) -> None:
    assert buffer_of(*stamps_s).select(round(stamp_s * S), round(stamp_s * S), LIMITS).final == final, why


def frame(message: str, stamp_s: float, size_px: tuple[int, int] = (64, 48), frame_id: str = "") -> BufferedFrame[str]:
    return BufferedFrame(message, round(stamp_s * S), size_px=size_px, frame_id=frame_id)


def test_an_image_is_bound_to_the_depth_and_info_nearest_in_time_also_when_they_come_later() -> None:
    cameras = CameraBuffers(["left", "right"], size=5)
    cameras.add("left", Stream.DEPTH, frame("before", 0.96))
    bound = cameras.bind("left", frame("image", 1.0), max_depth_slop_s=0.05)
    assert bound_messages(bound) == ["before", None]
    cameras.add("left", Stream.DEPTH, frame("far", 1.05))
    cameras.add("right", Stream.DEPTH, frame("of the other camera", 1.0))
    assert bound_messages(bound) == ["before", None]
    cameras.add("left", Stream.DEPTH, frame("same moment", 1.0))
    cameras.add("left", Stream.INFO, frame("info", 1.0))
    assert bound_messages(bound) == ["same moment", "info"]
    cameras.add("left", Stream.DEPTH, frame("later", 1.01))
    assert bound_messages(bound) == ["same moment", "info"]


def bound_messages(bound: BoundFrame) -> list[str | None]:
    return [None if companion is None else companion.message for companion in (bound.depth, bound.info)]


def test_depth_out_of_the_slop_is_not_bound() -> None:
    cameras = CameraBuffers(["camera"], size=5)
    cameras.add("camera", Stream.DEPTH, frame("depth", 0.9))
    assert cameras.bind("camera", frame("image", 1.0), max_depth_slop_s=0.05).depth is None


@pytest.mark.parametrize(
    ("stream", "companion", "words"),
    [
        (Stream.DEPTH, frame("", 1.0, (32, 24)), "depth is of 32x24 px but the image of 64x48 px"),
        (Stream.INFO, frame("", 1.0, (48, 64)), "camera info is of 48x64 px"),
        (
            Stream.DEPTH,
            frame("", 1.0, frame_id="depth_optical"),
            "'depth_optical' but the image in 'optical'",
        ),
        (Stream.DEPTH, frame("", 1.0, frame_id="optical"), ""),
    ],
)
def test_depth_and_info_of_another_size_or_frame_are_said(
    stream: Stream, companion: BufferedFrame[str], words: str
) -> None:
    bound = BoundFrame(frame("image", 1.0, frame_id="optical"))
    bound.offer(stream, companion)
    assert re.search(words, str(bound.mismatch())) if words else bound.mismatch() is None


def test_nothing_is_left_of_the_frames_of_before_a_clock_was_set_back() -> None:
    cameras = CameraBuffers(["camera"], size=5)
    cameras.add("camera", Stream.IMAGE, frame("old", 1000.0))
    cameras.clear()
    assert len(cameras) == 0


def test_a_buffer_holds_at_least_one_frame() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        FrameBuffer[str](0)
