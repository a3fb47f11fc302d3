import pytest

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.ros.frames import BufferedFrame, FrameBuffer, require_usable

S = 1_000_000_000


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
    frame = require_usable(buffer_of(1, 2, 3).select(0, now_ns=4 * S, max_age_s=2.0, max_slop_s=1.0))
    assert frame.message == "at 3"


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
    selected = buffer_of(*stamps_s).select(round(stamp_s * S), now_ns=round(now_s * S), max_age_s=2.0, max_slop_s=1.0)
    with pytest.raises(BadInputError, match=words):
        require_usable(selected)


def test_an_instruction_about_a_bad_image_is_refused_and_one_about_a_good_one_is_not() -> None:
    frames = buffer_of(1)
    frames.add(BufferedFrame("bad", 2 * S, error="the image is truncated"))
    with pytest.raises(BadInputError, match="truncated"):
        require_usable(frames.select(2 * S, now_ns=2 * S, max_age_s=9.0, max_slop_s=9.0))
    assert require_usable(frames.select(1 * S, now_ns=2 * S, max_age_s=9.0, max_slop_s=9.0)).message == "at 1"


def test_a_buffer_holds_at_least_one_frame() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        FrameBuffer[str](0)
