"""The robot's user in code: looks at a scene, says something, waits for the answer. For the operator and the chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future

from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.perception.health import IMAGE_AGE
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.srv import ResetDialogue

RELIABLE = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
_DIAGNOSTICS_ROUNDING_NS = 20_000_000  # they give the age in hundredths of a second


class NoAnswerError(PixelrsError, TimeoutError):
    """A node did not answer in time; the message names it."""


@dataclass(frozen=True)
class Answer:
    """The two messages that end a turn."""

    segmentation: Segmentation
    explanation: Explanation


class RobotClient(Node):
    """Talks to the perception node and to the simulated camera, one call at a time.

    Args:
        name: Of the node.
        camera: Name of the simulated camera's node.
        perception: Name of the perception node.
        **kwargs: Of `rclpy.node.Node`.
    """

    def __init__(self, name: str, *, camera: str = "sim_camera", perception: str = "perception", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._camera = AsyncParameterClient(self, camera)
        self._reset: Client[Any, Any] = self.create_client(ResetDialogue, f"{perception}/reset_dialogue")
        self._instructions = self.create_publisher(Instruction, "instruction", RELIABLE)
        namespace = self.get_namespace().rstrip("/")
        self._robots_camera = f"{namespace}/{perception}: camera"  # its name in the diagnostics
        self._stamp_ns = -1
        self._segmentation: Segmentation | None = None
        self._explanation: Explanation | None = None
        self._answer: Future[Answer] | None = None
        self._on_partial: Callable[[str], None] | None = None
        self._seen_ns = 0  # stamp of the newest image that reached the perception node, as its diagnostics say
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, RELIABLE)
        self.create_subscription(Segmentation, "segmentation", self._on_segmentation, RELIABLE)
        self.create_subscription(Explanation, "explanation", self._on_explanation, RELIABLE)

    def wait_for_robot(self, timeout_s: float, *, alive: Callable[[], bool] = lambda: True) -> None:
        """Wait until the perception node listens, and says in its diagnostics that images reach it.

        Args:
            timeout_s: How long to wait.
            alive: Asked again and again; the wait ends when it says no.

        Raises:
            NoAnswerError: It does not listen in time, or it is not alive.
        """

        def ready() -> bool:
            if not alive():
                raise NoAnswerError("a node ended before the perception node was ready; its log says why")
            return self._listens()

        self._spin_until(ready, timeout_s, "no perception node listens to `instruction` and sees images")

    def look(self, scene_seed: int, camera_seed: int, timeout_s: float) -> None:
        """Show the camera a scene and wait until its images show it, also to the perception node.

        Raises:
            NoAnswerError: The camera does not answer, or sends no images, in time.
        """
        if not self._camera.wait_for_services(timeout_sec=timeout_s):
            raise NoAnswerError(f"no simulated camera answers after {timeout_s:g} s")
        seeds = {"scene_seed": scene_seed, "camera_seed": camera_seed}
        change = self._camera.set_parameters_atomically(
            [Parameter(name, Parameter.Type.INTEGER, seed) for name, seed in seeds.items()]
        )
        result = self._wait(change, timeout_s, "the simulated camera did not change its view").result
        if not result.successful:
            raise NoAnswerError(f"the simulated camera refused scene {scene_seed}: {result.reason}")
        # The images are large and arrive later than anything else: an instruction could overtake them.
        changed_ns = self._now_ns() + _DIAGNOSTICS_ROUNDING_NS
        complaint = f"the perception node saw no image of scene {scene_seed}"
        self._spin_until(lambda: self._seen_ns >= changed_ns, timeout_s, complaint)

    def say(
        self, text: str, session_id: str, timeout_s: float, on_partial: Callable[[str], None] | None = None
    ) -> Answer:
        """Send an instruction, stamped now, and wait for the end of its turn.

        Args:
            text: What the user says.
            session_id: The dialogue.
            timeout_s: How long to wait.
            on_partial: Told the explanation while it grows.

        Raises:
            NoAnswerError: The turn does not end in time.
        """
        return self.wait_for_answer(self.send(text, session_id, on_partial), timeout_s)

    def send(self, text: str, session_id: str, on_partial: Callable[[str], None] | None = None) -> int:
        """Send an instruction; its stamp in nanoseconds, for `wait_for_answer`."""
        self._stamp_ns = self._now_ns()
        self._segmentation, self._explanation, self._answer = None, None, Future()
        self._on_partial = on_partial
        message = Instruction(session_id=session_id, text=text, source=Instruction.TYPED, confidence=1.0)
        message.header.stamp = conversions.ns_to_stamp(self._stamp_ns)
        self._instructions.publish(message)
        return self._stamp_ns

    def wait_for_answer(self, stamp_ns: int, timeout_s: float) -> Answer:
        """Wait for the answer to the instruction that was sent last.

        Raises:
            NoAnswerError: The turn does not end in time.
        """
        assert stamp_ns == self._stamp_ns
        assert self._answer is not None
        return self._wait(self._answer, timeout_s, "the perception node did not answer")

    def forget(self, session_id: str, timeout_s: float) -> int:
        """Reset a dialogue; how many turns it had.

        Raises:
            NoAnswerError: The perception node does not answer in time.
        """
        if not self._reset.wait_for_service(timeout_sec=timeout_s):
            raise NoAnswerError(f"no perception node answers after {timeout_s:g} s")
        response = self._wait(
            self._reset.call_async(ResetDialogue.Request(session_id=session_id)),
            timeout_s,
            "the perception node did not reset the dialogue",
        )
        return int(response.dropped_turns)

    def _listens(self) -> bool:
        return (
            self._instructions.get_subscription_count() > 0
            and self.count_publishers("segmentation") > 0
            and self.count_publishers("explanation") > 0
            and self._seen_ns > 0
        )

    def _spin_until(self, condition: Callable[[], bool], timeout_s: float, complaint: str) -> None:
        deadline_ns = self._now_ns() + round(timeout_s * 1e9)
        while not condition():
            if self._now_ns() > deadline_ns:
                raise NoAnswerError(f"{complaint} within {timeout_s:g} s")
            rclpy.spin_once(self, timeout_sec=0.1)

    def _wait(self, future: Future[Any], timeout_s: float, complaint: str) -> Any:
        rclpy.spin_until_future_complete(self, future, timeout_sec=timeout_s)
        if not future.done():
            raise NoAnswerError(f"{complaint} within {timeout_s:g} s")
        return future.result()

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._robots_camera:
                age_s = {pair.key: pair.value for pair in status.values}[IMAGE_AGE]
                if age_s and status.level != DiagnosticStatus.ERROR:
                    self._seen_ns = conversions.stamp_to_ns(message.header.stamp) - round(float(age_s) * 1e9)

    def _on_segmentation(self, message: Segmentation) -> None:
        if conversions.stamp_to_ns(message.instruction_stamp) == self._stamp_ns:
            self._segmentation = message
            self._complete()

    def _on_explanation(self, message: Explanation) -> None:
        if conversions.stamp_to_ns(message.instruction_stamp) != self._stamp_ns:
            return
        if message.is_final:
            self._explanation = message
            self._complete()
        elif self._on_partial is not None:
            self._on_partial(message.text)

    def _complete(self) -> None:
        if self._segmentation is not None and self._explanation is not None and self._answer is not None:
            self._answer.set_result(Answer(self._segmentation, self._explanation))
