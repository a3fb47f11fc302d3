"""Dialogues over real services: listed, read, corrected, reset, exported, expired, and gone on with after a restart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import rclpy
import torch
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Instruction, Segmentation
from pixelrs_ros.srv import ExportDialogue, GetDialogue, ListDialogues, MarkTurn, ResetDialogue
from rclpy.lifecycle import TransitionCallbackReturn

from pixelrs_ros.data import prist
from pixelrs_ros.dialogue.archive import FILE_NAME
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.frames import EncodedFrame, picture_key
from pixelrs_ros.ros.perception.node import open_session
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import GroundedPhrase, Reply, Segment, Status, Turn

S = 1_000_000_000


class Talker:
    """Stands for the network: says what it was shown of the dialogue, and points at the image's first row."""

    backend = "a talker"
    about = "a script"
    device = torch.device("cpu")

    def check_answer_length(self, max_new_tokens: int | None) -> None:
        pass

    def new_prefix(self) -> Any:
        return object()

    def encode(self, image: np.ndarray, **_: Any) -> EncodedFrame:
        height_px, width_px = image.shape[:2]
        return EncodedFrame(picture_key(image), torch.zeros(1), cast(Any, None), height_px, width_px, 1.0, 4)

    def answer(
        self,
        encoded: EncodedFrame,
        turns: Sequence[Turn],
        text: str,
        on_text: Callable[[str], None],
        *_: Any,
        **__: Any,
    ) -> Reply:
        on_text("grow")
        mask = np.zeros((encoded.height_px, encoded.width_px), np.bool_)
        mask[0] = True
        words = f"{text} after {', '.join(turn.text for turn in turns) or 'nothing'}"
        phrases = (GroundedPhrase(0, len(words), 0),)
        return Reply(Status.GROUNDED, words, f"[OBJ] {words}[SEG]", (Segment(words, mask, 0.5),), phrases, {"total": 1})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Starts a node with the storage parameters of its own defaults, in a folder that it shares with the next."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Engine, "from_checkpoint", classmethod(lambda cls, *_, **__: Talker()))
    rclpy.init()
    benches: list[Bench] = []

    def begin(**overrides: Any) -> Bench:
        benches.append(Bench(Echo(), session_factory=open_session, **overrides))
        benches[-1].activate()
        benches[-1].show(benches[-1].now_ns(), value=9)
        return benches[-1]

    yield begin
    for bench in benches:
        bench.close()
    rclpy.shutdown()


def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pixelrs_ros" / "perception" / FILE_NAME


def say(bench: Bench, text: str, session_id: str = "", **fields: Any) -> Segmentation:
    """One turn, stamped now."""
    message = Instruction(text=text, session_id=session_id, confidence=1.0, **fields)
    message.header.stamp = conversions.ns_to_stamp(bench.now_ns())
    before = len(bench.finals())
    bench.instructions.publish(message)
    bench.answers(before + 1)
    return bench.segmentations[-1]


def read(bench: Bench, session_id: str = "") -> list[str]:
    response = bench.call(GetDialogue, "perception/get_dialogue", session_id=session_id)
    assert response.success, response.message
    return [turn.text for turn in response.turns]


def listed(bench: Bench) -> dict[str, Any]:
    response = bench.call(ListDialogues, "perception/list_dialogues")
    assert response.success, response.message
    return {summary.session_id: summary for summary in response.dialogues}


def test_dialogues_are_listed_and_read_with_all_that_is_known_of_them(start: Callable[..., Bench]) -> None:
    bench = start(max_sessions=1)
    before_ns = bench.now_ns()
    said = [say(bench, "the mug", "kitchen"), say(bench, "the pan", "kitchen")]
    say(bench, "the saw", "shed", frame_policy=Instruction.PIN_FIRST)
    summaries = listed(bench)
    assert list(summaries) == ["kitchen", "shed"], "the one idle longest first, though memory has room for one only"
    kitchen, shed = summaries["kitchen"], summaries["shed"]
    assert (kitchen.num_turns, kitchen.next_turn, kitchen.frame_policy) == (2, 2, Instruction.PER_TURN)
    assert (shed.num_turns, shed.frame_policy) == (1, Instruction.PIN_FIRST)
    for summary in (kitchen, shed):
        assert before_ns - S // 10 <= conversions.stamp_to_ns(summary.last_active) <= bench.now_ns()
    response = bench.call(GetDialogue, "perception/get_dialogue", session_id="kitchen")
    assert set(response.session_ids) == {"kitchen", "shed"}
    for index, (turn, message) in enumerate(zip(response.turns, said, strict=True)):
        assert (turn.index, turn.status, turn.header) == (index, Segmentation.GROUNDED, message.header)
        assert turn.instruction_stamp == message.instruction_stamp
    assert response.turns[1].answer == "[OBJ] the pan after the mug[SEG]"


