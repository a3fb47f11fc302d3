"""A vision-language model that sometimes talks nonsense, scored and calibrated all the same."""

from __future__ import annotations

import json
import shutil
from itertools import chain, repeat
from pathlib import Path

import pytest
import yaml
from tiny_vlm import force, write_vlm

from pixelrs_ros import cli
from pixelrs_ros.commands import evaluate as command
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.vlm.engine import VlmEngine

ASKS = 'Which bread?", "ask": true, "objects": []}'
SHOWS = 'This dial.", "ask": false, "objects": [{"phrase": "dial", "bbox_2d": [0, 0, 900, 900]}]}'
NONSENSE = '<b>The dial</b>", "objects": 3}'


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("vlm") / "it")


@pytest.fixture
def say(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> VlmEngine:
    """The network that the commands load."""
    engine = open_answerer(checkpoint)
    assert isinstance(engine, VlmEngine)
    monkeypatch.setattr(command, "load_engine", lambda *_: engine)
    return engine


def test_nonsense_counts_as_an_unanswered_turn_and_the_run_goes_on(
    say: VlmEngine, data_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    force(say, [NONSENSE, SHOWS, ASKS, NONSENSE])  # a first turn and a last one
    found, page = tmp_path / "a.json", tmp_path / "a.html"
    data = ("--data", str(data_sets / "prist"), "--split", "train")
    assert cli.main(["evaluate", *data, "--json", str(found), "--report", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "turns without an answer: 2" in printed and "dialogue 1: objects: Input should be a valid list" in printed
    (report,) = json.loads(found.read_text())["reports"]
    first, second = (one for one in report["records"] if one["condition"] == "own history")
    assert [bool(why) for why in first["failures"]] == [True, False] and first["masked"]
    assert [bool(why) for why in second["failures"]] == [False, True]
    assert second["iou"] == 0.0 and not second["masked"] and "The dial" in second["said"][1]
    row = report["conditions"]["own history"]
    assert row["unanswered"]["turns"] == 2 and len(row["unanswered"]["first"]) == 2
    assert row["g_iou"] == pytest.approx(first["iou"] / 2, abs=1e-3)
    text = page.read_text()
    assert "turns without an answer: 2" in text and "&lt;b&gt;The dial" in text and "<b>The dial" not in text


def test_nonsense_at_the_end_is_never_right_where_the_data_has_no_statuses(
    say: VlmEngine, data_sets: Path, tmp_path: Path
) -> None:
    """Talk without a mask to compare would else count as right, whatever was said."""
    force(say, [NONSENSE])
    folder = tmp_path / "talk"
    folder.mkdir()
    shutil.copytree(data_sets / "images", folder / "images")
    shutil.copy(data_sets / "vqa.json", folder / "vqa.json")
    found = tmp_path / "a.json"
    assert cli.main(["evaluate", "--data", str(folder), "--split", "vqa", "--json", str(found)]) == 0
    assert json.loads(found.read_text())["reports"][0]["conditions"]["own history"]["right"] == 0.0


def test_the_score_is_fitted_to_the_masks_that_there_are(
    say: VlmEngine, checkpoint: Path, data_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(data_sets / "prist", tmp_path / "prist")
    dialogues = json.loads((folder / "train.json").read_text())
    (folder / "val.json").write_text(json.dumps(dialogues * 11))
    force(say, chain([ASKS, NONSENSE], chain.from_iterable(repeat((ASKS, SHOWS), 21))))
    assert cli.main(["calibrate", "--checkpoint", str(checkpoint), "--data", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "turns without an answer: 1" in printed and "over 21 masks" in printed
    written = yaml.safe_load((checkpoint / "config.yaml").read_text())
    assert written["kind"] == "vlm" and written["score"] != {"intercept": 0.0, "quality": 1.0, "certainty": 0.0}
