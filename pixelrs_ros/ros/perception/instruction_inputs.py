"""The topics of instructions: listened to while the node is active, and until nobody speaks any more afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_msgs.msg import Header, String

from pixelrs_ros.msg import Instruction
from pixelrs_ros.ros.perception import topic_check
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.executor_bridge import STEADY, take_all

_TOPICS: dict[str, type[Any]] = {"instruction": Instruction, "instruction_text": String}
_LINGER_S = 1.0  # without an instruction; then nobody sends any to a node that is not active
_LINGER_PERIOD_S = 0.25

Take = Callable[[TurnRequest], None]


class InstructionInputs:
    """Gives each instruction that comes over a topic to one taker.

    After a deactivation clients may not know yet that nobody listens: what they send is then refused, which takes a
    subscription that lives a moment longer than the node is active.

    Args:
        node: The node that listens.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._take: Take | None = None
        self._refuse: Take | None = None
        self._last_s = 0.0  # when the last instruction came that was refused, by `time.monotonic()`
        self._timer: Timer | None = None
        self._subscriptions: list[Subscription[Any]] = []

    def open(self, take: Take) -> None:
        """Listen, and give what comes to `take`, which may be called in any of the executor's threads."""
        self.close()
        self._take = take
        self._subscriptions = [
            qos.subscribe(self._node, Instruction, "instruction", self._on_instruction, qos.INSTRUCTIONS),
            qos.subscribe(self._node, String, "instruction_text", self._on_text, qos.INSTRUCTIONS),
        ]

    def refuse_from_now_on(self, refuse: Take) -> None:
        """Give what comes from now on to `refuse` instead."""
        self._last_s = time.monotonic()
        self._take, self._refuse = None, refuse

    def close_when_silent(self) -> None:
        """Close as soon as no more instructions come."""
        self._timer = self._node.create_timer(_LINGER_PERIOD_S, self._look, clock=STEADY)

    def close(self) -> None:
        """Refuse what has arrived, where that was asked for, and listen no more."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        self._timer = None
        for subscription in self._subscriptions:
            if self._refuse is not None:
                take_all(subscription)
            self._node.destroy_subscription(subscription)
        self._subscriptions = []
        self._take = self._refuse = None

    def type_problem(self) -> str | None:
        """That instructions are sent as something else than the node listens to; None when they are not."""
        for topic, message_type in _TOPICS.items():
            problem = topic_check.type_problem(self._node, self._node.resolve_topic_name(topic), message_type)
            if problem is not None:
                return problem
        return None

    def _look(self) -> None:
        if time.monotonic() - self._last_s > _LINGER_S:
            self.close()

    def _on_instruction(self, message: Instruction) -> None:
        request = TurnRequest(message, conversions.stamp_to_ns(message.header.stamp))
        take, refuse = self._take, self._refuse
        if take is not None:
            take(request)
        elif refuse is not None:
            self._last_s = time.monotonic()
            refuse(request)

    def _on_text(self, message: String) -> None:
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._on_instruction(Instruction(header=header, text=message.data, source=Instruction.TYPED, confidence=1.0))
