"""The node under more instructions than it can answer: every one gets its answer, none waits longer than it should."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Instruction, Segmentation
from rclpy.parameter import Parameter

from pixelrs_ros.ros.perception.health import IMAGE_AGE
from pixelrs_ros.ros.wire import conversions

ANSWERED, REJECTED, CANCELLED = Segmentation.ANSWERED, Segmentation.REJECTED, Segmentation.CANCELLED


@pytest.fixture
def benches() -> Iterator[Any]:
    """Makes a bench with a node that is active and has an image."""
    rclpy.init()
    made = []

    def make(**overrides: Any) -> Bench:
        bench = Bench(Echo(), **overrides)
        made.append(bench)
        bench.activate()
        bench.show(bench.now_ns())
        return bench

    yield make
    for bench in made:
        bench.close()
    rclpy.shutdown()


def begin(bench: Bench, text: str, session_id: str = "") -> None:
    """Send an instruction and wait until the network has it."""
    bench.send(text, 0, session_id)
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))


def ended(bench: Bench, count: int) -> list[tuple[int, str]]:
    """Status and message of so many turns, one on each topic for each instruction."""
    bench.answers(count)
    assert len(bench.finals()) == len(bench.segmentations) == count
    return [(message.status, message.message) for message in bench.segmentations]


def told(bench: Bench, part: str) -> dict[str, str]:
    """What the diagnostics say of a part; nothing as long as they have not come."""
    return {pair.key: pair.value for pair in bench.diagnostics.get(part, DiagnosticStatus()).values}


def flood(bench: Bench, messages: list[Instruction]) -> None:
    """Send all at once, over a publisher that keeps them until they have been received."""
    publisher = bench.caller.create_publisher(Instruction, "instruction", len(messages))
    bench.until(lambda: publisher.get_subscription_count() > 0)
    for message in messages:
        publisher.publish(message)


def test_reject_answers_at_once_while_a_turn_of_the_dialogue_runs_or_waits(benches: Any) -> None:
    bench = benches(busy_policy="reject")
    bench.echo.go.clear()
    begin(bench, "0", "kitchen")
    bench.send("1", 0, "kitchen")
    bench.send("0", 0, "hall")
    bench.until(lambda: bench.node.active is not None and bench.node.active.worker.waiting == 1)
    bench.send("1", 0, "hall")
    refused = ended(bench, 2)
    assert [status for status, _ in refused] == [REJECTED] * 2
    assert all("'busy_policy'" in message for _, message in refused)
    bench.echo.go.set()
    assert [status for status, _ in ended(bench, 4)[2:]] == [ANSWERED] * 2
    bench.send("2", 0, "kitchen")
    assert ended(bench, 5)[4][0] == ANSWERED, "nothing of this dialogue runs any more"


def test_preempt_ends_the_turns_of_its_dialogue_and_no_other(benches: Any) -> None:
    bench = benches(busy_policy="preempt")
    bench.echo.go.clear()
    begin(bench, "0", "hall")
    bench.send("0", 0, "kitchen")
    bench.send("1", 0, "kitchen")
    ((status, message),) = ended(bench, 1)
    assert (status, "preempted by a newer instruction" in message) == (CANCELLED, True), "it waited"
    bench.send("1", 0, "hall")
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.worker.waiting == 2)
    bench.echo.go.set()
    bench.answers(4)
    by_text = {(finals.session_id, finals.text): finals.status for finals in bench.finals()}
    assert by_text["kitchen", "1 0"] == by_text["hall", "1 0"] == ANSWERED
    assert sum(status == CANCELLED for status, _ in ended(bench, 4)) == 2
    assert bench.echo.said == [("hall", "0"), ("kitchen", "1"), ("hall", "1")]
    assert [turn.text for turn in bench.echo.turns("hall")] == ["1"], "what was called off is not remembered"
    bench.until(lambda: told(bench, "instructions").get("instructions preempted") == "2")
    assert bench.diagnostics["instructions"].level == DiagnosticStatus.WARN


def test_preempt_also_ends_what_waits_for_its_image(benches: Any) -> None:
    bench = benches(busy_policy="preempt", max_frame_wait_s=30.0)
    bench.show(bench.now_ns())
    later_ns = bench.now_ns() + 1_000_000_000
    bench.send("0", later_ns)
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.intake.waiting == 1)
    bench.send("1", later_ns)
    ((status, message),) = ended(bench, 1)
    assert (status, "preempted" in message) == (CANCELLED, True)
    bench.show(later_ns)
    assert ended(bench, 2)[1][0] == ANSWERED


def test_a_dialogue_that_floods_is_refused_and_another_is_served(benches: Any) -> None:
    bench = benches(max_instructions_per_s=0.1, instruction_burst=3, max_waiting=100)
    sent = [Instruction(text=f"flood {number}", session_id="flood", confidence=1.0) for number in range(200)]
    flood(bench, [*sent, Instruction(text="calm", session_id="calm", confidence=1.0)])
    bench.answers(201)
    by_session = Counter((message.session_id, message.status) for message in bench.segmentations)
    assert by_session == {("flood", ANSWERED): 3, ("flood", REJECTED): 197, ("calm", ANSWERED): 1}
    refused = next(message.message for message in bench.segmentations if message.status == REJECTED)
    assert "'max_instructions_per_s'" in refused
    stamps = Counter((message.session_id, message.status) for message in bench.finals())
    assert stamps == by_session
    bench.until(lambda: told(bench, "instructions").get("instructions rejected, rate limit") == "197")
    status = bench.diagnostics["instructions"]
    assert (status.level, told(bench, "instructions")["instructions received"]) == (DiagnosticStatus.ERROR, "201")
    assert told(bench, "dialogue")["turns rejected"] == "197"


def test_a_flood_of_dialogues_is_refused_and_a_known_one_served(benches: Any) -> None:
    bench = benches(max_instructions_per_s=0.1, instruction_burst=2, max_tracked_sessions=3)
    bench.send("first", 0, "ours")
    bench.answers(1)
    sent = [Instruction(text="flood", session_id=f"flood {number}", confidence=1.0) for number in range(50)]
    flood(bench, [*sent, Instruction(text="second", session_id="ours", confidence=1.0)])
    bench.answers(52)
    by_session = Counter((message.session_id, message.status) for message in bench.segmentations)
    assert by_session["ours", ANSWERED] == 2
    assert sum(count for (_, status), count in by_session.items() if status == REJECTED) == 48
    active = bench.node.active
    assert active is not None
    assert active.intake.tracked_sessions == 3


def test_a_refused_instruction_changes_nothing_of_its_dialogue(benches: Any) -> None:
    bench = benches(busy_policy="reject", frame_policy="per_turn")
    bench.echo.go.clear()
    begin(bench, "0", "kitchen")
    message = Instruction(text="1", session_id="kitchen", confidence=1.0, frame_policy=Instruction.PIN_FIRST)
    bench.instructions.publish(message)
    assert ended(bench, 1)[0][0] == REJECTED
    bench.echo.go.set()
    bench.answers(2)
    bench.show(bench.now_ns(), value=9)
    bench.send("which", 0, "kitchen")
    assert bench.answers(3)[2] == (ANSWERED, "which 9"), "no image has been pinned"


def test_cameras_are_told_apart_and_frames_have_an_age(benches: Any) -> None:
    bench = benches(image_topics=["image", "right/image"])
    bench.send("which", 0)
    bench.answers(1)
    bench.until(lambda: told(bench, "camera").get("good images") == "1" and "latency" in bench.diagnostics)
    assert told(bench, "image")["good images"] == "1"
    right = bench.diagnostics["right/image"]
    assert (right.level, right.message.partition(": ")[0]) == (DiagnosticStatus.WARN, "no image has arrived yet")
    assert float(told(bench, "camera")[IMAGE_AGE]) < 20.0
    bench.until(lambda: bool(told(bench, "latency").get("frame age when its turn began [s]")))
    assert told(bench, "latency")["total [ms]"].startswith("median ")


def test_a_bad_image_of_one_camera_is_an_error_of_that_camera(benches: Any) -> None:
    bench = benches()
    bench.show(bench.now_ns(), encoding="nv99")
    bench.until(lambda: bench.diagnostics.get("image", DiagnosticStatus()).level == DiagnosticStatus.ERROR)
    assert told(bench, "image")["bad images"] == "1"


def test_limits_that_change_at_run_time_hold_for_the_next_instruction(benches: Any) -> None:
    bench = benches(max_instructions_per_s=0.0)
    for number in range(5):
        bench.send(str(number), 0)
    assert [status for status, _ in ended(bench, 5)] == [ANSWERED] * 5
    result = bench.node.set_parameters_atomically(
        [Parameter("max_instructions_per_s", value=0.1), Parameter("instruction_burst", value=1)]
    )
    assert result.successful
    for number in range(3):
        bench.send(str(number), 0)
    assert sorted(status for status, _ in ended(bench, 8)[5:]) == [ANSWERED, REJECTED, REJECTED]
    (result,) = bench.node.set_parameters([Parameter("max_instructions_per_s", value=0.0)])
    assert (result.successful, "'instruction_burst'" in result.reason) == (False, True)
    bench.node.set_parameters_atomically(
        [Parameter("max_instructions_per_s", value=0.0), Parameter("instruction_burst", value=0)]
    )
    bench.send("again", 0)
    assert ended(bench, 9)[8][0] == ANSWERED


def test_a_new_busy_policy_holds_for_the_next_instruction(benches: Any) -> None:
    bench = benches()
    bench.echo.go.clear()
    begin(bench, "0")
    bench.send("1", 0)
    active = bench.node.active
    assert active is not None
    bench.until(lambda: active.worker.waiting == 1)
    bench.node.set_parameters([Parameter("busy_policy", value="reject")])
    bench.send("2", 0)
    assert ended(bench, 1)[0][0] == REJECTED
    bench.node.set_parameters([Parameter("busy_policy", value="preempt")])
    bench.send("3", 0)
    assert ended(bench, 2)[1][0] == CANCELLED
    bench.echo.go.set()
    bench.answers(4)
    assert bench.finals()[3].text == "3 0"


def test_every_stamp_gets_its_own_answer(benches: Any) -> None:
    bench = benches(max_instructions_per_s=1.0, instruction_burst=1)
    stamps_ns = [bench.now_ns() + number for number in range(20)]
    sent = [Instruction(text="which", confidence=1.0) for _ in stamps_ns]
    for message, stamp_ns in zip(sent, stamps_ns, strict=True):
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
    flood(bench, sent)
    bench.answers(20)
    answered = sorted(conversions.stamp_to_ns(message.instruction_stamp) for message in bench.segmentations)
    assert answered == stamps_ns
