"""Compressed images into the node and out of it, and pictures that are made only for whom they reach."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Geometry, Segmentation
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pixelrs_ros.ros.perception import answers
from pixelrs_ros.ros.queueing.bound_frame import Stream
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.image_outputs import compress_color

PIXELS = np.full((40, 60, 3), 7, np.uint8)


@pytest.fixture
def benches() -> Iterator[Any]:
    """Makes a bench whose camera sends compressed images."""
    rclpy.init()
    made = []

    def make(**overrides: Any) -> Bench:
        bench = Bench(Echo(), **{"image_transport": "compressed", **overrides})
        made.append(bench)
        if bench.node.values.image_transport == "compressed":
            bench.images = bench.caller.create_publisher(CompressedImage, "image/compressed", qos_profile_sensor_data)
        if bench.node.values.depth_transport == "compressedDepth":
            topic = "depth/compressedDepth"
            bench.depths = bench.caller.create_publisher(CompressedImage, topic, qos_profile_sensor_data)
        bench.activate()
        return bench

    yield make
    for bench in made:
        bench.close()
    rclpy.shutdown()


def show(bench: Bench, data: bytes | None = None, value: int = 7) -> CompressedImage:
    """Send a JPEG of one gray, or some bytes, and wait until the node has it."""
    message = compress_color(CompressedImage(), Image().header, np.full_like(PIXELS, value), 95)
    message.header.stamp = conversions.ns_to_stamp(bench.now_ns())
    message.header.frame_id = f"frame {value}"
    if data is not None:
        message.data = data
    active = bench.node.active
    assert active is not None
    before = len(active.inputs.buffers)
    bench.images.publish(message)
    bench.until(lambda: len(active.inputs.buffers) > before)
    return message


def test_a_compressed_image_is_answered_about_and_only_that_one_is_decoded(
    benches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = benches()
    decoded: list[object] = []
    decode = cv2.imdecode

    def count(*args: Any) -> Any:
        decoded.append(args)
        return decode(*args)

    monkeypatch.setattr(cv2, "imdecode", count)
    for value in range(5):
        shown = show(bench, value=10 * value)
    assert not decoded
    bench.send("which", 0)
    bench.send("which", 0)
    assert bench.answers(2) == [(Segmentation.ANSWERED, "which 40")] * 2
    assert bench.segmentations[0].header == shown.header
    assert len(decoded) == 1, "once for both turns"


@pytest.mark.parametrize(
    ("data", "words"), [(b"no image at all", "neither JPEG nor PNG"), (b"\xff\xd8\xff\xe0", "truncated")]
)
def test_what_is_no_image_is_a_bad_image_at_once(benches: Any, data: bytes, words: str) -> None:
    bench = benches()
    show(bench, data=data)
    bench.send("which", 0)
    ((status, message),) = bench.answers(1)
    assert (status, words in message) == (Segmentation.BAD_INPUT, True)
    bench.until(lambda: bench.diagnostics.get("image", DiagnosticStatus()).level == DiagnosticStatus.ERROR)
    show(bench)
    bench.send("which", 0)
    assert bench.answers(2)[1] == (Segmentation.ANSWERED, "which 7")


def test_a_truncated_image_is_refused_when_it_is_used(benches: Any) -> None:
    bench = benches()
    whole = bytes(compress_color(CompressedImage(), Image().header, PIXELS, 95).data)
    show(bench, data=whole[:-20])
    bench.send("which", 0)
    ((status, message),) = bench.answers(1)
    assert (status, "truncated" in message) == (Segmentation.BAD_INPUT, True)


def test_an_image_that_is_too_large_is_refused_by_the_limit_in_force(benches: Any) -> None:
    bench = benches(max_image_megapixels=0.01)
    show(bench)
    bench.send("which", 0)
    assert bench.answers(1)[0][0] == Segmentation.ANSWERED
    large = np.zeros((200, 200, 3), np.uint8)
    data = bytes(compress_color(CompressedImage(), Image().header, large, 50).data)
    show(bench, data=data)
    bench.send("which", 0)
    status, message = bench.answers(2)[1]
    assert (status, "'max_image_megapixels'" in message) == (Segmentation.BAD_INPUT, True)
    (result,) = bench.node.set_parameters([Parameter("max_image_megapixels", value=1.0)])
    assert result.successful
    show(bench, data=data)
    bench.send("which", 0)
    assert bench.answers(3)[2] == (Segmentation.ANSWERED, "which 0")


def test_masks_and_overlays_go_out_compressed(benches: Any) -> None:
    bench = benches()
    masks: list[CompressedImage] = []
    overlays: list[CompressedImage] = []
    bench.caller.create_subscription(CompressedImage, "mask/compressed", masks.append, 10)
    bench.caller.create_subscription(CompressedImage, "overlay/compressed", overlays.append, 10)
    outputs = bench.node.outputs
    assert outputs is not None
    bench.until(lambda: outputs.overlay.wanted and outputs.mask.publishers[1].get_subscription_count() > 0)
    sizes = {}
    for number, quality in enumerate((95, 5), 1):
        assert bench.node.set_parameters([Parameter("jpeg_quality", value=quality)])[0].successful
        shown = show(bench)
        bench.echo.more.release(2)
        bench.send("point", 0)
        bench.until(lambda: len(overlays) == number and len(masks) == 2 * number)  # noqa: B023 awaited at once
        assert masks[-1].header == overlays[-1].header == shown.header
        sizes[quality] = len(overlays[-1].data)
    mask = cv2.imdecode(np.frombuffer(masks[-1].data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask is not None and mask.dtype == np.uint8 and mask.shape == (40, 60)
    assert (mask[:2] == 255).all() and (mask[2:] == 0).all()
    assert masks[-1].format == "mono8; png compressed mono8"
    assert conversions.image_to_rgb(overlays[0]).shape == (40, 60, 3)
    assert sizes[5] < sizes[95]


@pytest.mark.parametrize("whole", [True, False])
def test_compressed_depth_is_measured_with(benches: Any, whole: bool) -> None:
    bench = benches(depth_transport="compressedDepth", image_transport="raw")
    infos = bench.caller.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
    publishers = (bench.images, bench.depths, infos)
    bench.until(lambda: all(publisher.get_subscription_count() for publisher in publishers))
    header = conversions.fill_image(Image(), Image().header, PIXELS, "rgb8").header
    header.stamp = conversions.ns_to_stamp(bench.now_ns())
    png = cv2.imencode(".png", np.full((40, 60), 800, np.uint16))[1].tobytes()
    depth = CompressedImage(header=header, format="16UC1; compressedDepth png")
    depth.data = bytes(12) + (png if whole else png[:-20])
    k = [50.0, 0.0, 30.0, 0.0, 50.0, 20.0, 0.0, 0.0, 1.0]
    messages = (
        conversions.fill_image(Image(), header, PIXELS, "rgb8"),
        depth,
        CameraInfo(header=header, width=60, height=40, k=k),
    )
    active = bench.node.active
    assert active is not None
    buffers = active.inputs.buffers

    def all_have_come() -> bool:
        for publisher, message in zip(publishers, messages, strict=True):  # again: who has just matched may miss one
            publisher.publish(message)
        return all(buffers.newest("image", stream) is not None for stream in Stream)

    bench.until(all_have_come)
    bench.echo.more.release(2)
    bench.send("point", 0)
    bench.answers(1)
    geometry = bench.segmentations[0].segments[0].geometry
    if whole:
        assert geometry.status in (Geometry.MEASURED, Geometry.TOO_LITTLE_DEPTH), geometry.message
    else:
        assert (geometry.status, "truncated" in geometry.message) == (Geometry.BAD_DEPTH, True)


def test_no_overlay_is_painted_while_nobody_listens(benches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = benches()
    painted: list[object] = []
    paint = answers.paint

    def count(*args: Any, **named: Any) -> Any:
        painted.append(args)
        return paint(*args, **named)

    monkeypatch.setattr(answers, "paint", count)
    show(bench)
    bench.send("first", 0)
    bench.answers(1)
    bench.until(lambda: len(bench.masks) == 1)
    assert not painted
    overlays: list[Image] = []
    subscription = bench.caller.create_subscription(Image, "overlay", overlays.append, 10)
    outputs = bench.node.outputs
    assert outputs is not None
    bench.until(lambda: outputs.overlay.wanted)
    bench.send("second", 0)
    bench.until(lambda: len(overlays) == 1)
    assert len(painted) == 1
    assert bench.node.set_parameters([Parameter("publish_overlay", value=False)])[0].successful
    bench.send("third", 0)
    bench.until(lambda: len(bench.masks) == 3)
    bench.caller.destroy_subscription(subscription)
    bench.until(lambda: not outputs.overlay.wanted)
    assert bench.node.set_parameters([Parameter("publish_overlay", value=True)])[0].successful
    bench.send("fourth", 0)
    bench.until(lambda: len(bench.masks) == 4)
    assert (len(painted), len(overlays)) == (1, 1)


def test_a_late_comer_gets_the_last_overlay_where_it_is_kept() -> None:
    rclpy.init()
    name = "qos_overrides./overlay.publisher.durability"
    overrides: dict[str, Any] = {name: "transient_local"}
    bench = Bench(Echo(), **overrides)
    try:
        bench.activate()
        outputs = bench.node.outputs
        assert outputs is not None
        assert outputs.overlay.wanted
    finally:
        bench.close()
        rclpy.shutdown()
