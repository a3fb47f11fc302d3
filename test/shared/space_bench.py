"""A node with a color and a depth camera, whose network finds two things at once, the left and the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation, TurnPoints
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from pixelrs_ros.ros.queueing.bound_frame import Stream
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.image_outputs import is_wanted
from pixelrs_ros.types import Frame, GroundedPhrase, Reply, Segment, Status

HEIGHT_PX, WIDTH_PX = 48, 64


class Pointer(Echo):
    """Answers "segment" with two masks at once, the left and the right part of the picture."""

    def point(self, frame: Frame, on_text: Callable[[str], None], on_segment: Callable[[Segment], None]) -> Reply:
        segments = []
        for index, columns in enumerate((slice(4, 28), slice(36, 60))):
            mask = np.zeros(frame.image.shape[:2], np.bool_)
            mask[10:38, columns] = True
            segments.append(Segment(f"part {index}", mask, 0.5))
            on_segment(segments[-1])
        phrases = (GroundedPhrase(0, 6, 0), GroundedPhrase(11, 17, 1))
        return Reply(Status.GROUNDED, "part 0 and part 1", segments=tuple(segments), phrases=phrases)


def camera_info() -> CameraInfo:
    info = CameraInfo(height=HEIGHT_PX, width=WIDTH_PX, distortion_model="plumb_bob", d=[0.0] * 5)
    info.k = [50.0, 0.0, 31.5, 0.0, 50.0, 23.5, 0.0, 0.0, 1.0]
    return info


def depth_image(depth: np.ndarray, encoding: str) -> Image:
    return conversions.fill_image(Image(), Header(), depth, encoding)


class SpaceBench(Bench):
    """A bench whose caller also has a depth camera."""

    def __init__(self, echo: Echo, **overrides: Any) -> None:
        super().__init__(echo, **overrides)
        self.clouds: list[PointCloud2] = []
        self.off_s = {"depth": 0.0, "camera_info": 0.0}  # how far their stamps are from the image's
        self.depths = self.caller.create_publisher(Image, "depth", qos_profile_sensor_data)
        self.infos = self.caller.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
        self.turn_points: list[TurnPoints] = []
        self.markers: list[MarkerArray] = []
        self.caller.create_subscription(PointCloud2, "target_points", self.clouds.append, 10)
        self.caller.create_subscription(TurnPoints, "turn_points", self.turn_points.append, 10)
        self.caller.create_subscription(MarkerArray, "markers", self.markers.append, 10)

    def activate(self) -> None:
        super().activate()
        self.until(lambda: all(p.get_subscription_count() for p in (self.depths, self.infos)))
        self.until(lambda: self.caller.count_publishers("target_points") > 0)
        outputs = self.node.outputs
        assert outputs is not None
        self.until(lambda: all(map(is_wanted, (outputs.turn_points, outputs.markers))))

    def see(self, depth: Image | None, info: CameraInfo | None) -> int:
        """An image with this depth and camera info; its stamp, in nanoseconds."""
        stamp = conversions.ns_to_stamp(self.now_ns())
        header = Header(stamp=stamp, frame_id="eye")
        picture = np.full((HEIGHT_PX, WIDTH_PX, 3), (10, 20, 30), np.uint8)
        offs_ns = {stream: round(1e9 * off_s) for stream, off_s in self.off_s.items()}
        for publisher, message, off_ns in (
            (self.depths, depth, offs_ns["depth"]),
            (self.infos, info, offs_ns["camera_info"]),
        ):
            if message is not None:
                shifted = conversions.ns_to_stamp(conversions.stamp_to_ns(stamp) + off_ns)
                message.header = Header(stamp=shifted, frame_id="/eye")
                publisher.publish(message)
        self.images.publish(conversions.fill_image(Image(), header, picture, "rgb8"))
        inputs = self.node.active.inputs if self.node.active else None
        assert inputs is not None

        def bound() -> bool:
            newest = [inputs.buffers.newest("image", stream) for stream in Stream]
            wanted = (True, depth is not None, info is not None)
            at = [conversions.stamp_to_ns(stamp) + off_ns for off_ns in (0, *offs_ns.values())]
            return all(
                not want or (frame is not None and frame.stamp_ns == stamp_ns)
                for frame, want, stamp_ns in zip(newest, wanted, at, strict=True)
            )

        self.until(bound)
        return conversions.stamp_to_ns(stamp)

    def ask(self, depth: Image | None, info: CameraInfo | None) -> Segmentation:
        """The answer about an image with this depth and camera info."""
        stamp_ns = self.see(depth, info)
        count = len(self.segmentations)
        self.send("point", stamp_ns)
        self.answers(count + 1)
        return self.segmentations[-1]
