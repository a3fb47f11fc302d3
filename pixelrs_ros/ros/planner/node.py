"""The planner: words in, grasps out. An example of a consumer of the package's answers."""

from __future__ import annotations

import sys
from collections import deque
from functools import partial
from typing import Any

from geometry_msgs.msg import PoseArray
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from pixelrs_ros.client import RELIABLE, Answer, PixelrsClient, mask_of
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.grasping.view import plan
from pixelrs_ros.gripper import Grasp
from pixelrs_ros.msg import Segment
from pixelrs_ros.ros.perception.locating import calibration_from_info, depth_from_image
from pixelrs_ros.ros.planner import parameters
from pixelrs_ros.ros.wire.conversions import stamp_to_ns
from pixelrs_ros.ros.wire.executor_bridge import STEADY, call_later
from pixelrs_ros.ros.wire.grasps import fill_grasp_markers, fill_poses
from pixelrs_ros.ros.wire.ros_context import run
from pixelrs_ros.types import Status

_KEPT = 5  # newest depth images
_SLOP_NS = 50_000_000  # between an image and its depth
_LATE_NS = 500_000_000  # after the instruction, until when its image may still come
_START_PERIOD_S = 0.2
_GRACE_S = 2.0  # after a turn's time, until it is taken for lost with its node


