import re

import pytest

from pixelrs_ros.errors import BadInputError, NoFrameError
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, BufferedFrame, Stream, require_usable
from pixelrs_ros.ros.queueing.frame_buffer import CameraBuffers, FrameBuffer, FrameLimits

S = 1_000_000_000
LIMITS = FrameLimits(max_age_s=2.0, max_slop_s=1.0)


def buffer_of(*stamps_s: float, size: int = 10) -> FrameBuffer[str]:
    frames = FrameBuffer[str](size)
    for stamp_s in stamps_s:
        frames.add(BufferedFrame(f"at {stamp_s:g}", round(stamp_s * S)))
    return frames


def chosen(frames: FrameBuffer[str], stamp_s: float, now_s: float | None = None) -> tuple[str | None, str | None]:
    """The message of the frame that is chosen, and the problem with it."""
    choice = frames.select(round(stamp_s * S), round((stamp_s if now_s is None else now_s) * S), LIMITS)
    problem = None if choice.problem is None else str(choice.problem)
    return None if choice.frame is None else choice.frame.message, problem


@pytest.mark.parametrize(
    ("stamps_s", "stamp_s", "expected"),
    [
        ((1, 2, 3), 1.0, "at 1"),
        ((1, 2, 3), 1.4, "at 1"),
        ((1, 2, 3), 1.6, "at 1"),
        ((1, 2, 3), 1.999, "at 1"),
        ((1, 2, 3), 4.0, "at 3"),
        ((2, 1, 3), 2.5, "at 2"),
        ((0, 2, 4, 6), 3.2, "at 2"),
    ],
)
def test_the_last_frame_captured_until_the_utterance_is_chosen(
    stamps_s: tuple[float, ...], stamp_s: float, expected: str
) -> None:
    assert chosen(buffer_of(*stamps_s), stamp_s) == (expected, None)


def test_of_two_frames_of_one_moment_the_later_arrival_is_chosen() -> None:
    frames = buffer_of(1, 2)
    frames.add(BufferedFrame("again", 2 * S))
    assert chosen(frames, 2.0) == ("again", None)