def test_a_correction_takes_the_last_turns_place_and_a_failed_one_does_not(start: Callable[..., Bench]) -> None:
    bench = start()
    say(bench, "the mug")
    say(bench, "the bin")
    corrected = say(bench, "the pan", replace_last=True)
    assert (corrected.turn, corrected.segments[0].phrase) == (2, "the pan after the mug")
    failed = say(bench, " ", replace_last=True)
    assert (failed.turn, failed.status) == (3, Segmentation.BAD_INPUT)
    assert read(bench) == ["the mug", "the pan"]
    assert say(bench, "thanks").turn == 4, "no number is used twice"
    response = bench.call(GetDialogue, "perception/get_dialogue")
    assert [turn.index for turn in response.turns] == [0, 2, 4]


def test_numbers_of_failed_turns_are_not_used_again_after_a_restart(start: Callable[..., Bench]) -> None:
    bench = start()
    say(bench, "the mug")
    assert say(bench, " ").turn == 1
    assert bench.node.trigger_deactivate() == bench.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    bench.activate()
    bench.show(bench.now_ns())
    assert say(bench, "the pan").turn == 2


def test_a_dialogue_read_back_names_its_instructions(start: Callable[..., Bench]) -> None:
    bench = start()
    said = [say(bench, "the mug", instruction_id="mine"), say(bench, "the pan")]
    assert said[0].instruction_id == "mine" and said[1].instruction_id
    response = bench.call(GetDialogue, "perception/get_dialogue")
    assert [turn.instruction_id for turn in response.turns] == [message.instruction_id for message in said]


def test_what_no_message_can_carry_is_refused_before_it_is_stored(
    start: Callable[..., Bench],
) -> None:
    bench = start()
    latest = Instruction(text="the mug", confidence=1.0, frame_policy=Instruction.LATEST)
    for sec, nanosec in ((2**31 - 1, 2**32 - 1), (5, 10**9), (-(2**31), 2**32 - 1)):
        latest.header.stamp.sec, latest.header.stamp.nanosec = sec, nanosec
        bench.segmentations.clear()
        bench.instructions.publish(latest)
        bench.until(lambda: len(bench.segmentations) == 1)
        (message,) = bench.segmentations
        assert (message.status, message.instruction_stamp) == (Segmentation.BAD_INPUT, latest.header.stamp)
        assert "nanosec below 10^9" in message.message
    for sec, nanosec in ((2**31 - 1, 10**9 - 1), (-(2**31), 0)):
        latest.header.stamp.sec, latest.header.stamp.nanosec = sec, nanosec
        bench.segmentations.clear()
        bench.instructions.publish(latest)
        bench.until(lambda: len(bench.segmentations) == 1)
        assert bench.segmentations[0].status == Segmentation.GROUNDED
    response = bench.call(GetDialogue, "perception/get_dialogue")
    assert [turn.instruction_stamp.sec for turn in response.turns] == [2**31 - 1, -(2**31)]


def test_a_dialogue_goes_on_where_it_stopped(start: Callable[..., Bench]) -> None:
    bench = start()
    say(bench, "the mug")
    assert bench.node.trigger_deactivate() == bench.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    bench.activate()
    bench.show(bench.now_ns())
    message = say(bench, "the pan")
    assert (message.turn, message.segments[0].phrase) == (1, "the pan after the mug")
    assert reset(bench) == 2
    assert read(bench) == []


def reset(bench: Bench, session_id: str = "") -> int:
    response = bench.call(ResetDialogue, "perception/reset_dialogue", session_id=session_id)
    assert response.success, response.message
    return int(response.dropped_turns)


def test_an_export_is_a_prist_folder(start: Callable[..., Bench], tmp_path: Path) -> None:
    bench = start()
    name = "../../kitchen; DROP TABLE turns"
    for text in ("the mug", "the pan"):
        say(bench, text, name)
    response = bench.call(ExportDialogue, "perception/export_dialogue", session_id=name)
    assert (response.success, response.message, response.num_turns) == (True, "", 2)
    folder = Path(response.folder)
    assert folder.parent == store(tmp_path).parent / "exports"
    dialogues = prist.read_split(folder, "test")
    assert [turn.user for turn in dialogues[1].turns] == ["the mug", "the pan"]
    mask = prist.read_masks(folder, dialogues[1].img_id)[dialogues[1].focus.casefold()]
    assert mask[0].all() and not mask[1:].any()
    assert (prist.read_image(folder, dialogues[1].img_id) == 9).all()
    unknown = bench.call(ExportDialogue, "perception/export_dialogue", session_id="nobody")
    assert (unknown.success, unknown.message) == (False, "there is no dialogue 'nobody'")


