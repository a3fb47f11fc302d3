"""Masks that people correct in labelme, and what comes back of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bag_bench import HEIGHT_PX, WIDTH_PX, BagBench, a_dialogue, a_mask, a_picture

from pixelrs_ros.cli import main
from pixelrs_ros.data import prist
from pixelrs_ros.data.check import check
from pixelrs_ros.data.from_bag import DIALOGUES_FILE, write_from_bag
from pixelrs_ros.data.labeling import Taken, take_back, write_labelme
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.data.record import write_dialogue
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import write_picture
from pixelrs_ros.types import Segment, Status, Turn

WORDS, BOTH, NOTHING, PAN = (f"dialogue_0000_turn_{number:04d}" for number in range(4))
SQUARE = [[4, 5], [24, 5], [24, 30], [4, 30]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with BagBench(tmp_path / "bag") as bench:
        a_dialogue(bench)
    write_from_bag(bench.path, tmp_path / "prist")
    assert write_labelme(tmp_path / "prist") == 2
    return tmp_path / "prist"


def the_square() -> np.ndarray:
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_)
    mask[5:31, 4:25] = True
    return mask


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*.*") if path.parent.name != "labelme")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def draw(folder: Path, name: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the shapes of a picture as labelme does, which writes a file where there is none."""
    path = folder / "labelme" / f"{name}.json"
    new: dict[str, Any] = {
        "shapes": [],
        "imagePath": f"../images/{name}.png",
        "imageHeight": HEIGHT_PX,
        "imageWidth": WIDTH_PX,
    }
    content = json.loads(path.read_text()) if path.exists() else new
    change(content["shapes"])
    path.write_text(json.dumps(content, indent=2))


def square(label: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "points": SQUARE, "shape_type": "polygon", "flags": {}, "group_id": None, **more}


def dialogues(folder: Path) -> dict[str, tuple[str, str]]:
    """The last answer and the focus of every dialogue, by picture, after all of them have passed the check."""
    with check(open_data(folder), ["train"]) as report:
        assert not report.faults, list(report.problems())
    return {Path(one.img_id).stem: (one.turns[-1].answer, one.focus) for one in prist.read_split(folder, "train")}


def test_what_nobody_touches_comes_back_as_it_was(folder: Path) -> None:
    before = contents(folder)
    assert take_back(folder) == Taken(unchanged=2, corrected=0, drawn=0, emptied=0, still_wrong=0, examples=2)
    assert contents(folder) == before
    shapes = json.loads((folder / "labelme" / f"{BOTH}.json").read_text())["shapes"]
    assert [shape["label"] for shape in shapes] == ["The mug", "its handle"]
    (exact,) = (one for one in prist.read_masks(folder, f"{BOTH}.png") if one == "its handle")
    assert exact and len(shapes[1]["points"]) < 60  # few enough to be moved by hand


def test_a_corrected_mask_is_taken_and_the_others_stay(folder: Path) -> None:
    draw(folder, BOTH, lambda shapes: shapes[1].update(points=SQUARE))
    for _ in range(2):  # and once more changes nothing
        taken = take_back(folder)
        masks = prist.read_masks(folder, f"{BOTH}.png")
        np.testing.assert_array_equal(masks["the mug"], a_mask(20))
        np.testing.assert_array_equal(masks["its handle"], the_square())
        np.testing.assert_array_equal(masks["the mug and its handle"], a_mask(20) | the_square())
        assert dialogues(folder)[BOTH] == ("The mug, by its handle [SEG].", "The mug and its handle")
    assert taken.unchanged == 2
    assert write_labelme(folder) == 0  # people's work is not written over


def test_what_the_robot_did_not_see_is_drawn_and_named(folder: Path) -> None:
    draw(folder, NOTHING, lambda shapes: shapes.append(square("the blue fork")))
    assert take_back(folder) == Taken(unchanged=2, corrected=0, drawn=1, emptied=0, still_wrong=0, examples=3)
    assert dialogues(folder)[NOTHING] == ("the blue fork [SEG].", "the blue fork")
    np.testing.assert_array_equal(prist.read_masks(folder, f"{NOTHING}.png")["the blue fork"], the_square())
    later = prist.read_split(folder, "train")[-1]
    assert [turn.answer for turn in later.turns][2] == "I see no fork."  # what the user went on from


def test_another_name_becomes_the_answer(folder: Path) -> None:
    draw(folder, PAN, lambda shapes: [shape.update(label="the pot") for shape in shapes])
    assert take_back(folder).corrected == 1
    assert dialogues(folder)[PAN] == ("the pot [SEG].", "the pot")