@pytest.mark.parametrize(("period_ms", "delay_ms"), [(8, 3), (8, 214), (100, 3), (100, 214), (500, 3), (500, 214)])
def test_no_frame_is_ever_later_than_the_utterance(period_ms: int, delay_ms: int) -> None:
    """A camera at 120, 10 or 2 Hz; the instruction comes so long after it was begun."""
    for begun_ms in range(1000, 2000, 17):
        frames = buffer_of(*(ms / 1000 for ms in range(0, begun_ms + delay_ms, period_ms)), size=1000)
        choice = frames.select(begun_ms * S // 1000, (begun_ms + delay_ms) * S // 1000, LIMITS)
        assert choice.frame is not None and choice.problem is None
        assert 0 <= begun_ms * S // 1000 - choice.frame.stamp_ns < period_ms * S // 1000


def test_no_later_and_no_old_frame_stands_in_for_a_missing_one() -> None:
    message, problem = chosen(buffer_of(0, 5, 10), 8.2, 10.0)
    assert message == "at 5" and problem is not None and "3.2 s older" in problem and "raise max_frame_age_s" in problem
    message, problem = chosen(buffer_of(5, 6), 4.0, 6.0)
    assert message is None and problem is not None and "the first is 1 s younger" in problem


def test_the_newest_push_out_the_oldest() -> None:
    frames = buffer_of(1, 2, 3, size=2)
    assert (len(frames), frames.last_until(1 * S)) == (2, None)


def with_one_from_the_future(*stamps_s: float) -> FrameBuffer[str]:
    frames = buffer_of(*stamps_s)
    frames.add(BufferedFrame("of the future", 1_000_000 * S, ahead=True))
    return frames


@pytest.mark.parametrize(
    ("stamps_s", "stamp_s", "final", "why"),
    [
        ((1.0, 1.1, 1.2), 1.29, True, "the next image will be captured after the utterance"),
        ((1.0, 1.1, 1.2), 1.31, False, "an image captured before the utterance is on its way"),
        ((1.0, 1.1), 1.3, False, "nor is it part of the rhythm"),
        ((1.0,), 1.01, False, "a camera without a rhythm as yet"),
        ((), 1.0, False, "the first image may be on its way"),
    ],
)
def test_a_frame_from_the_future_changes_nothing_about_waiting(
    stamps_s: tuple[float, ...], stamp_s: float, final: bool, why: str
) -> None:
    choice = with_one_from_the_future(*stamps_s).select(round(stamp_s * S), round(stamp_s * S), LIMITS)
    assert choice.final == final, why
    assert (choice.frame is None) == (not stamps_s)


def test_a_frame_from_the_future_leaves_with_the_next_one_that_is_not() -> None:
    frames = with_one_from_the_future(1.0, 1.1)
    assert len(frames) == 3
    frames.add(BufferedFrame("at 1.2", round(1.2 * S)))
    assert [frames.last_until(10_000_000 * S), len(frames)] == [frames.newest(), 3]
    assert chosen(frames, 0, 1.2) == ("at 1.2", None)


def test_a_camera_ahead_of_the_nodes_clock_keeps_its_frames() -> None:
    frames = FrameBuffer[str](5)
    for stamp_s in (101, 102, 103):
        frames.add(BufferedFrame(f"at {stamp_s}", stamp_s * S, ahead=True))
    choice = frames.select(round(102.5 * S), 1 * S, LIMITS)
    assert (choice.frame and choice.frame.message, choice.problem, choice.final) == ("at 102", None, True)
    message, problem = chosen(frames, 1.0)
    assert message is None and problem is not None and "in the future" in problem and "same clock" in problem


@pytest.mark.parametrize("stamp_s", [-1e9, 1e9, 1.0])
def test_the_newest_is_meant_whatever_the_clocks_say_as_long_as_it_comes(stamp_s: float) -> None:
    now_s = 50.0
    frames = FrameBuffer[str](5, clock_s=lambda: now_s)
    frames.add(BufferedFrame("other clock", round(stamp_s * S), arrived_s=49.5))
    choice = frames.select(0, 10_000 * S, LIMITS)
    assert (choice.frame and choice.frame.message, choice.problem, choice.final) == ("other clock", None, True)
    assert choice.age_s == 0.5
    now_s = 53.0
    choice = frames.select(0, 10_000 * S, LIMITS)
    assert choice.problem is not None and "3.5 s older" in str(choice.problem)


def test_the_newest_is_taken_while_the_nodes_clock_stands_still() -> None:
    frames = FrameBuffer[str](5, clock_s=lambda: 1000.0)
    frames.add(BufferedFrame("paused", 5 * S, arrived_s=1.0))
    assert chosen(frames, 0, 6.0) == ("paused", None)


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
        ((5.0, 6.0), 3.0, 6.0, "2 s younger: .* frame_buffer_size.* frame_policy to latest"),
        ((1.0,), 4.0, 4.0, "same clock, or set frame_policy to latest"),
    ],
)
def test_a_frame_of_another_time_is_refused(
    stamps_s: tuple[float, ...], stamp_s: float, now_s: float, words: str
) -> None:
    choice = buffer_of(*stamps_s).select(round(stamp_s * S), round(now_s * S), LIMITS)
    with pytest.raises(NoFrameError, match=words):
        require_usable(BoundFrame(choice.frame) if choice.frame else None, choice.problem)


def test_only_an_instruction_about_a_bad_image_is_refused() -> None:
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
        ((0.0, 5.0, 10.0), 8.2, True, "too old, but the next one is later"),
        ((), 1.0, False, "the first image may be on its way"),
        ((5.0, 6.0), 3.0, True, "the images of that moment are gone for good"),
    ],
)
def test_the_choice_is_final_when_no_better_frame_can_be_on_its_way(
    stamps_s: tuple[float, ...], stamp_s: float, final: bool, why: str
) -> None:
    now_s = max(stamp_s, *stamps_s, 0.0)
    assert buffer_of(*stamps_s).select(round(stamp_s * S), round(now_s * S), LIMITS).final == final, why


