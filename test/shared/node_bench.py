"""The node in one process with its caller, over real topics, and a network that tests can look into."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from pixelrs_ros.msg import Explanation, Instruction, Pointing, Segmentation
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_msgs.msg import String

from pixelrs_ros.dialogue.evidence import Evidence
from pixelrs_ros.dialogue.storage import Notice, Storage, StorageState
from pixelrs_ros.dialogue.store import DialogueSummary
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Frame, GroundedPhrase, Mark, Reply, Segment, Status, Turn, Utterance

if TYPE_CHECKING:
    from pixelrs_ros.engine.session import Session
else:
    Session = object  # a test that needs no network does not wait for torch

DEADLINE_S = 20.0


class Echo(Session):
    """Stands for the session, whose signatures mypy holds it to.

    Answers with the words and with the brightness of the frame that it was given.
    """

    backend = "an echo"
    about = "nothing but its own words"
    storage: Storage | None = None

    def __init__(self) -> None:
        self.dialogues: dict[str, list[Turn]] = {}
        self.said: list[tuple[str, str]] = []
        self.bounds: dict[str, Any] = {}
        self.more = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.hush = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def say(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
        on_stage: Callable[[], None] | None = None,
        remember: bool = True,
    ) -> Reply:
        assert on_text is not None and on_segment is not None and on_stage is not None
        self.said.append((utterance.session_id, utterance.text))
        self.begun.release()
        assert self.go.wait(DEADLINE_S)
        on_stage()
        utterance.check_points_into(frame)
        if utterance.text == "fail":
            raise ZeroDivisionError("on purpose")
        if utterance.text == "talk":
            self.talk(on_text)
        on_text("grow")
        if utterance.text == "point":
            return self.point(frame, on_text, on_segment)
        if utterance.text == "chatter":
            for count in range(1000):
                on_text(f"word {count}")
        if remember:
            turns = self.dialogues.setdefault(utterance.session_id, [])
            number = utterance.number or 0
            turns.append(
                Turn(
                    number, utterance.text, utterance.text, Status.ANSWERED,
                    instruction_id=utterance.instruction_id, point=utterance.point,
                )
            )  # fmt: skip
        where = "" if utterance.point is None else " at {:g}, {:g}".format(*utterance.point)
        return Reply(Status.ANSWERED, f"{utterance.text} {frame.image[0, 0, 0]}{where}", latency_ms={"encode": 1.0})

    def ask(
        self,
        utterance: Utterance,
        frame: Frame,
        on_text: Callable[[str], None] | None = None,
        on_segment: Callable[[Segment], None] | None = None,
        on_stage: Callable[[], None] | None = None,
    ) -> Reply:
        return self.say(utterance, frame, on_text, on_segment, on_stage, remember=False)

    def talk(self, on_text: Callable[[str], None]) -> None:
        """Words without end, one a hundredth of a second, as a slow network speaks."""
        for count in range(round(100 * DEADLINE_S)):
            on_text(f"word {count}")
            self.hush.wait(0.01)
        raise AssertionError("nobody called it off")

    def point(self, frame: Frame, on_text: Callable[[str], None], on_segment: Callable[[Segment], None]) -> Reply:
        """Two masks, the second when the test lets it, and more words."""
        segments = []
        for row in range(2):
            mask = np.zeros(frame.image.shape[:2], np.bool_)
            mask[row] = True
            segments.append(Segment(f"row {row}", mask, 0.5))
            on_segment(segments[-1])
            self.begun.release()
            assert self.more.acquire(timeout=DEADLINE_S)
        on_text("row 0 and row 1")
        phrases = (GroundedPhrase(0, 5, 0), GroundedPhrase(10, 15, 1))
        return Reply(Status.GROUNDED, "row 0 and row 1, there.", segments=tuple(segments), phrases=phrases)

    def marks(self, session_id: str) -> dict[int, Mark]:
        return {}

    def turns(self, session_id: str) -> tuple[Turn, ...]:
        return tuple(self.dialogues.get(session_id, ()))

    def next_index(self, session_id: str) -> int:
        turns = self.turns(session_id)
        return turns[-1].index + 1 if turns else 0

    def skip_to(self, session_id: str, next_index: int) -> None:
        pass

    def reset(self, session_id: str) -> int:
        return len(self.dialogues.pop(session_id, ()))

    def session_ids(self) -> tuple[str, ...]:
        return tuple(self.dialogues)

    def summaries(self) -> tuple[DialogueSummary, ...]:
        return tuple(DialogueSummary(name, len(turns), len(turns), 0.0) for name, turns in self.dialogues.items())

    def evidence(self, session_id: str) -> tuple[tuple[Turn, Evidence], ...]:
        return tuple((turn, Evidence()) for turn in self.turns(session_id))

    def storage_state(self) -> StorageState:
        return StorageState(None, "", False, 0)

    def set_bounds(self, **bounds: Any) -> None:
        if bounds["max_new_tokens"] > 100:
            raise ConfigError("max_new_tokens must be less than 100")
        self.bounds = bounds

    def maintain(self) -> list[Notice]:
        return []

    def close(self) -> None:
        pass


class Bench:
    """The node, a caller, and one executor that runs both."""

    def __init__(
        self,
        echo: Echo,
        session_factory: Callable[[NodeParameters], Session] | None = None,
        **overrides: Any,
    ) -> None:
        self.echo = echo
        overrides.setdefault("max_frame_wait_s", 0.0)  # most tests show an image now and then, in no rhythm
        parameters = [Parameter(name, value=value) for name, value in overrides.items()]
        self.node = PerceptionNode(session_factory=session_factory or (lambda _: echo), parameter_overrides=parameters)
        self.caller = Node("caller")
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.executor.add_node(self.caller)
        self.segmentations: list[Segmentation] = []
        self.partials: list[Segmentation] = []
        self.masks: list[Image] = []
        self.explanations: list[Explanation] = []
        self.diagnostics: dict[str, DiagnosticStatus] = {}
        self.images = self.caller.create_publisher(Image, "image", qos_profile_sensor_data)
        self.depths = self.caller.create_publisher(Image, "depth", qos_profile_sensor_data)
        self.instructions = self.caller.create_publisher(Instruction, "instruction", 10)
        self.texts = self.caller.create_publisher(String, "instruction_text", 10)
        self.caller.create_subscription(Segmentation, "segmentation", self.segmentations.append, 1000)
        self.caller.create_subscription(Segmentation, "partial_segmentation", self.partials.append, 10)
        self.caller.create_subscription(Image, "mask", self.masks.append, 10)
        self.caller.create_subscription(Explanation, "explanation", self.explanations.append, 1000)
        self.caller.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics = {status.name.rpartition(" ")[2]: status for status in message.status}

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = self.caller.get_clock().now().nanoseconds + DEADLINE_S * 1e9
        while not condition():
            assert self.caller.get_clock().now().nanoseconds < deadline, "nothing happened"
            self.executor.spin_once(timeout_sec=0.05)

    def activate(self) -> None:
        assert self.node.autostart()
        self.until(
            lambda: (
                all(
                    publisher.get_subscription_count()
                    for publisher in (self.images, self.depths, self.instructions, self.texts)
                )
                and all(
                    self.caller.count_publishers(topic)
                    for topic in ("segmentation", "partial_segmentation", "mask", "explanation")
                )
                and self.node.outputs is not None
                and self.node.outputs.mask.wanted  # nothing is sent to whom the node does not see yet
            )
        )

    def now_ns(self) -> int:
        return int(self.caller.get_clock().now().nanoseconds)

    def show(self, stamp_ns: int, value: int = 0, encoding: str = "rgb8") -> None:
        message = conversions.fill_image(Image(), Image().header, np.full((4, 4, 3), value, np.uint8), encoding)
        message.header.frame_id = f"frame {value}"
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        before = len(self.node.active.inputs.buffers) if self.node.active else 0
        self.images.publish(message)
        self.until(lambda: self.node.active is not None and len(self.node.active.inputs.buffers) > before)

    def send(
        self, text: str, stamp_ns: int, session_id: str = "", frame_id: str = "", frame_policy: int = 0,
        pointing: Sequence[Pointing] = (),
    ) -> None:  # fmt: skip
        message = Instruction(text=text, session_id=session_id, confidence=1.0, frame_policy=frame_policy)
        message.pointing = pointing
        message.header.frame_id = frame_id
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        self.instructions.publish(message)

    def answers(self, count: int) -> list[tuple[int, str]]:
        """Status and final words of so many turns."""
        self.until(lambda: len(self.segmentations) >= count and len(self.finals()) >= count)
        return [(message.status, message.text) for message in self.finals()]

    def finals(self) -> list[Explanation]:
        return [message for message in self.explanations if message.is_final]

    def call(self, service: Any, name: str, **request: Any) -> Any:
        client: Client[Any, Any] = self.caller.create_client(service, name)
        assert client.wait_for_service(DEADLINE_S)
        future: Future[Any] = client.call_async(service.Request(**request))
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        self.echo.go.set()
        self.node.destroy_node()
        self.caller.destroy_node()
