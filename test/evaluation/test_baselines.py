"""What a network helped by the truth shows: boxes of labeled things, and the data's own words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_vlm import write_vlm
from tokenizers import Tokenizer

from pixelrs_ros import cli
from pixelrs_ros.commands import evaluate as command
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.evaluation.baselines import HELPED
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE, Condition
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.files import write_file
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.types import Point, Reply, Segment, Status, Turn

HEIGHT, WIDTH = 60, 80
BOXES = {"red mug": (4, 6, 40, 46), "handle of the red mug": (4, 6, 12, 46), "knife": (50, 10, 76, 20)}
ANSWER = "This is[OBJ] the knife[SEG]."


def mask(box: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W) bool: a box filled."""
    filled = np.zeros((HEIGHT, WIDTH), bool)
    filled[box[1] : box[3], box[0] : box[2]] = True
    return filled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture with three labels and a dialogue about the knife; one with the knife alone."""
    folder = tmp_path / "prist"
    (folder / "images").mkdir(parents=True)
    records = []
    for name, labels in (("all.png", tuple(BOXES)), ("one.png", ("knife",))):
        picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        cv2.imwrite(str(prist.image_path(folder, name)), picture)
        masks = {(label, 0): mask(BOXES[label]) for label in labels}
        write_file(prist.mask_path(folder, name), labelme.to_json(labelme.annotate(f"../images/{name}", masks)))
        turns = (prist.PristTurn("I want to cut bread.", "With what?"), prist.PristTurn("You know.", ANSWER))
        records.append(prist.PristDialogue(name, turns, "knife").to_record())
    prist.write_records(prist.split_path(folder, "test"), records)
    return folder


class FilledBoxes:
    """A network that says nothing, whose SAM fills boxes, and which shows the mug whatever it is told to say."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, tuple[Turn, ...], str, str]] = []

    def encode(self, image: np.ndarray, *, blind: bool = False) -> bool:
        """Remembers `blind` in place of a picture."""
        return blind

    def history_answer(self, value: str, status: Status) -> str:
        """As it is."""
        return value

    def answer(self, encoded: bool, turns: Sequence[Turn], text: str, *, point: Point | None = None) -> Reply:
        """No mask."""
        return Reply(Status.ANSWERED, "Hm.", "Hm.")

    def box_mask(self, encoded: bool, box: tuple[int, int, int, int]) -> np.ndarray:
        """All of it."""
        assert not encoded
        return mask(box)

    def recite(self, encoded: bool, turns: Sequence[Turn], text: str, answer: str) -> Reply:
        """The mug."""
        self.told.append((encoded, tuple(turns), text, answer))
        return Reply(Status.GROUNDED, "It.", answer, (Segment("it", mask(BOXES["red mug"]), 1.0),))


def by_row(records: Sequence[Record]) -> dict[str, dict[int, Record]]:
    rows: dict[str, dict[int, Record]] = {}
    for record in records:
        rows.setdefault(record.condition, {})[record.dialogue] = record
    return rows


@pytest.mark.parametrize("conditions", [(HEADLINE,), (Condition(blind=True),)])
def test_boxes_and_words_are_those_of_the_truth(folder: Path, conditions: tuple[Condition, ...]) -> None:
    engine = FilledBoxes()
    report, records = evaluate(Job(Samples.load(folder, "test"), conditions, tuple(HELPED)), lambda: engine)
    assert list(report["conditions"])[1:] == [
        "largest object", "random object", "SAM, box of the largest object", "SAM, box of the target", "true words",
    ]  # fmt: skip
    rows = by_row(records)
    assert {place: one.mask.iou for place, one in rows["SAM, box of the target"].items()} == {0: 1.0, 1: 1.0}
    assert rows["SAM, box of the target"][0].words.referent_right
    largest = rows["SAM, box of the largest object"]
    assert largest.keys() == {0}, "where only the target is labeled a choice proves nothing"
    assert largest[0].phrases == ("red mug",) and largest[0].mask.iou == 0 and not largest[0].words.referent_right
    assert rows["true words"][0].mask.iou == 0
    (blind, turns, text, answer), _ = engine.told
    assert not blind, "a blind condition does not blind the baselines"
    assert [(turn.text, turn.answer) for turn in turns] == [("I want to cut bread.", "With what?")]
    assert (text, answer) == ("You know.", ANSWER)


def test_no_baseline_is_made_unasked(folder: Path) -> None:
    report, _ = evaluate(Job(Samples.load(folder, "test"), (HEADLINE,)), FilledBoxes)
    assert list(report["conditions"]) == ["own history", "largest object", "random object"]


def test_the_command_knows_them_all(
    folder: Path, tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """With a real network of random weights."""
    assert set(command.BASELINES) == set(HELPED)
    engine = Engine(debug_miras, debug_config, debug_tokenizer)
    monkeypatch.setattr(command, "load_engine", lambda *_: engine)
    asked = [word for name in HELPED for word in ("--baseline", name)]
    assert cli.main(["evaluate", "--data", str(folder), "--json", str(tmp_path / "a.json"), *asked]) == 0
    (report,) = json.loads((tmp_path / "a.json").read_text())["reports"]
    assert {title for title, _ in HELPED.values()} <= report["conditions"].keys()
    own = engine.choose
    told = engine.recite(engine.encode(np.zeros((60, 80, 3), np.uint8)), (), "the knife", ANSWER)
    assert told.answer.strip() == ANSWER and [segment.phrase for segment in told.segments] == ["the knife"]
    assert engine.choose is own


def test_words_are_not_for_a_network_whose_words_are_boxes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_answerer(write_vlm(tmp_path / "vlm"))
    monkeypatch.setattr(command, "load_engine", lambda *_: engine)
    assert cli.main(["evaluate", "--data", str(folder), "--baseline", "true-words"]) == 1
    assert "true-words needs a MIRAS" in capsys.readouterr().err
