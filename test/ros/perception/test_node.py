"""The node in one process with its caller, over real topics: all that it does around the network."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation
from pixelrs_ros.srv import GetDialogue, ResetDialogue
from rclpy.lifecycle import LifecyclePublisher, TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import String

from pixelrs_ros.encodings import UsedBits
from pixelrs_ros.errors import AnswerError, CheckpointError, ConfigError
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ROS_ENDED_ERRORS
from pixelrs_ros.types import Frame, Reply, Segment

SUCCESS = TransitionCallbackReturn.SUCCESS


def test_instructions_wait_in_order_and_too_many_are_refused(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.go.clear()
    bench.send("0", bench.now_ns())
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    for text in ("1", "2", "3"):
        bench.send(text, bench.now_ns())
    ((status, words),) = bench.answers(1)
    assert (status, "max_waiting" in words) == (Segmentation.REJECTED, True)
    bench.echo.go.set()
    assert [words for _, words in bench.answers(4)[1:]] == ["0 0", "1 0", "2 0"]


def test_masks_are_published_before_the_answer_is_done(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns(), value=7)
    bench.send("point", bench.now_ns(), session_id="kitchen")
    bench.until(lambda: len(bench.partials) == 1 and len(bench.masks) == 1)
    assert not bench.segmentations and not bench.finals(), "the answer goes on only when the test lets it"
    (first,) = bench.partials
    assert (first.status, first.header.frame_id, first.session_id) == (Segmentation.GROUNDED, "frame 7", "kitchen")
    assert [segment.phrase for segment in first.segments] == ["row 0"]
    assert [stage.stage for stage in first.latencies] == ["queue", "other", "total"]
    bench.echo.more.release()
    bench.until(lambda: len(bench.partials) == 2 and len(bench.masks) == 2)
    assert not bench.segmentations
    bench.echo.more.release()
    assert bench.answers(1) == [(Segmentation.GROUNDED, "row 0 and row 1, there.")]
    last, whole = bench.partials[-1], bench.segmentations[0]
    assert (last.header, last.turn, last.instruction_stamp) == (whole.header, whole.turn, whole.instruction_stamp)
    assert last.segments == whole.segments
    assert [sum(value > 0 for value in mask.data) for mask in bench.masks] == [4, 8]


def test_what_the_robot_waits_for_is_published_before_pictures_for_people(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    publish = LifecyclePublisher.publish

    def note(self: LifecyclePublisher[Any], message: Any) -> None:
        sent.append(self.topic_name.removeprefix("/"))
        publish(self, message)

    monkeypatch.setattr(LifecyclePublisher, "publish", note)
    overlays: list[Image] = []
    bench.caller.create_subscription(Image, "overlay", overlays.append, 10)
    bench.activate()
    outputs = bench.node.outputs
    assert outputs is not None
    bench.until(lambda: outputs.overlay.wanted)
    bench.show(bench.now_ns())
    bench.echo.more.release(2)
    bench.send("point", 0)
    bench.until(lambda: len(overlays) == 1)
    masks = [topic for topic in sent if topic != "explanation"]
    assert masks == ["partial_segmentation", "mask"] * 2 + ["segmentation", "overlay"]
    assert sent[-3:] == ["segmentation", "explanation", "overlay"]


def test_an_image_is_converted_once_for_the_turns_about_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []
    frame_from_image = conversions.frame_from_image

    def count(message: Image, stamp_ns: int, bits: UsedBits) -> Frame:
        converted.append(stamp_ns)
        return frame_from_image(message, stamp_ns, bits)

    monkeypatch.setattr(conversions, "frame_from_image", count)
    bench.activate()
    stamps_ns = [bench.now_ns() - 1000, bench.now_ns()]
    for value, stamp_ns in enumerate(stamps_ns):
        bench.show(stamp_ns, value=value)
    for number, place in enumerate((0, 0, 1, 0), start=1):
        bench.send("which", stamps_ns[place])
        assert bench.answers(number)[-1] == (Segmentation.ANSWERED, f"which {place}")
    assert converted == [stamps_ns[place] for place in (0, 1, 0)]


def test_growing_words_are_not_published_faster_than_anybody_reads(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns(), value=7)
    bench.send("chatter", 0)
    bench.answers(1)
    partials = [message.text for message in bench.explanations if not message.is_final]
    assert 1 <= len(partials) < 100
    assert partials[0] == "grow", "the first words do not wait"


def test_masks_wait_for_the_answer_where_nobody_wants_partials(bench: Bench) -> None:
    bench.activate()
    bench.node.set_parameters([Parameter("publish_partials", value=False)])
    bench.show(bench.now_ns())
    bench.echo.more.release(2)
    bench.send("point", bench.now_ns())
    bench.answers(1)
    bench.until(lambda: len(bench.masks) == 1)
    assert not bench.partials and len(bench.explanations) == 1


def test_a_patient_dialogue_waits_for_one_turn_of_an_eager_one(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.go.clear()
    bench.send("0", bench.now_ns(), session_id="eager")
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    for text in ("1", "2"):
        bench.send(text, bench.now_ns(), session_id="eager")
    bench.send("0", bench.now_ns(), session_id="patient")
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.worker.waiting == 3)
    bench.echo.go.set()
    bench.answers(4)
    assert bench.echo.said == [("eager", "0"), ("patient", "0"), ("eager", "1"), ("eager", "2")]


def test_an_exception_of_the_network_becomes_a_status_of_its_turn(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("fail", bench.now_ns())
    bench.send("again", bench.now_ns())
    assert bench.answers(2) == [
        (Segmentation.INTERNAL_ERROR, "ZeroDivisionError: on purpose"),
        (Segmentation.ANSWERED, "again 0"),
    ]
    assert bench.segmentations[0].message == "ZeroDivisionError: on purpose"


def test_deactivation_answers_what_waits_and_keeps_the_dialogue(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("kept", bench.now_ns())
    bench.answers(1)
    bench.echo.begun.acquire()
    bench.echo.go.clear()
    bench.send("running", bench.now_ns())
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    bench.send("waiting", bench.now_ns())
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.worker.waiting == 1)
    threading.Timer(0.1, bench.echo.go.set).start()
    assert bench.node.trigger_deactivate() == SUCCESS
    statuses = bench.answers(3)[1:]
    assert {status for status, _ in statuses} == {Segmentation.CANCELLED, Segmentation.REJECTED}
    assert all("deactivated" in words for _, words in statuses)
    assert bench.node.trigger_activate() == SUCCESS
    assert [turn.text for turn in bench.call(GetDialogue, "perception/get_dialogue").turns] == ["kept"]


def test_dialogues_can_be_read_and_reset(bench: Bench) -> None:
    response = bench.call(GetDialogue, "perception/get_dialogue")
    assert (response.success, "not configured" in response.message) == (False, True)
    assert not bench.call(ResetDialogue, "perception/reset_dialogue").success
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("a", bench.now_ns(), session_id="kitchen")
    bench.texts.publish(String(data="b"))
    bench.answers(2)
    response = bench.call(GetDialogue, "perception/get_dialogue", session_id="kitchen")
    assert response.success
    assert [(turn.index, turn.text, turn.status) for turn in response.turns] == [(0, "a", Segmentation.ANSWERED)]
    assert set(response.session_ids) == {"kitchen", "default"}
    assert bench.call(ResetDialogue, "perception/reset_dialogue").dropped_turns == 1
    assert not bench.call(GetDialogue, "perception/get_dialogue").turns


def test_diagnostics_tell_of_a_bad_image_and_of_a_failed_turn(bench: Bench) -> None:
    bench.activate()
    bench.until(lambda: bench.diagnostics.get("camera", DiagnosticStatus()).message == "no image has arrived yet")
    bench.show(bench.now_ns(), encoding="nv99")
    bench.send("fail", 0)
    bench.answers(1)
    bench.until(lambda: "nv99" in bench.diagnostics["camera"].message)
    assert bench.diagnostics["camera"].level == DiagnosticStatus.ERROR
    bench.until(lambda: bench.diagnostics["dialogue"].level == DiagnosticStatus.WARN)
    assert {pair.key: pair.value for pair in bench.diagnostics["dialogue"].values}["backend"] == "an echo"


def test_parameters_that_a_running_network_could_not_follow_are_refused(bench: Bench) -> None:
    bench.activate()
    (result,) = bench.node.set_parameters([Parameter("num_threads", value=3)])
    assert (result.successful, "'num_threads'" in result.reason) == (False, True)
    (result,) = bench.node.set_parameters([Parameter("max_frame_age_s", value=0.5)])
    assert result.successful
    assert bench.node.values.max_frame_age_s == 0.5
    assert bench.node.trigger_deactivate() == SUCCESS
    assert bench.node.trigger_cleanup() == SUCCESS
    (result,) = bench.node.set_parameters([Parameter("num_threads", value=3)])
    assert result.successful
    (result,) = bench.node.set_parameters([Parameter("device", value="tpu")])
    assert (result.successful, "cpu, cuda or cuda:N" in result.reason) == (False, True)


def test_the_network_is_let_go_on_clean_up(bench: Bench) -> None:
    bench.activate()
    assert bench.node.trigger_deactivate() == SUCCESS
    assert bench.node.trigger_cleanup() == SUCCESS
    assert not bench.node.is_configured
    bench.until(lambda: bench.caller.count_publishers("segmentation") == 0)


def test_a_checkpoint_that_cannot_be_loaded_leaves_the_node_unconfigured() -> None:
    problems = [CheckpointError("model.safetensors is missing")]

    def load(_: object) -> Echo:
        if problems:
            raise problems.pop()
        return Echo()

    rclpy.init()
    node = PerceptionNode(session_factory=load)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    with contextlib.suppress(*ROS_ENDED_ERRORS):  # Jazzy raises what Kilted returns
        assert node.trigger_activate() == TransitionCallbackReturn.ERROR
    assert node.autostart()
    node.close()
    node.destroy_node()
    rclpy.shutdown()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_turns", 0),
        ("device", "tpu"),
        ("num_threads", "many"),
        ("backend", "fast"),
        ("image_topics", ["image", ""]),
        ("depth_topics", ["depth", "other/depth"]),
        ("camera_info_topics", ["", "info", "info"]),
        ("depth_topics", 3),
        ("frame_policy", "first"),
    ],
)
def test_an_impossible_parameter_is_named(name: str, value: object) -> None:
    rclpy.init()
    with pytest.raises(ConfigError, match=f"'{name}'"):
        PerceptionNode(parameter_overrides=[Parameter(name, value=value)])
    rclpy.shutdown()


class Faltering(Echo):
    """Shows a mask, and cannot end its answer."""

    def point(self, frame: Frame, on_text: Callable[[str], None], on_segment: Callable[[Segment], None]) -> Reply:
        on_segment(Segment("it", np.ones(frame.image.shape[:2], np.bool_), 0.5))
        raise AnswerError("nonsense")


def test_a_mask_of_an_answer_that_fails_is_taken_back() -> None:
    rclpy.init()
    bench = Bench(Faltering())
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("point", 0)
    bench.answers(1)
    bench.until(lambda: len(bench.masks) == 2)
    assert bench.segmentations[0].status == Segmentation.INTERNAL_ERROR
    assert [any(mask.data) for mask in bench.masks] == [True, False]
    assert bench.masks[1].header == bench.masks[0].header == bench.segmentations[0].header
    bench.close()
    rclpy.shutdown()
