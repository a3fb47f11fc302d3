import os
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
