"""The action `~/ground`: one instruction, with feedback while it is answered and the chance to cancel it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Duration
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from rclpy.timer import Timer

from pixelrs_ros.action import Ground
from pixelrs_ros.ros.perception.intake import Intake, inactive_answer
from pixelrs_ros.ros.queueing.turn_request import Stage, TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.executor_bridge import ExecutorBridge, call_later
from pixelrs_ros.ros.wire.ros_context import ROS_ENDED_ERRORS
from pixelrs_ros.status_codes import STATUSES
from pixelrs_ros.types import Status

_NS_PER_S = 1_000_000_000
_RESULT_TIMEOUT_S = 10  # a result holds masks, so it is large; a client asks for it at once


@dataclass
class _Goal:
    """A goal that has not ended.

    Attributes:
        handle: The action server's handle of the goal.
        request: Its turn.
        result: Completed in the executor's thread when the turn has ended.
        deadline: Timer that cancels the turn when it takes too long; None: there is no deadline.
    """

    handle: ServerGoalHandle[Any, Any, Any]
    request: TurnRequest
    result: Future[Ground.Result]
    deadline: Timer | None = None


class GroundServer:
    """Serves the action on a node, with turns that are queued, run and published like any other.

    Every goal is accepted, since ROS cannot give a reason with a refusal: what cannot be done is aborted, with the
    status and the message in the result. A goal succeeds when the network has answered, whatever the answer.

    Args:
        node: Serves the action.
        bridge: Completes futures in the node's executor.
        intake: Gives what takes instructions, None while the node is not active.
    """

    def __init__(self, node: Node, bridge: ExecutorBridge, intake: Callable[[], Intake | None]) -> None:
        self._node = node
        self._bridge = bridge
        self._intake = intake
        self._goals: dict[bytes, _Goal] = {}
        self._server: ActionServer[Any, Any, Any] = ActionServer(
            node,
            Ground,
            "~/ground",
            execute_callback=self._execute,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            result_timeout=_RESULT_TIMEOUT_S,
        )

    def destroy(self) -> None:
        """Serve no more."""
        self._server.destroy()

    def _on_accepted(self, handle: ServerGoalHandle[Any, Any, Any]) -> None:
        """Begin at once, and not in `_execute`: from now on the goal may be cancelled."""
        instruction = handle.request.instruction
        instruction.instruction_id = instruction.instruction_id or bytes(handle.goal_id.uuid).hex()
        request = TurnRequest(instruction, conversions.stamp_to_ns(instruction.header.stamp))
        goal = _Goal(handle, request, Future())
        request.on_progress = lambda stage, text: self._send_feedback(goal, stage, text)
        request.on_end = lambda segmentation, explanation: self._bridge.complete(
            goal.result,
            Ground.Result(
                instruction_id=segmentation.instruction_id, segmentation=segmentation, explanation=explanation
            ),
        )
        self._goals[bytes(handle.goal_id.uuid)] = goal
        handle.execute()
        intake = self._intake()
        if intake is None:
            request.on_end(*inactive_answer(request))
            return
        self._send_feedback(goal, Stage.QUEUED, "")
        deadline = handle.request.deadline
        deadline_s = deadline.sec + deadline.nanosec / _NS_PER_S
        if deadline_s:  # one that has passed already is negative
            message = f"the turn was not done by its deadline of {deadline_s:g} s"
            goal.deadline = call_later(self._node, deadline_s, lambda: self._cancel(goal, message))
        intake.take(request)

    def _on_cancel(self, handle: ServerGoalHandle[Any, Any, Any]) -> CancelResponse:
        goal = self._goals.get(bytes(handle.goal_id.uuid))
        if goal is None:
            return CancelResponse.REJECT
        self._cancel(goal, "the goal was cancelled")
        return CancelResponse.ACCEPT

    def _cancel(self, goal: _Goal, message: str) -> None:
        intake = self._intake()
        if intake is not None:  # else the turn is being ended already
            intake.cancel(goal.request, message)

    async def _execute(self, handle: ServerGoalHandle[Any, Any, Any]) -> Ground.Result:
        """Wait for the end of the turn; the executor does other things meanwhile."""
        goal = self._goals[bytes(handle.goal_id.uuid)]
        result = await goal.result
        assert result is not None
        del self._goals[bytes(handle.goal_id.uuid)]
        if goal.deadline is not None:
            self._node.destroy_timer(goal.deadline)
        status = STATUSES[result.segmentation.status]
        if status.answered:
            handle.succeed()
        elif status is Status.CANCELLED and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _send_feedback(self, goal: _Goal, stage: Stage, text: str) -> None:
        """Send feedback. Called in the worker's thread too."""
        elapsed_ns = round(_NS_PER_S * (time.perf_counter() - goal.request.received_s))
        elapsed = Duration(sec=elapsed_ns // _NS_PER_S, nanosec=elapsed_ns % _NS_PER_S)
        try:
            feedback = Ground.Feedback(stage=int(stage), text=text, elapsed=elapsed)
            feedback.instruction_id = goal.request.instruction.instruction_id
            goal.handle.publish_feedback(feedback)
        except ROS_ENDED_ERRORS:
            if self._node.context.ok():  # otherwise the node has been destroyed
                raise
