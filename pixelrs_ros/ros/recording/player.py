"""Says a recording to a perception node again, as it was recorded or turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

from pixelrs_ros.client import Answer, NoAnswerError
from pixelrs_ros.data.bag_turns import BagDialogue, BagTurn, read_dialogues
from pixelrs_ros.data.bag_types import definition_of
from pixelrs_ros.data.bags import Bag, Logged, RobotTopics
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.msg import Instruction
from pixelrs_ros.ros.recording.message_types import message_class
from pixelrs_ros.ros.tools.robot_client import RobotClient
from pixelrs_ros.ros.wire import conversions

_RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
_SHOW_PERIOD_S = 0.1
_ALONE_TIMEOUT_S = 5.0
_ACKNOWLEDGED_S = 5.0
_STEADY_S, _STEADY_TIMEOUT_S = 0.7, 10.0
_REMEDY = "remedy: stop it, and whatever else publishes images there"


@dataclass(frozen=True)
class Compared:
    """One turn, as it was recorded and as it was answered now.

    Attributes:
        recorded: As it was.
        answer: As it is.
    """

    recorded: BagTurn
    answer: Answer

    @property
    def same_masks(self) -> bool:
        """Whether the masks are the same, bit for bit."""
        before, now = self.recorded.masks, self.answer.masks
        return len(before) == len(now) and all(
            np.array_equal(one.mask(), other) for one, other in zip(before, now, strict=True)
        )

    @property
    def same(self) -> bool:
        """Whether the masks, the words and the status are the same."""
        is_same = self.answer.status is self.recorded.turn.status and self.answer.text == self.recorded.text
        return is_same and self.same_masks

    @property
    def iou(self) -> float | None:
        """IoU of all masks together, then and now; None where there is none in either, or of another size."""
        before, now = [mask.mask() for mask in self.recorded.masks], self.answer.masks
        if not (before or now) or len({mask.shape for mask in (*before, *now)}) != 1:
            return None
        nothing = np.zeros_like((*before, *now)[0])
        return iou(np.logical_or.reduce([nothing, *now]), np.logical_or.reduce([nothing, *before]))


def steady(value: Callable[[], int], for_s: float, now_s: Callable[[], float] = time.monotonic) -> Callable[[], bool]:
    """Asked again and again, tells whether a value has been the same for a while.

    Args:
        value: What is looked at.
        for_s: How long it has to be the same.
        now_s: The clock.
    """
    last, since_s = value(), now_s()

    def is_steady() -> bool:
        nonlocal last, since_s
        if (current := value()) != last:
            last, since_s = current, now_s()
        return now_s() - since_s >= for_s

    return is_steady


class Player:
    """Publishes what was recorded on the topics of a perception node, with new stamps.

    Args:
        bag: The recording, opened.
        robot: Whose topics.
        namespace: Of the node that is played to, whose topics have their usual names; None: all as recorded.
        perception: Its name.
    """

    def __init__(self, bag: Bag, robot: RobotTopics, namespace: str | None, perception: str) -> None:
        self._bag, self._robot = bag, robot
        self._as_recorded = namespace is None
        space = robot.namespace if namespace is None else namespace
        self._client = RobotClient(
            perception=perception, name="player", namespace=space.rstrip("/"), depth=_RELIABLE.depth
        )
        self._publishers: dict[str, Publisher[Any]] = {}
        self._shown: list[tuple[str, Any]] = []
        self._stamps_ns: set[int] = set()  # that the picture was shown with
        self._client.node.create_timer(_SHOW_PERIOD_S, self._show)

    def close(self) -> None:
        """Leave the graph."""
        self._client.destroy()

    # As it was recorded

    def play(self, rate: float, timeout_s: float) -> int:
        """Publish every image, what belongs to it, and every instruction, as far apart as they were.

        Args:
            rate: How many times as fast.
            timeout_s: How long to wait for the node.

        Returns:
            How many messages were published.

        Raises:
            DataError: There is nothing to publish, or it is of another type than this version's.
            NoAnswerError: There is no node, or who listens keeps changing.
        """
        names = {topic: name for name, topic in self._robot.camera.items()}
        names |= {self._robot.own(name): name for name in ("instruction", "instruction_text")}
        there = [topic for topic in names if topic in self._bag.topics]
        for topic in there:
            self._publisher(topic, names[topic])
        self._client.wait_until_ready(timeout_s)
        if "image" in self._robot.camera:
            self._require_alone(self._robot.camera["image"])
        self._wait_for_listeners()
        count, began = 0, None
        for logged in self._bag.messages(*there):
            if began is None:
                began = (logged.time_ns, time.monotonic(), self._now_ns() - logged.time_ns)
            first_ns, first_s, shift_ns = began
            time.sleep(max(0.0, first_s + (logged.time_ns - first_ns) / 1e9 / rate - time.monotonic()))
            message = self._decoded(logged)
            for stamped in (message, *getattr(message, "pointing", ())):
                if hasattr(stamped, "header"):
                    self._move(stamped, first_ns, shift_ns, rate)
            self._publishers[logged.topic].publish(message)
            count += 1
        if not count:
            raise DataError(f"{self._bag.path}: nothing of it can be played: no images and no instructions")
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=_ACKNOWLEDGED_S))
        return count

    def _wait_for_listeners(self) -> None:
        """Wait until DDS finds nobody new: who is found later than the first message is published misses it."""

        def listeners() -> int:
            return sum(publisher.get_subscription_count() for publisher in self._publishers.values())

        self._client.wait(steady(listeners, _STEADY_S), _STEADY_TIMEOUT_S, "who listens to the recording kept changing")

    @staticmethod
    def _move(message: Any, first_ns: int, shift_ns: int, rate: float) -> None:
        """Move a stamp to the present, and nearer to the first where it is played faster; 0 says "now" and stays."""
        stamp_ns = conversions.stamp_to_ns(message.header.stamp)
        if stamp_ns:
            moved_ns = first_ns + shift_ns + round((stamp_ns - first_ns) / rate)
            message.header.stamp = conversions.ns_to_stamp(max(0, moved_ns))

    # Turn by turn

    def compare(self, timeout_s: float, on_turn: Callable[[Compared], None]) -> dict[str, int]:
        """Show each turn's image, say its words, wait for the answer, and compare it.

        The dialogues get names of their own and are forgotten afterwards; those that the node has stay as they are.

        Args:
            timeout_s: How long to wait for the node, and for each answer.
            on_turn: Called with each turn.

        Returns:
            How many turns cannot be compared, by the reason why.

        Raises:
            DataError: The recording cannot be used.
            NoAnswerError: There is no node, another camera is there too, or an answer does not come.
        """
        dialogues, failed = read_dialogues(self._bag, self._robot)
        left_out = {f"ended as {status.value}": count for status, count in failed.items()}
        topic = self._robot.require_image(self._bag)
        for name, recorded in self._robot.camera.items():
            self._publisher(recorded, name)
        places = self._places({turn.turn.image_stamp_ns for dialogue in dialogues for turn in dialogue.turns})
        self._client.wait_until_ready(timeout_s)
        self._require_alone(topic)
        for place, dialogue in enumerate(dialogues):
            session_id = f"replay {time.time_ns()} {place}"
            left = self._compare_dialogue(session_id, dialogue, places, timeout_s, on_turn)
            for reason, count in left.items():
                left_out[reason] = left_out.get(reason, 0) + count
            self._require_alone(topic)  # DDS may have found the other camera only by now
        return left_out

    def _compare_dialogue(
        self,
        session_id: str,
        dialogue: BagDialogue,
        places: Mapping[int, Sequence[tuple[str, int]]],
        timeout_s: float,
        on_turn: Callable[[Compared], None],
    ) -> dict[str, int]:
        if not dialogue.from_start:
            return {"the dialogue began before, or a part of it is missing": len(dialogue.turns)}
        try:
            for count, turn in enumerate(dialogue.turns):
                picture = self._picture(places.get(turn.turn.image_stamp_ns, ()))
                if picture is None:
                    return {"its image, or that of a turn before, was not recorded": len(dialogue.turns) - count}
                on_turn(Compared(turn, self._say(session_id, turn, picture, timeout_s)))
        finally:
            self._shown = []
            self._client.reset(session_id, timeout_s=timeout_s)
        return {}

    def _places(self, stamps_ns: set[int]) -> dict[int, list[tuple[str, int]]]:
        """Where in the recording images are, and what was recorded of the same moment: topic and time, by stamp."""
        found: dict[int, list[tuple[str, int]]] = {}
        for logged in self._bag.messages(*self._robot.camera.values()):
            if logged.stamp_ns in stamps_ns:
                found.setdefault(logged.stamp_ns, []).append((logged.topic, logged.time_ns))
        return found

    def _picture(self, places: Sequence[tuple[str, int]]) -> list[tuple[str, Any]] | None:
        """An image and what belongs to it, the image last; None where it was not recorded."""
        found = {}
        for topic, time_ns in places:
            for logged in self._bag.messages(topic, at_ns=time_ns):
                found[topic] = self._decoded(logged)
        image = self._robot.camera["image"]
        return sorted(found.items(), key=lambda one: one[0] == image) if image in found else None

    def _say(self, session_id: str, turn: BagTurn, picture: list[tuple[str, Any]], timeout_s: float) -> Answer:
        self._shown, self._stamps_ns = picture, set()
        since_ns = self._client.now_ns()
        self._client.wait_for_image(since_ns, timeout_s, "the perception node saw no image of the recording")
        said = turn.instruction
        fields: dict[str, Any] = {"frame_policy": Instruction.PER_TURN, "replace_last": turn.replaces_last}
        fields["pointing"] = conversions.pointing_of(turn.turn.point, Header())  # the still picture's stamp is another
        if said is not None:
            fields |= {"source": int(said.source), "confidence": float(said.confidence)}
        camera = turn.turn.frame_id if said is not None and said.header.frame_id else ""
        answer = self._client.say(turn.turn.text, session_id=session_id, camera=camera, timeout_s=timeout_s, **fields)
        if conversions.stamp_to_ns(answer.segmentation.header.stamp) not in self._stamps_ns:
            raise NoAnswerError(f"the answer is about an image of another camera; {_REMEDY}")
        return answer

    def _show(self) -> None:
        """Be a camera in front of a still picture."""
        stamp = self._client.node.get_clock().now().to_msg()
        self._stamps_ns.add(conversions.stamp_to_ns(stamp))
        for topic, message in self._shown:
            message.header.stamp = stamp
            self._publishers[topic].publish(message)

    def _require_alone(self, topic: str) -> None:
        """Refuse to answer about another camera's images."""
        name = self._publishers[topic].topic_name
        self._client.wait(
            lambda: self._client.node.count_publishers(name) <= 1,
            _ALONE_TIMEOUT_S,
            f"another camera publishes on {name} too; {_REMEDY}; it was still there",
        )

    # Messages

    def _publisher(self, recorded: str, name: str) -> None:
        """Publish what was recorded on a topic on the one that the node listens to.

        Raises:
            DataError: Its type is not installed, or has changed since.
        """
        if recorded in self._publishers:
            return
        kind = self._bag.topics[recorded]
        if self._bag.digest(kind) != definition_of(kind).digest:
            raise DataError(
                f"{self._bag.path}: {recorded} was recorded with another version of {kind}; remedy: play it with the "
                "version of pixelrs_ros that recorded it; `pixelrs data from-bag` reads it all the same"
            )
        suffix = recorded.rpartition("/")[2]
        usual = f"{name}/{suffix}" if suffix in ("compressed", "compressedDepth") else name
        topic = recorded if self._as_recorded else usual
        self._publishers[recorded] = self._client.node.create_publisher(message_class(kind), topic, _RELIABLE)

    def _decoded(self, logged: Logged) -> Any:
        return deserialize_message(logged.data, message_class(logged.kind))

    def _now_ns(self) -> int:
        return int(self._client.node.get_clock().now().nanoseconds)
