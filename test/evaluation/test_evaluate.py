"""The evaluation played with an engine that knows its pictures, over a tiny PRIST folder written by hand."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros import cli
from pixelrs_ros.commands import evaluate as command
from pixelrs_ros.errors import BadInputError, CheckpointError, DataError
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import ALL_CONDITIONS, HEADLINE, Condition
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.evaluation.samples import HIDDEN, PLAIN, SENSOR, Samples
from pixelrs_ros.evaluation.tables import conditions_table, doubts_table, groups_table, status_table
from pixelrs_ros.types import GroundedPhrase, Point, Reply, Segment, Status, Turn
from pixelrs_ros.workers import Workers

SIZE_PX = 100
BOXES = {  # label: (left, top, right, bottom), inclusive
    "red mug": (10, 10, 49, 49),
    "handle of the red mug": (10, 10, 19, 49),
    "blue mug": (60, 60, 79, 79),
}


def dialogue(img_id: str, focus: str, *, meta: bool = True) -> dict[str, Any]:
    """Three turns: an intent, an attribute, the target."""
    part, _, whole = focus.lower().rpartition(" of the ")
    color, kind = whole.split()
    turns = [
        ("I am thirsty.", "Which one do you mean?"),
        ("The one that is not far.", "All right."),
        ("Show it.", f"[OBJ] the {focus} [SEG]."),
    ]
    entry: dict[str, Any] = {
        "img_id": img_id,
        "dialogue": [
            {"from": who, "value": value} for turn in turns for who, value in zip(("human", "gpt"), turn, strict=True)
        ],
        "focus": focus,
    }
    if meta:
        entry["meta"] = {
            "scene_seed": 1,
            "kinds": ["intent", "attribute", "part" if part else "object"],
            "statuses": ["clarify", "answered", "grounded"],
            "targets": [[], [], [focus]],
            "candidates": [[], [], []],
            "target": {"kind": kind, "color": color, "part": part or None},
        }
    return entry


def write_folder(folder: Path, dialogues: Sequence[dict[str, Any]]) -> Path:
    """Images, masks and `test.json`."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    (folder / "test.json").write_text(json.dumps(list(dialogues)))
    for img_id in {entry["img_id"] for entry in dialogues}:
        cv2.imwrite(str(folder / "images" / img_id), np.full((SIZE_PX, SIZE_PX, 3), 200, np.uint8))
        shapes = [
            {"label": label, "points": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], "shape_type": "polygon", "group_id": 1}
            for label, (x0, y0, x1, y1) in BOXES.items()
        ]
        masks = {"imageHeight": SIZE_PX, "imageWidth": SIZE_PX, "imagePath": img_id, "shapes": shapes}
        (folder / "masks" / f"{Path(img_id).stem}.json").write_text(json.dumps(masks))
    return folder


def box_mask(label: str) -> np.ndarray:
    """(H, W) bool of a label of `BOXES`."""
    left, top, right, bottom = BOXES[label]
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


class FakeEngine:
    """Finds the handle when the history holds the data's answers, the whole mug when it holds this engine's own."""

    def __init__(self) -> None:
        self.encoded: list[bool] = []
        self.asked: list[tuple[bool, tuple[Turn, ...], str]] = []

    def encode(self, image: np.ndarray, *, blind: bool = False) -> bool:
        """Remembers `blind` in place of a picture."""
        assert image.shape == (SIZE_PX, SIZE_PX, 3) and image.dtype == np.uint8
        self.encoded.append(blind)
        return blind

    def history_answer(self, value: str, status: Status) -> str:
        """Marks what came from the data."""
        return f"data:{status.value}:{value}"

    def answer(self, encoded: bool, turns: Sequence[Turn], text: str, *, point: Point | None = None) -> Reply:
        """A mask for the last turn only, and none when blind or without history."""
        self.asked.append((encoded, tuple(turns), text))
        if text == "unusable":
            raise BadInputError("the instruction cannot be used")
        if text != "Show it." or encoded or not turns:
            return Reply(status=Status.CLARIFY, text="Which?", answer="own:Which?")
        label = "handle of the red mug" if turns[-1].answer.startswith("data:") else "red mug"
        segment = Segment(f"the {label}", box_mask(label), 1.0)
        text = f"the {label}"
        return Reply(
            status=Status.GROUNDED,
            text=text,
            answer=f"own:[OBJ] {text} [SEG]",
            segments=(segment,),
            phrases=(GroundedPhrase(0, len(text), 0),),
        )


