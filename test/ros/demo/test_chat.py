"""The picture that the chat shows for a turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from pixelrs_ros.msg import Explanation, Segmentation
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.client import RELIABLE, Answer
from pixelrs_ros.ros.demo.chat import ChatClient
from pixelrs_ros.ros.wire import conversions

DEADLINE_S = 20.0
HEADER = Header(stamp=conversions.ns_to_stamp(7))


@pytest.fixture
def client() -> Iterator[ChatClient]:
    rclpy.init()
    client = ChatClient()
    yield client
    client.destroy()
    rclpy.shutdown()


def an_overlay(value: int) -> Image:
    return conversions.fill_image(Image(), HEADER, np.full((2, 2, 3), value, np.uint8), "rgb8")


def test_of_two_turns_about_one_image_each_has_its_own_picture(client: ChatClient) -> None:
    robot = Node("robot")
    overlays = robot.create_publisher(Image, "overlay", RELIABLE)
    client.wait(lambda: overlays.get_subscription_count() > 0, DEADLINE_S, "nobody listens")
    answer = Answer(Segmentation(header=HEADER), Explanation(header=HEADER))
    for value in (1, 2):
        client.send("which?", session_id="default")
        overlays.publish(an_overlay(value))
        assert client.picture(answer).data[0] == value
    robot.destroy_node()
