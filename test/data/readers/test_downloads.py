"""What is wrong with a data set as it comes from somewhere is told, and never left out in silence or ends a check."""

from __future__ import annotations

import json
import pickle
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
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.samples import Samples

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


def coco(folder: Path, **changed: Any) -> Path:
    """A file of COCO's whose only annotation, or another part, is changed."""
    picture(folder / "images" / "7.jpg")
    square = {"id": 12, "image_id": 7, "category_id": 3, "segmentation": [[5, 5, 20, 5, 20, 20]]}
    content: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "7.jpg", "height": 40, "width": 60}],
        "categories": [{"id": 3, "name": "mug"}],
        "annotations": [square],
    }
    (folder / "val.json").write_text(json.dumps(content | changed), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "segmentation",
    [
        [5, 5, 20, 5, 20, 20], "mask", [["a"] * 6], [[float("nan")] * 6], [[1e300, 5, 20, 5, 20, 20]], [[1, 2, 3, 4]],
        {"size": [40, 60], "counts": [100, 50]}, {"size": [40, 60], "counts": [100, -50, 2350]},
        {"size": [40, 60], "counts": [1.5, "a"]}, {"size": [40, 60], "counts": "zzzz~~~~garbage"}, {"size": [40, 60]},
        {"size": [10**6, 10**6], "counts": [10**12]}, {"size": [20, 30], "counts": [100, 500]},
    ],
)  # fmt: skip
def test_a_segmentation_that_is_none_is_told_and_ends_nothing(tmp_path: Path, segmentation: Any) -> None:
    wrong = {"id": 12, "image_id": 7, "category_id": 3, "segmentation": segmentation}
    counts, problems = found(coco(tmp_path, annotations=[wrong]), "coco")
    assert counts == {"val": 1} and problems.keys() == {Fault.POLYGON}
    assert "segmentation of annotation 12" in problems[Fault.POLYGON][0]


@pytest.mark.parametrize(
    ("part", "entry", "named"),
    [
        ("images", {"id": 8, "file_name": "7.jpg"}, "missing key height"),
        ("images", {"id": 8, "file_name": "7.jpg", "height": 10**9, "width": 5}, "height"),
        ("images", {"id": 8, "file_name": "/etc/hostname", "height": 40, "width": 60}, "leads out of the folder"),
        ("images", {"id": 8, "file_name": "../../7.jpg", "height": 40, "width": 60}, "leads out of the folder"),
        ("images", {"id": 7, "file_name": "8.jpg", "height": 40, "width": 60}, "its id 7 has been before"),
        ("categories", {"id": 4, "name": None}, "name must be str, got None"),
        ("annotations", {"id": 12, "image_id": 7, "category_id": 3}, "its id 12 has been before"),
        ("annotations", {"id": 13, "image_id": [7], "category_id": 3}, "image_id"),
        (
            "annotations",
            {"id": 13, "image_id": 7, "category_id": 9},
            "not listed",
        ),
    ],
)
def test_a_malformed_entry_of_coco_is_told_and_the_others_are_read(
    tmp_path: Path, part: str, entry: dict[str, Any], named: str
) -> None:
    whole = json.loads((coco(tmp_path) / "val.json").read_text(encoding="utf-8"))
    counts, problems = found(coco(tmp_path, **{part: [*whole[part], entry]}))
    assert counts == {"val": 1} and problems.keys() == {Fault.MALFORMED}
    assert named in problems[Fault.MALFORMED][0].replace("name: must", "name must")


def test_two_files_of_one_split_are_not_taken_one_for_the_other(tmp_path: Path) -> None:
    (coco(tmp_path) / "annotations").mkdir()
    shutil.copy(tmp_path / "val.json", tmp_path / "annotations" / "val.json")
    with pytest.raises(DataError, match="are splits of the same name; remedy"):
        open_data(tmp_path, "coco").splits()


def refer(folder: Path, **lists: list[Any]) -> Path:
    """REFER's lists by who made them, about a picture with two things."""
    boxes = {12: [[5, 5, 20, 5, 20, 20]], 13: [[30, 5, 50, 5, 50, 20]]}
    things = [{"id": key, "image_id": 7, "category_id": 3, "segmentation": box} for key, box in boxes.items()]
    coco(folder, annotations=things)
    (folder / "val.json").rename(folder / "instances.json")
    for by, refs in lists.items():
        (folder / f"refs({by}).p").write_bytes(pickle.dumps(refs, protocol=2))
    return folder


