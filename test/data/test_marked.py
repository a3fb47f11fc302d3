"""Marked turns of stored dialogues as a PRIST folder, labeled, divided, and read by training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelrs_ros.cli import main
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.conversations import DialogueSource
from pixelrs_ros.data.holding_out import HELD_OUT, LEARN, hold_out
from pixelrs_ros.data.labeling import take_back, write_labelme
from pixelrs_ros.data.marked import marked_in_store, write_marked
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.dialogue.archive import DialogueArchive
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.dialogue.storage import Storage
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.errors import DataError, StoreHeldError
from pixelrs_ros.types import Mark, Segment, Status, Turn, Verdict

BAD, GOOD = Mark(Verdict.BAD, "the other mug"), Mark(Verdict.GOOD)


def picture(value: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((30, 40, 3), value, np.uint8))[1])


def mask(column: int) -> np.ndarray:
    found = np.zeros((30, 40), np.bool_)
    found[5:20, column : column + 9] = True
    return found


def grounded(index: int, text: str, phrase: str, column: int, jpeg: bytes | None) -> tuple[Turn, Evidence]:
    turn = Turn(index, text, f"Here is [OBJ]{phrase}[SEG].", Status.GROUNDED)
    return turn, Evidence(b"%d" % index, jpeg, (StoredMask.of(Segment(phrase, mask(column), 0.5)),))


def store(
    folder: Path, dialogues: Mapping[str, Sequence[tuple[Turn, Evidence]]], marks: dict[str, dict[int, Mark]]
) -> Path:
    archive = DialogueArchive(DialogueStore(8, 8), Storage(folder))
    for session_id, recorded in dialogues.items():
        for turn, evidence in recorded:
            archive.put(session_id, turn, evidence)
        for index, mark in marks.get(session_id, {}).items():
            archive.mark(session_id, index, mark)
    archive.close()
    return folder


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    nothing = Turn(2, "the fork", "[NONE] I see no fork.", Status.NOT_FOUND)
    dialogues = {
        "kitchen": [
            grounded(0, "a mug", "the red mug", 2, picture(10)),
            grounded(1, "no, the other one", "the blue mug", 12, picture(20)),
            (nothing, Evidence(b"2", picture(30))),
        ],
        "shed": [grounded(0, "the saw", "the saw", 4, picture(40)), grounded(1, "its handle", "the handle", 6, None)],
        "silent": [grounded(0, "the pan", "the pan", 4, picture(50))],
    }
    marks = {"kitchen": {0: BAD, 1: GOOD, 2: BAD}, "shed": {0: BAD, 1: BAD}}
    return store(tmp_path / "store", dialogues, marks)


def users(folder: Path, split: str) -> list[tuple[str, ...]]:
    return [tuple(turn.user for turn in dialogue.turns) for dialogue in prist.read_split(folder, split)]


def test_what_is_wrong_is_learned_only_as_people_draw_it(kitchen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "marked"
    written = write_marked(folder, marked_in_store(kitchen))
    assert (written.good, written.bad, written.examples, written.without_picture) == (1, 3, 1, 1)
    assert users(folder, "train") == [("a mug", "no, the other one")], "no thumb, no example"
    told = {one["session_id"]: one["turns"] for one in json.loads((folder / "dialogues.json").read_text())}
    assert set(told) == {"kitchen", "shed"}
    assert [turn.get("verdict") for turn in told["kitchen"]] == ["bad", "good", "bad"]
    assert told["kitchen"][0]["note"] == "the other mug"

    assert write_labelme(folder) == 3
    fork = labelme.annotate("../images/dialogue_0000_turn_0002.jpg", {("the fork", 0): mask(25)})
    (folder / "labelme" / "dialogue_0000_turn_0002.json").write_text(labelme.to_json(fork))
    mug = labelme.annotate("../images/dialogue_0000_turn_0000.jpg", {("the red mug", 0): mask(20)})
    (folder / "labelme" / "dialogue_0000_turn_0000.json").write_text(labelme.to_json(mug))
    taken = take_back(folder)
    assert (taken.corrected, taken.drawn, taken.unchanged, taken.still_wrong, taken.examples) == (1, 1, 2, 1, 3)
    assert users(folder, "train") == [
        ("a mug",),
        ("a mug", "no, the other one"),
        ("a mug", "no, the other one", "the fork"),
    ], "the saw was marked as wrong, and nobody has corrected it"
    last = prist.read_split(folder, "train")[-1]
    assert last.turns[-1].answer == "Here is the fork [SEG]."
    np.testing.assert_array_equal(prist.read_masks(folder, last.img_id)["the fork"], mask(25))

    source = DialogueSource(open_data(folder), "train")
    answers = {source.draw(np.random.default_rng(seed)).turns[-1][1] for seed in range(20)}
    assert "Here is [OBJ]the fork[SEG]." in answers, "a network learns to say where the phrase of its mask begins"
    assert "Here is [OBJ]the red mug[SEG]." in answers


def test_the_commands(kitchen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "marked")
    assert main(["data", "from-store", str(kitchen), "--out", folder]) == 0
    assert "3 turns marked as wrong, 1 as right (1 end on a mask)" in capsys.readouterr().out
    assert main(["label", folder, "--take-back"]) == 0
    assert "2 turns left out: marked as wrong" in capsys.readouterr().out
    assert main(["data", "split", folder]) != 0, "a single picture cannot be on both sides"
    assert main(["data", "from-store", str(tmp_path / "nothing"), "--out", folder]) != 0


def test_a_store_that_a_node_holds_is_not_read(kitchen: Path) -> None:
    archive = DialogueArchive(DialogueStore(8, 8), Storage(kitchen))
    with pytest.raises(StoreHeldError, match="another process"):
        marked_in_store(kitchen)
    archive.close()
    assert len(marked_in_store(kitchen / "dialogues.sqlite3")) == 2


def test_a_store_without_marks_gives_nothing(tmp_path: Path) -> None:
    silent = store(tmp_path / "store", {"a": [grounded(0, "the pan", "the pan", 4, picture(50))]}, {})
    with pytest.raises(DataError, match="no turn is marked"):
        write_marked(tmp_path / "marked", marked_in_store(silent))
    assert not (tmp_path / "marked").exists()


def test_no_picture_is_on_both_sides(tmp_path: Path) -> None:
    dialogues = {
        str(number): [grounded(0, f"thing {number}", "the thing", 3, picture(40 * (number // 3)))]
        for number in range(15)
    }
    marks = {session_id: {0: GOOD} for session_id in dialogues}
    folder = tmp_path / "marked"
    write_marked(folder, marked_in_store(store(tmp_path / "store", dialogues, marks)))
    assert hold_out(folder, "train", 0.4, seed=3) == (9, 6)
    first = {split: users(folder, split) for split in (LEARN, HELD_OUT)}
    numbers = {split: {int(said[0].split()[1]) // 3 for said in each} for split, each in first.items()}
    assert not numbers[LEARN] & numbers[HELD_OUT]
    assert sorted(first[LEARN] + first[HELD_OUT]) == sorted(users(folder, "train"))
    hold_out(folder, "train", 0.4, seed=3)
    assert first == {split: users(folder, split) for split in (LEARN, HELD_OUT)}, "the same for the same seed"
    for share in (0.0, 1.0):
        with pytest.raises(DataError, match="between 0 and 1"):
            hold_out(folder, "train", share)
