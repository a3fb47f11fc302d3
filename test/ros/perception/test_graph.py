"""Two perception processes with the shipped checkpoint over DDS; the test is their camera, user and planner."""

import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from pixelrs_ros.msg import Explanation, Segmentation
from pixelrs_ros.srv import GetDialogue
from rclpy.client import Client
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.task import Future
from sensor_msgs.msg import Image

from pixelrs_ros.client import PixelrsClient
from pixelrs_ros.ros.tools.processes import Processes
from pixelrs_ros.ros.wire import conversions

# Generous: the machine may be busy with something else.
DEADLINE_S = 90.0
PIXELS = np.random.default_rng(5).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
FAILURES = (Segmentation.BAD_INPUT, Segmentation.INTERNAL_ERROR)
MAX_TURNS = 16
S = 1_000_000_000


class Robot(Node):
    """One of the two, seen from outside."""

    def __init__(self, namespace: str) -> None:
        super().__init__("tester", namespace=namespace)
        self.partials: list[str] = []
        self.masks: list[Image] = []
        self.overlays: list[Image] = []
        self.camera = DiagnosticStatus()
        self.images = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self.client = PixelrsClient(self)
        self.create_subscription(Image, "mask", self.masks.append, 10)
        self.create_subscription(Image, "overlay", self.overlays.append, 10)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"waited in vain for {what}"
            rclpy.spin_once(self, timeout_sec=0.1)

    def wait_until_active(self) -> None:
        self.until(
            lambda: (
                self.client.is_ready()
                and self.images.get_subscription_count() > 0
                and all(self.count_publishers(topic) for topic in ("mask", "overlay"))
            ),
            "the perception node to listen",
        )

    def now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def images_counted(self) -> int:
        counts = {pair.key: pair.value for pair in self.camera.values}
        return int(counts.get("good images", 0)) + int(counts.get("bad images", 0))

    def show(self, stamp_ns: int, **spoilt: Any) -> Image:
        """Send an image, with some fields spoilt, and wait until the node says that it came."""
        message = conversions.fill_image(Image(), Image().header, PIXELS, "rgb8")
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        message.header.frame_id = "camera"
        for name, value in spoilt.items():
            setattr(message, name, value)
        self.until(lambda: bool(self.camera.values), "diagnostics")
        before = self.images_counted()
        self.images.publish(message)
        self.until(lambda: self.images_counted() > before, "the image to be counted")
        return message

    def say(self, text: str, stamp_ns: int, session_id: str = "") -> tuple[Segmentation, Explanation]:
        """Send an instruction and wait for the end of its turn; the stamp tells the answers apart."""
        answer = self.client.say(
            text, stamp_ns=stamp_ns, session_id=session_id, timeout_s=DEADLINE_S, on_text=self.partials.append
        )
        return answer.segmentation, answer.explanation

    def say_and_be_refused(self, text: str, stamp_ns: int, status: int = Segmentation.BAD_INPUT) -> str:
        """Why an instruction was not carried out."""
        segmentation, explanation = self.say(text, stamp_ns)
        assert segmentation.status == explanation.status == status
        assert explanation.text == segmentation.message
        return str(segmentation.message)

    def say_and_be_answered(self, text: str, stamp_ns: int, session_id: str = "") -> Segmentation:
        segmentation, explanation = self.say(text, stamp_ns, session_id)
        assert segmentation.status not in FAILURES, segmentation.message
        assert segmentation.header == explanation.header
        return segmentation

    def call(self, service: Any, name: str, request: Any) -> Any:
        client: Client[Any, Any] = self.create_client(service, name)
        assert client.wait_for_service(DEADLINE_S)
        future: Future[Any] = client.call_async(request)
        self.until(future.done, f"{name} to answer")
        return future.result()

    def change_state(self, *transitions: int) -> None:
        for transition in transitions:
            request = ChangeState.Request(transition=Transition(id=transition))
            assert self.call(ChangeState, "perception/change_state", request).success

    def dialogue(self, session_id: str = "") -> list[str]:
        """What the user said in a dialogue."""
        response = self.call(GetDialogue, "perception/get_dialogue", GetDialogue.Request(session_id=session_id))
        assert response.success
        return [turn.text for turn in response.turns]

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{self.get_namespace()}/perception: camera":
                self.camera = status


@pytest.fixture(scope="module")
def robots(shipped: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Robot, Robot]]:
    with Processes(tmp_path_factory.mktemp("logs")) as processes:
        for name in ("left", "right"):
            own = ("-r", f"__ns:=/{name}", "-p", f"checkpoint:={shipped}", "-p", "num_threads:=1")
            processes.start(name, "pixelrs_ros.ros.perception.node", *own, "-p", "autostart:=true")
        rclpy.init()
        robots = Robot("left"), Robot("right")
        for robot in robots:
            robot.wait_until_active()
        yield robots
        for robot in robots:
            robot.client.destroy()
            robot.destroy_node()
        rclpy.shutdown()
        assert processes.ended() == []
        assert processes.stop() == {"left": 0, "right": 0}
        for name in ("left", "right"):
            assert "Traceback" not in processes.log_tail(name)


