"""What an instruction waits for, which image it gets, and what happens to it meanwhile; without a graph."""

import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from pixelrs_ros.msg import Instruction

from pixelrs_ros.errors import BadInputError, TurnCancelledError
from pixelrs_ros.ros.perception.health import Health
from pixelrs_ros.ros.perception.intake import Intake
from pixelrs_ros.ros.queueing.bound_frame import BufferedFrame, Stream
from pixelrs_ros.ros.queueing.frame_buffer import CameraBuffers
from pixelrs_ros.ros.queueing.session_frames import FramePolicy, SessionFrames
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.queueing.worker import Bounds, RejectionKind, Submission
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Status

MS = 1_000_000
START = 100_000 * MS


class Values:
    max_waiting = 2
    max_sessions = 8
    max_frame_age_s = 2.0
    max_frame_slop_s = 2.0
    max_frame_wait_s = 0.3
    max_depth_slop_s = 0.05
    frame_policy = "per_turn"
    busy_policy = "queue"
    max_instructions_per_s = 1000.0
    instruction_burst = 1000
    max_tracked_sessions = 1000
    min_confidence = 0.5


class Desk:
    """An intake with everything around it, and a clock that the test moves."""

    def __init__(self) -> None:
        self.values = Values()
        self.now_ns = START
        self.known: set[str] = set()
        self.queued: list[TurnRequest] = []
        self.refused: list[tuple[str, Status]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.cameras = CameraBuffers(["camera"], size=5)
        self.sessions = SessionFrames(lambda: self.known)
        self.room = True
        self.intake = Intake(
            self.cameras,
            self.sessions,
            cast(Any, self),
            cast(Any, self),
            Health("/perception"),
            parameters=lambda: cast(Any, self.values),
            now_ns=lambda: self.now_ns,
            call_later=lambda delay_s, call: self.timers.append((delay_s, call)),
        )

    # The answers and the worker, as far as an intake knows them.

    def refuse(self, request: TurnRequest, status: Status, message: str, text: str) -> None:
        assert message
        self.refused.append((request.instruction.text, status))
        self.end(request, answered=False)

    def rejection(self, request: TurnRequest, bounds: Bounds) -> RejectionKind | None:
        return None if self.room else RejectionKind.QUEUE_FULL

    def submit(self, request: TurnRequest, bounds: Bounds) -> Submission[TurnRequest]:
        rejection = self.rejection(request, bounds)
        if rejection is None:
            self.queued.append(request)
        return Submission(rejection)

    def jobs_of(self, session_id: str) -> list[TurnRequest]:
        return [request for request in self.queued if request.session_id == session_id]

    def withdraw(self, request: TurnRequest) -> bool:
        if request not in self.queued:
            return False
        self.queued.remove(request)
        return True

    def end(self, request: TurnRequest, *, answered: bool = True) -> None:
        if answered:
            self.known.add(request.session_id)
        self.sessions.close(request.session_id, request.bound, answered=answered)

    # The user and the camera, in milliseconds since the start.

    def say(self, text: str, at_ms: int | None = None, session_id: str = "", policy: int = 0) -> TurnRequest:
        """`at_ms` None: without a stamp."""
        message = Instruction(text=text, session_id=session_id, frame_policy=policy, confidence=1.0)
        if at_ms is not None:
            message.header.stamp = conversions.ns_to_stamp(START + at_ms * MS)
        request = TurnRequest(message, conversions.stamp_to_ns(message.header.stamp))
        self.intake.take(request)
        return request

    def show(self, *at_ms: int) -> None:
        for stamp_ms in at_ms:
            self.now_ns = START + stamp_ms * MS
            self.cameras.add("camera", Stream.IMAGE, BufferedFrame(f"at {stamp_ms}", self.now_ns))
            self.intake.bind_waiting()

    def texts(self) -> list[str]:
        return [request.instruction.text for request in self.queued]


def image_of(request: TurnRequest) -> str:
    assert request.bound is not None
    return str(request.bound.image.message)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [(100, "at 100"), (140, "at 100"), (160, "at 100"), (200, "at 200"), (299, "at 200"), (None, "at 200")],
)
def test_an_image_of_the_moment_is_pinned_at_once(desk: Desk, at_ms: int | None, expected: str) -> None:
    desk.show(0, 100, 200)
    assert image_of(desk.say("now", at_ms)) == expected
    assert not desk.timers


