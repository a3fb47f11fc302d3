"""The client that robot programs use, with a real node over real topics and a network that echoes."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest
import rclpy
from node_bench import DEADLINE_S, Bench
from pixelrs_ros.msg import Explanation, Segmentation
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from spinning import spinning

from pixelrs_ros.client import Answer, NoAnswerError, PixelrsClient
from pixelrs_ros.types import Status


class Robot:
    """An active node that a thread spins, and a client of it that spins its own node."""

    def __init__(self, bench: Bench, client: PixelrsClient) -> None:
        self.bench = bench
        self.client = client


@pytest.fixture
def bench() -> Iterator[Bench]:
    from node_bench import Echo

    rclpy.init()
    bench = Bench(Echo(), max_waiting=2)
    bench.activate()
    bench.show(bench.now_ns(), value=7)
    yield bench
    bench.close()
    rclpy.shutdown()


@pytest.fixture
def robot(bench: Bench) -> Iterator[Robot]:
    with spinning(bench.executor):
        client = PixelrsClient(partial_masks=True)
        client.wait_until_ready(DEADLINE_S)
        yield Robot(bench, client)
        bench.echo.go.set()
        bench.echo.more.release(10)
    client.destroy()


def test_an_instruction_is_answered_with_words_and_no_mask(robot: Robot) -> None:
    answer = robot.client.ground("which", timeout_s=DEADLINE_S)
    assert (answer.status, answer.answered, answer.text, answer.masks) == (Status.ANSWERED, True, "which 7", [])
    assert answer.latency_ms["encode"] == 1.0


def test_masks_come_as_arrays_of_the_images_size(robot: Robot) -> None:
    robot.bench.echo.more.release(2)
    answer = robot.client.ground("point", timeout_s=DEADLINE_S)
    assert (answer.status, [segment.phrase for segment in answer.segments]) == (Status.GROUNDED, ["row 0", "row 1"])
    expected = np.zeros((2, 4, 4), np.bool_)
    expected[0, 0] = expected[1, 1] = True
    assert np.array_equal(answer.masks, expected)


def test_over_the_topics_words_and_masks_are_heard_while_they_grow(robot: Robot) -> None:
    words: list[str] = []
    masks: list[int] = []
    robot.bench.echo.more.release(2)
    answer = robot.client.say(
        "point",
        session_id="kitchen",
        timeout_s=DEADLINE_S,
        on_text=words.append,
        on_masks=lambda message: masks.append(len(message.segments)),
    )
    assert (words[0], answer.segmentation.session_id) == ("grow", "kitchen")
    assert masks == sorted(masks) and masks[-1] == 2


def test_answers_are_told_apart_whatever_their_order(robot: Robot) -> None:
    pending = [robot.client.send(text, session_id=text) for text in ("a", "b", "c")]
    assert len({each.stamp_ns for each in pending}) == 3
    assert [robot.client.wait_for(each, DEADLINE_S).text for each in reversed(pending)] == ["c 7", "b 7", "a 7"]


def test_a_turn_is_cancelled_and_says_so(robot: Robot) -> None:
    pending = robot.client.ground_async("talk")
    assert robot.bench.echo.begun.acquire(timeout=DEADLINE_S)
    assert pending.cancel()
    answer = robot.client.wait_for(pending, DEADLINE_S)
    assert (answer.status, answer.answered, answer.text) == (Status.CANCELLED, False, "the goal was cancelled")
    assert not pending.cancel(), "it has ended"
    assert not robot.client.send("which").cancel(), "topics have no way back"


def test_a_turn_that_takes_too_long_is_ended_by_the_node(robot: Robot) -> None:
    answer = robot.client.ground("talk", timeout_s=0.5)
    assert answer.status is Status.CANCELLED
    assert "deadline" in answer.text


def test_a_dialogue_is_reset(robot: Robot) -> None:
    for text in ("a", "b"):
        robot.client.ground(text, session_id="kitchen", timeout_s=DEADLINE_S)
    assert robot.client.reset("kitchen", timeout_s=DEADLINE_S) == 2
    assert robot.client.reset("kitchen", timeout_s=DEADLINE_S) == 0


def test_who_does_not_answer_is_named(robot: Robot) -> None:
    robot.bench.echo.go.clear()
    with pytest.raises(NoAnswerError, match=r"perception in / did not answer in 0\.2 s"):
        robot.client.say("which", timeout_s=0.2)
    nobody = PixelrsClient(perception="nobody", namespace="elsewhere")
    with pytest.raises(NoAnswerError, match="no perception node in /elsewhere"):
        nobody.wait_until_ready(0.1)
    with pytest.raises(NoAnswerError, match="nobody does not serve ~/ground"):
        nobody.ground("which", timeout_s=0.1)
    with pytest.raises(NoAnswerError, match="nobody does not serve ~/reset_dialogue"):
        nobody.reset(timeout_s=0.1)
    with pytest.raises(NoAnswerError, match="a node ended"):
        nobody.wait_until_ready(DEADLINE_S, alive=lambda: False)
    nobody.destroy()


def test_a_robots_own_node_awaits_answers_in_its_callbacks(bench: Bench) -> None:
    node = Node("my_robot")
    client = PixelrsClient(node, spin=False)
    answers: Future[Answer] = Future()

    async def ask() -> None:  # rclpy runs coroutines too, though its types do not say so
        timer.cancel()
        answers.set_result(await client.ground_async("which"))

    bench.executor.add_node(node)
    bench.until(client.is_ready)
    bench.until(lambda: bench.node.count_subscribers("perception/ground/_action/feedback") > 0)
    timer = node.create_timer(0.01, cast(Any, ask))
    bench.until(answers.done)
    answer = answers.result()
    assert answer is not None and answer.text == "which 7"
    client.destroy()
    node.destroy_node()


def test_while_another_thread_spins_the_node_calls_may_wait(bench: Bench) -> None:
    node, executor = Node("my_robot"), SingleThreadedExecutor()
    client = PixelrsClient(node, spin=False)
    for each in (node, bench.node):
        executor.add_node(each)
    with spinning(executor):
        client.wait_until_ready(DEADLINE_S)
        assert client.say("which", timeout_s=DEADLINE_S).text == "which 7"
    client.destroy()
    node.destroy_node()


def test_a_failed_turn_says_why() -> None:
    answer = Answer(Segmentation(status=Segmentation.NO_FRAME), Explanation(text="no image has arrived yet"))
    assert (answer.status, answer.answered, answer.text) == (Status.NO_FRAME, False, "no image has arrived yet")
