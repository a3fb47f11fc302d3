"""Every parameter of the planner, once: type, default, meaning and what it accepts. All are read at its start."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rclpy.node import Node

from pixelrs_ros.gripper import Gripper
from pixelrs_ros.ros.parameters import checks
from pixelrs_ros.ros.parameters.declaration import read_all
from pixelrs_ros.ros.parameters.spec import Change, Spec, parameter

AT_START = Change.AT_START
_GRIPPER = Gripper()


@dataclass(frozen=True)
class PlannerParameters:
    """The values in force. Each field is one parameter of the planner."""

    perception: str = parameter("perception", "Name of the perception node.", AT_START, check=checks.node_name)
    session_id: str = parameter("grasping", "Dialogue in which the planner asks.", AT_START)
    camera: str = parameter("", "frame_id of the camera that is meant; empty: the first one.", AT_START)
    task: str = parameter("", "What to grasp first, in words; empty: wait for `grasp_task`.", AT_START)
    timeout_s: float = parameter(30.0, "How long a turn may take, in seconds.", AT_START, low=0.1, high=3600.0)
    grasps: int = parameter(10, "Most grasps that are proposed.", AT_START, low=1, high=100)
    max_opening_m: float = parameter(
        _GRIPPER.max_opening_m, "Widest distance between the gripper's fingers, m.", AT_START, low=0.01, high=1.0
    )
    finger_length_m: float = parameter(
        _GRIPPER.finger_length_m, "From the palm to the fingertips, m.", AT_START, low=0.01, high=1.0
    )
    finger_breadth_m: float = parameter(
        _GRIPPER.finger_breadth_m, "Breadth of a finger, across its closing, m.", AT_START, low=0.002, high=0.5
    )
    finger_thickness_m: float = parameter(
        _GRIPPER.finger_thickness_m, "Thickness of a finger, along its closing, m.", AT_START, low=0.002, high=0.5
    )

    def gripper(self) -> Gripper:
        """The gripper that they describe."""
        return Gripper(self.max_opening_m, self.finger_length_m, self.finger_breadth_m, self.finger_thickness_m)


PLANNER_SPECS: dict[str, Spec] = {field.name: field.metadata["spec"] for field in fields(PlannerParameters)}


def read(node: Node) -> PlannerParameters:
    """Declare the parameters on a node, and what it was started with.

    Raises:
        ConfigError: A value is impossible; the message names the parameter.
    """
    return PlannerParameters(**read_all(node, PLANNER_SPECS))
