"""Quirks of Gazebo's cameras: an intrinsic matrix that is not the lens's, and infinite depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gazebo_stand_in import camera_info_of
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.locating import Locator
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, BufferedFrame, Stream
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE, WorldTruth
from pixelrs_ros.sim.gazebo.reader import ReadCamera, Seen, draw, read_world
from pixelrs_ros.sim.gazebo.releases import RELEASES
from pixelrs_ros.sim.gazebo.world import write_world
from pixelrs_ros.sim.scene.scene import sample_scene
from pixelrs_ros.sim.shape.shapes import bounds_m
from pixelrs_ros.types import Segment

SEED = 910_003


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(sample_scene(SEED), tmp_path_factory.mktemp("world"), RELEASES["harmonic"])


@pytest.fixture(scope="module")
def camera(world: Path) -> ReadCamera:
    return read_world(world).camera("rgbd_camera")


@pytest.fixture(scope="module")
def seen(world: Path, camera: ReadCamera) -> Seen:
    return draw(read_world(world), camera)


@pytest.fixture(scope="module")
def truth(world: Path) -> WorldTruth:
    return WorldTruth.read(world.parent / LABELS_FILE)


def located(seen: Seen, mask: np.ndarray, info: CameraInfo, depth_m: np.ndarray | None = None) -> Geometry:
    """What the node makes of a mask, with depth and camera info as messages."""
    header = Header(frame_id="camera_optical_frame")
    depth = seen.depth_m if depth_m is None else depth_m
    messages = {
        Stream.DEPTH: conversions.fill_image(Image(), header, depth, "32FC1"),
        Stream.INFO: info,
    }
    image = conversions.fill_image(Image(), header, seen.image, "rgb8")
    size_px = (image.width, image.height)
    bound = BoundFrame(BufferedFrame(image, 0, None, header.frame_id, size_px))
    for stream, message in messages.items():
        bound.offer(stream, BufferedFrame(message, 0, None, header.frame_id, size_px))
    return Locator(bound, NodeParameters())(Segment("it", mask, 1.0))


def test_things_are_where_the_world_has_them(seen: Seen, camera: ReadCamera, truth: WorldTruth) -> None:
    forward, left, up = camera.axes.T
    optical = np.stack([-left, -up, forward], axis=1)
    for thing in sample_scene(SEED).objects:
        mask = truth.mask(seen.labels, thing.object_id)
        if mask.sum() < 1000:
            continue
        geometry = located(seen, mask, camera_info_of(camera))
        assert geometry.status is GeometryStatus.MEASURED
        at_m = camera.position_m + optical @ geometry.centroid_m
        low, high = bounds_m(thing.geoms)
        assert (at_m > low - 0.005).all() and (at_m < high + 0.005).all()


def test_infinite_depth_around_a_thing_is_no_depth(seen: Seen, camera: ReadCamera, truth: WorldTruth) -> None:
    """Gazebo's depth is inf beyond the far plane and -inf before the near one."""
    mask = max((truth.mask(seen.labels, entry.object_id) for entry in truth.labels), key=np.count_nonzero)
    plain = located(seen, mask, camera_info_of(camera))
    depth = np.where(mask, seen.depth_m, np.float32(np.inf))
    depth[:, ::7] = -np.inf
    holed = located(seen, mask, camera_info_of(camera), depth)
    assert plain.status is holed.status is GeometryStatus.MEASURED
    assert np.linalg.norm(np.subtract(plain.centroid_m, holed.centroid_m)) < 0.01
    nothing = located(seen, mask, camera_info_of(camera), np.full_like(depth, np.inf))
    assert nothing.status is GeometryStatus.TOO_LITTLE_DEPTH


def test_the_default_matrix_of_fortress_is_refused_and_the_remedy_told(seen: Seen, camera: ReadCamera) -> None:
    """What Fortress reports where a world does not say what lens it has: that of 320 x 240 px."""
    info = camera_info_of(camera)
    info.k = [277.0, 0.0, 160.0, 0.0, 277.0, 120.0, 0.0, 0.0, 1.0]
    geometry = located(seen, seen.labels > 0, info)
    assert geometry.status is GeometryStatus.BAD_DEPTH
    assert "far from the middle" in geometry.message