def ref(**changed: Any) -> dict[str, Any]:
    return {"image_id": 7, "ann_id": 12, "split": "val", "sentences": [{"sent": "the tall one"}]} | changed


@pytest.mark.parametrize(
    "wrong",
    [
        "text", None, ref(split=None), ref(image_id=[7]), ref(ann_id={}), ref(sentences=[]), ref(sentences=None),
        ref(sentences=["tall"]), ref(sentences=[{"sent": 3}]), ref(sentences=[{"sent": " "}]),
    ],
)  # fmt: skip
def test_a_malformed_reference_is_told_once_and_the_others_are_read(tmp_path: Path, wrong: Any) -> None:
    counts, problems = found(refer(tmp_path, unc=[ref(), wrong, ref(split="test", ann_id=13)]))
    assert counts == {"test": 1, "val": 1} and problems.keys() == {Fault.MALFORMED}
    (told,) = problems[Fault.MALFORMED]
    assert told.startswith(f"{tmp_path}/refs(unc).p: reference 1: ")


def test_of_several_lists_none_is_passed_over(tmp_path: Path) -> None:
    folder = refer(tmp_path, google=[ref(split="train")], unc=[ref(), ref(split="testA")])
    assert found(folder) == ({"google_train": 1, "unc_testA": 1, "unc_val": 1}, {})


@pytest.mark.parametrize("damaged", [b"\x80\x02]}b.", b"\x80\x02garbage", b"", bytes(range(256)), b"\x80\x02h\x07."])
def test_a_damaged_pickle_is_named(tmp_path: Path, damaged: bytes) -> None:
    (refer(tmp_path) / "refs(unc).p").write_bytes(damaged)
    with pytest.raises(DataError, match=r"refs\(unc\)\.p cannot be read"):
        open_data(tmp_path).splits()


@pytest.mark.parametrize("path", ["/etc/hostname", "../1.jpg", ["1.jpg", "2.jpg"]])
def test_no_data_set_names_a_picture_outside_of_its_folder(tmp_path: Path, path: Any) -> None:
    said = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "A mug."}]
    turns = [{"question": "The mug.", "masks": [[[1]]]}]
    for name, record in {
        "llava": {"image": path, "conversations": said},
        "regiondial": {"image_path": path, "conversational_turns": turns},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.json").write_text(json.dumps([record]), encoding="utf-8")
        counts, problems = found(tmp_path / name)
        assert counts == {"train": 0} and problems.keys() == {Fault.MALFORMED}, name


@pytest.mark.parametrize("key", ["image", "mask"])
def test_no_line_of_converseg_names_a_file_outside_of_its_folder(tmp_path: Path, key: str) -> None:
    line = {"image": "1.jpg", "mask": "1.png", "prompt": "what could fall over"}
    for name in ("1.jpg", "1.png"):
        picture(tmp_path / name)
    lines = [line | {key: "../1.jpg"}, line]
    (tmp_path / "val.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    counts, problems = found(tmp_path)
    assert counts == {"val": 1} and problems.keys() == {Fault.MALFORMED}


def test_a_split_that_is_not_there_is_named_where_it_is_scored(folder_of_prist: Path) -> None:
    with pytest.raises(DataError, match="there is no split 'test'; there are train"):
        Samples.load(folder_of_prist, "test")


def test_a_mark_of_the_byte_order_is_no_part_of_a_line(tmp_path: Path) -> None:
    for name in ("1.jpg", "1.png"):
        picture(tmp_path / name)
    line = json.dumps({"image": "1.jpg", "mask": "1.png", "prompt": "what could fall over"})
    (tmp_path / "val.jsonl").write_text(line, encoding="utf-8-sig")
    assert found(tmp_path) == ({"val": 1}, {})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_in_utf16_is_not_taken_for_cp1252(folder_of_prist: Path, encoding: str) -> None:
    path = folder_of_prist / "train.json"
    path.write_bytes(("\ufeff" + path.read_text(encoding="utf-8")).encode(encoding))
    _, problems = found(folder_of_prist)
    assert problems == {Fault.MALFORMED: [f"train: {path}: is UTF-16; remedy: save it as UTF-8"]}
