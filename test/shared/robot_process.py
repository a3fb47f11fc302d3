"""A perception process with the shipped checkpoint, and somebody who shows it pictures and talks to it over DDS."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from pixelrs_ros.msg import Explanation
from pixelrs_ros.srv import GetDialogue
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from pixelrs_ros.client import PendingAnswer, PixelrsClient
from pixelrs_ros.ros.wire import conversions

DEADLINE_S = 90.0
SESSION = "日本 ../'; --"
PIXELS = np.random.default_rng(5).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)


class User(Node):
    """Camera and user."""

    def __init__(self) -> None:
        super().__init__("user")
        self.partials: list[str] = []
        self.shown = 0  # images that somebody was there to see
        self.images = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self.client = PixelrsClient(self)
        self.create_timer(0.2, self._show)

    def _show(self) -> None:
        message = conversions.fill_image(Image(), Image().header, PIXELS, "rgb8")
        message.header.stamp = self.get_clock().now().to_msg()
        self.shown += self.images.get_subscription_count() > 0
        self.images.publish(message)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"waited in vain for {what}"
            rclpy.spin_once(self, timeout_sec=0.1)

    def send(self, text: str) -> PendingAnswer:
        return self.client.send(text, session_id=SESSION, on_text=self.partials.append)

    def say(self, text: str) -> Explanation:
        return self.client.wait_for(self.send(text), DEADLINE_S).explanation

    def dialogue(self) -> list[Any]:
        client: Any = self.create_client(GetDialogue, "perception/get_dialogue")
        assert client.wait_for_service(DEADLINE_S)
        future: Any = client.call_async(GetDialogue.Request(session_id=SESSION))
        self.until(future.done, "the dialogue")
        assert future.result().success
        return list(future.result().turns)


def start(user: User, folder: Path, shipped: str) -> subprocess.Popen[bytes]:
    own = [f"checkpoint:={shipped}", "num_threads:=1", "autostart:=true", f"storage_dir:={folder}"]
    own = [word for parameter in own for word in ("-p", parameter)]
    process = subprocess.Popen([sys.executable, "-m", "pixelrs_ros.ros.perception.node", "--ros-args", *own])
    user.until(
        lambda: user.client.is_ready() and user.images.get_subscription_count() > 0,
        "the perception node to listen",
    )
    user.shown = 0
    user.until(lambda: user.shown > 3, "images to look at: no instruction is about a later one")
    return process