HANDLE = "handle of the red mug"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "prist", [dialogue("a.png", HANDLE), dialogue("a.png", "red mug"), dialogue("b.png", "Red Mug")]
    )


def played(folder: Path, engine: FakeEngine, *conditions: Condition) -> tuple[dict[str, Any], Sequence[Record]]:
    return evaluate(Job(Samples.load(folder, "test"), conditions), lambda: engine)


def test_own_answers_are_the_history_and_one_image_is_encoded_once(folder: Path) -> None:
    engine = FakeEngine()
    report, records = played(folder, engine, HEADLINE)
    assert engine.encoded == [False, False]
    assert len(engine.asked) == 9
    _, turns, text = engine.asked[2]
    assert text == "Show it."
    assert [turn.text for turn in turns] == ["I am thirsty.", "The one that is not far."]
    assert [turn.answer for turn in turns] == ["own:Which?", "own:Which?"]
    assert [turn.index for turn in turns] == [0, 1]
    own = report["conditions"]["own history"]
    assert [record.mask.iou for record in records[:3]] == [pytest.approx(0.25), 1.0, 1.0]
    assert own["g_iou"] == pytest.approx(0.75)
    assert own["c_iou"] == pytest.approx((400 + 1600 + 1600) / 4800)
    assert own["objects"]["g_iou"] == 1.0 and own["parts"]["g_iou"] == pytest.approx(0.25)
    assert own["by_kind"]["part"]["count"] == 1 and own["by_kind"]["object"]["count"] == 2
    assert own["referent_right"] == pytest.approx(2 / 3)
    assert own["object_right"] == 1.0 and own["parts"]["part_right"] == 0.0
    assert own["status"]["accuracy"] == pytest.approx(6 / 9)
    assert own["status"]["confusion"]["answered"] == {"clarify": 3}
    assert own["status"]["clarify"] == {"precision": 0.5, "recall": 1.0}
    assert own["seconds"]["turn_median"] >= own["seconds"]["encode_median"] > 0


def test_reference_history_holds_the_datas_answers_before_the_last_turn(folder: Path) -> None:
    engine = FakeEngine()
    report, records = played(folder, engine, Condition("reference"))
    assert len(engine.asked) == 3
    assert [turn.answer for turn in engine.asked[0][1]] == [
        "data:clarify:Which one do you mean?",
        "data:answered:All right.",
    ]
    assert [record.mask.iou for record in records[:3]] == [1.0, pytest.approx(0.25), pytest.approx(0.25)]
    assert report["conditions"]["reference history"]["status"]["turns"] == 3


def test_last_turn_only_gives_no_history_and_a_missing_mask_counts_zero(folder: Path) -> None:
    engine = FakeEngine()
    report, _ = played(folder, engine, Condition("none"))
    assert [(turns, text) for _, turns, text in engine.asked] == [((), "Show it.")] * 3
    row = report["conditions"]["last turn only"]
    assert (row["g_iou"], row["c_iou"], row["no_mask"], row["recall"], row["referent_right"]) == (
        0.0,
        0.0,
        1.0,
        0.0,
        0.0,
    )


def test_blind_is_handed_to_the_encoder(folder: Path) -> None:
    engine = FakeEngine()
    report, _ = played(folder, engine, Condition(blind=True))
    assert engine.encoded == [True, True]
    assert report["conditions"]["own history, blind"]["g_iou"] == 0.0


def test_all_conditions_share_the_two_encodings_of_an_image(folder: Path) -> None:
    engine = FakeEngine()
    report, records = played(folder, engine, *ALL_CONDITIONS)
    assert sorted(engine.encoded) == [False, False, True, True]
    assert list(report["conditions"]) == [
        "own history",
        "own history, blind",
        "last turn only",
        "reference history",
        "largest object",
        "random object",
    ]
    assert [record.dialogue for record in records] == [0, 1, 2] * 6
    json.dumps([record.to_json() for record in records])


def test_baselines_choose_among_whole_objects(folder: Path) -> None:
    report, records = played(folder, FakeEngine(), HEADLINE)
    assert report["conditions"]["largest object"]["g_iou"] == pytest.approx(0.75)
    chosen = {record.phrases for record in records if record.condition == "random object"}
    assert chosen <= {("red mug",), ("blue mug",)}
    again, _ = played(folder, FakeEngine(), HEADLINE)
    assert again["conditions"]["random object"] == report["conditions"]["random object"]