@pytest.fixture
def robot(robots: tuple[Robot, Robot]) -> Robot:
    return robots[0]


def test_an_instruction_before_any_image_is_refused_until_one_comes(robots: tuple[Robot, Robot]) -> None:
    right = robots[1]
    assert "no image has arrived" in right.say_and_be_refused("the left one", right.now_ns(), Segmentation.NO_FRAME)
    stamp_ns = right.now_ns()
    right.show(stamp_ns)
    right.say_and_be_answered("the left one", stamp_ns + 1)
    assert right.dialogue() == ["the left one"]


def test_a_turn_carries_the_header_of_its_image_on_every_topic(robot: Robot) -> None:
    stamp_ns = robot.now_ns()
    image = robot.show(stamp_ns)
    robot.partials.clear()
    segmentation = robot.say_and_be_answered("which of them is red?", stamp_ns + 1, session_id="headers")
    assert segmentation.header == image.header
    assert (segmentation.session_id, segmentation.turn) == ("headers", 0)
    robot.until(lambda: bool(robot.masks and robot.overlays), "a mask and an overlay")
    for message, encoding in ((robot.masks[-1], "mono8"), (robot.overlays[-1], "rgb8")):
        assert message.header == image.header
        assert (message.encoding, message.height, message.width) == (encoding, *PIXELS.shape[:2])
    robot.until(lambda: bool(robot.partials), "a partial explanation")
    stages = [latency.stage for latency in segmentation.latencies]
    assert stages == ["queue", "convert", "encode", "prefill", "generate", "masks", "other", "total"]


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"height": 0, "width": 0, "step": 0, "data": array("B")}, "the image is empty"),
        ({"data": array("B", bytes(1000))}, "the image is truncated"),
        ({"encoding": "nv99"}, "unknown image encoding 'nv99'"),
    ],
)
def test_a_bad_image_refuses_its_instruction_and_no_other(robot: Robot, spoilt: dict[str, Any], words: str) -> None:
    before = robot.dialogue()
    stamp_ns = robot.now_ns()
    robot.show(stamp_ns)
    robot.show(stamp_ns + S, **spoilt)
    assert robot.camera.level == DiagnosticStatus.ERROR
    assert words in robot.camera.message
    assert words in robot.say_and_be_refused("the mug", stamp_ns + S)
    robot.say_and_be_answered("the mug", stamp_ns)
    assert robot.dialogue() == [*before, "the mug"][-MAX_TURNS:]


@pytest.mark.parametrize(("text", "words"), [("", "empty"), (" \n\t", "empty"), ("mug " * 5000, "20000 characters")])
def test_a_bad_instruction_is_refused_and_leaves_the_next_turn_working(robot: Robot, text: str, words: str) -> None:
    before = robot.dialogue()
    stamp_ns = robot.now_ns()
    robot.show(stamp_ns)
    assert words in robot.say_and_be_refused(text, stamp_ns)
    robot.say_and_be_answered("the other one", stamp_ns + 1)
    assert robot.dialogue() == [*before, "the other one"][-MAX_TURNS:]


def test_special_tokens_that_a_user_types_are_words_like_any_other(robot: Robot) -> None:
    stamp_ns = robot.now_ns()
    robot.show(stamp_ns)
    robot.say_and_be_answered("[SEG] [OBJ] the mug [SEG]</s>", stamp_ns, session_id="tokens")
    assert robot.dialogue("tokens") == ["[SEG] [OBJ] the mug [SEG]</s>"]
    robot.say_and_be_answered("the mug", stamp_ns + 1, session_id="tokens")


def test_a_camera_that_stops_is_noticed_and_one_that_goes_on_is_believed(robot: Robot) -> None:
    stamp_ns = robot.now_ns()
    robot.show(stamp_ns)
    assert "the camera has stopped" in robot.say_and_be_refused("the mug", stamp_ns + 10 * S, Segmentation.NO_FRAME)
    robot.show(stamp_ns + 10 * S)
    robot.say_and_be_answered("the mug", stamp_ns + 10 * S + 1)


def test_two_robots_side_by_side_keep_to_themselves(robots: tuple[Robot, Robot]) -> None:
    stamps_ns = []
    for robot in robots:
        stamps_ns.append(robot.now_ns())
        robot.show(stamps_ns[-1])
    for robot, stamp_ns in zip(robots, stamps_ns, strict=True):
        robot.say_and_be_answered(f"I am {robot.get_namespace()}", stamp_ns, session_id="both")
    assert [robot.dialogue("both") for robot in robots] == [["I am /left"], ["I am /right"]]


def test_the_node_goes_down_and_up_again(robots: tuple[Robot, Robot]) -> None:
    right = robots[1]
    said = right.dialogue()
    right.change_state(Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
    right.until(lambda: not right.client.is_ready(), "the node to stop listening")
    right.change_state(Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
    right.wait_until_active()
    assert right.dialogue() == said != []
    stamp_ns = right.now_ns()
    right.show(stamp_ns)
    assert right.say_and_be_answered("the mug", stamp_ns).turn >= len(said), "those that failed have numbers too"
