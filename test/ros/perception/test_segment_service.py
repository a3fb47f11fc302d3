"""The one-shot service over real topics."""

from typing import Any

import numpy as np
import pytest
from node_bench import DEADLINE_S, Bench
from pixelrs_ros.msg import Pointing, Segmentation
from pixelrs_ros.srv import GetDialogue, SegmentImage
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from pixelrs_ros.ros.perception.segment_service import turn_request_of
from pixelrs_ros.ros.wire import conversions


def picture(value: int = 5, encoding: str = "rgb8") -> Image:
    header = Header(frame_id="given", stamp=conversions.ns_to_stamp(123_000_000_456))
    return conversions.fill_image(Image(), header, np.full((4, 6, 3), value, np.uint8), encoding)


def ask(bench: Bench, text: str, image: Image, **more: Any) -> SegmentImage.Response:
    return bench.call(SegmentImage, "perception/segment", image=image, text=text, **more)


def test_a_given_image_needs_neither_camera_nor_dialogue(bench: Bench) -> None:
    bench.activate()
    bench.echo.more.release(2)
    response = ask(bench, "point", picture())
    assert response.segmentation.header == response.explanation.header == picture().header
    assert (response.segmentation.status, len(response.segmentation.segments)) == (Segmentation.GROUNDED, 2)
    assert response.explanation.is_final and response.explanation.text.startswith("row 0")
    response = ask(bench, "what", picture(9))
    assert (response.segmentation.status, response.explanation.text) == (Segmentation.ANSWERED, "what 9")
    bench.show(bench.now_ns())
    bench.send("and on the topics", 0)
    bench.answers(1)
    assert [message.session_id for message in bench.segmentations] == ["default"], "a service answers its caller alone"
    assert not bench.partials
    assert list(bench.call(GetDialogue, "perception/get_dialogue").session_ids) == ["default"]


def test_a_place_in_the_given_image_can_be_pointed_at(bench: Bench) -> None:
    bench.activate()
    elsewhere = Header(frame_id="of no account", stamp=conversions.ns_to_stamp(1))
    response = ask(bench, "this", picture(), pointing=[Pointing(header=elsewhere, x=5.0, y=3.0)])
    assert (response.segmentation.status, response.explanation.text) == (Segmentation.ANSWERED, "this 5 at 5, 3")


@pytest.mark.parametrize(
    ("image", "text", "words"),
    [
        (picture(encoding="nv99"), "what", "nv99"),
        (Image(), "what", "unknown image encoding ''"),
        (Image(encoding="rgb8"), "what", "empty"),
        (picture(), " ", "the instruction is empty"),
    ],
)
def test_a_bad_request_gets_a_status_and_the_next_one_an_answer(
    bench: Bench, image: Image, text: str, words: str
) -> None:
    bench.activate()
    response = ask(bench, text, image)
    assert response.segmentation.status == response.explanation.status == Segmentation.BAD_INPUT
    assert words in response.segmentation.message
    assert ask(bench, "what", picture()).segmentation.status == Segmentation.ANSWERED


def test_a_failure_of_the_network_is_a_status(bench: Bench) -> None:
    bench.activate()
    assert ask(bench, "fail", picture()).segmentation.status == Segmentation.INTERNAL_ERROR


def test_an_inactive_node_rejects(bench: Bench) -> None:
    response = ask(bench, "what", picture())
    assert response.segmentation.status == Segmentation.REJECTED
    assert "not active" in response.segmentation.message


def test_callers_wait_beside_each_other_and_hold_up_nothing_else(bench: Bench) -> None:
    bench.activate()
    bench.echo.go.clear()
    client: Any = bench.caller.create_client(SegmentImage, "perception/segment")
    assert client.wait_for_service(DEADLINE_S)
    requests = [SegmentImage.Request(image=picture(value), text="what") for value in (1, 2)]
    futures = [client.call_async(request) for request in requests]
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    assert bench.call(GetDialogue, "perception/get_dialogue").success, "while two turns are under way"
    assert not any(future.done() for future in futures)
    bench.echo.go.set()
    bench.until(lambda: all(future.done() for future in futures))
    assert sorted(future.result().explanation.text for future in futures) == ["what 1", "what 2"]


def test_deactivation_answers_who_waits(bench: Bench) -> None:
    bench.activate()
    client: Any = bench.caller.create_client(SegmentImage, "perception/segment")
    assert client.wait_for_service(DEADLINE_S)
    running = client.call_async(SegmentImage.Request(image=picture(), text="talk"))
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    bench.node.trigger_deactivate()
    bench.until(running.done)
    assert running.result().segmentation.status == Segmentation.CANCELLED


def test_depth_of_another_size_does_not_keep_the_mask_from_coming(bench: Bench) -> None:
    bench.activate()
    depth = conversions.fill_image(Image(), Header(), np.ones((2, 3), np.float32), "32FC1")
    bound = turn_request_of(SegmentImage.Request(image=picture(), depth=depth, text="what")).bound
    assert bound is not None and "depth is of 3x2 px but the image of 6x4 px" in str(bound.mismatch())
    assert ask(bench, "what", picture(), depth=depth).segmentation.status == Segmentation.ANSWERED


def test_depth_and_info_are_bound_whatever_their_stamps_unless_empty() -> None:
    bound = turn_request_of(SegmentImage.Request(image=picture(), text="what")).bound
    assert bound is not None and bound.depth is None and bound.info is None
    depth = conversions.fill_image(Image(), Header(), np.ones((4, 6), np.float32), "32FC1")
    request = SegmentImage.Request(image=picture(), depth=depth, camera_info=CameraInfo(width=6, height=4))
    bound = turn_request_of(request).bound
    assert bound is not None and bound.depth is not None and bound.info is not None
    assert not bound.mismatch()


@pytest.mark.parametrize(("image_bits", "seen"), [(0, 128), (12, 128), (14, 32), (16, 8)])
def test_a_picture_in_16_bits_is_as_bright_as_image_bits_says(bench: Bench, image_bits: int, seen: int) -> None:
    (result,) = bench.node.set_parameters([Parameter("image_bits", value=image_bits)])
    assert result.successful
    bench.activate()
    pixels = np.full((4, 6), 2055, np.uint16)  # half of what 12 bits hold
    image = conversions.fill_image(Image(), Header(frame_id="given"), pixels, "mono16")
    assert ask(bench, "what", image).explanation.text == f"what {seen}"