def test_data_of_others_without_meta(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "prist", [dialogue("a.png", "Red mug", meta=False)])
    engine = FakeEngine()
    report, _ = played(folder, engine, HEADLINE, Condition("reference"))
    own = report["conditions"]["own history"]
    assert own["g_iou"] == 1.0 and own["referent_right"] == 1.0
    assert own["object_right"] is None and own["status"] is None and own["by_kind"] == {} and "parts" not in own
    assert engine.asked[-1][1][0].status == "answered"  # guessed: no [SEG] in the data's answer


def test_an_instruction_that_cannot_be_used_leaves_no_turn(tmp_path: Path) -> None:
    entry = dialogue("a.png", "red mug")
    entry["dialogue"][2]["value"] = "unusable"
    engine = FakeEngine()
    report, records = played(write_folder(tmp_path / "prist", [entry]), engine, HEADLINE)
    assert len(engine.asked[-1][1]) == 1
    assert records[0].statuses[1] == ("answered", "bad_input")
    assert report["conditions"]["own history"]["g_iou"] == 1.0


MUTE_ENGINE = """
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.types import Reply, Status

def refuse():
    raise CheckpointError("no weights")

class MuteEngine:
    def encode(self, image, *, blind=False):
        return None
    def answer(self, encoded, turns, text, *, point=None):
        return Reply(status=Status.ANSWERED, text=f"{len(turns)} {text}")
"""


