"""Targets in the frame that a planner works in, by TF at the image's stamp; with tf2_ros itself where it is there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from pixelrs_ros.msg import Geometry, Segmentation
from pixelrs_ros.srv import SegmentImage
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from space_bench import HEIGHT_PX, WIDTH_PX, Pointer, SpaceBench, camera_info, depth_image
from std_msgs.msg import Header
from tf_stand_in import TfStandIn

from pixelrs_ros.ros.perception import target_frame
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.queueing.bound_frame import Stream
from pixelrs_ros.ros.wire import conversions

FRAME, CAMERA = "base_link", "eye"
# The camera looks straight down, its x to the robot's right.
DOWN = Quaternion(x=float(np.sqrt(0.5)), y=-float(np.sqrt(0.5)), z=0.0, w=0.0)


def camera_at(x_m: float) -> Transform:
    return Transform(translation=Vector3(x=x_m, y=0.0, z=3.0), rotation=DOWN)


class Remembering(Pointer):
    """A network that knows its dialogue again, so that it stays with the image that it has pinned."""

    def session_ids(self) -> tuple[str, ...]:
        return ("default",)


class FrameBench(SpaceBench):
    """A bench whose node gives targets in another frame, too."""

    def __init__(self, **overrides: Any) -> None:
        super().__init__(Remembering(), max_depth_slop_s=0.0, target_frame=FRAME, **overrides)
        self.said: list[DiagnosticStatus] = []
        self.caller.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.said += [status for status in message.status if status.name.endswith(": target frame")]

    def look(self) -> Segmentation:
        """The answer about two things 2 m away."""
        return self.ask(depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1"), camera_info())


@pytest.fixture
def tf(monkeypatch: pytest.MonkeyPatch) -> TfStandIn:
    module = TfStandIn()
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return module


@pytest.fixture
def ros() -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.shutdown()


@pytest.fixture
def bench(tf: TfStandIn, ros: None) -> Iterator[FrameBench]:
    bench = FrameBench(target_frame_wait_s=0.0)
    bench.activate()
    yield bench
    bench.close()
    assert tf.listeners == 0


def in_frame(segmentation: Segmentation) -> list[tuple[float, float, float]]:
    """Where the centroids are in the target frame."""
    for segment in segmentation.segments:
        geometry = segment.geometry
        assert geometry.status == Geometry.MEASURED and not geometry.target_message
        for header in (geometry.target_centroid.header, geometry.target_pose.header):
            assert header == Header(stamp=segmentation.header.stamp, frame_id=FRAME)
        assert geometry.target_pose.pose.position.z == pytest.approx(1.0, abs=0.01)
    points = [segment.geometry.target_centroid.point for segment in segmentation.segments]
    return [(point.x, point.y, point.z) for point in points]


def test_targets_are_given_where_the_camera_was_when_it_saw_them(bench: FrameBench, tf: TfStandIn) -> None:
    moves = iter(range(10))

    def drive_on(count: int) -> None:
        """The camera has moved on by the time TF is asked: only the image's own stamp tells where it was."""
        now_ns = bench.now_ns()
        newest = bench.node.active.inputs.buffers.newest("image", Stream.IMAGE) if bench.node.active else None
        assert newest is not None
        tf.known = {
            (FRAME, CAMERA, newest.stamp_ns): camera_at(float(next(moves))),
            (FRAME, CAMERA, now_ns): camera_at(99.0),
            (FRAME, CAMERA, 0): camera_at(99.0),
        }

    tf.looked = drive_on
    for x_m in (0.0, 1.0):
        left, right = in_frame(bench.look())
        # 0.64 m to the camera's left is to the robot's left (y), 2 m below a camera at 3 m.
        assert left == pytest.approx((x_m, 0.64, 1.0), abs=1e-3)
        assert right == pytest.approx((x_m, -0.64, 1.0), abs=1e-3)


def test_without_tf_the_masks_come_with_the_reason(bench: FrameBench) -> None:
    segmentation = bench.look()
    assert segmentation.status == Segmentation.GROUNDED
    for segment in segmentation.segments:
        geometry = segment.geometry
        assert geometry.status == Geometry.MEASURED, "in the camera's frame it is known"
        assert geometry.target_message.startswith("no pose in target_frame 'base_link' at the image's stamp: ")
        assert "'eye'" in geometry.target_message and "nothing is known" in geometry.target_message
        assert geometry.target_pose.header.frame_id == geometry.target_centroid.header.frame_id == ""
    bench.said.clear()
    bench.until(lambda: bool(bench.said))
    assert bench.said[-1].level == DiagnosticStatus.WARN
    assert bench.said[-1].message == segmentation.segments[0].geometry.target_message


def test_a_rotation_that_is_none_is_refused(bench: FrameBench, tf: TfStandIn) -> None:
    broken = Transform(rotation=Quaternion(x=0.0, y=0.0, z=0.0, w=0.0))
    tf.known = AnyStamp(broken)
    segmentation = bench.look()
    assert "no rigid transform" in segmentation.segments[0].geometry.target_message


