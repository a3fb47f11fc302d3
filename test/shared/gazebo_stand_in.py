"""Publishes what Gazebo's cameras and its bridge would, of a world's files, at the same pace and on the same clock.

`python gazebo_stand_in.py WORLD [ROS arguments]`. It draws with our reader of the world; what it imitates of Gazebo:
depth without a surface is infinite, the clock is the simulation's, and labels come in all three channels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rclpy
from rclpy.clock import Clock as NodeClock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.sim.gazebo.reader import ReadCamera, draw, read_world
from pixelrs_ros.sim.gazebo.world import FRAME_ID

START_NS = 5_000_000_000
STEP_NS = 10_000_000
STEPS_AN_IMAGE = 10


def camera_info_of(camera: ReadCamera) -> CameraInfo:
    """As Gazebo fills it from the lens: the principal point at half the size."""
    width, height = camera.size_px
    focal = width / 2 / np.tan(camera.fovx_rad / 2)
    message = CameraInfo(width=width, height=height, distortion_model="plumb_bob", d=[0.0] * 5)
    message.k = [focal, 0.0, width / 2, 0.0, focal, height / 2, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [focal, 0.0, width / 2, 0.0, 0.0, focal, height / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


class GazeboStandIn(Node):
    """One world, again and again."""

    def __init__(self, world: Path) -> None:
        super().__init__("gazebo_stand_in")
        read = read_world(world)
        camera = read.camera("rgbd_camera")
        seen = draw(read, camera)
        header = Header(frame_id=FRAME_ID)
        labels = np.repeat(seen.labels[..., None], 3, axis=-1)
        self._messages = {
            "depth": conversions.fill_image(Image(), header, seen.depth_m, "32FC1"),
            "labels_map": conversions.fill_image(Image(), header, labels, "rgb8"),
            "image": conversions.fill_image(Image(), header, seen.image, "rgb8"),
            "camera_info": camera_info_of(camera),
        }
        self._messages["camera_info"].header = Header(frame_id=FRAME_ID)
        reliable = QoSProfile(depth=10)  # as ros_gz_bridge publishes
        self._sent = {
            topic: self.create_publisher(type(message), topic, reliable) for topic, message in self._messages.items()
        }
        self._clock_topic = self.create_publisher(Clock, "/clock", reliable)
        self._now_ns, self._step = START_NS, 0
        # The node's own clock stands still until the first message from it.
        self.create_timer(STEP_NS / 1e9, self._tick, clock=NodeClock(clock_type=ClockType.STEADY_TIME))

    def _tick(self) -> None:
        stamp = conversions.ns_to_stamp(self._now_ns)
        self._clock_topic.publish(Clock(clock=stamp))
        if self._step % STEPS_AN_IMAGE == 0:
            for topic, message in self._messages.items():
                message.header.stamp = stamp
                self._sent[topic].publish(message)
        self._now_ns, self._step = self._now_ns + STEP_NS, self._step + 1


def main() -> None:
    """Publish until it is interrupted."""
    with ros(None):
        node = GazeboStandIn(Path(sys.argv[1]))
        try:
            spin(node)
        finally:
            node.destroy_node()
            rclpy.try_shutdown()


if __name__ == "__main__":
    main()
