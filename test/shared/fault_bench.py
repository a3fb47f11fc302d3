"""A perception node that faults are done to, with a network that answers at once, and its camera and user."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future as Computed
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import ChangeState
from pixelrs_ros.msg import Segmentation
from pixelrs_ros.srv import GetDialogue
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from spinning import spinning

from pixelrs_ros.client import Answer, PendingAnswer, PixelrsClient
from pixelrs_ros.engine.background import Pending
from pixelrs_ros.engine.engine import Engine, OnSegment, OnText
from pixelrs_ros.engine.frames import EncodedFrame, picture_key
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import GroundedPhrase, Reply, Segment, Status

# Generous: the machine may be busy with something else.
DEADLINE_S = 60.0
RESEND_S = 15.0
START_S = 180.0  # of a process that imports PyTorch
PROBE = "probe"  # a dialogue of instructions without words, which are refused at once
PIXELS = np.random.default_rng(5).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
_DEEP = 1000  # the caller itself must not lose a message


class QuickEngine(Engine):
    """Stands for a network that answers at once, so that only what is around it takes time.

    It masks the upper half for words with "mask" in them and repeats any others. The two hooks are called first, with
    the picture and with the words, and may raise or wait.
    """

    before_encode: Callable[[np.ndarray], object] = staticmethod(lambda image: None)
    before_answer: Callable[[str], object] = staticmethod(lambda text: None)

    def encode(
        self, image: np.ndarray, *, blind: bool = False, on_stage: Callable[[], None] = lambda: None
    ) -> EncodedFrame:
        """Nothing, of the right size."""
        self.before_encode(image)
        done: Computed[Any] = Computed()
        done.set_result((torch.zeros(1, 1, 1, 1), None))
        key, (height_px, width_px) = picture_key(image, blind=blind), image.shape[:2]
        return EncodedFrame(key, torch.zeros(1, 1, 1), Pending(done), height_px, width_px, 0.0, 8)

    def answer(
        self, encoded: EncodedFrame, turns: Sequence[Any], text: str, on_text: OnText | None = None,
        max_new_tokens: int | None = None, *, on_segment: OnSegment | None = None, **_: Any,
    ) -> Reply:  # fmt: skip
        """At once."""
        self.before_answer(text)
        if on_text is not None:
            on_text("it")
        if "mask" not in text:
            return Reply(Status.ANSWERED, text, text, latency_ms={"total": 0.0})
        mask = np.zeros((encoded.height_px, encoded.width_px), np.bool_)
        mask[: encoded.height_px // 2] = True
        segment = Segment("it", mask, 0.5)
        if on_segment is not None:
            on_segment(segment)
        return Reply(Status.GROUNDED, "it", "[OBJ] it[SEG]", (segment,), (GroundedPhrase(0, 2, 0),), {"total": 0.0})


class Caller(Node):
    """Camera and user of a perception node. A client tells the answers; all results are counted beside it."""

    pixels = PIXELS

    def __init__(self, namespace: str = "", **kwargs: Any) -> None:
        super().__init__("caller", namespace=namespace, **kwargs)
        self.client = PixelrsClient(self, spin=False, depth=_DEEP)
        self.diagnostics: dict[str, DiagnosticStatus] = defaultdict(DiagnosticStatus)
        self.images = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._pending: dict[int, PendingAnswer] = {}  # by the instruction's stamp, nanoseconds
        self._results: Counter[int] = Counter()  # a client takes no notice of a second one
        self.create_subscription(Segmentation, "segmentation", self._on_segmentation, _DEEP)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def destroy_node(self) -> None:
        self.client.destroy()
        super().destroy_node()

    def until(self, condition: Callable[[], bool], what: str, timeout_s: float = DEADLINE_S) -> None:
        ends_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < ends_s, f"waited in vain for {what}"
            rclpy.spin_once(self, timeout_sec=0.05)

    def wait_until_active(self, alive: Callable[[], bool] = lambda: True, timeout_s: float = DEADLINE_S) -> None:
        def listens() -> bool:
            assert alive(), "the node has ended"
            return self.images.get_subscription_count() > 0 and self.client.is_ready()

        self.until(listens, "the node to listen", timeout_s)

    def now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    @staticmethod
    def stamp_of(message: Any) -> int:
        return conversions.stamp_to_ns(message.header.stamp)

    def image(self, pixels: np.ndarray = PIXELS, encoding: str = "rgb8", stamp_ns: int | None = None) -> Image:
        message = conversions.fill_image(Image(), Image().header, pixels, encoding)
        message.header.frame_id = "camera"
        message.header.stamp = conversions.ns_to_stamp(self.now_ns() if stamp_ns is None else stamp_ns)
        return message

    def show(self, image: Image | None = None) -> Image:
        """Send an image until the node has it, which best effort does not promise: a refusal carries its header."""
        image = image or self.image()
        while True:
            self.images.publish(image)
            stamp_ns = self.send("", PROBE, conversions.stamp_to_ns(image.header.stamp))
            if self.wait_for(stamp_ns)[0].header == image.header:
                return image

    def send(self, text: str, session_id: str = "", stamp_ns: int | None = None, **fields: Any) -> int:
        """Send an instruction; its stamp in nanoseconds."""
        pending = self.client.send(text, session_id=session_id, stamp_ns=stamp_ns, **fields)
        self._pending[pending.stamp_ns] = pending
        self._results.pop(pending.stamp_ns, None)
        return pending.stamp_ns

    def has_answer(self, stamp_ns: int) -> bool:
        return self._pending[stamp_ns].done() and self._results[stamp_ns] > 0

    def answer(self, stamp_ns: int) -> Answer:
        answer = self._pending[stamp_ns].future.result()
        assert answer is not None
        return answer

    def wait_for(self, *stamps_ns: int) -> list[Segmentation]:
        """The results of instructions, of which each must have one."""
        self.until(lambda: all(map(self.has_answer, stamps_ns)), f"answers to {len(stamps_ns)} instructions")
        assert all(self._results[stamp_ns] == 1 for stamp_ns in stamps_ns), "an instruction was answered twice"
        return [self.answer(stamp_ns).segmentation for stamp_ns in stamps_ns]

    def say(self, text: str, session_id: str = "", stamp_ns: int | None = None) -> Segmentation:
        (result,) = self.wait_for(self.send(text, session_id, stamp_ns))
        return result

    def words(self, result: Segmentation) -> str:
        """Final words of the turn that a result ended."""
        answer = self.answer(conversions.stamp_to_ns(result.instruction_stamp))
        assert (answer.explanation.header, answer.explanation.status) == (result.header, result.status)
        return answer.text

    def call(self, service: Any, name: str, **request: Any) -> Any:
        client: Any = self.create_client(service, name)
        assert client.wait_for_service(DEADLINE_S), f"{name} is not served"
        future = client.call_async(service.Request(**request))
        sent_s = time.monotonic()

        def answered() -> bool:
            # Once more: a server that has not yet seen the client's other half sends its answer to nobody.
            nonlocal future, sent_s
            if time.monotonic() - sent_s > RESEND_S:
                future, sent_s = client.call_async(service.Request(**request)), time.monotonic()
            return bool(future.done())

        self.until(answered, f"{name} to answer")
        self.destroy_client(client)
        return future.result()

    def change_state(self, transition: int) -> bool:
        request = ChangeState.Request()
        request.transition.id = transition
        return bool(self.call(ChangeState, "perception/change_state", transition=request.transition).success)

    def dialogue(self, session_id: str = "") -> list[str]:
        """What the user said in a dialogue that is remembered."""
        client: Any = self.create_client(GetDialogue, "perception/get_dialogue")
        answers: list[Any] = []

        def answered() -> bool:
            # Again and again: what is asked of a node that was killed just now is lost.
            future = client.call_async(GetDialogue.Request(session_id=session_id))
            rclpy.spin_until_future_complete(self, future, timeout_sec=5.0)
            answers.extend([future.result()] if future.done() else [])
            return future.done()

        self.until(answered, "the dialogue")
        self.destroy_client(client)
        assert answers[0].success, answers[0].message
        return [turn.text for turn in answers[0].turns]

    def _on_segmentation(self, message: Segmentation) -> None:
        self._results[conversions.stamp_to_ns(message.instruction_stamp)] += 1

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics.update({status.name.rpartition(": ")[2]: status for status in message.status})


@contextmanager
def hosted(**parameters: Any) -> Iterator[tuple[PerceptionNode, Caller]]:
    """An active node in a thread of this process, and its caller."""
    rclpy.init()
    parameters.setdefault("max_frame_wait_s", 0.0)  # images are shown now and then, in no rhythm
    parameters.setdefault("max_instructions_per_s", 0.0)
    parameters.setdefault("store_dialogues", False)
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    node, executor = PerceptionNode(parameter_overrides=overrides), SingleThreadedExecutor()
    caller = Caller()
    try:
        assert node.autostart()
        executor.add_node(node)
        with spinning(executor) as thread:
            caller.wait_until_active(thread.is_alive)
            yield node, caller
            assert thread.is_alive(), "the node's thread ended"
    finally:
        node.close()
        node.destroy_node()
        caller.destroy_node()
        rclpy.shutdown()
