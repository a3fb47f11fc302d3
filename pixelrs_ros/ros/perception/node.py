"""The perception node: images and instructions in, masks and explanations out."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.subscription import Subscription
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header, String

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation, Tracking
from pixelrs_ros.ros.parameters.values import NodeParameters, check_change, declare, read
from pixelrs_ros.ros.perception.camera_inputs import CameraInputs
from pixelrs_ros.ros.perception.dialogue_services import DialogueServices, KeptDialogues
from pixelrs_ros.ros.perception.ground_action import GroundServer
from pixelrs_ros.ros.perception.health import Health, Surroundings
from pixelrs_ros.ros.perception.intake import Intake
from pixelrs_ros.ros.perception.name_check import name_status
from pixelrs_ros.ros.perception.segment_service import SegmentService
from pixelrs_ros.ros.perception.session_factory import open_session, session_bounds
from pixelrs_ros.ros.perception.target_follower import TargetFollower
from pixelrs_ros.ros.perception.turn_runner import Outputs, TurnRunner
from pixelrs_ros.ros.queueing.admission import customer_of
from pixelrs_ros.ros.queueing.frame_buffer import BufferedFrame, Stream
from pixelrs_ros.ros.queueing.session_frames import FramePolicy, SessionFrames
from pixelrs_ros.ros.queueing.turn_request import Job
from pixelrs_ros.ros.queueing.worker import Worker
from pixelrs_ros.ros.wire import conversions, qos
from pixelrs_ros.ros.wire.executor_bridge import Courier, after
from pixelrs_ros.ros.wire.image_outputs import ImageOutput, compress_color, compress_mask
from pixelrs_ros.ros.wire.ros_context import ros
from pixelrs_ros.types import Status

_DIAGNOSTICS_PERIOD_S = 1.0
# A turn ends at its next token when it is asked to; encoding the image cannot be interrupted.
_STOP_TIMEOUT_S = 20.0

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@dataclass(frozen=True)
class _Active:
    """What exists only while the node is active."""

    inputs: CameraInputs
    intake: Intake
    runner: TurnRunner
    worker: Worker[Job]
    follower: TargetFollower


class PerceptionNode(LifecycleNode):
    """Answers instructions about what the camera sees.

    Subscribes to one camera or several, `instruction` and `instruction_text`; publishes `segmentation`,
    `partial_segmentation`, `explanation`, `mask`, `overlay`, `target_points`, `tracking` and `/diagnostics`; serves the
    action `~/ground`, the service `~/segment` and what `DialogueServices` does. The network runs in a thread of its
    own. Dialogues live from configuration to clean-up, and where they are stored also after it.

    Args:
        session_factory: Makes the network and its dialogues when the node is configured.
        **kwargs: Of `LifecycleNode`.

    Raises:
        ConfigError: A parameter was given an impossible value.
    """

    def __init__(
        self, session_factory: Callable[[NodeParameters], KeptDialogues] = open_session, **kwargs: Any
    ) -> None:
        super().__init__("perception", **kwargs)
        self._session_factory = session_factory
        self._dialogues: KeptDialogues | None = None
        self._session_frames: SessionFrames | None = None
        self._outputs: Outputs | None = None
        self._active: _Active | None = None
        self._ground: GroundServer | None = None
        self._instructions: list[Subscription[Any]] = []
        self._health = Health(self.get_fully_qualified_name())
        declare(self)
        read(self)  # refuses impossible values before anyone can ask for a transition
        self.add_on_set_parameters_callback(self._on_parameters)
        self._diagnostics = qos.advertise(self, DiagnosticArray, "/diagnostics")
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._publish_diagnostics)
        courier = Courier(self)
        self._ground = GroundServer(self, courier, self._intake)
        SegmentService(self, courier, self._intake)
        self._dialogue_services = DialogueServices(
            self,
            courier,
            lambda: self._dialogues,
            lambda: self._session_frames,
            frame_policy=lambda: FramePolicy(self.values.frame_policy),
            on_reset=self._on_reset,
        )

    @property
    def values(self) -> NodeParameters:
        """The parameters in force; those that may change at any time take effect at once."""
        return read(self)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, load the network, create the publishers."""
        try:
            started_s = time.perf_counter()
            self._dialogues = self._session_factory(self.values)
        except Exception as error:
            # rclpy would swallow it without a word.
            self.get_logger().error(
                f"cannot load checkpoint {self.values.checkpoint!r} on {self.values.device!r} "
                f"(parameters 'checkpoint', 'device'): {error}"
            )
            self._release()
            return FAILURE
        self._session_frames = SessionFrames(self._dialogues.session_ids)
        try:
            self._outputs = self._advertise()
        except ConfigError as error:
            self.get_logger().error(str(error))
            self._release()
            return FAILURE
        loading_s = time.perf_counter() - started_s
        self.get_logger().info(
            f"loaded {self.values.checkpoint!r} in {loading_s:.1f} s; it runs as: {self._dialogues.backend}"
        )
        self._dialogue_services.tick()
        return super().on_configure(state)

    def _advertise(self) -> Outputs:
        return Outputs(
            context=self.context,
            segmentation=qos.advertise_managed(self, Segmentation, "segmentation", qos.ANSWERS),
            partial_segmentation=qos.advertise_managed(self, Segmentation, "partial_segmentation"),
            explanation=qos.advertise_managed(self, Explanation, "explanation", qos.ANSWERS),
            mask=ImageOutput(self, "mask", fill=conversions.fill_mask, compress=compress_mask),
            overlay=ImageOutput(
                self,
                "overlay",
                fill=partial(conversions.fill_image, encoding="rgb8"),
                compress=lambda message, header, rgb: compress_color(message, header, rgb, self.values.jpeg_quality),
            ),
            target_points=qos.advertise_managed(self, PointCloud2, "target_points"),
            tracking=qos.advertise_managed(self, Tracking, "tracking"),
        )

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
        assert self._dialogues is not None
        assert self._session_frames is not None
        assert self._outputs is not None
        values = self.values
        self._health.watch(values.image_topics)
        follower = TargetFollower(
            self._outputs,
            self.get_logger(),
            parameters=lambda: self.values,
            is_busy=lambda: self._active is not None and self._active.worker.busy_s > 0,
        )
        inputs = CameraInputs(self, values, self._health, listeners=[self._on_frame, follower.on_frame])
        runner = TurnRunner(
            self._dialogues,
            self._outputs,
            self._session_frames,
            self._health,
            self.get_logger(),
            parameters=lambda: self.values,
            on_answered=follower.begin,
        )
        worker = Worker(runner.run, customer_of, ended=lambda job: job.ended)
        intake = Intake(
            inputs.cameras,
            self._session_frames,
            runner,
            worker,
            self._health,
            parameters=lambda: self.values,
            now_ns=self._now_ns,
            after=lambda delay_s, call: after(self, delay_s, call),
        )
        self._active = _Active(inputs, intake, runner, worker, follower)
        # After the cameras, so that an image that came together with an instruction is taken first.
        self._instructions = [
            qos.subscribe(self, Instruction, "instruction", self._on_instruction, qos.INSTRUCTIONS),
            qos.subscribe(self, String, "instruction_text", self._on_instruction_text, qos.INSTRUCTIONS),
        ]

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening; instructions that still wait are answered with a status."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the dialogues and give the network's memory back."""
        result = super().on_cleanup(state)
        self._release()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and release everything, from whatever state."""
        self.close()
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
        if self._ground is not None:  # ROS also destroys a node that is but half made
            self._ground.destroy()
            self._ground = None
        super().destroy_node()

    def _intake(self) -> Intake | None:
        return None if self._active is None else self._active.intake

    def _stop(self) -> None:
        for subscription in self._instructions:
            self.destroy_subscription(subscription)
        self._instructions = []
        if self._active is None:
            return
        active, self._active = self._active, None
        active.inputs.close()
        active.follower.close()
        active.runner.stop()
        for job in (*active.worker.stop(_STOP_TIMEOUT_S), *active.intake.close()):
            active.runner.refuse(job, Status.REJECTED, "the node was deactivated before this turn: send it again")

    def _release(self) -> None:
        if self._outputs is not None:
            outputs = self._outputs
            for publisher in (
                outputs.segmentation,
                outputs.partial_segmentation,
                outputs.explanation,
                *outputs.mask.publishers,
                *outputs.overlay.publishers,
                outputs.target_points,
                outputs.tracking,
            ):
                self.destroy_lifecycle_publisher(publisher)
        self._outputs = None
        if self._dialogues is not None:
            self._dialogues.close()
        self._dialogues = None
        self._session_frames = None
        # The network's modules refer to each other in circles.
        gc.collect()

    # Inputs

    def _on_frame(self, camera: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        if self._active is not None and stream is Stream.IMAGE:
            self._active.intake.bind_waiting()

    def _on_instruction(self, message: Instruction) -> None:
        if self._active is not None:
            self._active.intake.take(Job(message, conversions.stamp_to_ns(message.header.stamp)))

    def _on_instruction_text(self, message: String) -> None:
        header = Header(stamp=self.get_clock().now().to_msg())
        self._on_instruction(Instruction(header=header, text=message.data, source=Instruction.TYPED, confidence=1.0))

    # Parameters, services and reports

    def _on_parameters(self, changed: list[Parameter[Any]]) -> SetParametersResult:
        """Refuse new values with the reason, or put them in force; most are read at every use."""
        configured, active = self._dialogues is not None, self._active
        problem = check_change(changed, self.values, configured=configured, active=active is not None)
        if problem:
            return SetParametersResult(successful=False, reason=problem)
        # No other callback has a say after this one, so that what is put in force here is what the parameters will be.
        new = {parameter.name: parameter.value for parameter in changed}
        if self._dialogues is not None:
            bounds = session_bounds(self.values)
            try:
                self._dialogues.set_bounds(**{**bounds, **{name: new[name] for name in bounds if name in new}})
            except ConfigError as error:
                return SetParametersResult(successful=False, reason=str(error))
        if active is not None:
            active.inputs.adopt(new)
        return SetParametersResult(successful=True)

    def _on_reset(self, session_id: str) -> None:
        if self._active is not None:
            self._active.follower.forget(session_id)

    def _publish_diagnostics(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        values, active = self.values, self._active
        around = Surroundings(
            state=self._state_machine.current_state[1],
            now_ns=self._now_ns(),
            max_frame_age_s=values.max_frame_age_s,
            max_frame_slop_s=values.max_frame_slop_s,
            waiting=0 if active is None else active.worker.waiting + active.intake.waiting,
            busy_s=0.0 if active is None else active.worker.busy_s,
            backend="" if self._dialogues is None else self._dialogues.backend,
        )
        message.status = self._health.statuses(around)
        message.status.append(name_status(self))
        if active is not None:
            message.status.append(active.follower.status(self.get_fully_qualified_name()))
        self._dialogue_services.tick()
        message.status.append(self._dialogue_services.status())
        self._diagnostics.publish(message)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def main(
    args: list[str] | None = None, session_factory: Callable[[NodeParameters], KeptDialogues] = open_session
) -> int:
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
            rclpy.spin(node)
        finally:
            node.destroy_node()
    return 0


if __name__ == "__main__":
    sys.exit(main())