def test_a_hole_is_cut_out_and_what_is_deleted_is_gone(folder: Path) -> None:
    draw(folder, PAN, lambda shapes: shapes.append(square("_background_")))
    draw(folder, BOTH, list.clear)
    assert take_back(folder) == Taken(unchanged=0, corrected=1, drawn=0, emptied=1, still_wrong=0, examples=1)
    assert set(dialogues(folder)) == {PAN} and not (folder / "masks" / f"{BOTH}.json").exists()
    mask = prist.read_masks(folder, f"{PAN}.png")["the pan"]
    assert mask.any() and not (mask & the_square()).any()


def test_what_cannot_be_used_changes_nothing(folder: Path) -> None:
    before = contents(folder)
    drawn = folder / "labelme" / f"{PAN}.json"
    kept = drawn.read_text()
    for change, said in {
        "size": f"drawn on a picture of .*px, {PAN}.png has",
        "twice": "'The pan' names several instances",
        "line": "shape_type 'linestrip' has no inside",
        "text": "Expecting value|not JSON",
    }.items():
        content = json.loads(kept)
        if change == "size":
            content["imageHeight"] = 7
        elif change == "twice":
            content["shapes"].append(square("the pan", group_id=3))
        elif change == "line":
            content["shapes"].append(square("a line", shape_type="linestrip"))
        drawn.write_text("no JSON" if change == "text" else json.dumps(content))
        with pytest.raises(DataError, match=said):
            take_back(folder)
        assert contents(folder) == before


def test_other_folders_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    assert main(["label", str(tmp_path / "other")]) == 1
    assert "there is neither dialogues.json of `pixelrs data from-bag`" in capsys.readouterr().err
    prist.write_records(folder / "test.json", json.loads((folder / "train.json").read_text()))
    with pytest.raises(DataError, match="has the splits test, train; remedy: one of them with --split"):
        take_back(folder)
    with pytest.raises(DataError, match="there is no split 'val'; there are test, train"):
        take_back(folder, "val")
    assert take_back(folder, "train").examples == 2
    (folder / "dialogues.json").write_text('[{"turns": [{"text": "?"}]}]')
    with pytest.raises(DataError, match=r"dialogues\.json: malformed: KeyError"):
        take_back(folder, "train")


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "mistyped"):
        with pytest.raises(DataError, match="there is neither"):
            write_labelme(tmp_path / name)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


def test_a_dialogue_that_the_node_exported_can_be_labeled_too(tmp_path: Path) -> None:
    write_picture(tmp_path / "picture.jpg", a_picture(0))
    evidence = Evidence(
        b"1", (tmp_path / "picture.jpg").read_bytes(), (StoredMask.of(Segment("mug", a_mask(20), 0.5)),)
    )
    turn = Turn(0, "the mug", "[OBJ]mug[SEG]", Status.GROUNDED)
    folder, _ = write_dialogue(tmp_path / "exports", "kitchen", [(turn, evidence)])
    assert write_labelme(folder) == 1
    draw(folder, "turn_000000", lambda shapes: shapes[0].update(points=SQUARE))
    assert take_back(folder).corrected == 1
    np.testing.assert_array_equal(prist.read_masks(folder, "turn_000000.jpg")["mug"], the_square())


LABELME = """#!/usr/bin/env python3
import json, pathlib, sys
images, output, drawn, nodata = sys.argv[1:]
assert output == "--output" and nodata == "--nodata" and pathlib.Path(images).is_dir()
path = pathlib.Path(drawn) / "dialogue_0000_turn_0003.json"
content = json.loads(path.read_text())
content["shapes"][0]["points"] = [[4, 5], [24, 5], [24, 30], [4, 30]]
path.write_text(json.dumps(content))
sys.exit(STATUS)
"""


def test_the_command_opens_labelme_where_it_is_installed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    assert main(["label", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"labelme {folder}/images --output {folder}/labelme --nodata" in said and "--take-back" in said
    before = contents(folder)
    for status, ended in ((1, 1), (0, 0)):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "labelme").write_text(LABELME.replace("STATUS", str(status)))
        (tmp_path / "bin" / "labelme").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}")
        assert main(["label", str(folder)]) == ended
        assert (contents(folder) == before) is bool(status)
    assert "1 pictures corrected" in capsys.readouterr().out
    assert main(["label", str(folder), "--take-back"]) == 0


def test_an_example_begins_as_the_robots_answers_do(folder: Path) -> None:
    path = folder / DIALOGUES_FILE
    path.write_text(path.read_text().replace("[OBJ]", "You mean [OBJ]"))
    draw(folder, NOTHING, lambda shapes: shapes.append(square("the blue fork")))
    take_back(folder)
    assert dialogues(folder)[NOTHING] == ("You mean the blue fork [SEG].", "the blue fork")
