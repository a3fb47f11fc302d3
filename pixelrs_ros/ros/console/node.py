"""The operator page's node: hears what the robot says and shows, and says what operators want."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future as ThreadFuture
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.client import Client
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool, Header

from pixelrs_ros.client import NoAnswerError
from pixelrs_ros.errors import BadInputError, PixelrsError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation, Tracking, TurnImage, TurnPoints
from pixelrs_ros.ros.console import parameters
from pixelrs_ros.ros.console.cloud import cloud_of
from pixelrs_ros.ros.console.layers import MaskLayers, Pace, encode_jpeg, picture_of
from pixelrs_ros.ros.console.transcript import Transcript
from pixelrs_ros.ros.console.views import CloudView, DiagnosticView, DialogueView, PictureView, PlaceView
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.executor_bridge import STEADY, ExecutorBridge
from pixelrs_ros.ros.wire.image_outputs import sub_topic
from pixelrs_ros.srv import CancelTurns, ExportDialogue, GetDialogue, ListDialogues, MarkTurn, ResetDialogue
from pixelrs_ros.status_codes import VERDICT_CODES
from pixelrs_ros.types import Verdict

SERVICES = {
    "cancel_turns": CancelTurns,
    "export_dialogue": ExportDialogue,
    "get_dialogue": GetDialogue,
    "list_dialogues": ListDialogues,
    "mark_turn": MarkTurn,
    "reset_dialogue": ResetDialogue,
}
STALE = "stale"
LEVELS = {
    DiagnosticStatus.OK: "ok",
    DiagnosticStatus.WARN: "warn",
    DiagnosticStatus.ERROR: "error",
    DiagnosticStatus.STALE: STALE,
}
_STALE_S = 5.0  # without a report, as in diagnostic_aggregator
_LOOK_PERIOD_S = 0.5
_SPIN_S = 0.1
_COMPLAINT_PERIOD_S = 10.0


class ConsoleNode(Node):
    """What the operator page knows of the robot, and may ask of it. Its methods may be called from any thread.

    It takes live pictures and points only while somebody looks.

    Args:
        **kwargs: Arguments of `Node`.

    Raises:
        ConfigError: A parameter has an impossible value.

    Attributes:
        values: The parameters.
        picture: The newest live picture.
        masks: What is known to be where in it.
        transcript: The dialogues.
        clouds: The points of the last targets of each dialogue.
        diagnostics: The perception node's and the speech node's diagnostics by name.
        on_end: Called, in the node's thread, when it no longer listens, for whatever reason.
        on_news: Called, in the node's thread, when a picture or masks have come.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("console", **kwargs)
        self._spinner = SingleThreadedExecutor(context=self.context)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self.values = values = parameters.read(self)
        self.picture = PictureView()
        self.masks, self.transcript = MaskLayers(), Transcript()
        self.clouds: dict[str, CloudView] = {}
        self.diagnostics: dict[str, DiagnosticView] = {}
        self.on_end: Callable[[], None] = lambda: None
        self.on_news: Callable[[], None] = lambda: None
        self._bridge = ExecutorBridge(self)
        self._live: list[Subscription[Any]] = []
        self._pace = Pace(values.rate_hz)
        self._pressers: set[str] = set()
        self._reports = tuple(f"{self.resolve_topic_name(name)}: " for name in (values.perception, "speech"))
        self._instructions = qos.advertise(self, Instruction, "instruction", qos.INSTRUCTIONS)
        self._button = qos.advertise(self, Bool, "push_to_talk")
        self._askable: dict[str, Client[Any, Any]] = {
            name: self.create_client(kind, f"{values.perception}/{name}") for name, kind in SERVICES.items()
        }
        qos.subscribe(self, Instruction, "instruction", self.transcript.on_instruction, qos.INSTRUCTIONS)
        qos.subscribe(self, Explanation, "explanation", self._on_explanation, qos.ANSWERS)
        qos.subscribe(self, Segmentation, "segmentation", self._on_segmentation, qos.ANSWERS)
        qos.subscribe(self, Segmentation, "partial_segmentation", self._on_masks, qos.ANSWERS)
        qos.subscribe(self, TurnImage, "turn_overlay", self._on_turn_overlay, qos.ANSWERS)
        qos.subscribe(self, DiagnosticArray, "/diagnostics", self._on_diagnostics)
        self._reported_s: dict[str, float] = {}  # by diagnostics' name, monotonic
        self._listeners: set[bytes] = set()
        self.create_timer(_LOOK_PERIOD_S, self._look, clock=STEADY)
        self._spinner.add_node(self)

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._thread.start()

    def destroy_node(self) -> None:
        """Stop listening, and take the node off the graph."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._spinner.shutdown(timeout_sec=0)
        super().destroy_node()

    # What is asked of the robot

    def is_ready(self) -> bool:
        """Whether the perception node is active, as far as the graph tells."""
        return bool(self._perceptions())

    def say(self, text: str, session_id: str, *, replace_last: bool = False, place: PlaceView | None = None) -> str:
        """Say something to the robot.

        Args:
            text: What the user has typed.
            session_id: The dialogue.
            replace_last: Whether it takes the place of the dialogue's last turn.
            place: Where in the live picture the user points; None: nowhere.

        Returns:
            The instruction's id.
        """
        message = Instruction(session_id=session_id, instruction_id=uuid.uuid4().hex, text=text, confidence=1.0)
        message.source, message.replace_last = Instruction.TYPED, replace_last
        message.header.stamp = self.get_clock().now().to_msg()
        if place is not None:
            seen = self.picture
            header = Header(stamp=conversions.ns_to_stamp(place.stamp_ns), frame_id=seen.frame_id)
            point = place.x * seen.width_px, place.y * seen.height_px
            message.pointing = conversions.pointing_of(point, header)
        self._instructions.publish(message)
        return str(message.instruction_id)

    def cancel(self, session_id: str) -> ThreadFuture[int]:
        """Call off what is being answered in a dialogue; how many turns that were."""
        return self._call("cancel_turns", lambda response: int(response.cancelled), session_id=session_id)

    def reset(self, session_id: str) -> ThreadFuture[int]:
        """Forget a dialogue; how many turns it had."""

        def forgotten(response: Any) -> int:
            self.transcript.forget(session_id)
            self.masks.forget(session_id)
            self.clouds.pop(session_id, None)
            return int(response.dropped_turns)

        return self._call("reset_dialogue", forgotten, session_id=session_id)

    def export(self, session_id: str) -> ThreadFuture[str]:
        """Write a dialogue on the robot's disk; the folder there."""
        return self._call("export_dialogue", lambda response: str(response.folder), session_id=session_id)

    def mark(self, session_id: str, instruction_id: str, verdict: Verdict | None) -> ThreadFuture[int]:
        """Mark a turn as right or wrong, or take its mark back (None); the turn's number."""

        def marked(response: Any) -> int:
            self.transcript.on_mark(session_id, instruction_id, verdict)
            return int(response.turn)

        code = VERDICT_CODES.get(verdict, MarkTurn.Request.CLEAR)
        return self._call("mark_turn", marked, session_id=session_id, instruction_id=instruction_id, verdict=code)

    def load(self, session_id: str) -> ThreadFuture[int]:
        """Bring what the node remembers of a dialogue into the transcript; how many turns."""

        def loaded(response: Any) -> int:
            self.transcript.load(session_id, response.turns)
            return len(response.turns)

        return self._call("get_dialogue", loaded, session_id=session_id)

    def dialogues(self) -> ThreadFuture[list[DialogueView]]:
        """The dialogues that the node remembers, the last one used first."""

        def listed(response: Any) -> list[DialogueView]:
            views = [
                DialogueView(found.session_id, found.num_turns, conversions.stamp_to_ns(found.last_active) / 1e9)
                for found in response.dialogues
            ]
            return views[::-1]

        return self._call("list_dialogues", listed)

    def press_to_talk(self, presser: str, *, pressed: bool) -> None:
        """Press or release the button of the speech node, for one of those who may hold it."""
        before = bool(self._pressers)
        (self._pressers.add if pressed else self._pressers.discard)(presser)
        if bool(self._pressers) != before:
            self._button.publish(Bool(data=pressed))

    def hears_speech(self) -> bool:
        """Whether a speech node listens to the button."""
        return self._button.get_subscription_count() > 0

    def watch(self, *, live: bool) -> None:
        """Whether somebody looks at the live picture."""
        future: Future[Any] = Future()
        future.add_done_callback(lambda done: self._subscribe_live(bool(done.result())))
        self._bridge.complete(future, live)

    def _call(self, name: str, read: Callable[[Any], Any], **request: Any) -> ThreadFuture[Any]:
        """Ask a service; NoAnswerError where nobody serves it, PixelrsError with its message where it refuses."""
        answer: ThreadFuture[Any] = ThreadFuture()
        answer.set_running_or_notify_cancel()  # who stops waiting must not be able to cancel it
        client = self._askable[name]
        if not client.service_is_ready():
            answer.set_exception(NoAnswerError(f"{self.values.perception} does not serve ~/{name}"))
            return answer

        def on_response(future: Any) -> None:
            response = future.result()
            if response.success:
                answer.set_result(read(response))
            else:
                answer.set_exception(PixelrsError(response.message))

        client.call_async(SERVICES[name].Request(**request)).add_done_callback(on_response)
        return answer

    # Whether the robot is there

    def _perceptions(self) -> set[bytes]:
        """The perception nodes that listen; a process that was killed counts until DDS has noticed."""
        found = self.get_subscriptions_info_by_topic(self.resolve_topic_name("instruction"))
        name = self.values.perception.rpartition("/")[2]
        return {bytes(each.endpoint_gid) for each in found if each.node_name == name}

    def _look(self) -> None:
        """Note which turns and diagnostics nobody stands behind any more."""
        before, self._listeners = self._listeners, self._perceptions()
        if not self._listeners or (before and self._listeners - before):  # gone, or started anew
            self.transcript.lose_open()
        for name, view in list(self.diagnostics.items()):
            if view.level != STALE and time.monotonic() - self._reported_s[name] > _STALE_S:
                message = f"no report for {_STALE_S:g} s; the last one: {view.message}"
                self.diagnostics[name] = replace(view, level=STALE, message=message)

    # What the robot says

    def _subscribe_live(self, live: bool) -> None:
        if live and not self._live:
            if self.values.image_transport == parameters.RAW:
                picture = qos.subscribe(self, Image, "image", self._on_picture, qos.SENSOR_DATA)
            else:
                topic = sub_topic(self, "image", "compressed")
                picture = qos.subscribe(self, CompressedImage, topic, self._on_picture, qos.SENSOR_DATA)
            points = qos.subscribe(self, TurnPoints, "turn_points", self._on_points, qos.ANSWERS)
            self._live = [picture, points, qos.subscribe(self, Tracking, "tracking", self._on_tracking)]
        elif not live:
            for subscription in self._live:
                self.destroy_subscription(subscription)
            self._live = []

    def _on_picture(self, message: Image | CompressedImage) -> None:
        if not self._pace.lets_pass(time.monotonic()):
            return
        with self._telling_of("image"):
            sizes = {"max_width_px": self.values.max_width_px, "quality": self.values.jpeg_quality}
            self.picture = picture_of(message, self.picture.number + 1, **sizes)
        self.on_news()

    def _on_tracking(self, message: Tracking) -> None:
        with self._telling_of("tracking"):
            self.masks.on_tracking(message)
        self.on_news()

    def _on_masks(self, message: Segmentation) -> None:
        with self._telling_of("segmentation"):
            self.masks.on_segmentation(message)
        self.on_news()

    def _on_explanation(self, message: Explanation) -> None:
        turn = self.transcript.on_explanation(message)
        if turn.status is not None and not turn.said:  # nobody has published the user's words, but the node knows them
            self.load(turn.session_id)

    def _on_segmentation(self, message: Segmentation) -> None:
        self.transcript.on_segmentation(message)
        self._on_masks(message)

    def _on_points(self, message: TurnPoints) -> None:
        self.clouds[message.session_id] = cloud_of(message.points)

    def _on_turn_overlay(self, message: TurnImage) -> None:
        with self._telling_of("turn_overlay"):
            rgb = conversions.image_to_rgb(message.image)
            self.transcript.add_picture(message, encode_jpeg(rgb, self.values.jpeg_quality))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(self._reports):
                level = LEVELS.get(status.level, STALE)
                self._reported_s[status.name] = time.monotonic()
                values = {pair.key: pair.value for pair in status.values}
                self.diagnostics[status.name] = DiagnosticView(status.name, level, status.message, values)

    @contextmanager
    def _telling_of(self, topic: str) -> Iterator[None]:
        """Log what is wrong with a message that cannot be shown."""
        try:
            yield
        except BadInputError as error:
            self.get_logger().warning(f"{topic}: {error}", throttle_duration_sec=_COMPLAINT_PERIOD_S)

    def _spin(self) -> None:
        try:
            while not self._ended.is_set() and self.context.ok():
                self._spinner.spin_once(timeout_sec=_SPIN_S)
        except ExternalShutdownException:
            pass
        finally:
            self.on_end()
