"""From a depth image and camera info to Geometry and PointCloud2: bytes first, then over ROS with a node in between."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from pixelrs_ros.msg import Geometry as GeometryMessage
from pixelrs_ros.msg import Segmentation
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from space_bench import HEIGHT_PX, WIDTH_PX, Pointer, SpaceBench, camera_info, depth_image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.target import Geometry, GeometryStatus
from pixelrs_ros.ros.perception.health import DEPTH_UNIT
from pixelrs_ros.ros.perception.locating import calibration_from_info, depth_from_image, fill_geometry
from pixelrs_ros.ros.wire.point_cloud import fill_point_cloud

TYPES = {PointField.FLOAT32: "f4", PointField.UINT16: "u2"}


def points_of(cloud: PointCloud2) -> np.ndarray:
    """What any reader of the message makes of it, from its fields alone."""
    layout = np.dtype(
        {
            "names": [field.name for field in cloud.fields],
            "formats": [(">" if cloud.is_bigendian else "<") + TYPES[field.datatype] for field in cloud.fields],
            "offsets": [field.offset for field in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    assert cloud.row_step == cloud.width * cloud.point_step and len(cloud.data) == cloud.height * cloud.row_step
    return np.frombuffer(bytes(cloud.data), layout)


def colors_of(points: np.ndarray) -> np.ndarray:
    """(N, 3) uint8, red, green, blue, as PCL unpacks them."""
    packed = np.ascontiguousarray(points["rgb"]).view(np.uint32)
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


def geometry_at(z_m: float, count: int) -> Geometry:
    points_m = np.stack([np.arange(count), np.arange(count) + 10, np.full(count, z_m)], axis=1).astype(np.float32)
    pixels_px = np.stack([np.arange(count), np.full(count, count)], axis=1).astype(np.int32)
    return Geometry(GeometryStatus.MEASURED, points_m=points_m, pixels_px=pixels_px)


def test_a_cloud_can_be_read_back_from_its_fields() -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    nothing = Geometry(GeometryStatus.TOO_LITTLE_DEPTH, "too little")
    cloud = fill_point_cloud(
        PointCloud2(), Header(frame_id="eye"), [geometry_at(1.0, 3), nothing, geometry_at(2.0, 5)], image
    )
    points = points_of(cloud)
    assert (cloud.header.frame_id, cloud.height, cloud.width, cloud.is_dense) == ("eye", 1, 8, True)
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "rgb", "segment"]
    assert points["segment"].tolist() == [0] * 3 + [2] * 5
    assert points["x"].tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    assert points["y"].tolist() == [10, 11, 12, 10, 11, 12, 13, 14]
    assert points["z"].tolist() == [1.0] * 3 + [2.0] * 5
    assert np.array_equal(colors_of(points), np.concatenate([image[3, :3], image[5, :5]]))


def test_a_cloud_of_nothing_is_empty_and_whole() -> None:
    cloud = fill_point_cloud(PointCloud2(), Header(), [], np.zeros((4, 4, 3), np.uint8))
    assert (cloud.width, len(points_of(cloud)), len(cloud.fields)) == (0, 0, 5)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize(
    ("encoding", "kind"),
    [("16UC1", np.uint16), ("mono16", np.uint16), ("32FC1", np.float32), ("64FC1", np.float64)],
)
def test_depth_of_any_byte_order_and_step_is_read(encoding: str, kind: type, padding: int, big: bool) -> None:
    values = np.arange(1, 13).reshape(3, 4) * (250 if kind is np.uint16 else 0.25)
    rows = values.astype(np.dtype(kind).newbyteorder(">" if big else "<"))
    data = b"".join(row.tobytes() + b"\xff" * padding for row in rows)
    message = Image(height=3, width=4, encoding=encoding, is_bigendian=big, step=rows.strides[0] + padding)
    message.data = data
    depth_m = depth_from_image(message)
    assert depth_m.dtype == np.float32
    assert depth_m.tolist() == (np.arange(1, 13).reshape(3, 4) * 0.25).tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoding": "bgr8"}, "unknown depth encoding 'bgr8'; supported: 16UC1 and mono16 .*32FC1 and 64FC1"),
        ({"height": 0}, "empty"),
        ({"width": 0}, "empty"),
        ({"height": 4}, "truncated"),
        ({"step": 7}, "truncated"),
    ],
)
def test_depth_that_cannot_be_read_is_refused_with_the_reason(changes: dict[str, object], said: str) -> None:
    message = Image(height=3, width=4, encoding="16UC1", step=8, is_bigendian=sys.byteorder == "big")
    message.data = bytes(24)
    for name, value in changes.items():
        setattr(message, name, value)
    with pytest.raises(BadInputError, match=said):
        depth_from_image(message)


def test_every_field_of_camera_info_arrives() -> None:
    info = camera_info()
    info.binning_x, info.binning_y = 2, 3
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 4, 6, 32, 24
    calibration = calibration_from_info(info)
    assert (calibration.width_px, calibration.height_px, calibration.binning) == (WIDTH_PX, HEIGHT_PX, (2, 3))
    region = calibration.region
    assert (region.x_offset_px, region.y_offset_px, region.width_px, region.height_px) == (4, 6, 32, 24)
    assert (list(calibration.k), list(calibration.d)) == (list(info.k), list(info.d))


def test_geometry_fills_its_message() -> None:
    geometry = Geometry(
        GeometryStatus.MEASURED, "", (1, 2, 3), (4, 5, 6), (0.0, 0.6, 0.0, 0.8), (0.3, 0.2, 0.1), 0.75, np.ones((5, 3))
    )
    message = fill_geometry(GeometryMessage(), geometry)
    turn, place = message.box_pose.orientation, message.box_pose.position
    assert (message.status, message.message) == (GeometryMessage.MEASURED, "")
    assert (message.centroid.x, message.centroid.y, message.centroid.z) == (1, 2, 3)
    assert (place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w) == (4, 5, 6, 0.0, 0.6, 0.0, 0.8)
    assert (message.box_size.x, message.box_size.y, message.box_size.z) == (0.3, 0.2, 0.1)
    assert (message.valid_depth, message.num_points) == (0.75, 5)


@pytest.fixture
def bench() -> Iterator[SpaceBench]:
    rclpy.init()
    bench = SpaceBench(Pointer(), max_depth_slop_s=0.0)
    bench.activate()
    yield bench
    bench.close()
    rclpy.shutdown()


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_depth_and_camera_info_give_places_and_a_cloud(bench: SpaceBench, encoding: str) -> None:
    depth = np.full((HEIGHT_PX, WIDTH_PX), 2000.0 if encoding == "16UC1" else 2.0)
    depth[:, 32:] /= 2
    image = depth_image(depth.astype(np.uint16 if encoding == "16UC1" else np.float32), encoding)
    segmentation = bench.ask(image, camera_info())
    left, right = (segment.geometry for segment in segmentation.segments)
    assert (left.status, left.message) == (right.status, right.message) == (GeometryMessage.MEASURED, "")
    assert (left.centroid.x, left.centroid.y, left.centroid.z) == pytest.approx((-0.64, 0.0, 2.0), abs=1e-3)
    assert (right.centroid.x, right.centroid.y, right.centroid.z) == pytest.approx((0.32, 0.0, 1.0), abs=1e-3)
    assert left.valid_depth == 1.0 and left.num_points > 400
    turn = left.box_pose.orientation
    assert turn.x**2 + turn.y**2 + turn.z**2 + turn.w**2 == pytest.approx(1.0)
    # 28 x 24 px without a rim of 1.5 px are 26 x 22 px; from center to center one less, 4 cm each.
    assert (left.box_size.x, left.box_size.y, left.box_size.z) == pytest.approx((1.0, 0.84, 0.0), abs=0.01)
    assert "geometry" in [stage.stage for stage in segmentation.latencies]
    bench.until(lambda: any(cloud.width == left.num_points + right.num_points for cloud in bench.clouds))
    cloud = next(cloud for cloud in bench.clouds if cloud.width == left.num_points + right.num_points)
    points = points_of(cloud)
    assert cloud.header == segmentation.header
    assert np.bincount(points["segment"]).tolist() == [left.num_points, right.num_points]
    assert points["x"][points["segment"] == 1].mean() == pytest.approx(right.centroid.x, abs=1e-5)
    assert np.unique(colors_of(points), axis=0).tolist() == [[10, 20, 30]]
    bench.until(lambda: len(bench.partials) == 2)
    bench.until(lambda: any(message.points == cloud for message in bench.turn_points))
    for message in bench.turn_points:
        assert (message.instruction_id, message.turn) == (segmentation.instruction_id, segmentation.turn)
        assert message.header == segmentation.header
    bench.until(lambda: len(bench.markers) == 1)
    first, *drawn = bench.markers[0].markers
    assert first.action == Marker.DELETEALL, "what the turn before has drawn goes"
    assert [(marker.ns, marker.id) for marker in drawn] == [
        (name, index) for index in range(2) for name in ("box", "label", "grasp")
    ]
    assert all(marker.header == segmentation.header for marker in drawn)
    box, label, grasp = drawn[:3]
    assert (box.pose, box.text) == (left.box_pose, segmentation.instruction_id)
    assert box.scale.x == pytest.approx(left.box_size.x) and min(box.scale.x, box.scale.y, box.scale.z) > 0.0
    assert label.text == segmentation.segments[0].phrase
    assert label.pose.position.y < left.box_pose.position.y, "above it in the picture"
    start, end = ((point.x, point.y, point.z) for point in grasp.points)
    assert np.mean([start, end], axis=0) == pytest.approx((-0.64, 0.0, 2.0), abs=0.05)
    # The patch faces the camera, so its thin side is along the ray.
    assert abs(end[2] - start[2]) == pytest.approx(0.04, abs=0.01)
    assert [s.geometry.status for s in bench.partials[0].segments] == [GeometryMessage.MEASURED]


def test_tools_that_know_vision_msgs_get_the_same_targets(bench: SpaceBench) -> None:
    messages = pytest.importorskip("vision_msgs.msg", reason="ROS 2 from wheels brings no vision_msgs")
    flat: list[Any] = []
    spatial: list[Any] = []
    labels: list[Any] = []
    for kind, topic, received, profile in (
        (messages.Detection2DArray, "detections_2d", flat, 10),
        (messages.Detection3DArray, "detections_3d", spatial, 10),
        (messages.LabelInfo, "label_info", labels, QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)),
    ):
        bench.caller.create_subscription(kind, topic, received.append, profile)
    outputs = bench.node.outputs
    assert outputs is not None
    bench.until(lambda: all(publisher.get_subscription_count() for publisher in outputs.detections.publishers))
    depth = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1")
    segmentation = bench.ask(depth, camera_info())
    bench.until(lambda: len(flat) == len(spatial) == len(labels) == 1)
    assert flat[0].header == spatial[0].header == labels[0].header == segmentation.header
    for array in (flat[0], spatial[0]):
        assert [one.id for one in array.detections] == [one.track_id for one in segmentation.segments]
        assert [one.results[0].hypothesis.class_id for one in array.detections] == ["part 0", "part 1"]
        assert [one.results[0].hypothesis.score for one in array.detections] == [0.5, 0.5]
    assert {one.class_id: one.class_name for one in labels[0].class_map} == {0: "part 0", 1: "part 1"}
    box, oriented = flat[0].detections[1].bbox, spatial[0].detections[1].bbox
    assert (box.center.position.x, box.center.position.y, box.size_x, box.size_y) == (48.0, 24.0, 24.0, 28.0)
    assert oriented.center == segmentation.segments[1].geometry.box_pose
    assert oriented.size == segmentation.segments[1].geometry.box_size
    assert spatial[0].detections[1].results[0].pose.pose == oriented.center
    bench.ask(None, None)
    bench.until(lambda: len(flat) == len(spatial) == 2)
    assert (len(flat[1].detections), len(spatial[1].detections)) == (2, 0), "in space only what was measured"
    assert len(labels) == 1, "no new name, no new table"


def test_what_is_wrong_with_depth_is_said_and_the_masks_come_all_the_same(bench: SpaceBench) -> None:
    good = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1")
    uncalibrated = CameraInfo(height=HEIGHT_PX, width=WIDTH_PX)
    cases = [
        (good, None, GeometryMessage.NOT_MEASURED, "no camera info came"),
        (None, camera_info(), GeometryMessage.NOT_MEASURED, "more than max_depth_slop_s (0 s)"),
        (good, uncalibrated, GeometryMessage.BAD_DEPTH, "uncalibrated"),
        (depth_image(np.ones((24, 32), np.float32), "32FC1"), camera_info(), GeometryMessage.BAD_DEPTH, "32x24"),
        (depth_image(np.ones((48, 64), np.uint8), "mono8"), camera_info(), GeometryMessage.BAD_DEPTH, "'mono8'"),
        (depth_image(np.zeros((48, 64), np.uint16), "16UC1"), camera_info(), GeometryMessage.TOO_LITTLE_DEPTH, "0%"),
        (
            depth_image(np.full((48, 64), np.nan, np.float32), "32FC1"),
            camera_info(),
            GeometryMessage.TOO_LITTLE_DEPTH,
            "0%",
        ),
    ]
    for depth, info, status, said in cases:
        segmentation = bench.ask(depth, info)
        assert segmentation.status == Segmentation.GROUNDED and len(segmentation.segments) == 2
        for segment in segmentation.segments:
            geometry = segment.geometry
            assert (geometry.status, said in geometry.message) == (status, True), geometry.message
            assert (geometry.num_points, geometry.centroid.z, geometry.box_pose.orientation.w) == (0, 0.0, 1.0)


def test_a_depth_range_without_depth_is_refused(bench: SpaceBench) -> None:
    (result,) = bench.node.set_parameters([Parameter("min_depth_m", value=12.0)])
    assert (result.successful, "'min_depth_m' must be below 'max_depth_m'" in result.reason) == (False, True)
    both = [Parameter("min_depth_m", value=12.0), Parameter("max_depth_m", value=15.0)]
    assert bench.node.set_parameters_atomically(both).successful


@pytest.mark.parametrize(("unit_m", "z_m"), [(0.0001, 0.8), (0.00025, 2.0)])
def test_depth_in_another_unit_is_measured_in_it_and_said(bench: SpaceBench, unit_m: float, z_m: float) -> None:
    depth = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 8000, np.uint16), "16UC1")
    assert bench.ask(depth, camera_info()).segments[0].geometry.centroid.z == pytest.approx(8.0)
    bench.until(lambda: unit_of(bench) == "0.001 (by its encoding, 16UC1)")
    (result,) = bench.node.set_parameters([Parameter("depth_unit_m", value=unit_m)])
    assert result.successful
    assert bench.ask(depth, camera_info()).segments[0].geometry.centroid.z == pytest.approx(z_m)
    bench.until(lambda: unit_of(bench) == f"{unit_m:g} (parameter 'depth_unit_m'; 16UC1)")


def unit_of(bench: SpaceBench) -> str:
    values = bench.diagnostics["image"].values if "image" in bench.diagnostics else []
    return next((pair.value for pair in values if pair.key == DEPTH_UNIT), "")


@pytest.mark.parametrize("stream", ["depth", "camera_info"])
def test_depth_or_camera_info_that_is_off_is_told_with_its_parameter(bench: SpaceBench, stream: str) -> None:
    good = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1")
    assert bench.node.set_parameters([Parameter("max_depth_slop_s", value=0.05)])[0].successful
    bench.off_s[stream] = -0.066
    geometry = bench.ask(good, camera_info()).segments[0].geometry
    assert geometry.status == GeometryMessage.NOT_MEASURED
    assert "66 ms off the image, more than max_depth_slop_s (0.05 s)" in geometry.message
    bench.until(lambda: "max_depth_slop_s" in bench.diagnostics.get("camera", DiagnosticStatus()).message)


def test_points_and_the_depth_range_can_be_changed_while_running(bench: SpaceBench) -> None:
    results = bench.node.set_parameters([Parameter("publish_points", value=False), Parameter("max_depth_m", value=1.5)])
    assert all(result.successful for result in results)
    depth = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1")
    segmentation = bench.ask(depth, camera_info())
    assert [s.geometry.status for s in segmentation.segments] == [GeometryMessage.TOO_LITTLE_DEPTH] * 2
    (result,) = bench.node.set_parameters([Parameter("publish_points", value=True)])
    assert result.successful
    bench.ask(depth, camera_info())
    bench.until(lambda: len(bench.clouds) >= 1)
    assert all(cloud.header.stamp != segmentation.header.stamp for cloud in bench.clouds)
