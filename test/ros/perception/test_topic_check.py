"""What is said of topics on which nothing can come, and of images that are not what their names say."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header, String

from pixelrs_ros.ros.perception.topic_check import is_rectified
from pixelrs_ros.ros.wire import conversions

Make = Callable[..., Bench]


@pytest.fixture
def make() -> Iterator[Make]:
    rclpy.init()
    made: list[Bench] = []

    def bench(**overrides: Any) -> Bench:
        made.append(Bench(Echo(), **overrides))
        assert made[-1].node.autostart()
        return made[-1]

    yield bench
    for each in made:
        each.close()
    rclpy.shutdown()


@pytest.fixture
def camera() -> Iterator[Node]:
    """A node of another process, as far as the middleware knows: some give a topic one type a process."""
    context = Context()
    rclpy.init(context=context)
    node = Node("camera", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def told(bench: Bench, part: str) -> str:
    status = bench.diagnostics.get(part)
    return "" if status is None or status.level != DiagnosticStatus.WARN else status.message


def send_image(bench: Bench) -> None:
    header = Header(stamp=conversions.ns_to_stamp(bench.now_ns()))
    bench.images.publish(conversions.fill_image(Image(), header, np.zeros((4, 4, 3), np.uint8), "rgb8"))


def refusal(bench: Bench) -> str:
    bench.send("which", 0)
    ((status, words),) = bench.answers(1)
    assert status == Segmentation.NO_FRAME
    return words


def test_a_transport_that_is_named_twice_is_told_at_once(make: Make) -> None:
    bench = make(image_topics=["eye/image/compressed"], image_transport="compressed")
    words = refusal(bench)
    assert "/eye/image/compressed/compressed names its transport twice: name the topic /eye/image, " in words
    bench.until(lambda: "names its transport twice" in told(bench, "camera"))


@pytest.mark.parametrize(
    ("topic", "transport", "published", "remedy"),
    [
        ("eye/image/compressed", "raw", CompressedImage, "to compressed and name the topic /eye/image"),
        ("eye/image", "compressed", Image, "set the parameter 'image_transport' to raw"),
        ("eye/words", "raw", String, "name another topic, or send raw images there"),
    ],
)
def test_images_of_another_type_are_told_with_the_remedy(
    make: Make, camera: Node, topic: str, transport: str, published: type[Any], remedy: str
) -> None:
    sent_on = topic if transport == "raw" else f"{topic}/{transport}"
    camera.create_publisher(published, sent_on, 10)
    bench = make(image_topics=[topic], image_transport=transport)
    bench.until(lambda: "is expected" in told(bench, "camera"))
    assert f"/{sent_on} carries " in told(bench, "camera") and remedy in told(bench, "camera")
    assert remedy in refusal(bench)


def test_images_that_are_only_sent_in_another_way_are_told(make: Make, camera: Node) -> None:
    camera.create_publisher(CompressedImage, "eye/image/compressed", 10)
    bench = make(image_topics=["eye/image"])
    bench.until(lambda: "/eye/image/compressed is published: set the parameter" in told(bench, "camera"))
    assert "nobody publishes /eye/image: check that the camera runs" in refusal(bench)


@pytest.mark.parametrize(("topic", "published"), [("depth", CompressedImage), ("camera_info", Image)])
def test_depth_and_camera_info_of_another_type_are_told_while_images_come(
    make: Make, camera: Node, topic: str, published: type[Any]
) -> None:
    overrides = {"depth_topics": ["eye/depth"], "camera_info_topics": ["eye/camera_info"]}
    camera.create_publisher(published, f"eye/{topic}", 10)
    bench = make(**overrides)
    bench.until(lambda: bench.images.get_subscription_count() > 0)

    def is_told() -> bool:
        send_image(bench)
        return f"/eye/{topic} carries" in told(bench, "image")

    bench.until(is_told)


def test_instructions_of_another_type_are_told(make: Make, camera: Node) -> None:
    bench = make()
    bench.caller.destroy_publisher(bench.instructions)
    camera.create_publisher(String, "instruction", 10)
    bench.until(lambda: "/instruction carries std_msgs/msg/String" in told(bench, "instructions"))


@pytest.mark.parametrize(
    ("topic", "rectified"),
    [
        ("/eye/image_rect", True),
        ("/eye/image_rect_color", True),
        ("/left/rectified/image", True),
        ("/zed/rgb/color/rect/image", True),
        ("/eye/image_raw", False),
        ("/direct/image", False),
        ("/eye/rectangle", False),
    ],
)
def test_rectified_images_are_known_by_their_topic(topic: str, rectified: bool) -> None:
    assert is_rectified(topic) == rectified


@pytest.mark.parametrize("distorted", [True, False])
def test_rectified_images_with_distortion_are_reported(make: Make, distorted: bool) -> None:
    bench = make(image_topics=["eye/image_rect"])
    bench.images = bench.caller.create_publisher(Image, "eye/image_rect", qos_profile_sensor_data)
    infos = bench.caller.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
    bench.until(lambda: bool(bench.images.get_subscription_count() and infos.get_subscription_count()))

    def said() -> str:
        infos.publish(CameraInfo(width=4, height=4, d=[0.1 * distorted, 0.0, 0.0, 0.0, 0.0]))
        send_image(bench)
        return bench.diagnostics["eye/image_rect"].message if "eye/image_rect" in bench.diagnostics else ""

    if distorted:
        bench.until(lambda: "set the parameter 'image_is_rectified'" in said())
        assert told(bench, "eye/image_rect")
        assert bench.node.set_parameters([Parameter("image_is_rectified", value=True)])[0].successful
    bench.until(lambda: said() == "images arrive")


def test_diagnostics_go_on_while_ros_time_stands_still(make: Make) -> None:
    bench = make(use_sim_time=True)  # and nobody publishes /clock
    bench.until(lambda: bool(bench.diagnostics))
    bench.diagnostics.clear()
    bench.until(lambda: bool(bench.diagnostics))


def test_latest_answers_about_a_recording_that_is_played_without_its_clock(make: Make) -> None:
    bench = make(frame_policy="latest")
    bench.until(lambda: bench.images.get_subscription_count() > 0)
    bench.show(1_500_000_000 * 10**9, value=5)
    bench.send("which", bench.now_ns())
    assert bench.answers(1) == [(Segmentation.ANSWERED, "which 5")]
    bench.until(lambda: "has just arrived: let both go by one clock" in told(bench, "image"))


def test_a_recording_without_its_clock_is_reported_with_the_remedy(make: Make) -> None:
    bench = make()
    bench.until(lambda: bench.images.get_subscription_count() > 0)
    bench.show(1_500_000_000 * 10**9)
    bench.send("which", bench.now_ns())
    ((status, words),) = bench.answers(1)
    assert (status, "set frame_policy to latest" in words) == (Segmentation.NO_FRAME, True)


def test_a_12_bit_camera_is_seen_over_real_topics(make: Make) -> None:
    bench = make(image_bits=12)
    bench.until(lambda: bench.images.get_subscription_count() > 0)
    header = Header(stamp=conversions.ns_to_stamp(bench.now_ns()))
    pixels = np.full((4, 4), 2048, np.uint16)
    active = bench.node.active
    assert active is not None
    bench.images.publish(conversions.fill_image(Image(), header, pixels, "mono16"))
    bench.until(lambda: len(active.inputs.buffers) > 0)
    bench.send("which", 0)
    assert bench.answers(1) == [(Segmentation.ANSWERED, "which 128")]
