"""Which image a turn is about, over real topics."""

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Instruction, Pointing, Segmentation
from pixelrs_ros.srv import GetDialogue, ResetDialogue
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.queueing.frame_buffer import FrameLimits
from pixelrs_ros.ros.wire import conversions

S = 1_000_000_000


def test_the_last_frame_until_the_utterance_is_answered_about(bench: Bench) -> None:
    bench.activate()
    now_ns = bench.now_ns()
    for tenths in range(3):
        bench.show(now_ns + tenths * 100_000_000, value=tenths)
    bench.send("which", now_ns + 120_000_000)
    bench.send("newest", 0)
    assert bench.answers(2) == [(Segmentation.ANSWERED, "which 1"), (Segmentation.ANSWERED, "newest 2")]
    assert [message.header.frame_id for message in bench.segmentations] == ["frame 1", "frame 2"]
    assert [message.turn for message in bench.segmentations] == [0, 1]
    assert [stage.stage for stage in bench.segmentations[0].latencies] == [
        "queue",
        "convert",
        "encode",
        "other",
        "total",
    ]
    partials = [message for message in bench.explanations if not message.is_final]
    assert {message.text for message in partials} == {"grow"}


def test_an_instruction_names_its_camera() -> None:
    rclpy.init()
    bench = Bench(Echo(), image_topics=["image", "right/image"])
    try:
        bench.activate()
        bench.show(bench.now_ns(), value=1)
        bench.images = bench.caller.create_publisher(Image, "right/image", qos_profile_sensor_data)
        bench.until(lambda: bench.images.get_subscription_count() > 0)
        bench.show(bench.now_ns(), value=2)
        for frame_id in ("frame 2", "frame 1", "", "frame 3"):
            bench.send("which", 0, session_id=frame_id, frame_id=frame_id)
        bench.answers(4)
    finally:
        bench.close()
        rclpy.shutdown()
    by_session = {message.session_id: message for message in bench.finals()}
    assert (
        by_session["frame 2"].text == "which 2"
        and by_session["frame 1"].text == by_session["default"].text == "which 1"
    )
    assert "no camera with frame_id 'frame 3'" in by_session["frame 3"].text


def test_a_stale_image_is_no_frame_and_leaves_the_dialogue_as_it_was(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns() - 10 * S)
    bench.send("which", bench.now_ns())
    ((status, words),) = bench.answers(1)
    assert (status, "max_frame_age_s" in words) == (Segmentation.NO_FRAME, True)
    assert not bench.masks and not bench.echo.said


