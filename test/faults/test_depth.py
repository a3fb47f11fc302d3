"""Depth images that are of no use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fault_bench import PIXELS, Caller
from pixelrs_ros.msg import Geometry, Segmentation
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image

from pixelrs_ros.ros.wire import conversions

HEIGHT_PX, WIDTH_PX = PIXELS.shape[:2]
FOCAL_PX = 300.0
DEPTHS: dict[str, tuple[np.ndarray, str, int]] = {
    "another size": (np.full((HEIGHT_PX // 2, WIDTH_PX // 2), 1.0, np.float32), "32FC1", Geometry.BAD_DEPTH),
    "all NaN": (np.full((HEIGHT_PX, WIDTH_PX), np.nan, np.float32), "32FC1", Geometry.TOO_LITTLE_DEPTH),
    "all zero": (np.zeros((HEIGHT_PX, WIDTH_PX), np.uint16), "16UC1", Geometry.TOO_LITTLE_DEPTH),
    "infinite": (np.full((HEIGHT_PX, WIDTH_PX), np.inf, np.float32), "32FC1", Geometry.TOO_LITTLE_DEPTH),
    "negative": (np.full((HEIGHT_PX, WIDTH_PX), -1.0, np.float32), "32FC1", Geometry.TOO_LITTLE_DEPTH),
    "a color image": (PIXELS, "rgb8", Geometry.BAD_DEPTH),
}
GOOD = (np.full((HEIGHT_PX, WIDTH_PX), 1.0, np.float32), "32FC1")


def camera_info(image: Image) -> CameraInfo:
    message = CameraInfo(header=image.header, height=HEIGHT_PX, width=WIDTH_PX, distortion_model="plumb_bob")
    message.k = [FOCAL_PX, 0.0, WIDTH_PX / 2, 0.0, FOCAL_PX, HEIGHT_PX / 2, 0.0, 0.0, 1.0]
    message.p = [FOCAL_PX, 0.0, WIDTH_PX / 2, 0.0, 0.0, FOCAL_PX, HEIGHT_PX / 2, 0.0, 0.0, 0.0, 1.0, 0.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.d = [0.0] * 5
    return message


class DepthCamera:
    """Sends depth and intrinsics before each image."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._depth = caller.create_publisher(Image, "depth", qos_profile_sensor_data)
        self._info = caller.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
        caller.until(lambda: all(p.get_subscription_count() for p in (self._depth, self._info)), "a listener")

    def ask(self, pixels: np.ndarray, encoding: str, status: int) -> Geometry:
        """The geometry of a turn about a picture with this depth; asked again where best effort lost a message."""

        def answered() -> bool:
            image = self._caller.image()
            depth = conversions.fill_image(Image(), image.header, pixels, encoding)
            self._depth.publish(depth)
            self._info.publish(camera_info(image))
            self._caller.show(image)
            result = self._caller.say("mask", stamp_ns=self._caller.stamp_of(image))
            assert result.status == Segmentation.GROUNDED, "the mask does not depend on the depth"
            found.append(result.segments[0].geometry)
            return bool(found[-1].status == status)

        found: list[Geometry] = []
        self._caller.until(answered, f"a geometry of status {status}")
        return found[-1]


@pytest.mark.fault(
    "depth of another size, all NaN, all zero, infinite, negative, or no depth at all",
    "the mask is answered; its geometry has a status and numbers, never a NaN; good depth works at once again",
)
@pytest.mark.parametrize("kind", DEPTHS)
def test_useless_depth_is_told_and_the_next_good_one_is_used(host: Any, kind: str) -> None:
    pixels, encoding, status = DEPTHS[kind]
    with host(depth_topics=["depth"], camera_info_topics=["camera_info"]) as (_, caller):
        camera = DepthCamera(caller)
        useless = camera.ask(pixels, encoding, status)
        assert useless.message
        numbers = (useless.centroid.x, useless.centroid.y, useless.centroid.z, useless.valid_depth, useless.box_size.x)
        assert np.isfinite(numbers).all()
        good = camera.ask(*GOOD, Geometry.MEASURED)
        assert good.centroid.z == pytest.approx(1.0, abs=1e-3) and good.valid_depth > 0.9
