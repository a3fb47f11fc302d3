"""Records what a perception node hears and says: a bag that Foxglove opens, and `ros2 bag`.

Messages are written as they came over DDS, without being decoded. The user's words come by the topic `instruction`, or
by the action, whose goals nobody else can hear: then the node's own dialogue tells them.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import TransitionEvent
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.client import Client
from rclpy.exceptions import NameValidationException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from pixelrs_ros.data.bag_writing import BagWriter
from pixelrs_ros.data.bags import CAMERA_TOPICS, Logged
from pixelrs_ros.errors import ConfigError, DataError, PixelrsError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation, Tracking
from pixelrs_ros.msg import Turn as TurnMessage
from pixelrs_ros.ros.recording.message_types import kind_of, message_class, offered_qos
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.image_outputs import sub_topic
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.srv import GetDialogue
from pixelrs_ros.status_codes import STATUSES
from pixelrs_ros.types import DEFAULT_SESSION_ID

ALL, TURNS = "all", "turns"  # which images
_CAMERA = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
_RELIABLE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
# Of the images that are kept in memory until a turn is about one of them.
_KEPT_BYTES = 256_000_000
_DIAGNOSTICS = "/diagnostics"
_LOOK_PERIOD_S = 0.2
_LAST_MESSAGES_S, _LAST_WORDS_S = 0.3, 3.0


@dataclass(frozen=True)
class _Told:
    """An answered turn whose instruction did not come by a topic: its number, and the one that was answered before."""

    instruction_id: str
    number: int
    before: int | None


class Recorder(Node):
    """Writes the topics of the perception node in its namespace, whose remappings are to be given to both.

    Args:
        **kwargs: Arguments of `rclpy.node.Node`.

    Attributes:
        out: The folder of the recording, a parameter.
        more: The further topics that were asked for.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("recorder", **kwargs)
        self.out = Path(self._declare("out", "recording", "Folder of the recording; it must not be there yet."))
        self._images = self._choose("images", (ALL, TURNS), "All images, or only those that turns are about.")
        transport = self._choose("image_transport", ("raw", "compressed"), "As the node's parameter.")
        depth_transport = self._choose("depth_transport", ("raw", "compressedDepth"), "As the node's parameter.")
        more = self._declare("topics", [""], "Further topics.")
        self._perception = self._declare("perception", "perception", "Name of the perception node.")
        self._writer: BagWriter | None = None
        self._kept: deque[Logged] = deque()
        self._kept_bytes = 0
        self._wanted_ns: set[int] = set()  # stamps of the images that turns are about
        self._heard: set[tuple[str, str | int]] = (
            set()
        )  # instructions that came by the topic, by session and id or stamp
        self._last: dict[str, int] = {}  # number of each dialogue's last answered turn
        self._asked: list[tuple[Future[Any], str, _Told]] = []
        self.problem: PixelrsError | None = None
        self._camera = {
            "image": self._image_topic("image", transport),
            "depth": self._image_topic("depth", depth_transport),
            "camera_info": self.resolve_topic_name("camera_info"),
        }
        for name, topic in self._camera.items():
            is_raw = name == "camera_info" or topic == self.resolve_topic_name(name)
            kind = CameraInfo if name == "camera_info" else Image if is_raw else CompressedImage
            self._listen(kind, topic, _CAMERA)
        own: dict[str, Any] = {
            "instruction": Instruction,
            "instruction_text": String,
            "segmentation": Segmentation,
            "partial_segmentation": Segmentation,
            "explanation": Explanation,
            "target_points": PointCloud2,
            "markers": MarkerArray,
            _DIAGNOSTICS: DiagnosticArray,
            f"{self._perception}/transition_event": TransitionEvent,
        } | ({"tracking": Tracking} if self._images == ALL else {})
        for name, kind in own.items():
            self._listen(kind, self.resolve_topic_name(name), _RELIABLE)
        self._readers = {
            self.resolve_topic_name("instruction"): self._read_instruction,
            self.resolve_topic_name("segmentation"): self._read_segmentation,
            self.resolve_topic_name("explanation"): self._read_explanation,
        }
        self._dialogue: Client[Any, Any] = self.create_client(GetDialogue, f"{self._perception}/get_dialogue")
        self.more = {self.resolve_topic_name(topic) for topic in more if topic}
        self._unseen = set(self.more)
        self.create_timer(_LOOK_PERIOD_S, self._look)
        self._announcement = self.create_timer(_LOOK_PERIOD_S, self._announce)

    @property
    def noted(self) -> dict[str, str]:
        """The camera's topics, for `Bag.noted`."""
        namespace = f"{self.get_namespace().rstrip('/')}/"
        return {f"{namespace}{name}": self.resolve_topic_name(name) for name in CAMERA_TOPICS}

    def record(self, writer: BagWriter) -> None:
        """Write what comes, until a signal or a failure ends it.

        Raises:
            PixelrsError: A message cannot be written.
        """
        self._writer = writer
        spin(self, until=lambda: self.problem is not None)
        ended_s = time.monotonic()

        def is_over() -> bool:
            """Whether what was on its way then is here: messages, and what the node says of a dialogue."""
            waited_s = time.monotonic() - ended_s
            is_quiet = waited_s > _LAST_MESSAGES_S and all(answer.done() for answer, *_ in self._asked)
            return is_quiet or waited_s > _LAST_WORDS_S or self.problem is not None

        spin(self, until=is_over)
        self._write_told()
        if self.problem is not None:
            raise self.problem

    def _announce(self) -> None:
        """Only now, when a signal ends the recording and not the process."""
        self._announcement.cancel()
        print(f"recording {self.get_namespace()} to {self.out}; Ctrl-C ends it", flush=True)

    def _image_topic(self, name: str, transport: str) -> str:
        return self.resolve_topic_name(name) if transport == "raw" else sub_topic(self, name, transport)

    def _listen(self, kind: Any, topic: str, profile: QoSProfile) -> None:
        self.create_subscription(kind, topic, partial(self._take, topic, kind_of(kind)), profile, raw=True)

    def _take(self, topic: str, kind: str, data: bytes) -> None:
        message = Logged(topic, kind, time.time_ns(), data)
        if self._images == TURNS and topic in self._camera.values():
            self._keep(message)
            return
        self._write(message)
        read = self._readers.get(topic)
        if read is not None:
            read(data)

    def _write(self, message: Logged) -> None:
        if self._writer is None or self.problem is not None:
            return
        try:
            self._writer.write(
                message.topic, message.kind, message.time_ns, message.data, lambda: offered_qos(self, message.topic)
            )
        except PixelrsError as error:  # a callback must not raise: the executor would end on it
            self.problem = error

    # Images

    def _keep(self, message: Logged) -> None:
        """Hold an image, or what belongs to it, until a turn is about it or it is too old."""
        if message.stamp_ns in self._wanted_ns:
            self._write(message)
            return
        self._kept.append(message)
        self._kept_bytes += len(message.data)
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().data)

    def _want_image(self, message: Segmentation | Explanation) -> None:
        stamp_ns = conversions.stamp_to_ns(message.header.stamp)
        if self._images == ALL or stamp_ns in self._wanted_ns:
            return
        self._wanted_ns.add(stamp_ns)
        others: deque[Logged] = deque()
        for kept in self._kept:
            if kept.stamp_ns == stamp_ns:
                self._kept_bytes -= len(kept.data)
                self._write(kept)
            else:
                others.append(kept)
        self._kept = others

    # Words

    def _read_instruction(self, data: bytes) -> None:
        message = deserialize_message(data, Instruction)
        name = message.instruction_id or conversions.stamp_to_ns(message.header.stamp)
        self._heard.add((message.session_id or DEFAULT_SESSION_ID, name))

    def _read_explanation(self, data: bytes) -> None:
        self._want_image(deserialize_message(data, Explanation))

    def _read_segmentation(self, data: bytes) -> None:
        message = deserialize_message(data, Segmentation)
        self._want_image(message)
        status = STATUSES.get(message.status)
        if status is None or not status.answered:
            return
        told = _Told(message.instruction_id, message.turn, self._last.get(message.session_id))
        self._last[message.session_id] = message.turn
        names = (message.instruction_id, conversions.stamp_to_ns(message.instruction_stamp))
        is_heard = not self._heard.isdisjoint((message.session_id, name) for name in names)
        if not is_heard and self._dialogue.service_is_ready():
            answer = self._dialogue.call_async(GetDialogue.Request(session_id=message.session_id))
            self._asked.append((answer, message.session_id, told))

    def _write_told(self) -> None:
        """Write the instructions of the turns that the node's dialogues have told."""
        # Not by callbacks of the futures: those are run by the executor that is there when the question is asked.
        waiting = []
        for answer, session_id, told in self._asked:
            response = answer.result() if answer.done() else None
            if response is not None:
                self._write_instruction(session_id, told, response.turns)
            else:
                waiting.append((answer, session_id, told))
        self._asked = waiting

    def _write_instruction(self, session_id: str, told: _Told, turns: Sequence[TurnMessage]) -> None:
        """Write the instruction of a turn as its topic would have carried it."""
        for turn in turns:
            if turn.instruction_id == told.instruction_id:
                message = Instruction(session_id=session_id, instruction_id=turn.instruction_id, text=turn.text)
                message.header.stamp, message.confidence = turn.instruction_stamp, 1.0
                message.pointing = turn.pointing
                numbers = {each.index for each in turns}
                message.replace_last = (
                    told.before is not None and told.before < told.number and (told.before not in numbers)
                )
                topic = self.resolve_topic_name("instruction")
                self._write(Logged(topic, kind_of(Instruction), time.time_ns(), serialize_message(message)))

    # Further topics, of which only the graph knows the type

    def _look(self) -> None:
        self._write_told()
        for topic in tuple(self._unseen):
            offered = self.get_publishers_info_by_topic(topic)
            if not offered:
                continue
            self._unseen.discard(topic)
            reliable = all(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in offered)
            latched = all(info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for info in offered)
            profile = QoSProfile(
                depth=_RELIABLE.depth,
                reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
                durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
            )
            try:
                self._listen(message_class(offered[0].topic_type), topic, profile)
            except PixelrsError as error:
                self.get_logger().error(f"{topic} is not recorded: {error}")

    def _declare(self, name: str, default: Any, description: str) -> Any:
        descriptor = ParameterDescriptor(description=description, read_only=True)
        return self.declare_parameter(name, default, descriptor).value

    def _choose(self, name: str, choices: Sequence[str], description: str) -> str:
        value = str(self._declare(name, choices[0], description))
        if value not in choices:
            raise ConfigError(f"parameter {name!r} must be one of {', '.join(choices)}, got {value!r}")
        return value