def test_words_of_correction_mark_the_turn_before(start: Callable[..., Bench]) -> None:
    bench = start()
    for text in ("the mug", "No, not that one, the other mug", "thank you"):
        say(bench, text)
    turns = bench.call(GetDialogue, "perception/get_dialogue").turns
    assert [(turn.verdict, turn.note) for turn in turns] == [
        (MarkTurn.Request.BAD, "No, not that one, the other mug"),
        (MarkTurn.Request.CLEAR, ""),
        (MarkTurn.Request.CLEAR, ""),
    ]
    response = bench.call(ExportDialogue, "perception/export_dialogue", marked=True)
    assert (response.success, response.num_turns) == (True, 1)
    assert prist.read_split(Path(response.folder), "train") == [], "what is wrong is no example before it is labeled"


def test_nothing_marked_is_told(start: Callable[..., Bench]) -> None:
    bench = start()
    say(bench, "the mug")
    response = bench.call(ExportDialogue, "perception/export_dialogue", marked=True)
    assert not response.success and "no turn is marked" in response.message


def test_an_export_without_images_says_so(start: Callable[..., Bench]) -> None:
    bench = start(store_images=False)
    say(bench, "the mug")
    response = bench.call(ExportDialogue, "perception/export_dialogue")
    assert (response.success, response.message) == (False, "1 of 1 turns have no stored image")
    assert prist.read_masks(Path(response.folder), "turn_000000.jpg")


def test_nothing_is_written_where_storage_is_off(start: Callable[..., Bench], tmp_path: Path) -> None:
    bench = start(store_dialogues=False)
    say(bench, "the mug")
    assert read(bench) == ["the mug"]
    response = bench.call(ExportDialogue, "perception/export_dialogue")
    assert not response.success and "'store_dialogues'" in response.message
    bench.until(lambda: "memory only" in bench.diagnostics.get("storage", DiagnosticStatus()).message)
    assert bench.diagnostics["storage"].level == DiagnosticStatus.OK
    assert not (tmp_path / "state").exists()


def test_silence_ends_a_dialogue(start: Callable[..., Bench]) -> None:
    bench = start(session_idle_s=0.5)
    pinned = say(bench, "the mug", frame_policy=Instruction.PIN_FIRST)
    bench.until(lambda: not listed(bench))
    bench.show(bench.now_ns())
    message = say(bench, "the pan")
    assert message.segments[0].phrase == "the pan after nothing"
    assert message.header != pinned.header, "its pinned image is forgotten with it"


def test_a_store_that_cannot_be_used_is_told_and_the_node_serves(start: Callable[..., Bench], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    bench = start(storage_dir=str(tmp_path / "file" / "store"))
    bench.until(lambda: bench.diagnostics.get("storage", DiagnosticStatus()).level == DiagnosticStatus.ERROR)
    assert "'storage_dir'" in bench.diagnostics["storage"].message
    say(bench, "the mug")
    assert say(bench, "the pan").turn == 1
    response = bench.call(ExportDialogue, "perception/export_dialogue")
    assert not response.success and "cannot be written" in response.message


def test_a_damaged_store_is_told_and_the_node_serves(start: Callable[..., Bench], tmp_path: Path) -> None:
    store(tmp_path).parent.mkdir(parents=True)
    store(tmp_path).write_bytes(b"no database" * 999)
    bench = start()
    bench.until(lambda: "set aside" in bench.diagnostics.get("storage", DiagnosticStatus()).message)
    assert bench.diagnostics["storage"].level == DiagnosticStatus.WARN
    assert say(bench, "the mug").status == Segmentation.GROUNDED
    assert read(bench) == ["the mug"]


@pytest.mark.skipif(os.environ.get("ROS_PYTHON_CHECK_FIELDS") == "1", reason="runs itself once more, with checks")
def test_all_this_holds_where_every_field_is_checked() -> None:
    """Humble checks the fields of every message by default; the switch is read when a message's class is made."""
    env = {**os.environ, "ROS_PYTHON_CHECK_FIELDS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_names_that_are_too_long_are_refused(start: Callable[..., Bench]) -> None:
    bench = start()
    name = "x" * 300
    assert say(bench, "the mug", name).status == Segmentation.BAD_INPUT
    for service, path in ((GetDialogue, "get"), (ResetDialogue, "reset"), (ExportDialogue, "export")):
        response = bench.call(service, f"perception/{path}_dialogue", session_id=name)
        assert not response.success and "300 characters, at most 256" in response.message


def test_before_it_is_configured_the_node_says_so() -> None:
    rclpy.init()
    bench = Bench(Echo())
    for service, path in ((ListDialogues, "list_dialogues"), (ExportDialogue, "export_dialogue")):
        response = bench.call(service, f"perception/{path}")
        assert not response.success and "not configured" in response.message
    bench.close()
    rclpy.shutdown()
