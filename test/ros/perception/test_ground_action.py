"""The action over real topics: goals, feedback, cancelling and deadlines."""

from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration
from node_bench import DEADLINE_S, Bench
from pixelrs_ros.action import Ground
from pixelrs_ros.msg import Instruction, Segmentation
from rclpy.action import ActionClient
from rclpy.parameter import Parameter

from pixelrs_ros.ros.queueing.turn_request import Stage
from pixelrs_ros.ros.wire import conversions

FOR_EVER_S = 60.0


class Caller:
    """Sends goals to the node of a bench and keeps what comes back."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.client: ActionClient[Any, Any, Any] = ActionClient(bench.caller, Ground, "perception/ground")
        assert self.client.wait_for_server(DEADLINE_S)
        # The client sees the server; what the server sends is lost until it sees the client.
        bench.until(lambda: bench.node.count_subscribers("perception/ground/_action/feedback") > 0)
        self.feedback: list[Ground.Feedback] = []

    def wait(self, future: Any) -> Any:
        self.bench.until(future.done)
        return future.result()

    def send(self, text: str, session_id: str = "", deadline: Duration | None = None) -> Any:
        """The handle of a goal about the newest image."""
        instruction = Instruction(text=text, session_id=session_id, confidence=1.0)
        goal = Ground.Goal(instruction=instruction, deadline=deadline or Duration())
        handle = self.wait(self.client.send_goal_async(goal, lambda message: self.feedback.append(message.feedback)))
        assert handle.accepted
        return handle

    def result(self, handle: Any) -> tuple[int, Ground.Result]:
        response = self.wait(handle.get_result_async())
        return response.status, response.result

    def begin(self, text: str, **how: Any) -> Any:
        """The handle of a goal that the network has begun to answer."""
        handle = self.send(text, **how)
        self.bench.until(lambda: self.bench.echo.begun.acquire(blocking=False))
        return handle

    def waiting(self) -> int:
        active = self.bench.node.active
        assert active is not None
        return active.worker.waiting + active.intake.waiting


@pytest.fixture
def caller(bench: Bench) -> Caller:
    bench.activate()
    bench.show(bench.now_ns(), value=7)
    return Caller(bench)


def test_the_stages_are_those_of_the_interface() -> None:
    assert {stage.name: stage.value for stage in Stage} == {
        name: getattr(Ground.Feedback, name) for name in ("QUEUED", "ENCODING", "REASONING", "GROUNDING")
    }


def test_a_goal_is_answered_with_feedback_and_its_turn_is_published(caller: Caller) -> None:
    bench = caller.bench
    handle = caller.send("point", session_id="kitchen")
    bench.until(lambda: {feedback.stage for feedback in caller.feedback} == set(Stage))
    bench.echo.more.release(2)  # not before: rclpy gives nobody the feedback that comes after the goal's end
    status, result = caller.result(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED
    bench.answers(1)
    assert (bench.segmentations, bench.finals()) == ([result.segmentation], [result.explanation])
    assert (result.segmentation.status, result.segmentation.session_id) == (Segmentation.GROUNDED, "kitchen")
    assert result.segmentation.header.frame_id == "frame 7"
    stages = [feedback.stage for feedback in caller.feedback]
    assert stages == sorted(stages) and set(stages) == set(Stage)
    elapsed_ns = [conversions.stamp_to_ns(feedback.elapsed) for feedback in caller.feedback]
    assert elapsed_ns == sorted(elapsed_ns)
    assert [feedback.text for feedback in caller.feedback if feedback.stage == Stage.REASONING] == ["grow"]


def test_feedback_needs_no_partial_messages(caller: Caller) -> None:
    caller.bench.node.set_parameters([Parameter("publish_partials", value=False)])
    handle = caller.send("point")
    caller.bench.until(lambda: {feedback.stage for feedback in caller.feedback} == set(Stage))
    caller.bench.echo.more.release(2)
    caller.result(handle)
    assert not caller.bench.partials


def test_a_running_turn_is_cancelled_at_its_next_token_and_leaves_no_trace(caller: Caller) -> None:
    bench = caller.bench
    caller.result(caller.begin("before"))
    handle = caller.begin("talk")
    bench.until(lambda: any(feedback.text.startswith("word") for feedback in caller.feedback))
    assert caller.wait(handle.cancel_goal_async()).goals_canceling
    status, result = caller.result(handle)
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_CANCELED, Segmentation.CANCELLED)
    assert "cancelled" in result.segmentation.message
    assert [turn.text for turn in bench.echo.turns("default")] == ["before"]
    status, result = caller.result(caller.send("after"))
    assert (status, result.segmentation.turn) == (GoalStatus.STATUS_SUCCEEDED, 2), "1 was the cancelled one's"


def test_a_queued_turn_is_cancelled_at_once_and_never_begun(caller: Caller) -> None:
    bench = caller.bench
    bench.echo.go.clear()
    running = caller.begin("running")
    queued = caller.send("queued")
    caller.wait(queued.cancel_goal_async())
    status, result = caller.result(queued)
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_CANCELED, Segmentation.CANCELLED)
    bench.echo.go.set()
    assert caller.result(running)[0] == GoalStatus.STATUS_SUCCEEDED
    assert bench.echo.said == [("default", "running")]


def test_a_turn_that_waits_for_its_image_is_cancelled_at_once(caller: Caller) -> None:
    caller.bench.node.set_parameters([Parameter("max_frame_wait_s", value=FOR_EVER_S)])
    instruction = Instruction(text="later", confidence=1.0)
    instruction.header.stamp = conversions.ns_to_stamp(caller.bench.now_ns() + 1_000_000_000)
    handle = caller.wait(caller.client.send_goal_async(Ground.Goal(instruction=instruction)))
    assert caller.waiting() == 1
    caller.wait(handle.cancel_goal_async())
    assert caller.result(handle)[0] == GoalStatus.STATUS_CANCELED
    assert caller.waiting() == 0


def test_an_answer_that_is_done_is_not_taken_back(caller: Caller) -> None:
    handle = caller.send("done")
    assert caller.result(handle)[0] == GoalStatus.STATUS_SUCCEEDED
    assert not caller.wait(handle.cancel_goal_async()).goals_canceling
    assert [turn.text for turn in caller.bench.echo.turns("default")] == ["done"]


def test_a_running_turn_ends_at_its_deadline(caller: Caller) -> None:
    status, result = caller.result(caller.send("talk", deadline=Duration(nanosec=200_000_000)))
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, Segmentation.CANCELLED)
    assert "deadline of 0.2 s" in result.explanation.text
    assert not caller.bench.echo.turns("default")


@pytest.mark.parametrize("deadline", [Duration(nanosec=1_000_000), Duration(sec=-1)])
def test_a_queued_turn_ends_at_its_deadline(caller: Caller, deadline: Duration) -> None:
    caller.bench.echo.go.clear()
    running = caller.begin("running", deadline=Duration(sec=round(FOR_EVER_S)))
    status, result = caller.result(caller.send("queued", deadline=deadline))
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, Segmentation.CANCELLED)
    caller.bench.echo.go.set()
    assert caller.result(running)[0] == GoalStatus.STATUS_SUCCEEDED


@pytest.mark.parametrize(("text", "expected"), [("", Segmentation.BAD_INPUT), ("fail", Segmentation.INTERNAL_ERROR)])
def test_what_cannot_be_done_is_aborted_with_the_reason(caller: Caller, text: str, expected: int) -> None:
    status, result = caller.result(caller.send(text))
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, expected)
    assert result.segmentation.message == result.explanation.text != ""


def test_a_full_queue_rejects(caller: Caller) -> None:
    caller.bench.echo.go.clear()
    handles = [caller.begin("0"), caller.send("1"), caller.send("2"), caller.send("3")]
    status, result = caller.result(handles[-1])
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, Segmentation.REJECTED)
    caller.bench.echo.go.set()
    assert [caller.result(handle)[0] for handle in handles[:3]] == [GoalStatus.STATUS_SUCCEEDED] * 3


def test_deactivation_ends_the_goals_and_an_inactive_node_says_so(caller: Caller) -> None:
    bench = caller.bench
    running = caller.begin("talk")
    queued = caller.send("queued")
    bench.node.trigger_deactivate()
    for handle, expected in ((running, Segmentation.CANCELLED), (queued, Segmentation.REJECTED)):
        status, result = caller.result(handle)
        assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, expected)
        assert "deactivated" in result.segmentation.message
    status, result = caller.result(caller.send("too late"))
    assert (status, result.segmentation.status) == (GoalStatus.STATUS_ABORTED, Segmentation.REJECTED)
    assert "not active" in result.segmentation.message
    bench.node.trigger_activate()
    bench.show(bench.now_ns())
    assert caller.result(caller.send("again"))[0] == GoalStatus.STATUS_SUCCEEDED


def test_many_goals_at_once_each_get_their_own_answer(caller: Caller) -> None:
    handles = {name: caller.send(name, session_id=name) for name in ("a", "b", "c")}
    assert {name: caller.result(handle)[1].explanation.text for name, handle in handles.items()} == {
        name: f"{name} 7" for name in handles
    }
