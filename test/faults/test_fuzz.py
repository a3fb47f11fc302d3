"""50,000 messages that no well-behaved node would send, given to the node's callbacks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
import rclpy
from fault_bench import PIXELS, QuickEngine
from fuzz import MESSAGE_BYTES, NOW_S, message
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.srv import GetDialogue
from rclpy.logging import LoggingSeverity, set_logger_level
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.wire import conversions

BATCHES, BATCH = 1000, 50
STATUSES = range(Segmentation.GROUNDED, Segmentation.NOT_UNDERSTOOD + 1)


class Recorder:
    """A publisher that keeps what it is given."""

    is_activated = True

    def __init__(self, qos_profile: Any) -> None:
        self.qos_profile = qos_profile
        self.messages: list[Any] = []
        self._changed = threading.Condition()

    def get_subscription_count(self) -> int:
        return 1  # so that nothing is left out

    def publish(self, message: Any) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify()

    def wait_for_finals(self, count: int) -> None:
        """Wait for the ends of turns; explanations come last."""

        def enough() -> bool:
            return sum(message.is_final for message in self.messages) >= count

        with self._changed:
            assert self._changed.wait_for(enough, 60), "an instruction without a result"


class DeafNode(PerceptionNode):
    """The whole node without the middleware: its callbacks are called, its publishers record."""

    def __init__(self, **kwargs: Any) -> None:
        self.heard: dict[str, Callable[[Any], None]] = {}
        self.served: dict[str, Callable[[Any, Any], Any]] = {}
        self.said: dict[str, Recorder] = {}
        super().__init__(**kwargs)

    def create_subscription(  # type: ignore[override]  # only what the node calls
        self, kind: Any, topic: str, callback: Any, qos: Any, **_: Any
    ) -> Any:
        self.heard[topic] = callback
        return MagicMock(**{"handle.take_message.return_value": None})

    def destroy_subscription(self, subscription: Any) -> bool:
        return True

    def create_lifecycle_publisher(  # type: ignore[override]
        self, kind: Any, topic: str, qos: Any, **_: Any
    ) -> Any:
        return self.said.setdefault(topic, Recorder(qos))

    def destroy_lifecycle_publisher(self, publisher: Any) -> bool:
        return True

    def create_service(  # type: ignore[override]
        self, kind: Any, name: str, callback: Any, **kwargs: Any
    ) -> Any:
        self.served[name] = callback
        return super().create_service(kind, name, callback, **kwargs)


@pytest.fixture
def node(engine: QuickEngine) -> Iterator[DeafNode]:
    rclpy.init()
    limits = {"max_frame_wait_s": 0.0, "max_frame_age_s": 3600.0, "max_frame_slop_s": 3600.0}
    values = {**limits, "max_instructions_per_s": 0.0, "store_dialogues": False}
    node = DeafNode(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
    assert node.autostart()
    set_logger_level("perception", LoggingSeverity.FATAL)
    yield node
    set_logger_level("perception", LoggingSeverity.UNSET)  # loggers are the process's
    node.close()
    node.destroy_node()
    rclpy.shutdown()


def key(message: Instruction | Segmentation | Explanation) -> tuple[str, int, int]:
    stamp = message.header.stamp if isinstance(message, Instruction) else message.instruction_stamp
    return (message.session_id or "default", stamp.sec, stamp.nanosec)


def well_formed(place: int) -> tuple[Image, Instruction]:
    image = conversions.fill_image(Image(), Image().header, PIXELS[:24, :32], "rgb8")
    image.header.stamp = conversions.ns_to_stamp(NOW_S * 1_000_000_000 + place)
    instruction = Instruction(text=f"mask {place}", session_id="kept", confidence=1.0)
    instruction.header.stamp = image.header.stamp
    return image, instruction


@pytest.mark.fault(
    "fuzzed `Instruction` and `Image` messages (hypothesis)",
    "each instruction gets exactly one result with a valid status; the node lives and no dialogue is lost",
    cases=BATCHES * BATCH,
    real="node",
)
def test_each_fuzzed_instruction_gets_one_result(node: DeafNode, fuzz_seed: int) -> None:
    batches, seen = 0, Counter[int]()

    @seed(fuzz_seed)
    @settings(
        max_examples=BATCHES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=False,
        database=None,
    )  # fmt: skip
    @given(source=st.binary(min_size=BATCH * MESSAGE_BYTES, max_size=BATCH * MESSAGE_BYTES))
    def feed(source: bytes) -> None:
        nonlocal batches
        batch = [message(source[place : place + MESSAGE_BYTES]) for place in range(0, len(source), MESSAGE_BYTES)]
        for recorder in node.said.values():
            recorder.messages.clear()
        sent = [one for one in batch if isinstance(one, Instruction)]
        for one in batch:
            node.heard["instruction" if isinstance(one, Instruction) else "image"](one)
        results, words = node.said["segmentation"], node.said["explanation"]
        words.wait_for_finals(len(sent))
        image, instruction = well_formed(batches)
        node.heard["image"](image)
        node.heard["instruction"](instruction)
        words.wait_for_finals(len(sent) + 1)
        finals = [one for one in words.messages if one.is_final]
        for answers in (results.messages, finals):
            assert Counter(map(key, answers)) == Counter(map(key, [*sent, instruction]))
            assert all(answer.status in STATUSES for answer in answers)
        assert all(answer.status != Segmentation.INTERNAL_ERROR for answer in results.messages), "our fault"
        seen.update(one.status for one in results.messages)
        last = results.messages[-1]
        assert (last.status, last.turn, last.header) == (Segmentation.GROUNDED, batches, image.header)
        dialogue = node.served["~/get_dialogue"](GetDialogue.Request(session_id="kept"), GetDialogue.Response())
        batches += 1
        assert [turn.text for turn in dialogue.turns] == [f"mask {place}" for place in range(batches)][-16:]

    feed()
    assert batches >= BATCHES
    reached = (Segmentation.GROUNDED, Segmentation.ANSWERED, Segmentation.BAD_INPUT, Segmentation.NO_FRAME)
    assert all(seen[status] > BATCHES // 2 for status in reached), (
        f"the messages are neither all good nor all bad: {seen}"
    )