class GraspPlanner(Node):
    """Takes words on `grasp_task`, and publishes `grasps`, `grasp_markers` and, on `grasp_words`, what it has to say.

    Where more than one thing fits, it asks on `grasp_words` and waits for the next words, in the same dialogue.

    Args:
        **kwargs: Arguments of `Node`.

    Raises:
        ConfigError: A parameter has an impossible value.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("grasp_planner", **kwargs)
        self.values = parameters.read(self)
        self._gripper = self.values.gripper()
        self._robot = PixelrsClient(self, perception=self.values.perception, spin=False)
        self._newest: deque[Image] = deque(maxlen=_KEPT)
        self._depths: list[Image] = []  # from around the instruction that is being answered
        self._info: CameraInfo | None = None
        self._asked_ns: int | None = None  # stamp of the instruction that is being answered
        self._poses = self.create_publisher(PoseArray, "grasps", RELIABLE)
        self._markers = self.create_publisher(MarkerArray, "grasp_markers", RELIABLE)
        self._words = self.create_publisher(String, "grasp_words", RELIABLE)
        self.create_subscription(Image, "depth", self._on_depth, qos_profile_sensor_data)
        self.create_subscription(CameraInfo, "camera_info", self._on_info, qos_profile_sensor_data)
        self.create_subscription(String, "grasp_task", lambda message: self._ask(message.data), RELIABLE)
        if self.values.task:
            self._start = self.create_timer(_START_PERIOD_S, self._begin, clock=STEADY)

    def destroy_node(self) -> None:
        """Take the node and its client off the graph."""
        if hasattr(self, "_robot"):  # ROS also destroys a node whose construction failed
            self._robot.destroy()
        super().destroy_node()

    @property
    def sees(self) -> bool:
        """Whether depth and its calibration have come."""
        return bool(self._newest) and self._info is not None

    def _begin(self) -> None:
        """Ask for the task that the node was started with, as soon as there is somebody to ask and a picture."""
        if self._robot.is_ready() and self.sees:
            self._start.cancel()
            self._ask(self.values.task, at_start=True)

    def _on_depth(self, message: Image) -> None:
        self._newest.append(message)
        if self._asked_ns is not None and stamp_to_ns(message.header.stamp) <= self._asked_ns + _LATE_NS:
            self._depths.append(message)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _ask(self, text: str, *, at_start: bool = False) -> None:
        """Let the perception node ground words; one task at a time. At the start its first picture is awaited."""
        if self._asked_ns is not None:
            self._say(f"One moment: I am still at the last task. Say {text!r} again then.")
            return
        if not self._robot.is_ready():
            self._say(f"There is no perception node {self.values.perception!r} that I could ask.")
            return
        values = self.values
        pending = self._robot.ground_async(
            text, deadline_s=values.timeout_s, session_id=values.session_id, camera=values.camera
        )
        # By the time of the answer newer ones will have pushed out the depth of its picture.
        self._depths, self._asked_ns = list(self._newest), pending.stamp_ns
        pending.future.add_done_callback(partial(self._on_answer, pending.stamp_ns, at_start))
        call_later(self, values.timeout_s + _GRACE_S, lambda: self._give_up(pending.stamp_ns, text))

    def _on_answer(self, asked_ns: int, at_start: bool, done: Future[Answer]) -> None:
        answer = done.result()
        if answer is None or self._asked_ns != asked_ns:
            return
        self._asked_ns = None
        if at_start and answer.status is Status.NO_FRAME:  # what has reached us may not have reached the other node yet
            self._start.reset()
            return
        self._act_on(answer)

    def _give_up(self, asked_ns: int, text: str) -> None:
        """Say that a task is lost, as with a perception node that ended while it answered."""
        if self._asked_ns == asked_ns:
            self._asked_ns = None
            self._publish(Header(stamp=self.get_clock().now().to_msg()), [])
            self._say(f"I had no answer about {text!r}: the perception node was too slow, or has ended. Say it again.")

    def _act_on(self, answer: Answer) -> None:
        targets = _targets(answer)
        if answer.status is not Status.GROUNDED:  # a question, or why there is nothing to grasp
            self._publish(answer.segmentation.header, [])
            self._say(answer.text)
        elif len(targets) > 1:
            self._publish(answer.segmentation.header, [])
            names = ", ".join(target.phrase for target in targets)
            self._say(f"{len(targets)} things fit: {names}. Which one shall I take?")
        else:
            self._grasp(answer.segmentation.header, targets[0])

    def _grasp(self, header: Header, target: Segment) -> None:
        try:
            depth = self._depth_of(header)
            camera = Camera.from_calibration(calibration_from_info(self._info))
            grasps = plan(mask_of(target), depth_from_image(depth), camera, self._gripper, self.values.grasps)
        except BadInputError as error:
            self._publish(header, [])
            self._say(f"I cannot reach {target.phrase}: {error}.")
            return
        self._publish(header, grasps)
        if not grasps:
            self._say(f"I find no hold for my gripper on {target.phrase}.")
            return
        best = grasps[0]
        self._say(
            f"I can grasp {target.phrase}: {len(grasps)} ways, best {best.tilt_deg:.0f}° from straight down, "
            f"{1000 * best.width_m:.0f} mm wide."
        )

    def _depth_of(self, header: Header) -> Image:
        """The depth of a picture.

        Raises:
            BadInputError: There is none, or no camera info.
        """
        stamp_ns = stamp_to_ns(header.stamp)
        apart = {abs(stamp_to_ns(depth.header.stamp) - stamp_ns): depth for depth in self._depths}
        if not apart or min(apart) > _SLOP_NS or self._info is None:
            raise BadInputError(
                "no depth image and camera info came with the picture; remedy: remap `depth` and `camera_info` to the "
                "camera's"
            )
        return apart[min(apart)]

    def _publish(self, header: Header, grasps: list[Grasp]) -> None:
        self._poses.publish(fill_poses(PoseArray(), header, grasps))
        self._markers.publish(fill_grasp_markers(MarkerArray(), header, grasps, self._gripper))

    def _say(self, text: str) -> None:
        self.get_logger().info(text)
        self._words.publish(String(data=text))


def _targets(answer: Answer) -> list[Segment]:
    """What was meant; of a thing and its part, the part."""
    wholes = {segment.parent for segment in answer.segments}
    return [segment for number, segment in enumerate(answer.segments) if number not in wholes]


def main(args: list[str] | None = None) -> int:
    """Run the node until it is interrupted; the exit status is 1 when it could not start."""
    return run("grasp_planner", GraspPlanner, args)


if __name__ == "__main__":
    sys.exit(main())
