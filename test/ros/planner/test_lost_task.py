"""The planner beside a perception node that is killed while it answers."""

from __future__ import annotations

import queue
import threading

import rclpy
from geometry_msgs.msg import PoseArray
from pixelrs_ros.action import Ground
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from spinning import spinning
from std_msgs.msg import String

from pixelrs_ros.ros.planner.node import GraspPlanner

DEADLINE_S = 60.0


def test_a_task_that_the_robot_cannot_answer_any_more_is_given_up() -> None:
    """The goal has been accepted, and nothing comes of it."""
    rclpy.init()
    accepted, ended = threading.Event(), threading.Event()

    def never(goal: ServerGoalHandle) -> Ground.Result:
        accepted.set()
        assert ended.wait(DEADLINE_S)
        goal.abort()
        return Ground.Result()

    robot = Node("perception")
    robot.create_subscription(Instruction, "instruction", lambda _: None, 10)
    robot.create_publisher(Segmentation, "segmentation", 10)
    robot.create_publisher(Explanation, "explanation", 10)
    server = ActionServer(robot, Ground, "perception/ground", never)
    planner = GraspPlanner(parameter_overrides=[Parameter("timeout_s", value=1.0)])
    person = Node("person")
    words, poses = queue.Queue[str](), queue.Queue[PoseArray]()
    person.create_subscription(String, "grasp_words", lambda message: words.put(message.data), 10)
    person.create_subscription(PoseArray, "grasps", poses.put, 10)
    task = person.create_publisher(String, "grasp_task", 10)
    executor = MultiThreadedExecutor(2)
    made = [robot, planner, person]
    for node in made:
        executor.add_node(node)
    with spinning(executor):
        while not accepted.is_set():  # the planner may not have found the robot yet
            task.publish(String(data="Give me the mug."))
            accepted.wait(0.2)
        while "I had no answer about 'Give me the mug.'" not in words.get(timeout=DEADLINE_S):
            pass
        assert not poses.get(timeout=DEADLINE_S).poses
        ended.set()
    server.destroy()
    for node in made:
        node.destroy_node()
    rclpy.shutdown()
