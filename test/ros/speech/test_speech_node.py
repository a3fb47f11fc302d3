"""Sound in, instructions out: over DDS, with real speech, the real detector and the real recognizer."""

import os
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from node_bench import Bench, Echo
from pixelrs_ros.msg import AudioChunk, Instruction, Segmentation
from pixelrs_ros.srv import CancelTurns
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from sounds import NS_PER_S, needs_espeak, pause, pcm, pieces, said
from std_msgs.msg import Bool, String

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.perception.intake import ASK_AGAIN
from pixelrs_ros.ros.speech.node import SpeechNode
from pixelrs_ros.ros.wire import conversions

pytestmark = needs_espeak
ANSWERED, CANCELLED, UNCLEAR = Segmentation.ANSWERED, Segmentation.CANCELLED, Segmentation.NOT_UNDERSTOOD
RED_MUG = "Give me the red mug."


class Room:
    """The perception node with a network that echoes, the speech node, and a person between them."""

    def __init__(self, **parameters: Any) -> None:
        self.bench = Bench(Echo(), max_frame_age_s=60.0)  # sound is sent faster than it is said
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        self.node = SpeechNode(parameter_overrides=overrides)
        self.bench.executor.add_node(self.node)
        caller = self.bench.caller
        self.heard: list[Instruction] = []
        self.spoken: list[AudioChunk] = []
        self.audio = caller.create_publisher(AudioChunk, "audio", 1000)
        self.text = caller.create_publisher(String, "speech_text", 10)
        self.button = caller.create_publisher(Bool, "push_to_talk", 10)
        caller.create_subscription(Instruction, "instruction", self.heard.append, 10)
        caller.create_subscription(AudioChunk, "speech", self.spoken.append, 10)
        self.bench.activate()
        self.bench.show(self.bench.now_ns())
        topics = (self.audio, self.text, self.button)
        self.bench.until(lambda: all(topic.get_subscription_count() for topic in topics))
        self.bench.until(lambda: self.node.count_subscribers("instruction") >= 2)
        self.clock_ns = self.bench.now_ns()

    def play(self, *sounds: np.ndarray) -> int:
        """Send sound that follows on what was sent; the stamp of its first sample."""
        start_ns = self.clock_ns
        for piece, stamp_ns in pieces(np.concatenate(sounds), start_ns):
            message = AudioChunk(sample_rate=16_000, channels=1, data=array("h", pcm(piece)))
            message.header.stamp = conversions.ns_to_stamp(stamp_ns)
            self.audio.publish(message)
            self.clock_ns = stamp_ns + len(piece) * NS_PER_S // 16_000
        return start_ns

    def say(self, text: str) -> int:
        """Say a sentence and be silent; when it began."""
        return self.play(pause(0.5), said(text), pause(1.0)) + NS_PER_S // 2

    def instruction(self, count: int) -> Instruction:
        self.bench.until(lambda: len(self.heard) >= count)
        return self.heard[count - 1]

    def close(self) -> None:
        self.node.destroy_node()
        self.bench.close()


