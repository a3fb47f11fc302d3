"""A simulated RGB-D camera over a seeded tabletop; it publishes what a real driver publishes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pixelrs_ros.geometry.box import quaternion
from pixelrs_ros.ros.demo.script import scene_of
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.household import household_scale

FRAME_ID = "camera_optical_frame"
WORLD = "world"  # its origin on the table, z up


def fill_camera_info(message: CameraInfo, header: Header, view: View) -> CameraInfo:
    """Fill the intrinsics of a camera without distortion."""
    # The simulator counts pixels from the corner of the first one, ROS from its center.
    (fx, _, cx), (_, fy, cy), _ = view.intrinsics - [[0.0, 0.0, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
    message.header = header
    message.height, message.width = view.image.shape[:2]
    message.distortion_model = "plumb_bob"
    message.d = [0.0] * 5
    message.k = [float(fx), 0.0, float(cx), 0.0, float(fy), float(cy), 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [float(fx), 0.0, float(cx), 0.0, 0.0, float(fy), float(cy), 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


class SimCamera(Node):
    """Publishes one rendered view again and again, each time with a fresh stamp; depth as of things of household size.

    The parameters `scene_seed` and `camera_seed` choose the view and may be set at any time: the next images show it.
    Where tf2_ros is installed, it also says where its optical frame is in `WORLD`, for each image: the camera moves.

    Args:
        renderer: Draws the view.
        **kwargs: Arguments of `rclpy.node.Node`.
    """

    def __init__(self, renderer: Renderer, **kwargs: Any) -> None:
        super().__init__("sim_camera", **kwargs)
        seeds = [IntegerRange(from_value=0, to_value=2**31 - 1, step=1)]
        scene = ParameterDescriptor(description="Which scene stands on the table.", integer_range=seeds)
        camera = ParameterDescriptor(
            description="Where the camera is: 0 for the scene's own place, else the seed of another.",
            integer_range=seeds,
        )
        rate = ParameterDescriptor(
            description="Images a second.",
            read_only=True,
            floating_point_range=[FloatingPointRange(from_value=0.1, to_value=120.0)],
        )
        self.declare_parameter("scene_seed", 0, scene)
        self.declare_parameter("camera_seed", 0, camera)
        rate_hz = float(self.declare_parameter("rate_hz", 10.0, rate).value)
        self._renderer = renderer
        self._image, self._depth, self._info = Image(), Image(), CameraInfo()
        self._image_publisher = self.create_publisher(Image, "image", qos_profile_sensor_data)
        self._depth_publisher = self.create_publisher(Image, "depth", qos_profile_sensor_data)
        self._info_publisher = self.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
        self._broadcaster = _transform_broadcaster(self)
        self._place = TransformStamped(header=Header(frame_id=WORLD), child_frame_id=FRAME_ID)
        self._seeds: tuple[int, int] | None = None
        self.create_timer(1.0 / rate_hz, self._publish)

    def _look(self) -> None:
        """Draw the view that the parameters name, unless it is drawn already."""
        scene_seed, camera_seed = (
            self.get_parameter("scene_seed").value,
            self.get_parameter("camera_seed").value,
        )
        if (scene_seed, camera_seed) == self._seeds:
            return
        scene = scene_of(scene_seed, camera_seed)
        view = self._renderer.render(scene, depth=True)
        assert view.depth_m is not None
        scale = household_scale(scene)
        header = Header(frame_id=FRAME_ID)
        conversions.fill_image(self._image, header, view.image, "rgb8")
        conversions.fill_image(self._depth, header, view.depth_m * np.float32(scale), "32FC1")
        fill_camera_info(self._info, header, view)
        offset, turn = self._place.transform.translation, self._place.transform.rotation
        offset.x, offset.y, offset.z = (scene.camera.position_m * scale).tolist()
        turn.x, turn.y, turn.z, turn.w = quaternion(scene.camera.axes)
        self._seeds = (scene_seed, camera_seed)
        self.get_logger().info(f"scene {scene_seed}, camera {camera_seed}: {len(view.objects)} objects")

    def _publish(self) -> None:
        self._look()
        stamp = self.get_clock().now().to_msg()
        for message in (self._image, self._depth, self._info, self._place):
            message.header.stamp = stamp
        if self._broadcaster is not None:
            self._broadcaster.sendTransform(self._place)
        self._depth_publisher.publish(self._depth)
        self._image_publisher.publish(self._image)
        # Last, so that it announces an image that has been sent.
        self._info_publisher.publish(self._info)


def _transform_broadcaster(node: Node) -> Any:
    """That of tf2_ros; None where that is not installed."""
    try:
        from tf2_ros import TransformBroadcaster
    except ImportError:  # ROS 2 from wheels
        return None
    return TransformBroadcaster(node)


def main(args: list[str] | None = None) -> int:
    """Run the camera until it is interrupted."""
    with ros(args), Renderer() as renderer:
        node = SimCamera(renderer)
        try:
            spin(node)
        finally:
            node.destroy_node()
    return 0


if __name__ == "__main__":
    sys.exit(main())
