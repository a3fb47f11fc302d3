"""From words to grasps over DDS: camera, perception node with the shipped network, planner."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseArray
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from spinning import spinning
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

from pixelrs_ros.ros.demo.sim_camera import FRAME_ID, SimCamera
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.planner.node import GraspPlanner
from pixelrs_ros.ros.wire.grasps import BEST
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.household import household_scale
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import sample_scene

DEADLINE_S = 60.0
SCENE_SEED = 910_000  # of the demo's, never trained on
NEAR_M = 0.03  # from the part's surface to the point between the fingertips


def parameters(**values: Any) -> list[Parameter[Any]]:
    return [Parameter(name, value=value) for name, value in values.items()]


class Person(Node):
    """Says what is to be grasped, and hears what comes of it."""

    def __init__(self, sees: Callable[[], bool]) -> None:
        super().__init__("person")
        self._sees = sees
        self.task = self.create_publisher(String, "grasp_task", 10)
        self.words, self.poses, self.markers = queue.Queue[str](), queue.Queue[PoseArray](), queue.Queue[MarkerArray]()
        self.create_subscription(String, "grasp_words", lambda message: self.words.put(message.data), 10)
        self.create_subscription(PoseArray, "grasps", self.poses.put, 10)
        self.create_subscription(MarkerArray, "grasp_markers", self.markers.put, 10)
        self.ready = threading.Event()
        self.create_timer(0.05, self._look)

    def _look(self) -> None:
        topics = ("grasps", "grasp_markers", "grasp_words", "segmentation", "explanation")
        heard = {"grasp_task": 1, "instruction": 1, "depth": 2, "camera_info": 2}
        listened = all(self.count_subscribers(topic) >= count for topic, count in heard.items())
        if listened and all(map(self.count_publishers, topics)) and self._sees():
            self.ready.set()

    def say(self, text: str) -> tuple[str, PoseArray, MarkerArray]:
        self.task.publish(String(data=text))
        return tuple(each.get(timeout=DEADLINE_S) for each in (self.words, self.poses, self.markers))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def person(shipped: str) -> Iterator[Person]:
    rclpy.init()
    with Renderer() as renderer:
        camera = SimCamera(renderer, parameter_overrides=parameters(scene_seed=SCENE_SEED, rate_hz=5.0))
        perception = PerceptionNode(
            parameter_overrides=parameters(
                checkpoint=shipped, num_threads=1, store_dialogues=False, max_frame_age_s=30.0
            )
        )
        planner = GraspPlanner()

        def sees() -> bool:
            # First the planner, so that it has the depth of every picture that the network may be asked about.
            return planner.sees and perception.active is not None and len(perception.active.inputs.buffers) > 1

        person = Person(sees)
        made = [camera, perception, planner, person]
        executor = MultiThreadedExecutor(3)
        for node in made:
            executor.add_node(node)
        assert perception.autostart()
        with spinning(executor):
            assert person.ready.wait(DEADLINE_S)
            yield person
        for node in made:
            node.destroy_node()
        rclpy.shutdown()


def off_m(poses: PoseArray, color: str, kind: str, part: str | None = None) -> float:
    """From the best grasp to the nearest corner of a thing's or part's mesh."""
    scene = sample_scene(SCENE_SEED)
    (thing,) = (thing for thing in scene.objects if (thing.color, thing.kind) == (color, kind))
    wanted = [geom for geom in thing.geoms if part is None or KINDS[kind].parts[geom.part] == part]
    corners = np.concatenate([geom.vertices_m() for geom in wanted])
    optical = (corners - scene.camera.position_m) @ scene.camera.axes * household_scale(scene)
    place = poses.poses[0].position
    return float(np.linalg.norm(optical - [place.x, place.y, place.z], axis=1).min())


def test_a_part_that_is_named_is_where_the_gripper_goes(person: Person) -> None:
    words, poses, markers = person.say("Give me the red mug by its handle.")
    assert words.startswith("I can grasp"), words
    assert poses.header.frame_id == FRAME_ID
    assert 1 <= len(poses.poses) <= 10
    assert off_m(poses, "red", "mug", "handle") < NEAR_M
    assert [marker.action for marker in markers.markers[:1]] == [Marker.DELETEALL]
    assert sum(marker.ns == BEST for marker in markers.markers) == 3, "two fingers and a palm"


def test_where_two_things_fit_the_planner_asks_and_the_next_words_decide(person: Person) -> None:
    words, poses, markers = person.say("I need a brush.")
    assert words.endswith("?"), words
    assert not poses.poses
    assert [marker.action for marker in markers.markers] == [Marker.DELETEALL]
    words, poses, _ = person.say("The orange one.")
    assert words.startswith("I can grasp"), words
    assert off_m(poses, "orange", "brush") < NEAR_M


def test_what_is_not_there_gets_no_grasp(person: Person) -> None:
    words, poses, _ = person.say("Give me the blue bottle.")
    assert words
    assert not poses.poses
