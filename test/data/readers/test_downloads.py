"""What is wrong with a data set as it comes from somewhere is told, and never left out in silence or ends a check."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros.data.build.pictures import labeled_pictures
from pixelrs_ros.data.check import check
from pixelrs_ros.data.readers.entries import Fault
from pixelrs_ros.data.readers.opening import open_data

APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "  # how what macOS puts beside a file in an archive begins


def found(folder: Path, form: str | None = None) -> tuple[dict[str, int], dict[Fault, list[str]]]:
    """How many dialogues each split has, and what is told of each kind of problem."""
    reader = open_data(folder, form)
    with check(reader, reader.splits()) as report:
        counts = {split: counts.dialogues for split, counts in report.splits.items()}
        return counts, {
            fault: [f"{each.where}: {each.what}" for each in report.problems(fault)] for fault in report.faults
        }


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 60, 3), 99, np.uint8))


def labelme_file(path: Path, **more: Any) -> None:
    shape = {"label": "target", "shape_type": "polygon", "points": [[5, 5], [20, 5], [20, 20]]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"imageHeight": 40, "imageWidth": 60, "shapes": [shape], **more}), encoding="utf-8")


@pytest.fixture
def reasonseg(tmp_path: Path) -> Path:
    folder = tmp_path / "reasonseg"
    for name in ("1", "2"):
        picture(folder / "val" / f"{name}.jpg")
        labelme_file(folder / "val" / f"{name}.json", text=["Which keeps the rain off?"], is_sentence=True)
    return folder


@pytest.fixture
def folder_of_prist(tmp_path: Path) -> Path:
    folder = tmp_path / "prist"
    picture(folder / "images" / "1.jpg")
    labelme_file(folder / "masks" / "1.json")
    said = [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "This: [SEG]."}]
    record = {"img_id": "1.jpg", "focus": "target", "dialogue": said}
    (folder / "train.json").write_text(json.dumps([record]), encoding="utf-8")
    return folder


def test_what_macos_puts_beside_each_file_is_no_data(reasonseg: Path, folder_of_prist: Path, data_sets: Path) -> None:
    for path in [*reasonseg.rglob("*.*"), *folder_of_prist.rglob("*.*")]:
        path.with_name(f"._{path.name}").write_bytes(APPLE)
    assert found(reasonseg) == ({"val": 2}, {})
    assert found(folder_of_prist) == ({"train": 1}, {})
    assert labeled_pictures(folder_of_prist) == ["1.jpg"]


@pytest.mark.parametrize("content", ['{"text"', '{"what": "this folder holds"}'])
def test_a_first_file_that_is_no_question_does_not_hide_the_split(reasonseg: Path, content: str) -> None:
    shutil.copytree(reasonseg / "val", reasonseg / "train")
    (reasonseg / "val" / "0.json").write_text(content, encoding="utf-8")
    counts, problems = found(reasonseg)
    assert counts == {"train": 2, "val": 2}
    assert [told.partition(": ")[0] for told in problems[Fault.MALFORMED]] == [f"{reasonseg}/val/0.json"]


def test_a_split_without_a_dialogue_is_an_error(folder_of_prist: Path) -> None:
    (folder_of_prist / "test.json").write_text("[]", encoding="utf-8")
    counts, problems = found(folder_of_prist)
    assert counts == {"test": 0, "train": 1}
    assert problems.keys() == {Fault.EMPTY} and Fault.EMPTY.is_error


def test_conversations_without_a_picture_are_counted(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "1.jpg")
    said = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "A mug."}]
    records = [{"image": "1.jpg", "conversations": said}, {"conversations": said}, {"conversations": said}]
    (tmp_path / "train.json").write_text(json.dumps(records), encoding="utf-8")
    counts, problems = found(tmp_path)
    assert counts == {"train": 1} and len(problems[Fault.PICTURELESS]) == 2