def test_an_image_that_is_still_on_its_way_is_waited_for(bench: Bench) -> None:
    bench.activate()
    bench.node.set_parameters([Parameter("max_frame_wait_s", value=60.0)])
    now_ns = bench.now_ns()
    for tenths in range(3):
        bench.show(now_ns + tenths * S // 10, value=tenths)
    bench.send("which", now_ns + 4 * S // 10)
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.intake.waiting == 1)
    bench.send("other", now_ns + 2 * S // 10, session_id="other")
    assert bench.answers(1) == [(Segmentation.ANSWERED, "other 2")], "no other dialogue waits"
    bench.show(now_ns + 4 * S // 10 - 1, value=9)
    assert bench.answers(2)[1] == (Segmentation.ANSWERED, "which 9")


def test_an_image_that_does_not_come_is_not_waited_for_for_ever(bench: Bench) -> None:
    bench.activate()
    bench.node.set_parameters([Parameter("max_frame_wait_s", value=0.1)])
    now_ns = bench.now_ns()
    bench.show(now_ns, value=3)
    bench.send("which", now_ns + S)
    assert bench.answers(1) == [(Segmentation.ANSWERED, "which 3")]


def test_a_pinned_image_stays_until_the_dialogue_is_reset() -> None:
    rclpy.init()
    bench = Bench(Echo(), frame_buffer_size=1)
    try:
        bench.activate()
        bench.show(bench.now_ns(), value=1)
        bench.send("first", 0, frame_policy=Instruction.PIN_FIRST)
        bench.answers(1)
        bench.images.publish(bright(bench.now_ns(), 2))
        for count, (text, policy) in enumerate((("pinned", 0), ("newest", Instruction.LATEST), ("anew", 2)), start=2):
            bench.until(lambda: newest_is(bench, 2))
            bench.send(text, 0, frame_policy=policy)
            bench.answers(count)
        bench.images.publish(bright(bench.now_ns(), 3))
        bench.until(lambda: newest_is(bench, 3))
        bench.send("still", 0)
        bench.answers(5)
        bench.call(ResetDialogue, "perception/reset_dialogue")
        bench.send("after the reset", 0)
        words = [words for _, words in bench.answers(6)]
    finally:
        bench.close()
        rclpy.shutdown()
    assert words == ["first 1", "pinned 1", "newest 2", "anew 2", "still 2", "after the reset 3"]


def bright(stamp_ns: int, value: int) -> Image:
    header = Header(stamp=conversions.ns_to_stamp(stamp_ns))
    return conversions.fill_image(Image(), header, np.full((4, 4, 3), value, np.uint8), "rgb8")


def newest_is(bench: Bench, value: int) -> bool:
    active = bench.node.active
    assert active is not None
    frame = active.inputs.buffers.select("", 0, bench.now_ns(), FrameLimits(60.0, 60.0))[1].frame
    return frame is not None and frame.message.data[0] == value


def place(stamp_ns: int, x: float, y: float, frame_id: str = "") -> Pointing:
    return Pointing(header=Header(stamp=conversions.ns_to_stamp(stamp_ns), frame_id=frame_id), x=float(x), y=float(y))


def test_a_turn_is_about_the_very_image_that_is_pointed_at(bench: Bench) -> None:
    bench.activate()
    stamps_ns = [bench.now_ns() + count * 1_000_000 for count in range(3)]
    for value, stamp_ns in enumerate(stamps_ns):
        bench.show(stamp_ns, value=value)
    said: list[tuple[str, str, int, list[Pointing]]] = [
        ("this", "", 0, [place(stamps_ns[1], 3.5, 0.0)]),
        ("no image in particular", "", 0, [place(0, 1, 2)]),
        ("pinned", "other", Instruction.PIN_FIRST, []),
        ("but this", "other", 0, [place(stamps_ns[0], 1, 2)]),
        ("pinned still", "other", 0, []),
    ]
    for count, (text, session_id, policy, pointing) in enumerate(said, start=1):
        bench.send(text, 0, session_id, frame_policy=policy, pointing=pointing)
        bench.answers(count)
    assert [words for _, words in bench.answers(5)] == [
        "this 1 at 3.5, 0", "no image in particular 2 at 1, 2", "pinned 2", "but this 0 at 1, 2", "pinned still 2",
    ]  # fmt: skip
    assert bench.segmentations[0].header.stamp == conversions.ns_to_stamp(stamps_ns[1])
    told = bench.call(GetDialogue, "perception/get_dialogue", session_id="default").turns
    assert [[(each.x, each.y) for each in turn.pointing] for turn in told] == [[(3.5, 0.0)], [(1.0, 2.0)]]


@pytest.mark.parametrize(
    ("pointing", "status", "words"),
    [
        ([place(0, 1, 1), place(0, 2, 2)], Segmentation.BAD_INPUT, "pointing has 2 places, at most one"),
        ([place(0, 4, 1)], Segmentation.BAD_INPUT, "(4, 1) px lies outside of the image of 4x4 px"),
        ([place(0, float("nan"), 1)], Segmentation.BAD_INPUT, "outside of the image"),
        ([place(7, 1, 1)], Segmentation.NO_FRAME, "the image that was pointed at"),
    ],
)
def test_pointing_that_means_no_place_is_refused_and_the_dialogue_goes_on(
    bench: Bench, pointing: list[Pointing], status: int, words: str
) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("this", 0, pointing=pointing)
    ((ended, _),) = bench.answers(1)
    assert ended == status and words in bench.segmentations[-1].message
    bench.send("that", 0)
    assert bench.answers(2)[-1] == (Segmentation.ANSWERED, "that 0")


def test_an_impossible_frame_policy_is_refused(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("which", 0, frame_policy=9)
    ((status, words),) = bench.answers(1)
    assert (status, "frame_policy" in words) == (Segmentation.BAD_INPUT, True)


def test_depth_that_does_not_fit_is_said_and_the_mask_comes_all_the_same(bench: Bench) -> None:
    bench.activate()
    stamp_ns = bench.now_ns()
    header = Header(stamp=conversions.ns_to_stamp(stamp_ns))
    bench.depths.publish(conversions.fill_image(Image(), header, np.ones((2, 2), np.float32), "32FC1"))
    bench.show(stamp_ns)
    bench.echo.more.release(2)
    bench.send("point", stamp_ns)
    assert bench.answers(1)[0][0] == Segmentation.GROUNDED
    wrong = "the depth is of 2x2 px but the image of 4x4 px"
    bench.until(lambda: wrong in bench.diagnostics.get("camera", DiagnosticStatus()).message)
    assert bench.diagnostics["camera"].level == DiagnosticStatus.WARN


@pytest.mark.parametrize("topics", [[], [""], ["other/depth"]])
def test_a_camera_may_have_no_depth(topics: list[str]) -> None:
    rclpy.init()
    node = PerceptionNode(
        session_factory=lambda _: Echo(), parameter_overrides=[Parameter("depth_topics", value=topics)]
    )
    assert node.autostart()
    subscribed = {subscription.topic_name for subscription in node.subscriptions}
    node.destroy_node()
    rclpy.shutdown()
    assert {"/image", "/camera_info"} <= subscribed and "/depth" not in subscribed
    assert ("/other/depth" in subscribed) == bool(any(topics))