class AnyStamp(dict[tuple[str, str, int], Transform]):
    """TF of a camera that stands still."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform

    def get(self, key: Any, default: Any = None) -> Any:
        return self._transform


def test_what_is_late_is_waited_for_and_an_old_picture_keeps_its_place(tf: TfStandIn, ros: None) -> None:
    bench = FrameBench(target_frame_wait_s=60.0, frame_policy="pin_first")
    bench.activate()

    def arrive(count: int) -> None:
        tf.known = AnyStamp(camera_at(2.0)) if count >= 2 else {}

    tf.looked = arrive
    assert in_frame(bench.look())[0] == pytest.approx((2.0, 0.64, 1.0), abs=1e-3)
    tf.looked = lambda count: None
    tf.known = {}  # by now TF has forgotten the moment of the picture that the dialogue stays with
    assert in_frame(bench.look())[0] == pytest.approx((2.0, 0.64, 1.0), abs=1e-3)
    bench.said.clear()
    bench.until(lambda: bool(bench.said))
    assert bench.said[-1].level == DiagnosticStatus.OK
    bench.close()


def test_a_picture_that_was_first_talked_about_keeps_its_place_too(tf: TfStandIn, ros: None) -> None:
    bench = FrameBench(target_frame_wait_s=0.0, frame_policy="pin_first")
    bench.activate()
    tf.known = AnyStamp(camera_at(2.0))
    stamp_ns = bench.see(depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1"), camera_info())
    bench.send("which one do you mean?", stamp_ns)
    bench.answers(1)
    tf.known = {}  # while the user thinks
    bench.send("point", stamp_ns)
    bench.answers(2)
    assert in_frame(bench.segmentations[1])[0] == pytest.approx((2.0, 0.64, 1.0), abs=1e-3)
    bench.close()


@pytest.mark.parametrize(
    ("frame_id", "stamp_ns", "said"),
    [("/eye", 5, ""), ("", 5, "the image's header names no frame"), ("eye", 0, "the image's header has no stamp")],
    ids=["a slash as in ROS 1", "no frame", "no stamp, which tf2 takes for now"],
)
def test_a_header_that_is_not_tf2s(bench: FrameBench, tf: TfStandIn, frame_id: str, stamp_ns: int, said: str) -> None:
    tf.known = {(FRAME, CAMERA, stamp_ns): camera_at(0.0)}
    header = Header(frame_id=frame_id, stamp=conversions.ns_to_stamp(stamp_ns))
    picture = conversions.fill_image(Image(), header, np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8), "rgb8")
    depth = depth_image(np.full((HEIGHT_PX, WIDTH_PX), 2.0, np.float32), "32FC1")
    given = {"image": picture, "depth": depth, "camera_info": camera_info(), "text": "point"}
    response = bench.call(SegmentImage, "perception/segment", **given)
    geometry = response.segmentation.segments[0].geometry
    assert said in geometry.target_message and bool(said) == bool(geometry.target_message)
    assert geometry.target_pose.header.frame_id == ("" if said else FRAME)


def test_a_clock_that_is_set_back_leaves_nothing_of_the_time_before(tf: TfStandIn, ros: None) -> None:
    bench = FrameBench(use_sim_time=True)
    bench.activate()
    clock = bench.caller.create_publisher(Clock, "/clock", 10)
    bench.until(lambda: clock.get_subscription_count() > 0)
    for seconds in (100, 10):
        before = tf.cleared
        clock.publish(Clock(clock=Time(sec=seconds)))
        bench.until(lambda at_ns=seconds * 1_000_000_000: bench.node.get_clock().now().nanoseconds == at_ns)  # type: ignore[misc]
    assert tf.cleared == before + 1
    bench.close()


def test_a_robot_without_tf2_is_told_when_it_is_configured(
    ros: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target_frame, "find_spec", lambda name: None)
    overrides = [Parameter("target_frame", value=FRAME), Parameter("store_dialogues", value=False)]
    node = PerceptionNode(lambda values: Pointer(), parameter_overrides=overrides)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "parameter 'target_frame' is 'base_link', but tf2_ros is not installed" in capfd.readouterr().err
    node.set_parameters([Parameter("target_frame", value="")])
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    node.destroy_node()


@pytest.mark.skipif(find_spec("tf2_ros") is None, reason="ROS 2 from wheels brings no tf2_ros")
def test_with_tf2_itself_a_moving_camera_is_where_it_was(ros: None) -> None:
    from tf2_msgs.msg import TFMessage

    bench = FrameBench(target_frame_wait_s=60.0)
    bench.activate()
    tf = bench.caller.create_publisher(TFMessage, "/tf", 10)
    bench.until(lambda: tf.get_subscription_count() > 0)
    started_ns = bench.now_ns()

    def tell() -> None:
        """The camera drives 1 m a second along x."""
        now_ns = bench.now_ns()
        header = Header(stamp=conversions.ns_to_stamp(now_ns), frame_id=FRAME)
        transform = camera_at((now_ns - started_ns) * 1e-9)
        tf.publish(TFMessage(transforms=[TransformStamped(header=header, child_frame_id=CAMERA, transform=transform)]))

    timer = bench.caller.create_timer(0.05, tell)
    told = bench.now_ns()
    bench.until(lambda: bench.now_ns() > told + 300_000_000)
    for _ in range(3):
        segmentation = bench.look()
        at_m = (conversions.stamp_to_ns(segmentation.header.stamp) - started_ns) * 1e-9
        assert in_frame(segmentation)[0] == pytest.approx((at_m, 0.64, 1.0), abs=1e-3)
    timer.cancel()
    bench.close()