def test_worker_processes_play_every_dialogue(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mute_engine.py").write_text(MUTE_ENGINE)  # where a spawned process can import it
    monkeypatch.syspath_prepend(tmp_path)
    finished: list[int] = []
    job = Job(Samples.load(folder, "test"), (HEADLINE,))
    engines = importlib.import_module("mute_engine")
    report, records = evaluate(job, engines.MuteEngine, workers=Workers(2), on_progress=finished.append)
    assert sorted(finished) == [1, 2]
    assert [record.dialogue for record in records] == [0, 1, 2] * 3
    assert records[2].said == ("0 I am thirsty.", "1 The one that is not far.", "2 Show it.")
    assert report["conditions"]["own history"]["no_mask"] == 1.0
    with pytest.raises(CheckpointError, match="no weights"):
        evaluate(job, engines.refuse, workers=Workers(2))


def test_tables_have_a_row_a_condition(folder: Path) -> None:
    report, _ = played(folder, FakeEngine(), *ALL_CONDITIONS)
    nano, other = {"checkpoint": "nano", **report}, {"checkpoint": "other", **report}
    assert conditions_table([nano, other]).row_count == 12
    kinds, statuses = groups_table([nano, other], "by_kind", "kind"), status_table(nano)
    assert kinds is not None and kinds.row_count == 2
    assert [column.header for column in kinds.columns][3:] == [
        f"{checkpoint} {score}" for checkpoint in ("nano", "other") for score in ("gIoU", "referent", "status")
    ]
    assert statuses is not None and statuses.row_count == 3
    assert groups_table([nano], "by_hard", "language") is None, "the data does not say what is hard"


def test_doubts_have_precision_and_recall_and_the_error_of_the_score(folder: Path) -> None:
    report, _ = played(folder, FakeEngine(), HEADLINE)
    table = doubts_table([{"checkpoint": "nano", **report}])
    cells = {str(column.header): list(column.cells) for column in table.columns}
    assert cells["which one? P / R"] == ["0.50 / 1.00"]
    assert cells["not found P / R"] == ["– / –"]
    assert cells["masks"] == ["3"] and cells["score error"] == ["0.250"]


def test_dialogues_stand_in_the_row_of_everything_that_is_hard_in_them(tmp_path: Path) -> None:
    entries = [dialogue("a.png", HANDLE), dialogue("a.png", "red mug"), dialogue("b.png", "red mug")]
    entries[0]["meta"]["hard"] = ["typo", "unheard_wish"]
    entries[1]["meta"]["hard"] = ["typo"]
    report, _ = played(write_folder(tmp_path / "prist", entries), FakeEngine(), HEADLINE)
    rows = report["conditions"]["own history"]["by_hard"]
    assert {name: row["count"] for name, row in rows.items()} == {"nothing": 1, "typo": 2, "unheard_wish": 1}
    assert rows["typo"]["g_iou"] == pytest.approx(0.625) and rows["unheard_wish"]["g_iou"] == pytest.approx(0.25)
    assert rows["typo"]["referent_right"] == 0.5
    table = groups_table([{"checkpoint": "nano", **report}], "by_hard", "language")
    assert table is not None and table.row_count == 3


def test_the_score_is_calibrated_over_the_last_answers_with_a_mask(folder: Path) -> None:
    report, records = played(folder, FakeEngine(), HEADLINE, Condition("none"))
    assert [record.score for record in records[:6]] == [1.0, 1.0, 1.0, None, None, None]
    own = report["conditions"]["own history"]["calibration"]
    assert own["count"] == 3 and own["expected_error"] == pytest.approx(0.25)
    assert own["bins"] == ({"low": 0.9, "high": 1.0, "count": 3, "score": 1.0, "iou": pytest.approx(0.75)},)
    assert report["conditions"]["last turn only"]["calibration"] is None
    assert report["conditions"]["largest object"]["calibration"] is None


def test_pictures_are_scored_apart_by_what_they_are_like(tmp_path: Path) -> None:
    entries = [dialogue("a.png", HANDLE), dialogue("a.png", "red mug"), dialogue("b.png", "red mug")]
    for entry, sensor, visible in zip(entries, (True, True, False), (0.59, 0.6, None), strict=True):
        entry["meta"]["sensor"] = sensor
        if visible is not None:
            entry["meta"]["visible"] = visible
    report, _ = played(write_folder(tmp_path / "prist", entries), FakeEngine(), HEADLINE)
    rows = report["conditions"]["own history"]["by_view"]
    assert {name: row["count"] for name, row in rows.items()} == {SENSOR: 2, PLAIN: 1, HIDDEN: 1}
    assert rows[HIDDEN]["g_iou"] == pytest.approx(0.25) and rows[PLAIN]["g_iou"] == 1.0
    assert rows[SENSOR]["g_iou"] == pytest.approx(0.625)
    assert rows[HIDDEN]["referent_right"] == 0.0 and rows[PLAIN]["referent_right"] == 1.0
    table = groups_table([{"checkpoint": "nano", **report}], "by_view", "picture")
    assert table is not None and table.row_count == 3


def test_pictures_of_other_data_have_no_such_rows(folder: Path) -> None:
    report, _ = played(folder, FakeEngine(), HEADLINE)
    assert groups_table([{"checkpoint": "nano", **report}], "by_view", "picture") is None


def test_what_cannot_be_scored_is_refused_before_playing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split 'val'"):
        Samples.load(folder, "val")
    lost = write_folder(tmp_path / "lost", [dialogue("a.png", "green mug")])
    with pytest.raises(DataError, match="green mug"):
        Samples.load(lost, "test")
    (folder / "images" / "b.png").unlink()
    with pytest.raises(DataError, match=r"b\.png"):
        Samples.load(folder, "test")


def test_the_command_prints_a_table_or_json(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "load_engine", lambda *_: FakeEngine())
    file = tmp_path / "out" / "scores.json"
    assert cli.main(["evaluate", "--data", str(folder), "--all", "--limit", "2", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "last turn only" in printed and "random object" in printed and "0.62" in printed
    (written,) = json.loads(file.read_text())["reports"]
    assert written["conditions"]["own history"]["g_iou"] == pytest.approx(0.625)
    assert len(written["records"]) == 12 and written["records"][0]["iou"] == 0.25
    assert "<svg" in (tmp_path / "out" / "scores_reliability.svg").read_text()

    assert cli.main(["evaluate", "--data", str(folder), "--blind", "--last-turn-only", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert next(iter(report["conditions"])) == "last turn only, blind" and "records" not in report


def test_splits_and_checkpoints_stand_side_by_side(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "hard.json").write_text(json.dumps([dialogue("b.png", "red mug")]))
    asked: list[str] = []

    def load(checkpoint: str, *_: object) -> FakeEngine:
        asked.append(checkpoint)
        return FakeEngine()

    monkeypatch.setattr(command, "load_engine", load)
    other = tmp_path / "other"
    other.mkdir()
    arguments = ["evaluate", "--data", str(folder), "--split", "test", "--split", "hard", "--checkpoint", "nano"]
    assert cli.main([*arguments, "--checkpoint", str(other), "--split", "test", "--json"]) == 0
    captured = capsys.readouterr()
    reports = json.loads(captured.out)["reports"]
    expected = [(split, checkpoint) for split in ("test", "hard") for checkpoint in ("nano", str(other))]
    assert [(report["split"], report["checkpoint"]) for report in reports] == expected
    assert [report["dialogues"] for report in reports] == [3, 3, 1, 1]
    assert asked == ["nano", str(other)] * 2
    assert all(f"{checkpoint}, {split}: own history" in captured.err for split, checkpoint in expected)


def test_the_command_says_what_is_wrong(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--data", str(folder), "--all", "--blind"]) == 1
    assert "leave --blind away" in capsys.readouterr().err
    assert cli.main(["evaluate", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path) in said and "of no known format; remedy" in said
