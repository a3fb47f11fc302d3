"""The client of one perception node."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Duration, Time
from rclpy.action import ActionClient
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from pixelrs_ros.action import Ground
from pixelrs_ros.client.answers import Answer, NoAnswerError, PendingAnswer
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.srv import ResetDialogue

RELIABLE = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
_NS_PER_S = 1_000_000_000
_GRACE_S = 2.0  # for the node's own message that the time is over
_SPIN_S = 0.1
_POLL_S = 0.005  # while another thread spins the node


@dataclass
class _Listener:
    """Who is called while a turn that was sent with `send` goes on."""

    pending: PendingAnswer
    on_text: Callable[[str], None] | None
    on_masks: Callable[[Segmentation], None] | None


class PixelrsClient:
    """Talks to one perception node.

    Args:
        node: Talks for the client; None: a node of its own.
        perception: Name of the perception node, relative to the namespace of `node`.
        name: Name of a node of its own.
        namespace: Namespace of a node of its own.
        spin: Whether calls that wait spin the node; False where another thread does.
        partial_masks: Whether to subscribe to the masks of turns that have not ended yet.
        depth: Messages of each topic that are kept until the node is spun; whoever sends more at once needs more.
    """

    def __init__(
        self,
        node: Node | None = None,
        *,
        perception: str = "perception",
        name: str = "pixelrs_client",
        namespace: str = "",
        spin: bool = True,
        partial_masks: bool = False,
        depth: int = RELIABLE.depth,
    ) -> None:
        self.node = Node(name, namespace=namespace) if node is None else node
        self._owns_node = node is None
        self._perception = perception
        self._executor = SingleThreadedExecutor(context=self.node.context) if spin else None
        self._last_ns = 0
        self._listeners: dict[int, _Listener] = {}  # by the instruction's stamp
        # A group of its own: a coroutine that awaits an answer holds the group of its own callback until then.
        group = MutuallyExclusiveCallbackGroup()
        reset, ground = f"{perception}/reset_dialogue", f"{perception}/ground"
        self._reset: Client[Any, Any] = self.node.create_client(ResetDialogue, reset, callback_group=group)
        self._ground: ActionClient[Any, Any, Any] = ActionClient(self.node, Ground, ground, callback_group=group)
        self._qos = QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)
        self._instructions = self.node.create_publisher(Instruction, "instruction", self._qos)
        self._answers: dict[str, tuple[Any, Callable[[Any], None]]] = {
            "segmentation": (Segmentation, self._on_answer),
            "explanation": (Explanation, self._on_explanation),
        }
        if partial_masks:
            self._answers["partial_segmentation"] = (Segmentation, self._on_partial)
        self._group = group
        self._subscriptions: list[Subscription[Any]] = []
        for topic, (kind, callback) in self._answers.items():
            self.subscribe(kind, topic, callback)

    def destroy(self) -> None:
        """Take the client off the graph, and its node where that is its own."""
        if self._executor is not None:
            self._executor.shutdown()
        self._ground.destroy()
        self.node.destroy_client(self._reset)
        self.node.destroy_publisher(self._instructions)
        for subscription in self._subscriptions:
            self.node.destroy_subscription(subscription)
        if self._owns_node:
            self.node.destroy_node()

    def subscribe(self, kind: Any, topic: str, callback: Callable[[Any], None]) -> None:
        """Receive a further topic, reliably, until `destroy`."""
        self._subscriptions.append(
            self.node.create_subscription(kind, topic, callback, self._qos, callback_group=self._group)
        )

    # Whether the node is there

    def is_ready(self) -> bool:
        """Whether the perception node is active, as far as the graph tells."""
        return self._instructions.get_subscription_count() > 0 and all(map(self.node.count_publishers, self._answers))

    def wait_until_ready(self, timeout_s: float, *, alive: Callable[[], bool] = lambda: True) -> None:
        """Wait until the perception node is active.

        Args:
            timeout_s: How long to wait.
            alive: Asked again and again; the wait ends when it returns False.

        Raises:
            NoAnswerError: It is not active in time, or not alive.
        """
        complaint = f"no perception node in {self.node.get_namespace()} listens to `instruction`"
        self.wait(self.is_ready, timeout_s, complaint, alive=alive)

    # Through the action

    def ground(self, text: str, *, timeout_s: float = 30.0, **how: Any) -> Answer:
        """Send an instruction and wait for its answer.

        Args:
            text: What the user says, for example "the red mug".
            timeout_s: How long the turn may take. Then the node ends it, and the status is CANCELLED.
            **how: As for `ground_async`.

        Raises:
            NoAnswerError: The node is not there, or says nothing at all.
        """
        started_s = time.monotonic()
        self.wait(self._ground.server_is_ready, timeout_s, f"{self._perception} does not serve ~/ground")
        left_s = max(timeout_s - (time.monotonic() - started_s), 0.001)
        pending = self.ground_async(text, deadline_s=left_s, **how)
        return self.wait_for(pending, left_s + _GRACE_S)

    def ground_async(
        self, text: str, *, deadline_s: float = 0.0, on_text: Callable[[str], None] | None = None, **how: Any
    ) -> PendingAnswer:
        """Send an instruction and return at once.

        Args:
            text: What the user says.
            deadline_s: How long the turn may take; 0: as long as it likes.
            on_text: Called with the explanation while it grows.
            **how: As for `instruction`.
        """
        instruction = self.instruction(text, **how)
        deadline_ns = round(deadline_s * _NS_PER_S)
        goal = Ground.Goal(instruction=instruction)
        goal.deadline = Duration(sec=deadline_ns // _NS_PER_S, nanosec=deadline_ns % _NS_PER_S)
        sent = self._ground.send_goal_async(
            goal, lambda message: on_text(message.feedback.text) if on_text and message.feedback.text else None
        )

        # The goal has no handle before the node has accepted it.
        pending = PendingAnswer(_nanoseconds(instruction.header.stamp), lambda: sent.add_done_callback(_cancel))

        def on_result(future: Any) -> None:
            pending.add(future.result().result.segmentation)
            pending.add(future.result().result.explanation)

        def on_accepted(future: Any) -> None:
            future.result().get_result_async().add_done_callback(on_result)

        sent.add_done_callback(on_accepted)
        return pending

    # Through the topics

    def say(self, text: str, *, timeout_s: float = 30.0, **how: Any) -> Answer:
        """Send an instruction over the topic `instruction` and wait for its answer on the others.

        Args:
            text: What the user says.
            timeout_s: How long to wait.
            **how: As for `send`.

        Raises:
            NoAnswerError: The turn does not end in time.
        """
        return self.wait_for(self.send(text, **how), timeout_s)

    def send(
        self,
        text: str,
        *,
        on_text: Callable[[str], None] | None = None,
        on_masks: Callable[[Segmentation], None] | None = None,
        **how: Any,
    ) -> PendingAnswer:
        """Send an instruction over the topic `instruction` and return at once.

        Args:
            text: What the user says.
            on_text: Called with the explanation while it grows.
            on_masks: Called with the masks so far, where `partial_masks` is set, and with all of them in the end.
            **how: As for `instruction`.
        """
        instruction = self.instruction(text, **how)
        pending = PendingAnswer(_nanoseconds(instruction.header.stamp))
        self._listeners[pending.stamp_ns] = _Listener(pending, on_text, on_masks)
        self._instructions.publish(instruction)
        return pending

    def instruction(
        self, text: str, *, session_id: str = "", camera: str = "", stamp_ns: int | None = None, **fields: Any
    ) -> Instruction:
        """The message of an instruction.

        Args:
            text: What the user says.
            session_id: The dialogue; empty: the default one.
            camera: The camera's frame_id, where there are several.
            stamp_ns: When the user began to speak, nanoseconds; None: now. Tells answers apart.
            **fields: Further fields of the message, such as `frame_policy` or `replace_last`.
        """
        message = Instruction(session_id=session_id, text=text, source=Instruction.TYPED, confidence=1.0)
        for name, value in fields.items():
            setattr(message, name, value)
        message.header.frame_id = camera
        nanoseconds = self._unused_stamp_ns() if stamp_ns is None else stamp_ns
        message.header.stamp = Time(sec=nanoseconds // _NS_PER_S, nanosec=nanoseconds % _NS_PER_S)
        return message

    # Dialogues

    def reset(self, session_id: str = "", *, timeout_s: float = 10.0) -> int:
        """Forget a dialogue; how many turns it had.

        Raises:
            NoAnswerError: The perception node does not answer in time.
        """
        self.wait(self._reset.service_is_ready, timeout_s, f"{self._perception} does not serve ~/reset_dialogue")
        future = self.reset_async(session_id)
        self.wait(future.done, timeout_s, f"{self._perception} did not reset the dialogue")
        return int(future.result().dropped_turns)

    def reset_async(self, session_id: str = "") -> Any:
        """Forget a dialogue; a future of the service's response."""
        return self._reset.call_async(ResetDialogue.Request(session_id=session_id))

    # Waiting

    def wait_for(self, pending: PendingAnswer, timeout_s: float) -> Answer:
        """Wait for an answer.

        Raises:
            NoAnswerError: The turn does not end in time. A later answer is not waited for any more.
        """
        try:
            self.wait(pending.done, timeout_s, f"{self._perception} in {self.node.get_namespace()} did not answer")
        finally:
            self._listeners.pop(pending.stamp_ns, None)
        answer = pending.future.result()
        assert answer is not None
        return answer

    def wait(
        self,
        condition: Callable[[], bool],
        timeout_s: float,
        complaint: str,
        *,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        """Wait until a condition holds that depends on what the node receives.

        Args:
            condition: Asked again and again.
            timeout_s: How long to wait.
            complaint: Begins the message of the error.
            alive: Asked again and again; the wait ends when it returns False.

        Raises:
            NoAnswerError: It does not hold in time, or `alive` has returned False.
        """
        deadline_s = time.monotonic() + timeout_s
        if self._executor is not None:
            self._executor.add_node(self.node)
        try:
            while not condition():
                if not alive():
                    raise NoAnswerError("a node ended before the perception node was ready; its log says why")
                if time.monotonic() > deadline_s:
                    raise NoAnswerError(f"{complaint} in {timeout_s:g} s")
                if self._executor is not None:
                    self._executor.spin_once(timeout_sec=_SPIN_S)
                else:
                    time.sleep(_POLL_S)
        finally:
            if self._executor is not None:  # whoever wants to may spin the node now
                self._executor.remove_node(self.node)

    def _unused_stamp_ns(self) -> int:
        """Present time, never the same twice, so that it tells answers apart."""
        self._last_ns = max(self._last_ns + 1, int(self.node.get_clock().now().nanoseconds))
        return self._last_ns

    def _on_answer(self, message: Segmentation) -> None:
        listener = self._listeners.get(_nanoseconds(message.instruction_stamp))
        if listener is None:
            return
        if listener.on_masks is not None and message.segments:
            listener.on_masks(message)
        self._add(listener, message)

    def _on_explanation(self, message: Explanation) -> None:
        listener = self._listeners.get(_nanoseconds(message.instruction_stamp))
        if listener is None:
            return
        if message.is_final:
            self._add(listener, message)
        elif listener.on_text is not None:
            listener.on_text(message.text)

    def _on_partial(self, message: Segmentation) -> None:
        listener = self._listeners.get(_nanoseconds(message.instruction_stamp))
        if listener is None or listener.pending.segmentation is not None:  # topics may overtake each other
            return
        if listener.on_masks is not None:
            listener.on_masks(message)

    def _add(self, listener: _Listener, message: Segmentation | Explanation) -> None:
        listener.pending.add(message)
        if listener.pending.done():
            self._listeners.pop(listener.pending.stamp_ns, None)


def _cancel(future: Any) -> None:
    future.result().cancel_goal_async()


def _nanoseconds(stamp: Time) -> int:
    return int(stamp.sec) * _NS_PER_S + int(stamp.nanosec)