@pytest.fixture
def room() -> Iterator[Callable[..., Room]]:
    rclpy.init()
    made: list[Room] = []

    def make(**parameters: Any) -> Room:
        made.append(Room(**parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()
    rclpy.shutdown()


def test_an_instruction_is_stamped_when_it_began_and_says_how_sure_it_is(room: Callable[..., Room]) -> None:
    one = room(session_id="kitchen", camera="head")
    began_ns = one.say(RED_MUG)
    heard = one.instruction(1)
    assert (heard.text, heard.source, heard.session_id) == ("give me the red mug", Instruction.SPOKEN, "kitchen")
    assert abs(conversions.stamp_to_ns(heard.header.stamp) - began_ns) < 0.15 * NS_PER_S
    assert heard.header.frame_id == "head"
    assert 0.5 < heard.confidence < 1.0
    assert heard.alternatives
    assert heard.text not in heard.alternatives


def test_half_heard_speech_never_acts(room: Callable[..., Room]) -> None:
    one = room()
    words = said("Take the green box and give me the red mug.")
    one.play(pause(0.5), words[: len(words) // 2])
    one.clock_ns += NS_PER_S  # a second of sound is lost
    one.play(words[len(words) // 2 :], pause(1.0))
    assert one.bench.answers(2) == [(UNCLEAR, ASK_AGAIN)] * 2
    assert [heard.confidence for heard in one.heard] == [0.0, 0.0]
    assert one.bench.echo.said == []
    one.say(RED_MUG)
    assert one.bench.answers(3)[2][0] == ANSWERED


def test_who_speaks_while_the_robot_answers_calls_the_answer_off(room: Callable[..., Room]) -> None:
    one = room()
    one.bench.echo.go.clear()
    one.say(RED_MUG)
    one.bench.until(lambda: one.bench.echo.begun.acquire(blocking=False))
    one.play(pause(0.3), said("By the handle.")[:8000])  # has begun, and goes on
    one.bench.until(lambda: one.node.called_off == 1)
    one.bench.echo.go.set()
    assert one.bench.answers(1)[0][0] == CANCELLED
    one.play(said("By the handle.")[8000:], pause(1.0))
    assert one.bench.answers(2)[1][0] != CANCELLED, "the new words are not called off with the old ones"


def test_push_to_talk_hears_what_is_said_while_the_button_is_pressed(room: Callable[..., Room]) -> None:
    one = room(push_to_talk=True)
    one.say("Give me the blue basket.")
    one.bench.until(lambda: one.node.heard_until_ns >= one.clock_ns - NS_PER_S // 10)
    one.clock_ns = one.bench.now_ns()
    one.button.publish(Bool(data=True))
    one.bench.until(lambda: one.node.is_pressed)
    one.play(pause(0.4), said(RED_MUG), pause(0.8))
    assert one.instruction(1).text == "give me the red mug"
    assert len(one.heard) == 1


def test_a_robot_that_ended_while_it_was_interrupted_can_be_interrupted_when_it_is_back(
    room: Callable[..., Room],
) -> None:
    one = room(perception="robot")
    client: Client[Any, Any] = one.bench.caller.create_client(CancelTurns, "robot/cancel_turns")
    deaf, calls = Node("deaf"), list[CancelTurns.Request]()
    deaf.create_service(CancelTurns, "robot/cancel_turns", lambda _, response: response)  # of a node that nobody spins
    one.bench.until(client.service_is_ready)
    one.say(RED_MUG)
    assert one.instruction(1).text == "give me the red mug", "it does not wait for ever"
    deaf.destroy_node()

    def cancel(request: CancelTurns.Request, response: CancelTurns.Response) -> CancelTurns.Response:
        calls.append(request)
        return response

    one.bench.caller.create_service(CancelTurns, "robot/cancel_turns", cancel)
    one.bench.until(client.service_is_ready)
    one.say(RED_MUG)
    one.bench.until(lambda: bool(calls))


@pytest.mark.parametrize("button", [False, True], ids=["unplugged", "released"])
def test_words_after_which_no_more_sound_comes_are_answered(room: Callable[..., Room], button: bool) -> None:
    one = room(push_to_talk=button)
    one.button.publish(Bool(data=True))
    one.bench.until(lambda: one.node.is_pressed)
    one.clock_ns = one.bench.now_ns()
    one.play(pause(0.4), said(RED_MUG))
    if button:
        one.bench.until(lambda: one.bench.now_ns() > one.clock_ns)  # sound is sent faster than it is said
        one.button.publish(Bool(data=False))
    heard = one.instruction(1)
    assert heard.text == "give me the red mug"
    assert (heard.confidence > 0.5) is button, "whoever has not let go of the button is heard by half"


def test_what_is_wrong_with_the_voice_stays_in_the_diagnostics(
    room: Callable[..., Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = room(voice="espeak", play=False)
    (tmp_path / "espeak-ng").write_text("#!/bin/sh\necho no data >&2\nexit 1\n")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    one.text.publish(String(data="the mug"))

    def told() -> bool:
        one.play(pause(0.1))  # a microphone goes on, and says nothing of the voice
        return "speech" in one.bench.diagnostics and "cannot say" in one.bench.diagnostics["speech"].message

    one.bench.until(told)


def test_who_speaks_without_the_wake_phrase_can_see_why_nothing_happens(room: Callable[..., Room]) -> None:
    one = room(wake_phrase="computer")
    one.say(RED_MUG)

    def told() -> bool:
        one.play(pause(0.1))
        said_of_it = one.bench.diagnostics.get("speech")
        return said_of_it is not None and "do not begin with the wake phrase" in said_of_it.message

    one.bench.until(told)


def test_a_wake_phrase_has_to_come_first(room: Callable[..., Room]) -> None:
    one = room(wake_phrase="computer")
    one.say("Give me the blue basket.")
    one.say(f"Computer. {RED_MUG}")
    assert one.instruction(1).text == "give me the red mug"
    assert len(one.heard) == 1


def test_text_of_another_recognizer_counts_as_spoken(room: Callable[..., Room]) -> None:
    one = room(text_confidence=0.4, wake_phrase="hey robot")
    for text in ("the mug", "  ", "Hey, robot! The mug."):
        one.text.publish(String(data=text))
    heard = one.instruction(1)
    assert (heard.text, heard.source, round(heard.confidence, 3)) == ("the mug", Instruction.SPOKEN, 0.4)
    assert one.bench.answers(1) == [(UNCLEAR, ASK_AGAIN)]


def test_the_answer_is_said_and_the_robot_does_not_hear_itself(room: Callable[..., Room]) -> None:
    one = room(voice="espeak", play=False)
    one.say(RED_MUG)
    one.bench.until(lambda: bool(one.spoken))
    answer = one.spoken[0]
    assert (answer.sample_rate, answer.channels) == (22_050, 1)
    assert np.abs(np.array(answer.data)).max() > 1000
    one.play(said("Give me the blue basket."), pause(1.0))
    one.bench.until(lambda: one.node.is_muted)
    assert len(one.heard) == 1


@pytest.mark.parametrize(
    ("parameter", "value", "part"),
    [
        ("recognizer", "whisper", "model"),
        ("recognizer", "guess", "sphinx"),
        ("wake_model", "nowhere.onnx", "nowhere.onnx"),
        ("wake_phrase", "hey xqzrt", "xqzrt"),
        ("end_silence_s", float("nan"), "end_silence_s"),
        ("voice", "piper", "voice_name"),
    ],
)
def test_what_cannot_be_started_is_said(parameter: str, value: Any, part: str) -> None:
    rclpy.init()
    try:
        with pytest.raises(ConfigError, match=part):
            SpeechNode(parameter_overrides=[Parameter(parameter, value=value)])
    finally:
        rclpy.shutdown()


def test_unusable_sound_is_told_and_does_no_harm(room: Callable[..., Room]) -> None:
    one = room()
    for rate_hz, channels, data in ((0, 1, [1]), (16_000, 0, [1]), (16_000, 2, [1, 2, 3]), (16_000, 1, [])):
        one.audio.publish(AudioChunk(sample_rate=rate_hz, channels=channels, data=data))
    one.bench.until(lambda: "speech" in one.bench.diagnostics and "whole" in one.bench.diagnostics["speech"].message)
    one.say(RED_MUG)
    assert one.instruction(1).text == "give me the red mug"