def test_an_image_captured_before_the_utterance_is_waited_for(desk: Desk) -> None:
    desk.show(0, 100, 200)
    request = desk.say("now", 310)
    assert (desk.texts(), desk.intake.waiting) == ([], 1)
    desk.show(300)
    assert (image_of(request), desk.texts(), desk.intake.waiting) == ("at 300", ["now"], 0)
    ((delay_s, lose_patience),) = desk.timers
    assert delay_s == desk.values.max_frame_wait_s
    lose_patience()
    assert desk.texts() == ["now"], "the timer comes too late to do anything"


def test_an_image_that_does_not_come_is_replaced_by_the_last_one_before(desk: Desk) -> None:
    desk.show(0, 100, 200)
    request = desk.say("now", 800)
    desk.timers[0][1]()
    assert (image_of(request), request.problem) == ("at 200", None)


@pytest.mark.parametrize(("stamps_ms", "words"), [((), "no image has arrived"), ((0, 100), "2.9 s older")])
def test_without_an_image_of_the_moment_the_problem_is_said_after_the_wait(
    desk: Desk, stamps_ms: tuple[int, ...], words: str
) -> None:
    desk.show(*stamps_ms)
    request = desk.say("now", 3000)
    assert not desk.queued
    desk.timers[0][1]()
    assert (desk.texts(), words in str(request.problem)) == (["now"], True)


def test_nobody_waits_who_does_not_want_to(desk: Desk) -> None:
    desk.values.max_frame_wait_s = 0.0
    desk.show(0)
    assert image_of(desk.say("now", 800)) == "at 0"


def test_a_dialogue_keeps_its_order_and_holds_up_no_other(desk: Desk) -> None:
    desk.show(0, 100, 200)
    desk.say("first", 400, "kitchen")
    desk.say("second", 200, "kitchen")
    desk.say("other", 200, "hall")
    assert desk.texts() == ["other"]
    desk.show(390)
    assert desk.texts() == ["other", "first", "second"]


def test_too_many_that_wait_for_an_image_are_rejected(desk: Desk) -> None:
    for text in ("0", "1", "2"):
        desk.say(text, 100)
    assert (desk.refused, desk.intake.waiting) == ([("2", Status.REJECTED)], 2)


def test_too_many_dialogues_that_wait_for_an_image_are_rejected(desk: Desk) -> None:
    for number in range(9):
        desk.say("now", 100, f"session {number}")
    assert (desk.refused, desk.intake.waiting) == ([("now", Status.REJECTED)], 8)


def test_a_full_queue_rejects(desk: Desk) -> None:
    desk.show(0)
    desk.room = False
    desk.say("now", 0)
    assert desk.refused == [("now", Status.REJECTED)]


def test_a_queue_that_fills_up_while_an_image_is_waited_for_rejects(desk: Desk) -> None:
    desk.say("now", 100)
    desk.room = False
    desk.show(100)
    assert desk.refused == [("now", Status.REJECTED)]


def test_a_newer_instruction_preempts_one_that_waits_for_its_image(desk: Desk) -> None:
    desk.values.busy_policy = "preempt"
    desk.say("old", 100, "kitchen")
    desk.say("other", 100, "hall")
    desk.say("new", 100, "kitchen")
    desk.show(100)
    assert (desk.refused, desk.texts()) == ([("old", Status.CANCELLED)], ["other", "new"])


def test_what_waits_can_be_cancelled_and_lets_those_behind_it_pass(desk: Desk) -> None:
    desk.show(0, 100, 200)
    first = desk.say("first", 400)
    desk.say("second", 200)
    desk.intake.cancel(first, "no longer wanted")
    assert (desk.refused, desk.texts()) == ([("first", Status.CANCELLED)], ["second"])


def test_what_is_queued_can_be_cancelled_and_what_runs_is_told(desk: Desk) -> None:
    desk.show(0)
    queued, running = desk.say("queued", 0), desk.say("running", 0)
    desk.queued.remove(running)
    desk.intake.cancel(queued, "no longer wanted")
    desk.intake.cancel(running, "no longer wanted")
    assert (desk.refused, desk.queued) == ([("queued", Status.CANCELLED)], [])
    with pytest.raises(TurnCancelledError, match="no longer wanted"):
        running.check()


def test_what_waits_for_an_image_at_the_end_is_given_back(desk: Desk) -> None:
    request = desk.say("now", 100)
    assert (desk.intake.close(), desk.intake.waiting) == ([request], 0)


