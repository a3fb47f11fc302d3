import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.ros.wire import conversions, ros_context

NAMES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user who has decided nothing about DDS; what a test decides is forgotten afterwards."""
    for name in (*NAMES, "ROS_LOCALHOST_ONLY", "ROS_DISTRO"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("distribution", "name"),
    [
        ("humble", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_shared_memory_has_room_for_an_image_with_its_depth(
    distribution: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_DISTRO", distribution)
    ros_context.make_room_for_images()
    (size,) = ElementTree.parse(os.environ[name]).iterfind(".//{*}segment_size")
    assert int(size.text or 0) > 2 * 640 * 480 * (3 + 4)


@pytest.mark.parametrize("name", [*NAMES, "ROS_LOCALHOST_ONLY"])
def test_what_the_user_has_decided_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    before = dict(os.environ)
    ros_context.make_room_for_images()
    assert dict(os.environ) == before


def test_a_profile_in_the_working_directory_stays(tmp_path: Path) -> None:
    (tmp_path / "DEFAULT_FASTDDS_PROFILES.xml").write_text("<dds/>")
    before = dict(os.environ)
    ros_context.make_room_for_images()
    assert dict(os.environ) == before


def test_ros_takes_the_profile_and_images_arrive() -> None:
    received: list[Image] = []
    with ros_context.ros([]):
        node = Node("camera")
        node.create_subscription(Image, "image", received.append, qos_profile_sensor_data)
        publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
        image = conversions.fill_image(Image(), Header(), np.zeros((480, 640, 3), np.uint8), "rgb8")
        ends_ns = node.get_clock().now().nanoseconds + 20_000_000_000
        while not received and node.get_clock().now().nanoseconds < ends_ns:
            publisher.publish(image)
            rclpy.spin_once(node, timeout_sec=0.1)
        node.destroy_node()
    assert received and received[0].data == image.data


NODE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from node_bench import Echo
from pixelrs_ros.ros.perception.node import main
sys.exit(main(["--ros-args", "-p", "autostart:=true"], session_factory=lambda _: Echo()))
"""
CAMERA = """
import time
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from pixelrs_ros.ros.wire import conversions
rclpy.init()
node = Node("camera")
publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
image = conversions.fill_image(Image(), Header(), np.zeros((48, 64, 3), np.uint8), "rgb8")
while True:
    image.header.stamp = node.get_clock().now().to_msg()
    publisher.publish(image)
    time.sleep(1 / 400)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("twice", [False, True])
def test_a_signal_ends_a_node_under_a_fast_camera_without_a_word(number: signal.Signals, twice: bool) -> None:
    shared = str(Path(__file__).parents[2] / "shared")
    camera = subprocess.Popen([sys.executable, "-c", CAMERA])
    command = [sys.executable, "-c", NODE, shared]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with ros_context.ros([]):
            caller = Node("caller")
            ends_s = time.monotonic() + 30.0
            while not caller.count_subscribers("instruction") or caller.count_subscribers("image") < 1:
                assert time.monotonic() < ends_s and node.poll() is None
                rclpy.spin_once(caller, timeout_sec=0.1)
            caller.destroy_node()
        time.sleep(0.5 + 0.1 * twice)  # it is busy with images now
        node.send_signal(number)
        if twice:  # as when a launch file passes on what the terminal has sent already
            time.sleep(0.01)
            node.send_signal(number)
        said, _ = node.communicate(timeout=20.0)
        assert node.returncode == 0 and "Traceback" not in said and "rror" not in said, said
    finally:
        for process in (node, camera):
            process.kill()
            process.wait()


ENDING = """
import os, sys
from pixelrs_ros.ros.wire.ros_context import ros

class Last:
    # Cleared away after the interpreter has given up its signal handlers.
    def __del__(self, write=os.write, read=os.read):
        write(1, b"last")
        read(0, 1)

with ros([]):
    last = Last()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_again_while_python_ends_makes_no_failure_of_it(number: signal.Signals) -> None:
    node = subprocess.Popen([sys.executable, "-c", ENDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert node.stdin is not None and node.stdout is not None
    try:
        assert node.stdout.read(4) == b"last"
        node.send_signal(number)
        node.stdin.close()
        assert node.wait(timeout=20.0) == 0
    finally:
        node.kill()
        node.wait()
        node.stdout.close()


def test_spinning_ends_when_what_is_waited_for_is_there() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    ticks: list[int] = []
    with ros_context.ros([]):
        node = Node("ticker")
        node.create_timer(0.01, lambda: ticks.append(1))
        ros_context.spin(node, until=lambda: len(ticks) >= 3)
        node.destroy_node()
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
        signal.signal(number, handler)
    assert len(ticks) == 3
