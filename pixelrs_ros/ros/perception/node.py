"""The perception node: images and instructions in, masks and explanations out."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.declaration import changed, declare, read
from pixelrs_ros.ros.parameters.policies import FramePolicy
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.answers import Answers
from pixelrs_ros.ros.perception.camera_inputs import CameraInputs
from pixelrs_ros.ros.perception.dialogue_services import DialogueServices
from pixelrs_ros.ros.perception.ground_action import GroundServer
from pixelrs_ros.ros.perception.health import Health, NodeSnapshot
from pixelrs_ros.ros.perception.instruction_inputs import InstructionInputs
from pixelrs_ros.ros.perception.intake import Intake
from pixelrs_ros.ros.perception.name_check import name_status
from pixelrs_ros.ros.perception.outputs import Outputs
from pixelrs_ros.ros.perception.segment_service import SegmentService
from pixelrs_ros.ros.perception.session_factory import open_engine, open_session, session_bounds
from pixelrs_ros.ros.perception.swap_service import SwapService
from pixelrs_ros.ros.perception.target_follower import TargetFollower
from pixelrs_ros.ros.perception.target_frame import TargetFrame
from pixelrs_ros.ros.perception.turn_runner import TurnRunner
from pixelrs_ros.ros.queueing import admission
from pixelrs_ros.ros.queueing.bound_frame import BufferedFrame, Stream
from pixelrs_ros.ros.queueing.session_frames import SessionFrames
from pixelrs_ros.ros.queueing.turn_numbers import TurnNumbers
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.queueing.worker import Worker
from pixelrs_ros.ros.wire import qos
from pixelrs_ros.ros.wire.executor_bridge import STEADY, ExecutorBridge, call_later
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.types import Status

if TYPE_CHECKING:  # importing torch takes seconds, in which the node can already answer lifecycle calls
    from pixelrs_ros.engine.session import Session

_DIAGNOSTICS_PERIOD_S = 1.0
# A turn ends at its next word when it is asked to, and before the first one between the stages that take its image in.
_STOP_TIMEOUT_S = 20.0

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@dataclass(frozen=True)
class Active:
    """What exists only while the node is active."""

    inputs: CameraInputs
    intake: Intake
    answers: Answers
    runner: TurnRunner
    worker: Worker[TurnRequest]
    follower: TargetFollower


class PerceptionNode(LifecycleNode):
    """Answers instructions about what the camera sees.

    Subscribes to one camera or several, `instruction` and `instruction_text`; publishes `segmentation`,
    `partial_segmentation`, `explanation`, `mask`, `overlay` and `target_points`, the last three also with the name of
    their turn, `markers`, `tracking` and `/diagnostics`; serves the action `~/ground`, the services `~/segment` and
    `~/swap_checkpoint`, and what `DialogueServices` does. The network runs in a thread of its own. Dialogues live from
    configuration to clean-up, and where they are stored also after it.

    Args:
        session_factory: Makes the network and its dialogues when the node is configured.
        **kwargs: Arguments of `LifecycleNode`.

    Raises:
        ConfigError: A parameter was given an impossible value.
    """

    def __init__(self, session_factory: Callable[[NodeParameters], Session] = open_session, **kwargs: Any) -> None:
        super().__init__("perception", **kwargs)
        self._session_factory = session_factory
        self._session: Session | None = None
        self._session_frames: SessionFrames | None = None
        self._numbers: TurnNumbers | None = None
        self._outputs: Outputs | None = None
        self._target_frame: TargetFrame | None = None
        self._active: Active | None = None
        self._is_shut_down = False
        self._ground: GroundServer | None = None
        self._instructions = InstructionInputs(self)
        self._health = Health(self.get_fully_qualified_name())
        declare(self)
        self._values = read(self)  # refuses impossible values before anyone can ask for a transition
        self.add_on_set_parameters_callback(self._on_parameters)
        self._diagnostics = qos.advertise(self, DiagnosticArray, "/diagnostics")
        # By the steady clock: while a simulation or a recording is paused, its clock stands still.
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._publish_diagnostics, clock=STEADY)
        bridge = ExecutorBridge(self)
        self._ground = GroundServer(self, bridge, self._intake)
        SegmentService(self, bridge, self._intake, image_bits=lambda: self.values.image_bits)
        self._dialogue_services = DialogueServices(
            self,
            bridge,
            lambda: self._session,
            lambda: self._session_frames,
            frame_policy=lambda: FramePolicy(self.values.frame_policy),
            on_reset=self._on_reset,
            intake=self._intake,
        )
        SwapService(
            self,
            bridge,
            lambda: self._session,
            open_engine=lambda checkpoint: open_engine(replace(self.values, checkpoint=checkpoint)),
            current=lambda: self.values.checkpoint,
            adopt=self._adopt_checkpoint,
        )

    @property
    def values(self) -> NodeParameters:
        """The parameters in force: read at the start, and replaced when one of them changes."""
        return self._values

    @property
    def active(self) -> Active | None:
        """What exists while the node is active; None while it is not. To look at, for tests and tools."""
        return self._active

    @property
    def outputs(self) -> Outputs | None:
        """The publishers; None while the node is not configured. To look at, for tests and tools."""
        return self._outputs

    @property
    def is_configured(self) -> bool:
        """Whether the network is loaded."""
        return self._session is not None

    @property
    def lifecycle_state(self) -> str:
        """Name of the primary state that the node is in, or leaves right now."""
        if self._active is not None:
            return "active"
        if self._session is not None:
            return "inactive"
        return "finalized" if self._is_shut_down else "unconfigured"

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, load the network, create the publishers."""
        try:
            started_s = time.perf_counter()
            self._session = self._session_factory(self.values)
        except Exception as error:
            # rclpy would swallow it without a word.
            self.get_logger().error(
                f"cannot load checkpoint {self.values.checkpoint!r} on {self.values.device!r} "
                f"(parameters 'checkpoint', 'device'): {error}"
            )
            self._release()
            return FAILURE
        self._session_frames = SessionFrames(self._session.session_ids)
        self._numbers = TurnNumbers(self._session)
        try:
            self._outputs = Outputs.advertise(self, lambda: self.values.jpeg_quality)
            self._target_frame = TargetFrame(self, self.values)
        except ConfigError as error:
            self.get_logger().error(str(error))
            self._release()
            return FAILURE
        loading_s = time.perf_counter() - started_s
        self.get_logger().info(
            f"loaded {self.values.checkpoint!r} in {loading_s:.1f} s; it runs as: {self._session.backend}; "
            f"it has seen: {self._session.about or 'its checkpoint does not say what'}"
        )
        self._dialogue_services.tick()
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start listening."""
        activated = super().on_activate(state)
        try:
            self._start()
        except ConfigError as error:
            self.get_logger().error(str(error))
            self._stop()
            super().on_deactivate(state)
            return FAILURE
        return activated

    def _start(self) -> None:
        assert self._session is not None
        assert self._session_frames is not None
        assert self._numbers is not None
        assert self._outputs is not None
        assert self._target_frame is not None
        self._instructions.close()
        values = self.values
        self._health.watch(values.image_topics)
        follower = TargetFollower(
            self._outputs,
            self.get_logger(),
            parameters=lambda: self.values,
            is_busy=lambda: self._active is not None and self._active.worker.busy_s > 0,
        )
        inputs = CameraInputs(self, values, self._health, listeners=[self._on_frame, follower.on_frame])
        answers = Answers(
            self._numbers,
            self._outputs,
            self._session_frames,
            self._health,
            self._target_frame,
            self.get_logger(),
            parameters=lambda: self.values,
            on_answered=follower.begin,
        )
        runner = TurnRunner(self._session, answers, self.get_logger(), self._health.note_frame_age)
        worker = Worker(runner.run, lambda request: request.flow, ended=lambda request: request.ended)
        intake = Intake(
            inputs.buffers,
            self._session_frames,
            answers,
            worker,
            self._health,
            parameters=lambda: self.values,
            now_ns=self._now_ns,
            call_later=lambda delay_s, call: call_later(self, delay_s, call),
        )
        self._active = Active(inputs, intake, answers, runner, worker, follower)
        # After the cameras, so that an image that came together with an instruction is taken first.
        self._instructions.open(intake.take)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; instructions that wait or are still on their way are refused, each with one answer."""
        self._stop()
        self._instructions.close_when_silent()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the dialogues and give the network's memory back."""
        result = super().on_cleanup(state)
        self._release()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and release everything, from whatever state."""
        self.close()
        self._is_shut_down = True
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, from where the node can be configured again."""
        self.close()
        return SUCCESS

    def autostart(self) -> bool:
        """Configure and activate; whether both worked."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def close(self) -> None:
        """Stop the worker and release the network; the node may be in any state."""
        self._stop()
        self._release()

    def destroy_node(self) -> None:
        """Stop and take everything off the graph."""
        self.close()
        if self._ground is not None:  # ROS also destroys a node whose construction failed
            self._ground.destroy()
            self._ground = None
        super().destroy_node()

    def _intake(self) -> Intake | None:
        return None if self._active is None else self._active.intake

    def _stop(self) -> None:
        if self._active is None:
            return
        active = self._active

        def refuse(request: TurnRequest) -> None:
            active.answers.refuse(request, Status.REJECTED, admission.DEACTIVATED)

        self._instructions.refuse_from_now_on(refuse)
        self._active = None
        waiting = active.intake.close()
        active.inputs.close()
        active.follower.close()
        active.runner.stop()
        for request in (*active.worker.stop(_STOP_TIMEOUT_S), *waiting):
            refuse(request)

    def _release(self) -> None:
        self._instructions.close()
        if self._outputs is not None:
            self._outputs.destroy(self)
        self._outputs = None
        if self._target_frame is not None:
            self._target_frame.close()
        self._target_frame = None
        if self._session is not None:
            self._session.close()
        self._session = None
        self._session_frames = self._numbers = None
        # The network's modules refer to each other in circles.
        gc.collect()

    # Inputs

    def _on_frame(self, camera: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        if self._active is not None and stream is Stream.IMAGE:
            self._active.intake.bind_waiting()

    # Parameters, services and reports

    def _on_parameters(self, parameters: list[Parameter[Any]]) -> SetParametersResult:
        """Refuse new values with the reason, or put them in force."""
        configured, active = self._session is not None, self._active
        try:
            values = changed(self, self._values, parameters, configured=configured, active=active is not None)
            if self._session is not None and session_bounds(values) != session_bounds(self._values):
                self._session.set_bounds(**session_bounds(values))
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        # This callback is the last one that could refuse: what is put in force here is what the parameters will be.
        self._values = values
        if active is not None:
            active.inputs.adopt(values)
        return SetParametersResult(successful=True)

    def _adopt_checkpoint(self, checkpoint: str) -> None:
        self._values = replace(self._values, checkpoint=checkpoint)  # first: else the parameter's change is refused
        self.set_parameters([Parameter("checkpoint", value=checkpoint)])

    def _on_reset(self, session_id: str) -> None:
        if self._active is not None:
            self._active.follower.forget(session_id)
        if self._numbers is not None:
            self._numbers.forget(session_id)

    def _publish_diagnostics(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        values, active = self.values, self._active
        if active is not None:
            active.inputs.look_after()
        snapshot = NodeSnapshot(
            state=self.lifecycle_state,
            now_ns=self._now_ns(),
            max_frame_age_s=values.max_frame_age_s,
            max_frame_slop_s=values.max_frame_slop_s,
            waiting=0 if active is None else active.worker.waiting + active.intake.waiting,
            busy_s=0.0 if active is None else active.worker.busy_s,
            backend="" if self._session is None else self._session.backend,
            depth_unit_m=values.depth_unit_m,
            instruction_problem=None if active is None else self._instructions.type_problem(),
        )
        message.status = self._health.statuses(snapshot)
        message.status.append(name_status(self))
        if self._target_frame is not None:
            message.status.append(self._target_frame.status(self.get_fully_qualified_name()))
        if active is not None:
            message.status.append(active.follower.status(self.get_fully_qualified_name()))
        self._dialogue_services.tick()
        message.status.append(self._dialogue_services.status())
        self._diagnostics.publish(message)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def main(args: list[str] | None = None, session_factory: Callable[[NodeParameters], Session] = open_session) -> int:
    """Run the node until it is interrupted; the exit status is 1 when it could not start."""
    with ros(args):
        try:
            node = PerceptionNode(session_factory)
        except ConfigError as error:
            print(f"perception: {error}", file=sys.stderr)
            return 1
        try:
            if node.values.autostart and not node.autostart():
                return 1
            spin(node)
        finally:
            node.destroy_node()
    return 0


if __name__ == "__main__":
    sys.exit(main())