def test_latest_takes_the_newest_image_whatever_the_stamp(desk: Desk) -> None:
    desk.show(0, 100, 200)
    assert image_of(desk.say("a", 0, policy=Instruction.LATEST)) == "at 200"
    assert image_of(desk.say("b", 0)) == "at 200", "the policy stays"
    assert image_of(desk.say("c", 0, "other session")) == "at 0"
    assert image_of(desk.say("d", 0, policy=Instruction.PER_TURN)) == "at 0"


def test_an_image_from_the_future_neither_ends_the_wait_nor_stays(desk: Desk) -> None:
    desk.show(0, 100, 200)
    desk.cameras.add("camera", Stream.IMAGE, BufferedFrame("of the future", START + 10**9 * MS, ahead=True))
    request = desk.say("now", 310)
    assert (desk.texts(), desk.intake.waiting) == ([], 1)
    desk.show(300)
    assert (image_of(request), len(desk.cameras)) == ("at 300", 4)


def test_latest_takes_the_newest_image_of_a_camera_with_another_clock(desk: Desk) -> None:
    desk.cameras.add("camera", Stream.IMAGE, BufferedFrame("recorded", 7 * MS, arrived_s=time.monotonic()))
    request = desk.say("a", 0, policy=Instruction.LATEST)
    assert (image_of(request), request.problem) == ("recorded", None)
    assert request.captured_s is not None and time.perf_counter() - request.captured_s < 10.0
    desk.say("b", 0, policy=Instruction.PER_TURN)
    desk.timers[0][1]()
    assert "set frame_policy to latest" in str(desk.queued[-1].problem)


def test_latest_does_not_take_a_stale_image(desk: Desk) -> None:
    desk.show(0)
    desk.now_ns = START + 3000 * MS
    request = desk.say("a", 3000, policy=Instruction.LATEST)
    desk.timers[0][1]()
    assert "3.0 s older" in str(request.problem)


def test_pin_first_keeps_the_image_of_the_first_turn_with_its_depth(desk: Desk) -> None:
    desk.values.frame_policy = "pin_first"
    desk.cameras.add("camera", Stream.DEPTH, BufferedFrame("depth", START))
    desk.show(0)
    first = desk.say("a", 0)
    desk.end(first)
    desk.show(*range(100, 2000, 100))
    again = desk.say("b", 9_000)
    assert again.bound is first.bound
    assert again.bound is not None and again.bound.depth is not None and again.bound.depth.message == "depth"
    assert image_of(desk.say("c", 1900, "other session")) == "at 1900"


def test_a_turn_without_an_answer_pins_nothing(desk: Desk) -> None:
    desk.values.frame_policy = "pin_first"
    desk.show(0, 100)
    desk.end(desk.say("cancelled", 0), answered=False)
    cancelled, second = desk.say("cancelled too", 100), desk.say("second", 0)
    desk.end(cancelled, answered=False)
    desk.end(second)
    desk.show(200)
    assert [image_of(request) for request in (second, desk.say("third", 200))] == ["at 100", "at 100"]


def test_an_image_that_cannot_be_used_is_not_pinned(desk: Desk) -> None:
    desk.values.frame_policy = "pin_first"
    desk.cameras.add("camera", Stream.IMAGE, BufferedFrame("bad", START, error=BadInputError("truncated")))
    desk.end(desk.say("a", 0), answered=False)
    desk.show(100)
    assert image_of(desk.say("b", 100)) == "at 100"


def test_an_unknown_policy_is_bad_input(desk: Desk) -> None:
    desk.show(0)
    desk.say("a", 0, policy=9)
    assert desk.refused == [("a", Status.BAD_INPUT)]


def test_a_dialogue_that_is_reset_forgets_its_image_and_policy(desk: Desk) -> None:
    desk.show(0)
    desk.end(desk.say("a", 0, policy=Instruction.PIN_FIRST))
    desk.show(100)
    desk.sessions.forget("default")
    assert image_of(desk.say("b", 100)) == "at 100"
    assert desk.sessions.policy("default", FramePolicy.PER_TURN) is FramePolicy.PER_TURN


def test_only_dialogues_that_are_remembered_keep_an_image(desk: Desk) -> None:
    desk.values.frame_policy = "pin_first"
    desk.show(0)
    for number in range(50):
        request = desk.say("a", 0, f"session {number}")
        desk.known.clear()
        desk.end(request)
    pinned = [number for number in range(50) if desk.sessions.pinned(f"session {number}") is not None]
    assert pinned == [49]
