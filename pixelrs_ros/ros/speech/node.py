"""The speech node: what somebody says becomes an instruction, and the robot's answer is said aloud."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Bool, Header, String

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.msg import AudioChunk, Explanation, Instruction, Segmentation
from pixelrs_ros.ros.speech import parameters, sound_topics
from pixelrs_ros.ros.speech.talker import Talker
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.executor_bridge import STEADY, ExecutorBridge, call_later
from pixelrs_ros.ros.wire.ros_context import run
from pixelrs_ros.speech.audio import Pcm, Resampler
from pixelrs_ros.speech.detector import SileroDetector
from pixelrs_ros.speech.heard import Heard, Recognizer
from pixelrs_ros.speech.microphone import Loudspeaker, Microphone
from pixelrs_ros.speech.recognizer import open_recognizer
from pixelrs_ros.speech.utterances import Endpointing, Event, SpeechStarted, Utterance, UtteranceFinder
from pixelrs_ros.speech.voice import open_voice
from pixelrs_ros.speech.wake import WakeWord, after_phrase
from pixelrs_ros.srv import CancelTurns
from pixelrs_ros.types import DEFAULT_SESSION_ID

_NS_PER_S = 1_000_000_000
_DIAGNOSTICS_PERIOD_S = 1.0
_QUIET_S = 2.0  # without any sound, then the diagnostics warn, and who was speaking is no longer waited for
_LOOK_PERIOD_S = 0.2
_CANCEL_TIMEOUT_S = 1.0  # how long new words wait for the old ones to be called off
# Whoever interrupts the robot, or speaks too fast for it, knows that.
_NOT_SAID = (Segmentation.CANCELLED, Segmentation.REJECTED)
SOUND, RECOGNIZER, VOICE = "sound", "recognizer", "voice"
_MAX_WAITING = 8  # utterances that wait for the recognizer; one more is not heard


class SpeechNode(Node):
    """Listens to `audio` or a microphone, and to `speech_text` and `push_to_talk`; publishes `instruction`.

    Words that the recognizer is not sure of are published with its confidence, and half-heard ones with none: the
    perception node asks to say them again. Answers are said aloud, and published as sound on `speech`.

    Args:
        **kwargs: Arguments of `Node`.

    Raises:
        ConfigError: A parameter has an impossible value, or something that it asks for is not installed.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("speech", **kwargs)
        self._microphone: Microphone | None = None
        self._talker: Talker | None = None
        self._utterances: queue.Queue[Utterance | None] = queue.Queue(_MAX_WAITING)
        self._listener: threading.Thread | None = None
        self.values = values = parameters.read(self)
        self._bridge = ExecutorBridge(self)
        self._resampler = Resampler()
        settings = Endpointing(
            threshold=values.speech_threshold,
            min_speech_s=values.min_speech_s,
            end_silence_s=values.end_silence_s,
            max_speech_s=values.max_speech_s,
        )
        self._finder = UtteranceFinder(SileroDetector(), settings, push_to_talk=values.push_to_talk)
        self._wake_word = WakeWord(values.wake_model) if values.wake_model else None
        self._awake_until_ns = 0
        phrases = [values.wake_phrase] if values.wake_phrase else []
        recognizer = open_recognizer(values.recognizer, values.model_dir, phrases, values.num_threads)
        self._instructions = qos.advertise(self, Instruction, "instruction", qos.INSTRUCTIONS)
        self._spoken = qos.advertise(self, AudioChunk, "speech", qos.INSTRUCTIONS)
        self._diagnostics = qos.advertise(self, DiagnosticArray, "/diagnostics")
        self._loudspeaker: Loudspeaker | None = None
        self._talker = self._open_talker()
        self._cancel: Client[Any, Any] = self.create_client(CancelTurns, f"{values.perception}/cancel_turns")
        self._cancelling: Future[Any] | None = None
        self._heard_sound_s = -_QUIET_S
        self._last = "nothing has been said yet"
        self._problems: dict[str, str] = {}  # by what has it: SOUND, RECOGNIZER, VOICE
        self._muted = False
        self._heard_until_ns = self._called_off = 0
        self._listener = threading.Thread(target=self._recognize_all, args=(recognizer,), daemon=True)
        self._listener.start()
        qos.subscribe(self, String, "speech_text", self._on_text, qos.INSTRUCTIONS)
        qos.subscribe(self, Bool, "push_to_talk", self._on_button)
        if self._talker is not None:
            qos.subscribe(self, Explanation, "explanation", self._on_explanation, qos.ANSWERS)
        if values.input == parameters.MICROPHONE:
            self._microphone = Microphone(values.device, self._on_microphone)
            where = "the microphone"
        else:
            where = " and ".join(sound_topics.listen(self, self._on_sound, partial(self._on_problem, SOUND)))
        self.create_timer(_LOOK_PERIOD_S, self._look_for_silence, clock=STEADY)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._publish_diagnostics, clock=STEADY)
        self.get_logger().info(f"listens to {where}; {values.recognizer} recognizes")

    # To look at, for tests and tools.

    @property
    def called_off(self) -> int:
        """How many answers were called off because somebody spoke."""
        return self._called_off

    @property
    def is_pressed(self) -> bool:
        """Whether the button is pressed."""
        return self._finder.is_pressed

    @property
    def is_muted(self) -> bool:
        """Whether the last sound was ignored because the robot spoke."""
        return self._muted

    @property
    def heard_until_ns(self) -> int:
        """Stamp of the end of the last sound, nanoseconds."""
        return self._heard_until_ns

    def destroy_node(self) -> None:
        """Stop listening and speaking, and take the node off the graph."""
        if self._microphone is not None:
            self._microphone.close()
        if self._talker is not None:
            self._talker.close()
        if self._listener is not None:  # ROS also destroys a node whose construction failed
            self._utterances.put(None)
            self._listener.join(10.0)
        super().destroy_node()

    # Sound

    def _on_microphone(self, pcm: Pcm, age_s: float) -> None:
        """Take a piece from PortAudio's thread to the executor's."""
        stamp_ns = self._now_ns() - round(age_s * _NS_PER_S)
        self._in_executor(lambda _: self._hear(pcm, stamp_ns), None)

    def _on_sound(self, header: Header, pcm: Pcm) -> None:
        stamp_ns = conversions.stamp_to_ns(header.stamp)
        # Without a stamp it ends now.
        self._hear(pcm, stamp_ns or self._now_ns() - round(pcm.seconds * _NS_PER_S))

    def _on_problem(self, what: str, problem: str) -> None:
        self._problems[what] = problem
        self.get_logger().warning(problem, throttle_duration_sec=1.0)

    def _hear(self, pcm: Pcm, stamp_ns: int) -> None:
        if not len(pcm.samples):
            return
        self._heard_sound_s = STEADY.now().nanoseconds / _NS_PER_S
        self._heard_until_ns = stamp_ns + round(pcm.seconds * _NS_PER_S)
        speaking = self._talker is not None and self._talker.is_speaking
        if speaking and not self.values.listen_while_speaking:
            if not self._muted:
                self._handle(self._finder.interrupt("the robot spoke at the same time"))
                self._resampler.reset()
            self._muted = True
            return
        self._muted = False
        try:
            samples = self._resampler(pcm)
        except ConfigError as error:
            self._on_problem(SOUND, str(error))
            return
        self._problems.pop(SOUND, None)
        if self._wake_word is not None and self._wake_word.hears(samples):
            self._wake(self._heard_until_ns)
            # What was said so far was the wake word, and no instruction.
            self._finder.restart()
        self._handle(self._finder.feed(samples, stamp_ns))

    def _look_for_silence(self) -> None:
        """End what is being said where no more sound comes: a microphone has been unplugged, or sends while pressed."""
        released = self.values.push_to_talk and not self._finder.is_pressed
        patience_s = min(self.values.end_silence_s, _QUIET_S) if released else _QUIET_S
        if self._finder.hears_speech and self._silent_s() > patience_s:
            self._handle(self._finder.run_dry())

    def _silent_s(self) -> float:
        """For how long no sound has come."""
        return STEADY.now().nanoseconds / _NS_PER_S - self._heard_sound_s

    def _on_button(self, message: Bool) -> None:
        now_ns = self._now_ns()
        if message.data:
            self._finder.press(now_ns)
        else:
            self._finder.release(now_ns)

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                # With a wake phrase nobody knows yet whether the robot is spoken to.
                if not self.values.wake_phrase and self._is_awake(event.start_ns):
                    self._barge_in()
            elif self.values.wake_phrase or self._is_awake(event.start_ns):
                try:
                    self._utterances.put_nowait(event)
                except queue.Full:
                    faster = "somebody speaks faster than the recognizer works: an utterance was not heard"
                    self._on_problem(RECOGNIZER, faster)

    # Words

    def _recognize_all(self, recognizer: Recognizer) -> None:
        """Recognize utterances in a thread of its own."""
        while (utterance := self._utterances.get()) is not None:
            try:
                heard = recognizer.recognize(utterance.samples)
                self._problems.pop(RECOGNIZER, None)
            except Exception as error:  # of somebody else's library; the next utterance may be recognized
                self._on_problem(RECOGNIZER, f"{self.values.recognizer} failed: {type(error).__name__}: {error}")
                heard = Heard("", 0.0)
            self._in_executor(self._on_heard, (utterance, heard))

    def _on_heard(self, found: tuple[Utterance, Heard]) -> None:
        utterance, heard = found
        text, alternatives = self._said_to_robot(heard.text, utterance.start_ns, utterance.end_ns), heard.alternatives
        if text is None:
            awake = self._is_awake(utterance.end_ns)
            self._last = "the wake phrase" if awake else "nothing for the robot: they do not begin with the wake phrase"
            return
        if self.values.wake_phrase:
            if text != heard.text:
                others = (after_phrase(other, self.values.wake_phrase) for other in alternatives)
                alternatives = tuple(dict.fromkeys(other for other in others if other))
            self._barge_in()
        confidence = heard.confidence if text and not utterance.cut else 0.0
        self._last = f"{text!r}, confidence {confidence:.2f}"
        if utterance.cut:
            self._last += f", half-heard: {utterance.cut}"
            self.get_logger().warning(f"half-heard {text!r}: {utterance.cut}")
        stamp = conversions.ns_to_stamp(utterance.start_ns)
        self._send(text, confidence, [other for other in alternatives if other != text], stamp)

    def _on_text(self, message: String) -> None:
        """Take what another recognizer has understood. It has ended by now; when it began, nobody says."""
        now_ns = self._now_ns()
        text = self._said_to_robot(message.data.strip(), now_ns, now_ns)
        if not text:
            return
        self._barge_in()
        self._last = f"{text!r}, as text"
        self._send(text, self.values.text_confidence, [], self.get_clock().now().to_msg())

    def _send(self, text: str, confidence: float, alternatives: list[str], stamp: Any) -> None:
        message = Instruction(text=text, confidence=confidence, alternatives=alternatives, source=Instruction.SPOKEN)
        message.session_id = self.values.session_id
        message.header = Header(stamp=stamp, frame_id=self.values.camera)
        self._awake_until_ns = 0  # the next instruction wants its own wake word
        self.get_logger().info(f"heard {text!r} (confidence {confidence:.2f})")
        self._when_called_off(lambda: self._instructions.publish(message))

    # Who is spoken to, and interrupted

    def _wake(self, now_ns: int) -> None:
        self._awake_until_ns = now_ns + round(self.values.wake_window_s * _NS_PER_S)

    def _said_to_robot(self, text: str, start_ns: int, end_ns: int) -> str | None:
        """What is left of words without the wake phrase, which wakes; None where nothing was said to the robot."""
        after = after_phrase(text, self.values.wake_phrase) if self.values.wake_phrase else None
        if after is not None:
            self._wake(end_ns)
            return after or None
        return text if not self.values.wake_phrase or self._is_awake(start_ns) else None

    def _is_awake(self, now_ns: int) -> bool:
        if not self.values.wake_phrase and self._wake_word is None:
            return True
        return now_ns <= self._awake_until_ns

    def _barge_in(self) -> None:
        """Be silent, and call off what is being answered in this dialogue."""
        if not self.values.barge_in:
            return
        if self._talker is not None:
            self._talker.hush()
        if self._cancel.service_is_ready() and (self._cancelling is None or self._cancelling.done()):
            self._cancelling = self._cancel.call_async(CancelTurns.Request(session_id=self.values.session_id))
            self._cancelling.add_done_callback(self._on_called_off)

    def _on_called_off(self, done: Future[Any]) -> None:
        response = done.result()
        if response is not None:  # the perception node has not gone meanwhile
            self._called_off += response.cancelled

    def _when_called_off(self, call: Callable[[], None]) -> None:
        """Call something as soon as no older cancellation can hit it any more."""
        cancelling = self._cancelling
        if cancelling is None or cancelling.done():
            call()
            return
        called: list[bool] = []

        def once() -> None:
            if self._cancelling is cancelling:  # unless it is done, it never will be: the robot has ended meanwhile
                self._cancelling = None
            if not called:
                called.append(True)
                call()

        cancelling.add_done_callback(lambda _: once())
        call_later(self, _CANCEL_TIMEOUT_S, once)

    # The robot's voice

    def _open_talker(self) -> Talker | None:
        if self.values.voice == parameters.SILENT:
            return None
        voice = open_voice(self.values.voice, self.values.voice_name)
        if self.values.play:
            self._loudspeaker = Loudspeaker()
        return Talker(voice, self._begin_to_speak, self._stop_speaking, partial(self._on_problem, VOICE))

    def _on_explanation(self, message: Explanation) -> None:
        session_id = self.values.session_id or DEFAULT_SESSION_ID
        said = message.is_final and message.session_id == session_id and message.status not in _NOT_SAID
        if said and self._talker is not None:
            self._talker.say(message.text)

    def _begin_to_speak(self, pcm: Pcm) -> None:
        header = Header(stamp=self.get_clock().now().to_msg())
        self._spoken.publish(sound_topics.fill_chunk(AudioChunk(), header, pcm))
        if self._loudspeaker is not None:
            self._loudspeaker.play(pcm)
        self._problems.pop(VOICE, None)

    def _stop_speaking(self) -> None:
        if self._loudspeaker is not None:
            self._loudspeaker.stop()

    # Reports

    def _publish_diagnostics(self) -> None:
        level, text = DiagnosticStatus.OK, self._last
        if problems := list(self._problems.values()):
            level, text = DiagnosticStatus.WARN, "; ".join(problems)
        elif self._silent_s() > _QUIET_S:
            level, text = DiagnosticStatus.WARN, f"no sound has come for {_QUIET_S:g} s; the last words: {self._last}"
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        values = {"recognizer": self.values.recognizer, "utterances that wait": str(self._utterances.qsize())}
        message.status = [conversions.diagnostic(self.get_fully_qualified_name(), "speech", text, values, level)]
        self._diagnostics.publish(message)

    def _in_executor(self, call: Callable[[Any], None], value: Any) -> None:
        """Call something in the executor's thread. May be called from any thread."""
        future: Future[Any] = Future()
        future.add_done_callback(lambda done: call(done.result()))
        self._bridge.complete(future, value)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is interrupted; the exit status is 1 when it could not start."""
    return run("speech", SpeechNode, args)


if __name__ == "__main__":
    sys.exit(main())
