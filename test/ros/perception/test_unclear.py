"""What the robot does about spoken words that the recognizer was not sure of, and how a dialogue is called off."""

from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench
from pixelrs_ros.msg import Instruction, Segmentation
from pixelrs_ros.srv import CancelTurns, GetDialogue
from rclpy.parameter import Parameter

from pixelrs_ros.ros.perception.intake import ASK_AGAIN

ANSWERED, CANCELLED, UNCLEAR = Segmentation.ANSWERED, Segmentation.CANCELLED, Segmentation.NOT_UNDERSTOOD


def heard(bench: Bench, text: str, confidence: float, source: int = Instruction.SPOKEN, **fields: bool) -> None:
    bench.instructions.publish(Instruction(text=text, confidence=confidence, source=source, **fields))


def dialogue(bench: Bench) -> list[str]:
    return [turn.text for turn in bench.call(GetDialogue, "/perception/get_dialogue", session_id="").turns]


def test_the_robot_asks_to_say_it_again_and_does_not_act(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    heard(bench, "what", 0.9)
    bench.answers(1)  # a refusal would overtake it
    heard(bench, "throw the mug", 0.3, replace_last=True)
    bench.answers(2)
    heard(bench, "half of a", 0.0)
    assert bench.answers(3)[1:] == [(UNCLEAR, ASK_AGAIN)] * 2
    refused = bench.segmentations[1]
    assert (refused.status, len(refused.segments)) == (UNCLEAR, 0)
    assert all(part in refused.message for part in ("throw the mug", "0.30", "'min_confidence'"))
    assert [text for _, text in bench.echo.said] == ["what"], "the network never hears of it"
    assert dialogue(bench) == ["what"]
    bench.until(lambda: bench.diagnostics.get("dialogue", DiagnosticStatus()).level == DiagnosticStatus.WARN)


def test_the_threshold_can_be_changed_and_holds_for_spoken_words_only(bench: Bench) -> None:
    bench.activate()
    bench.show(bench.now_ns())
    heard(bench, "typed", 0.1, Instruction.TYPED)
    bench.answers(1)
    heard(bench, "nonsense", float("nan"))
    assert [status for status, _ in bench.answers(2)] == [ANSWERED, Segmentation.BAD_INPUT]
    bench.node.set_parameters([Parameter("min_confidence", value=0.2)])
    heard(bench, "spoken", 0.3)
    assert bench.answers(3)[2][0] == ANSWERED
    assert dialogue(bench) == ["typed", "spoken"]


def test_what_runs_and_what_waits_of_one_dialogue_is_called_off(bench: Bench) -> None:
    name = "/perception/cancel_turns"
    assert bench.call(CancelTurns, name, session_id="").message.startswith("the node is not active")
    bench.activate()
    bench.show(bench.now_ns())
    bench.echo.go.clear()
    bench.send("running", 0)
    bench.until(lambda: bench.echo.begun.acquire(blocking=False))
    bench.send("waiting", 0)
    bench.send("other", 0, "hall")
    bench.until(lambda: bench.node.active is not None and bench.node.active.worker.waiting == 2)
    assert bench.call(CancelTurns, name, session_id="").cancelled == 2
    bench.echo.go.set()
    bench.answers(3)
    ends = {message.session_id: set[int]() for message in bench.segmentations}
    for message in bench.segmentations:
        ends[message.session_id].add(message.status)
    assert ends == {"default": {CANCELLED}, "hall": {ANSWERED}}
    response = bench.call(CancelTurns, name, session_id="nobody")
    assert (response.success, response.cancelled) == (True, 0)
    assert dialogue(bench) == []