def frame(message: str, stamp_s: float, size_px: tuple[int, int] = (64, 48), frame_id: str = "") -> BufferedFrame[str]:
    return BufferedFrame(message, round(stamp_s * S), size_px=size_px, frame_id=frame_id)


def test_depth_and_info_nearest_in_time_are_bound_also_when_they_come_later() -> None:
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


@pytest.mark.parametrize("late", [False, True])
def test_depth_and_info_out_of_the_slop_are_not_bound_and_it_is_said(late: bool) -> None:
    cameras = CameraBuffers(["camera"], size=5)
    bound = cameras.bind("camera", frame("image", 1.0), max_depth_slop_s=0.05) if late else None
    cameras.add("camera", Stream.DEPTH, frame("depth", 0.934))
    cameras.add("camera", Stream.INFO, frame("at 1 Hz", 1.5))
    bound = bound or cameras.bind("camera", frame("image", 1.0), max_depth_slop_s=0.05)
    assert (bound.depth, bound.info) == (None, None)
    assert re.search(r"depth is 66 ms off .* max_depth_slop_s \(0.05 s\)", str(bound.missing(Stream.DEPTH)))
    assert "camera info is 500 ms off" in str(bound.missing(Stream.INFO))
    assert str(bound.mismatch()) == bound.missing(Stream.DEPTH)
    cameras.add("camera", Stream.DEPTH, frame("of its moment", 1.0, (0, 0)))
    assert bound.missing(Stream.DEPTH) is None


def test_depth_that_nobody_sends_is_missing_and_no_mismatch() -> None:
    bound = BoundFrame(frame("image", 1.0))
    bound.offer(Stream.INFO, frame("info at 1 Hz", 1.5))
    assert bound.mismatch() is None
    assert "no depth image came" in str(bound.missing(Stream.DEPTH)) and "depth_topics" in str(
        bound.missing(Stream.DEPTH)
    )


def test_what_is_wrong_with_a_cameras_topic_is_said_where_no_image_came() -> None:
    cameras = CameraBuffers(["camera"], size=5)
    cameras.complaints["camera"] = "its topic carries something else"
    _, choice = cameras.select("", 1 * S, 1 * S, LIMITS)
    assert "no image has arrived yet: its topic carries something else" in str(choice.problem)


@pytest.mark.parametrize(
    ("stamps_s", "stamp_s", "final", "problem"),
    [
        ((1, 2, 3), 3.9, True, None),
        ((1, 2, 3), 4.1, True, r"2.1 s older than the instruction, more than max_frame_age_s \(2 s\)"),
        ((1, 3), 3.0, True, "no longer here, .* raise frame_buffer_size"),
        ((1,), 3.0, False, "has not arrived"),
        ((), 3.0, False, "has not arrived"),
    ],
)
def test_what_is_pointed_at_is_in_one_image_and_no_other(
    stamps_s: tuple[float, ...], stamp_s: float, final: bool, problem: str | None
) -> None:
    cameras = CameraBuffers(["camera"], size=5)
    for each in stamps_s:
        cameras.add("camera", Stream.IMAGE, frame(f"at {each:g}", each))
    _, choice = cameras.select("", round(stamp_s * S), 10 * S, LIMITS, pointed_ns=2 * S)
    assert choice.final is final
    assert (choice.problem is None) if problem is None else re.search(problem, str(choice.problem))
    assert (None if choice.frame is None else choice.frame.message) == ("at 2" if 2 in stamps_s else None)


def test_a_slash_before_a_frame_id_does_not_matter() -> None:
    cameras = CameraBuffers(["left", "right"], size=5)
    cameras.add("left", Stream.IMAGE, frame("l", 1.0, frame_id="/left_optical"))
    cameras.add("right", Stream.IMAGE, frame("r", 1.0, frame_id="right_optical"))
    assert cameras.select("left_optical", 1 * S, 1 * S, LIMITS)[0] == "left"
    assert cameras.select("/right_optical", 1 * S, 1 * S, LIMITS)[0] == "right"


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
        (Stream.INFO, frame("", 1.0, frame_id="/optical"), ""),
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
