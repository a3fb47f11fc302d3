import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.samples import Samples

RECORD: dict[str, Any] = {
    "img_id": "kitchen.jpg",
    "dialogue": [
        {"from": "human", "value": "I want to bake bread."},
        {"from": "gpt", "value": "There are two ovens."},
        {"from": "human", "value": "The left one, by its dial."},
        {"from": "gpt", "value": "Here it is: [SEG]."},
    ],
    "focus": "Dial of the left oven",
}
META: dict[str, Any] = {
    "scene_seed": 3,
    "kinds": ["wish", "part"],
    "statuses": ["clarify", "grounded"],
    "targets": [[], ["dial of the left oven"]],
    "candidates": [["left oven", "right oven"], []],
    "target": {"kind": "oven", "color": "white", "part": "dial"},
    "hard": ["typo", "unheard_wish"],
    "sensor": False,
    "visible": 0.41,
}
SHAPE: dict[str, Any] = {"label": "dial of the LEFT oven", "points": [[10, 10], [19, 10], [19, 14], [10, 14]]}
MASKS: dict[str, Any] = {"imageHeight": 40, "imageWidth": 60, "shapes": [SHAPE]}


def a_folder(root: Path, record: Any = RECORD, masks: Any = MASKS) -> Path:
    (root / "images").mkdir()
    (root / "masks").mkdir()
    cv2.imwrite(str(root / "images" / "kitchen.jpg"), np.full((40, 60, 3), (0, 0, 200), np.uint8))
    (root / "test.json").write_text(json.dumps([record]))
    (root / "masks" / "kitchen.json").write_text(json.dumps(masks))
    return root


def test_a_folder_without_meta_is_read(tmp_path: Path) -> None:
    (dialogue,) = prist.read_split(a_folder(tmp_path), "test")
    assert [turn.user for turn in dialogue.turns] == ["I want to bake bread.", "The left one, by its dial."]
    assert dialogue.meta is None
    assert dialogue.to_record() == RECORD
    mask = prist.read_masks(tmp_path, dialogue.img_id)[dialogue.focus.casefold()]
    assert mask.shape == (40, 60) and mask.sum() == 50
    image = prist.read_image(tmp_path, dialogue.img_id)
    assert image.shape == (40, 60, 3) and image[0, 0, 0] > 150 > image[0, 0, 2], "RGB: the picture is red"


def test_where_the_human_points_is_kept_and_checked(tmp_path: Path) -> None:
    said = [dict(utterance) for utterance in RECORD["dialogue"]]
    said[2]["point"] = [3, 39.5]
    record = {**RECORD, "dialogue": said}
    (dialogue,) = prist.read_split(a_folder(tmp_path, record), "test")
    assert [turn.point for turn in dialogue.turns] == [None, (3.0, 39.5)]
    assert dialogue.to_record() == record
    (sample,) = Samples.load(tmp_path, "test").all
    assert [exchange.point for exchange in sample.exchanges] == [None, (3.0, 39.5)]
    for wrong in ("here", [1], [1, 2, 3], [1, "2"], [True, 2], {"x": 1}):
        said[2]["point"] = wrong
        with pytest.raises(DataError, match=r"utterance 2: point must be \[x, y\] in px"):
            prist.to_dialogue("it", record)


def test_a_label_of_several_polygons_is_their_union(tmp_path: Path) -> None:
    more = {**SHAPE, "label": "Dial of the left oven", "points": [[30, 30], [33, 30], [33, 33], [30, 33]]}
    a_folder(tmp_path, masks={**MASKS, "shapes": [SHAPE, more]})
    assert prist.read_masks(tmp_path, "kitchen.jpg")["dial of the left oven"].sum() == 66


def test_meta_goes_round(tmp_path: Path) -> None:
    record = {**RECORD, "meta": META}
    (dialogue,) = prist.read_split(a_folder(tmp_path, record), "test")
    assert dialogue.meta is not None and dialogue.meta.part == "dial"
    prist.write_records(tmp_path / "val.json", [dialogue.to_record()])
    assert json.loads((tmp_path / "val.json").read_text()) == [record]
    assert prist.read_split(tmp_path, "val") == [dialogue]


@pytest.mark.parametrize(
    "change",
    [
        {"img_id": ""},
        {"img_id": "../kitchen.jpg"},
        {"focus": None},
        {"dialogue": []},
        {"dialogue": RECORD["dialogue"][:3]},
        {"dialogue": RECORD["dialogue"][1:] + RECORD["dialogue"][:1]},
        {"dialogue": [{"from": "human", "value": " "}, {"from": "gpt", "value": "[SEG]"}]},
        {"dialogue": RECORD["dialogue"][:2]},
        {"meta": {**META, "kinds": ["wish"]}},
        {"meta": {**META, "statuses": ["clarify", "splendid"]}},
        {"meta": {"scene_seed": 3}},
        {"meta": []},
    ],
)
def test_malformed_dialogues_name_file_and_dialogue(tmp_path: Path, change: dict[str, Any]) -> None:
    a_folder(tmp_path, {**RECORD, **change})
    with pytest.raises(DataError, match=r"test\.json: dialogue 0"):
        prist.read_split(tmp_path, "test")


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b"\xff\xfe[]"])
def test_a_split_that_is_no_list_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "test.json").write_bytes(content)
    with pytest.raises(DataError, match=r"test\.json"):
        prist.read_split(tmp_path, "test")
    with pytest.raises(DataError, match=r"val\.json: cannot be read"):
        prist.read_split(tmp_path, "val")


@pytest.mark.parametrize(
    "masks",
    [
        [],
        {**MASKS, "imageHeight": 0},
        {**MASKS, "imageWidth": "60"},
        {**MASKS, "shapes": None},
        {**MASKS, "shapes": [{"points": SHAPE["points"]}]},
        {**MASKS, "shapes": [{**SHAPE, "points": [[1, 2], [3, 4]]}]},
        {**MASKS, "shapes": [{**SHAPE, "points": [[1, 2], [3, 4], [5]]}]},
        {**MASKS, "shapes": [{**SHAPE, "points": [[1, 2], [3, 4], [5, float("nan")]]}]},
        {**MASKS, "shapes": [{**SHAPE, "shape_type": "circle"}]},
    ],
)
def test_malformed_masks_name_the_file(tmp_path: Path, masks: Any) -> None:
    a_folder(tmp_path, masks=masks)
    with pytest.raises(DataError, match=r"kitchen\.json"):
        prist.read_masks(tmp_path, "kitchen.jpg")


def test_broken_images_name_the_file(tmp_path: Path) -> None:
    a_folder(tmp_path)
    (tmp_path / "images" / "empty.jpg").write_bytes(b"")
    for name in ("empty.jpg", "missing.jpg"):
        with pytest.raises(DataError, match=name):
            prist.read_image(tmp_path, name)


def test_an_annotation_is_labelmes_own_json(tmp_path: Path) -> None:
    mask = np.zeros((40, 60), bool)
    mask[5:20, 8:30] = True
    path = tmp_path / "a.json"
    path.write_text(labelme.to_json(labelme.annotate("../images/a.jpg", {("red mug", 2): mask})))
    content = json.loads(path.read_text())
    assert (content["imageHeight"], content["imageWidth"], content["imagePath"]) == (40, 60, "../images/a.jpg")
    assert [(shape["label"], shape["group_id"]) for shape in content["shapes"]] == [("red mug", 2)]
    assert (labelme.read(path).masks()["red mug"] == mask).all()
