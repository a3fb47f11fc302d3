"""What the planner is started with, while pictures are still on their way to the node that it asks."""

from __future__ import annotations

import numpy as np
from node_bench import Bench
from pixelrs_ros.msg import Segmentation
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String

from pixelrs_ros.ros.planner.node import GraspPlanner
from pixelrs_ros.ros.wire import conversions


def test_the_first_task_waits_for_a_picture(bench: Bench) -> None:
    bench.activate()
    heard: list[str] = []
    bench.caller.create_subscription(String, "grasp_words", lambda message: heard.append(message.data), 10)
    infos = bench.caller.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
    planner = GraspPlanner(parameter_overrides=[Parameter("task", value="Give me the mug.")])
    bench.executor.add_node(planner)

    def see() -> None:
        """What the planner needs to see before it asks."""
        header = Header(stamp=conversions.ns_to_stamp(bench.now_ns()))
        depth = conversions.fill_image(Image(), header, np.ones((48, 64), np.float32), "32FC1")
        bench.depths.publish(depth)
        infos.publish(CameraInfo(header=header, height=48, width=64))

    timer = bench.caller.create_timer(0.05, see)
    bench.until(lambda: bool(bench.segmentations))
    assert bench.segmentations[0].status == Segmentation.NO_FRAME
    pictures = bench.caller.create_timer(0.05, lambda: bench.show(bench.now_ns(), value=7))
    bench.until(lambda: bool(heard))
    assert heard == ["Give me the mug. 7"]
    timer.cancel()
    pictures.cancel()
    planner.destroy_node()
