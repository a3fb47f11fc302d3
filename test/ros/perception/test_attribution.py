"""Every output of a turn names its instruction, whoever named that, and no turn number is used twice."""

import threading
from typing import Any

import numpy as np
from node_bench import Bench
from pixelrs_ros.action import Ground
from pixelrs_ros.msg import Explanation, Instruction, Segmentation, TurnImage
from pixelrs_ros.srv import ResetDialogue, SegmentImage
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.client import mask_of
from pixelrs_ros.ros.queueing.turn_numbers import TurnNumbers
from pixelrs_ros.ros.wire import conversions


def listen(bench: Bench) -> dict[str, list[TurnImage]]:
    """What comes on the pictures that name their turn, with somebody who listens to them."""
    heard: dict[str, list[TurnImage]] = {"turn_mask": [], "turn_overlay": []}
    for topic, messages in heard.items():
        bench.caller.create_subscription(TurnImage, topic, messages.append, 1000)
    bench.activate()
    outputs = bench.node.outputs
    assert outputs is not None
    for picture in (outputs.mask, outputs.overlay):
        bench.until(lambda picture=picture: picture.publishers[2].get_subscription_count() > 0)  # type: ignore[misc]
    return heard


def test_in_a_burst_with_one_stamp_everything_is_told_apart(bench: Bench) -> None:
    heard = listen(bench)
    bench.node.set_parameters([Parameter("max_instructions_per_s", value=0.0), Parameter("max_waiting", value=40)])
    stamp_ns = bench.now_ns()
    bench.show(stamp_ns, value=3)
    bench.echo.more.release(1000)
    bench.echo.go.clear()
    for number in range(60):
        message = Instruction(text="point" if number % 2 else "what", confidence=1.0, instruction_id=f"mine {number}")
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        bench.instructions.publish(message)
    bench.answers(60 - 1 - 40)
    bench.echo.go.set()
    bench.answers(60)
    assert {message.instruction_id for message in bench.segmentations} == {f"mine {number}" for number in range(60)}
    assert sorted(message.turn for message in bench.segmentations) == list(range(60))
    turns = {message.instruction_id: message.turn for message in bench.segmentations}
    rejected = [message for message in bench.segmentations if message.status == Segmentation.REJECTED]
    grounded = {m.instruction_id: m for m in bench.segmentations if m.status == Segmentation.GROUNDED}
    assert rejected and grounded
    bench.until(lambda: {message.instruction_id for message in heard["turn_overlay"]} >= grounded.keys())
    for message in (*bench.explanations, *bench.partials, *heard["turn_mask"], *heard["turn_overlay"]):
        assert message.turn == turns[message.instruction_id] and message.session_id == "default"
        assert message.instruction_stamp == conversions.ns_to_stamp(stamp_ns)
    masks = {message.instruction_id: message.image for message in heard["turn_mask"]}  # the last of each
    for name, message in grounded.items():
        union = np.logical_or.reduce([mask_of(segment) for segment in message.segments])
        assert (conversions.mask_from_image(masks[name]) == union).all()
        assert [segment.track_id for segment in message.segments] == [f"{name}/0", f"{name}/1"]


def test_growing_words_have_no_status_yet(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.send("what", 0)
    bench.answers(1)
    partials = [message for message in bench.explanations if not message.is_final]
    assert partials and {message.status for message in partials} == {Explanation().status} == {Segmentation.UNKNOWN}


def test_the_node_names_what_nobody_has_named(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    for text in ("one", "two"):
        bench.send(text, 0)
    bench.texts.publish(bench.texts.msg_type(data="three"))
    bench.answers(3)
    names = [message.instruction_id for message in bench.segmentations]
    assert all(names) and len(set(names)) == 3
    assert [message.instruction_id for message in bench.finals()] == names


def test_a_name_that_is_too_long_is_refused_under_that_name(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.instructions.publish(Instruction(text="what", confidence=1.0, instruction_id="x" * 257))
    ((status, words),) = bench.answers(1)
    assert status == Segmentation.BAD_INPUT and "instruction_id has 257 characters, at most 256" in words
    assert bench.segmentations[0].instruction_id == "x" * 257


def test_numbers_go_on_after_failures_and_begin_anew_after_a_reset(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    for count, text in enumerate(("what", "fail", " ", "what", "fail"), start=1):
        bench.send(text, 0)
        bench.answers(count)
    assert [message.turn for message in bench.segmentations] == [0, 1, 2, 3, 4]
    assert bench.call(ResetDialogue, "perception/reset_dialogue").success
    bench.send("what", 0)
    bench.answers(6)
    assert bench.segmentations[-1].turn == 0


def ground(bench: Bench, name: str) -> tuple[str, list[Ground.Feedback], Ground.Result]:
    """The goal's id in hex, its feedback and its result."""
    client: ActionClient[Any, Any, Any] = ActionClient(bench.caller, Ground, "perception/ground")
    bench.until(client.server_is_ready)
    feedback: list[Ground.Feedback] = []
    goal = Ground.Goal(instruction=Instruction(text="what", confidence=1.0, instruction_id=name))
    sent = client.send_goal_async(goal, lambda message: feedback.append(message.feedback))
    bench.until(sent.done)
    handle: Any = sent.result()
    result = handle.get_result_async()
    bench.until(result.done)
    return bytes(handle.goal_id.uuid).hex(), feedback, result.result().result


def test_the_action_names_its_instruction_in_feedback_and_result(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    for name in ("mine", ""):
        goal_id, feedback, result = ground(bench, name)
        wanted = name or goal_id
        assert feedback and {message.instruction_id for message in feedback} == {wanted}
        assert result.instruction_id == result.segmentation.instruction_id == wanted
        assert result.explanation.instruction_id == wanted


def test_the_one_shot_service_names_its_instruction(bench: Bench) -> None:
    bench.activate()
    image = conversions.fill_image(Image(), Header(), np.zeros((4, 6, 3), np.uint8), "rgb8")
    named = bench.call(SegmentImage, "perception/segment", image=image, text="what", instruction_id="mine")
    assert named.segmentation.instruction_id == named.explanation.instruction_id == "mine"
    unnamed = bench.call(SegmentImage, "perception/segment", image=image, text="what")
    assert unnamed.segmentation.instruction_id == unnamed.explanation.instruction_id != ""


def test_masks_are_sent_as_the_parameter_says(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.more.release(100)
    for count, (encoding, code) in enumerate(conversions.MASK_ENCODINGS.items(), start=1):
        bench.node.set_parameters([Parameter("mask_encoding", value=encoding)])
        bench.send("point", 0)
        bench.answers(count)
        segments = bench.segmentations[-1].segments
        assert {segment.mask_encoding for segment in segments} == {code}
        for row, segment in enumerate(segments):
            assert np.flatnonzero(mask_of(segment).any(axis=1)).tolist() == [row]
    (refused,) = bench.node.set_parameters([Parameter("mask_encoding", value="png")])
    assert not refused.successful and "mask_encoding" in refused.reason


def test_numbers_are_given_once_whichever_thread_asks() -> None:
    class Nothing:
        def next_index(self, session_id: str) -> int:
            return 5

        def skip_to(self, session_id: str, next_index: int) -> None:
            pass

    numbers = TurnNumbers(Nothing())
    taken: list[int] = []

    def take() -> None:
        taken.extend(numbers.take("a") for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(5, 805))
