"""The console's node with a real perception node over DDS, whose network echoes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from node_bench import DEADLINE_S, Bench
from pixelrs_ros.msg import Instruction, TurnImage
from sensor_msgs.msg import Image
from std_msgs.msg import Bool

from pixelrs_ros.client import NoAnswerError
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.console.views import PlaceView, TurnView
from pixelrs_ros.types import Status


@pytest.fixture
def console(bench: Bench) -> Iterator[ConsoleNode]:
    node = ConsoleNode()
    node.start()
    yield node
    node.destroy_node()


@pytest.fixture
def robot(bench: Bench, console: ConsoleNode) -> Bench:
    """The bench, active, known to the console and it to the console, with an image."""
    bench.activate()
    outputs = bench.node.outputs
    assert outputs is not None
    bench.until(lambda: console.is_ready() and outputs.overlay.wanted)
    bench.until(lambda: bench.caller.count_publishers("instruction") == 2)
    bench.show(bench.now_ns(), value=7)
    return bench


def told(bench: Bench, answer: Future[Any]) -> Any:
    bench.until(answer.done)
    return answer.result(0)


def shown(bench: Bench, console: ConsoleNode, session_id: str, when: Callable[[TurnView], bool]) -> TurnView:
    """The last turn of a dialogue, once it is as wanted."""
    bench.until(lambda: bool(console.transcript.turns(session_id)) and when(console.transcript.turns(session_id)[-1]))
    return console.transcript.turns(session_id)[-1]


def test_what_an_operator_says_is_answered_with_words_and_time(robot: Bench, console: ConsoleNode) -> None:
    instruction_id = console.say("the mug", "kitchen")
    turn = shown(robot, console, "kitchen", lambda turn: bool(turn.status and turn.latency_ms))
    assert (turn.said, turn.answer, turn.status) == ("the mug", "the mug 7", Status.ANSWERED)
    assert turn.instruction_id == instruction_id and turn.latency_ms["total"] > 0
    assert robot.echo.said == [("kitchen", "the mug")]


def test_a_click_is_a_place_in_the_very_picture_that_was_clicked(robot: Bench, console: ConsoleNode) -> None:
    console.watch(live=True)
    robot.until(lambda: robot.images.get_subscription_count() == 2)
    stamp_ns = robot.now_ns()
    robot.show(stamp_ns, value=9)
    robot.until(lambda: console.picture.stamp_ns == stamp_ns)
    robot.show(robot.now_ns(), value=50)
    console.say("this one", "pointed", place=PlaceView(0.5, 0.75, stamp_ns))
    turn = shown(robot, console, "pointed", lambda turn: turn.status is not None)
    assert (turn.said, turn.answer) == ("this one (pointing)", "this one 9 at 2, 3")
    console.watch(live=False)
    console.transcript.forget("pointed")
    told(robot, console.load("pointed"))
    assert console.transcript.turns("pointed")[0].said == "this one (pointing)"


def test_masks_come_with_their_picture_and_disappear_with_the_dialogue(robot: Bench, console: ConsoleNode) -> None:
    robot.echo.more.release(2)
    console.say("point", "default")
    turn = shown(robot, console, "default", lambda turn: bool(turn.status and turn.has_picture and turn.targets))
    assert [target.phrase for target in turn.targets] == ["row 0", "row 1"]
    assert [(phrase.start, phrase.end, phrase.segment) for phrase in turn.phrases] == [(0, 5, 0), (10, 15, 1)]
    picture = console.transcript.picture(turn.key)
    assert picture is not None and picture[:2] == b"\xff\xd8"
    assert console.masks.phrases("default") == ("row 0", "row 1")
    told(robot, console.reset("default"))
    assert console.transcript.turns("default") == [] and console.masks.content("default")[1] == b""


def test_words_that_nobody_has_published_are_asked_of_the_node(robot: Bench, console: ConsoleNode) -> None:
    robot.texts.publish(robot.texts.msg_type(data="typed elsewhere"))
    turn = shown(robot, console, "default", lambda turn: bool(turn.said))
    assert turn.said == "typed elsewhere" and turn.answer == "typed elsewhere 7"


def test_a_refused_instruction_is_shown_with_its_reason(robot: Bench, console: ConsoleNode) -> None:
    console.say("  ", "default")
    turn = shown(robot, console, "default", lambda turn: turn.status is not None)
    assert turn.status is Status.BAD_INPUT and turn.answer


def test_dialogues_are_listed_loaded_and_called_off(robot: Bench, console: ConsoleNode) -> None:
    for session_id in ("a", "b"):
        console.say("x", session_id)
        shown(robot, console, session_id, lambda turn: turn.status is not None)
    assert {view.session_id: view.turns for view in told(robot, console.dialogues())} == {"a": 1, "b": 1}
    console.transcript.forget("a")
    assert told(robot, console.load("a")) == 1
    assert [turn.said for turn in console.transcript.turns("a")] == ["x"]
    robot.echo.hush.clear()
    console.say("talk", "a")
    shown(robot, console, "a", lambda turn: turn.answer.startswith("word"))
    assert told(robot, console.cancel("a")) == 1
    turn = shown(robot, console, "a", lambda turn: turn.status is not None)
    assert turn.status is Status.CANCELLED


def test_what_the_node_refuses_is_told(robot: Bench, console: ConsoleNode) -> None:
    with pytest.raises(PixelrsError, match="300 characters"):
        told(robot, console.load("x" * 300))


def test_who_stops_waiting_does_no_harm(robot: Bench, console: ConsoleNode) -> None:
    answer = console.dialogues()
    assert not answer.cancel()
    assert told(robot, answer) == [] and told(robot, console.dialogues()) == []


def test_who_waits_for_its_end_is_told(bench: Bench) -> None:
    node, ended = ConsoleNode(), threading.Event()
    node.on_end = ended.set
    node.start()
    node.destroy_node()
    assert ended.is_set()


def test_without_a_node_there_is_no_answer() -> None:
    rclpy.init()
    console = ConsoleNode(namespace="/nobody")
    assert not console.is_ready()
    with pytest.raises(NoAnswerError, match="perception does not serve ~/reset_dialogue"):
        console.reset("default").result(0)
    console.destroy_node()
    rclpy.shutdown()


def test_live_pictures_are_taken_while_somebody_looks(robot: Bench, console: ConsoleNode) -> None:
    assert robot.images.get_subscription_count() == 1, "only the robot's"
    console.watch(live=True)
    robot.until(lambda: robot.images.get_subscription_count() == 2)
    news: list[int] = []
    console.on_news = lambda: news.append(console.picture.number)
    robot.show(robot.now_ns(), value=200)
    robot.until(lambda: bool(news))
    assert news == [1] and console.picture.jpeg[:2] == b"\xff\xd8"
    console.watch(live=False)
    robot.until(lambda: robot.images.get_subscription_count() == 1)


def test_a_picture_that_cannot_be_shown_does_no_harm(bench: Bench, console: ConsoleNode) -> None:
    overlays = bench.caller.create_publisher(TurnImage, "turn_overlay", 10)
    bench.until(lambda: overlays.get_subscription_count() == 1)
    for turn, encoding in enumerate(("unheard-of", "mono8")):
        image = Image(encoding=encoding, height=1, width=1, step=1, data=[0])
        overlays.publish(TurnImage(session_id="a", instruction_id=f"i{turn}", turn=turn, image=image))
    assert shown(bench, console, "a", lambda turn: turn.has_picture).number == 1


def test_diagnostics_of_the_robots_nodes_are_known(robot: Bench, console: ConsoleNode) -> None:
    robot.until(lambda: "/perception: camera" in console.diagnostics)
    assert console.diagnostics["/perception: instructions"].level == "ok"
    assert console.diagnostics["/perception: camera"].values


def test_what_is_said_when_nobody_listens_is_lost(robot: Bench, console: ConsoleNode) -> None:
    assert robot.node.trigger_deactivate()
    robot.until(lambda: not console.is_ready())
    console.say("the mug", "default")
    turn = shown(robot, console, "default", lambda turn: turn.is_lost)
    assert (turn.said, turn.status) == ("the mug", None)


def test_diagnostics_that_come_no_more_are_old(bench: Bench, console: ConsoleNode) -> None:
    reports = bench.caller.create_publisher(DiagnosticArray, "/diagnostics", 10)
    bench.until(lambda: reports.get_subscription_count() >= 2)
    reports.publish(DiagnosticArray(status=[DiagnosticStatus(name="/speech: sound", message="sound comes")]))
    bench.until(lambda: "/speech: sound" in console.diagnostics)
    assert console.diagnostics["/speech: sound"].level == "ok"
    bench.until(lambda: console.diagnostics["/speech: sound"].level == "stale")
    assert console.diagnostics["/speech: sound"].message == "no report for 5 s; the last one: sound comes"


def test_the_button_is_pressed_while_anybody_holds_it(bench: Bench, console: ConsoleNode) -> None:
    assert not console.hears_speech()
    heard: list[bool] = []
    bench.caller.create_subscription(Bool, "push_to_talk", lambda message: heard.append(message.data), 10)
    bench.until(lambda: console.hears_speech() and bench.caller.count_publishers("push_to_talk") == 1)
    for presser, pressed in (("a", True), ("b", True), ("a", False), ("a", False), ("b", False)):
        console.press_to_talk(presser, pressed=pressed)
    bench.until(lambda: len(heard) == 2)
    assert heard == [True, False]


def test_an_impossible_parameter_is_named_in_one_line() -> None:
    command = [sys.executable, "-m", "pixelrs_ros.console.app", "--ros-args", "-p", "port:=-1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
    assert ended.returncode == 1
    assert ended.stderr.startswith("console: parameter 'port': ") and ended.stderr.count("\n") == 1, ended.stderr


def test_another_listener_is_no_robot(bench: Bench, console: ConsoleNode) -> None:
    bench.caller.create_subscription(Instruction, "instruction", lambda _: None, 10)
    ends_s = time.monotonic() + DEADLINE_S
    while console.count_subscribers("instruction") < 2:
        assert time.monotonic() < ends_s
        bench.executor.spin_once(timeout_sec=0.05)
    assert not console.is_ready()