def record(namespace: str, remapped: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Record until SIGINT or SIGTERM.

    Args:
        namespace: Of the perception node.
        remapped: The camera's topics by the names in `CAMERA_TOPICS`, where they are called otherwise.
        parameters: By name.

    Raises:
        PixelrsError: Nothing came, something could not be written, or an argument is not what ROS takes.
    """
    arguments = ["--ros-args"]
    for name, topic in remapped.items():
        arguments += ["-r", f"{name}:={topic}"]
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    with ros([]):
        try:
            node = Recorder(namespace=namespace, cli_args=arguments, parameter_overrides=overrides)
        except PixelrsError:
            raise
        except (NameValidationException, RuntimeError, ValueError) as error:  # rclpy's and rcl's
            said = str(error).splitlines()[0].split(", at ")[0]
            raise ConfigError(f"a name is not what ROS takes: {said}") from error
        _run(node)


def main(args: list[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM; 1 when nothing came, or something could not be written."""
    status = 0
    with ros(args):
        try:
            _run(Recorder())
        except PixelrsError as error:
            print(f"record: {error}", file=sys.stderr)
            status = 1
    return status


def _run(node: Recorder) -> None:
    try:
        with BagWriter(node.out, node.noted) as writer:
            node.record(writer)
    finally:
        node.destroy_node()
    if not writer.counts:
        raise DataError("nothing came, and no recording was left; remedy: the namespace and topics of the node")
    for topic, count in sorted(writer.counts.items()):
        print(f"{count:8} {topic}")
    for topic in sorted(node.more - writer.counts.keys()):
        print(f"       0 {topic}: nothing came")
    print(f"{node.out}: {sum(writer.counts.values())} messages")
    if writer.counts.keys() == {_DIAGNOSTICS}:  # of any node in any namespace
        raise DataError(f"{node.out}: only {_DIAGNOSTICS} came; remedy: the namespace and topics of the node")


if __name__ == "__main__":
    sys.exit(main())
