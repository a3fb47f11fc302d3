"""Plays the demo's user: dialogues over seeded scenes, each turn sent when the one before has been answered."""

from __future__ import annotations

import sys
from dataclasses import replace

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from pixelrs_ros.client import NoAnswerError
from pixelrs_ros.ros.demo.scene_client import SceneClient
from pixelrs_ros.ros.demo.script import FIRST_SCENE_SEED, PlayedTurn, write_scene_script, write_script
from pixelrs_ros.ros.wire.ros_context import ros
from pixelrs_ros.sim.picture.render import Renderer

# Kept for a planner that starts late. Each message is a PlayedTurn as JSON; the empty string ends the play.
PLAYED = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
END_OF_PLAY = ""


class Operator(Node):
    """Plays the script and announces each turn on `played_turns`."""

    def __init__(self) -> None:
        super().__init__("operator")
        self.dialogues = self._declare_whole("dialogues", 8, 1, 100, "Number of dialogues.")
        self.first_scene_seed = self._declare_whole(
            "first_scene_seed", FIRST_SCENE_SEED, 0, 2**31 - 1, "Seed at which the search for scenes begins."
        )
        one_scene = ParameterDescriptor(
            description="Whether all dialogues are about the scene of first_scene_seed, whose camera nobody moves.",
            read_only=True,
        )
        self.one_scene = bool(self.declare_parameter("one_scene", False, one_scene).value)
        self.start_timeout_s = self._declare_seconds("start_timeout_s", 120.0, "How long the robot may take to start.")
        self.answer_timeout_s = self._declare_seconds("answer_timeout_s", 30.0, "How long a turn may take.")
        self._robot = SceneClient(self)
        self._played = self.create_publisher(String, "played_turns", PLAYED)

    def play(self) -> int:
        """Play everything; the number of turns without an answer.

        Raises:
            NoAnswerError: The robot or the camera is not there.
        """
        with Renderer() as renderer:
            write = write_scene_script if self.one_scene else write_script
            script = write(renderer, self.dialogues, self.first_scene_seed)
        self._robot.wait_for_robot(self.start_timeout_s)
        unanswered, seen = 0, None
        for turn in (turn for dialogue in script for turn in dialogue):
            if turn.turn == 0:  # the robot may remember an earlier play
                self._robot.reset(turn.session_id, timeout_s=self.answer_timeout_s)
            view = (turn.scene_seed, turn.camera_seed)
            if view != seen and not self.one_scene:
                self._robot.look(*view, self.answer_timeout_s)
                seen = view
            unanswered += not self._play_turn(turn)
        self._played.publish(String(data=END_OF_PLAY))
        # Whoever listens has the end before this process leaves.
        self._played.wait_for_all_acked(Duration(seconds=self.answer_timeout_s))
        return unanswered

    def _play_turn(self, turn: PlayedTurn) -> bool:
        pending = self._robot.send(turn.text, session_id=turn.session_id)
        self._played.publish(String(data=replace(turn, stamp_ns=pending.stamp_ns).to_json()))
        try:
            answer = self._robot.wait_for(pending, self.answer_timeout_s)
        except NoAnswerError as error:
            self.get_logger().error(f"{turn.session_id}, turn {turn.turn}: {error}")
            return False
        self.get_logger().info(f"{turn.text!r} -> {answer.text!r}")
        return True

    def _declare_whole(self, name: str, default: int, low: int, high: int, description: str) -> int:
        limits = [IntegerRange(from_value=low, to_value=high, step=1)]
        descriptor = ParameterDescriptor(description=description, read_only=True, integer_range=limits)
        return int(self.declare_parameter(name, default, descriptor).value)

    def _declare_seconds(self, name: str, default: float, description: str) -> float:
        limits = [FloatingPointRange(from_value=0.1, to_value=3600.0)]
        descriptor = ParameterDescriptor(description=description, read_only=True, floating_point_range=limits)
        return float(self.declare_parameter(name, default, descriptor).value)


def main(args: list[str] | None = None) -> int:
    """Play the dialogues; the exit status is 1 when a turn went unanswered."""
    status = 0
    with ros(args):
        node = Operator()
        try:
            status = 1 if node.play() else 0
        except NoAnswerError as error:
            print(f"operator: {error}", file=sys.stderr)
            status = 1
        finally:
            node.destroy_node()
    return status


if __name__ == "__main__":
    sys.exit(main())
