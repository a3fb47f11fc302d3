"""A PRIST folder out of another data set: nothing is lost, and nothing is taken for something else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.data.rewrite import write_prist
from pixelrs_ros.errors import DataError


def rewritten(folder: Path, out: Path) -> Path:
    reader = open_data(folder)
    write_prist(reader, reader.splits(), out)
    return out


def test_keys_that_nobody_here_knows_are_kept(data_sets: Path, tmp_path: Path) -> None:
    source = shutil.copytree(data_sets / "prist", tmp_path / "source")
    (path,) = source.glob("*.json")
    records = json.loads(path.read_text(encoding="utf-8"))
    records[0] |= {"id": 17, "source": {"of": "Öffentlich", "share": 0.1}, "meta": None}
    records[0]["dialogue"][0] |= {"time_s": 1.5, "value": '  Which\n "one" \\ 😀\t? '}
    path.write_text(json.dumps(records), encoding="utf-8")
    out = rewritten(source, tmp_path / "out")
    assert json.loads((out / path.name).read_text(encoding="utf-8")) == records


def coco(folder: Path, names: tuple[str, str]) -> Path:
    """Two pictures of these names, each with a mug."""
    things = []
    for number, name in enumerate(names):
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "images" / name), np.full((40, 60, 3), 99 * number, np.uint8))
        corners = [5, 5, 20 + 9 * number, 5, 20, 20]
        things.append({"id": number, "image_id": number, "category_id": 3, "segmentation": [corners]})
    images = [{"id": number, "file_name": name, "height": 40, "width": 60} for number, name in enumerate(names)]
    content = {"images": images, "categories": [{"id": 3, "name": "mug"}], "annotations": things}
    (folder / "val.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize("names", [("a/b.jpg", "a_b.jpg"), ("_a.png", "a.png")])
def test_pictures_whose_new_names_would_be_the_same_are_an_error(tmp_path: Path, names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=r"another picture is .* too; remedy"):
        rewritten(coco(tmp_path / "source", names), tmp_path / "out")


def test_pictures_that_differ_in_the_case_of_their_ending_have_masks_of_their_own(tmp_path: Path) -> None:
    out = rewritten(coco(tmp_path / "source", ("a.png", "a.PNG")), tmp_path / "out")
    areas = [int(prist.read_masks(out, dialogue.img_id)["mug"].sum()) for dialogue in prist.read_split(out, "val")]
    assert len(set(areas)) == 2


def converseg(folder: Path) -> Path:
    """A train and a test split that ask for the same words in the same picture, and mean different things."""
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.full((40, 60, 3), 99, np.uint8))
    for split, rows in (("train", 5), ("test", 9)):
        cv2.imwrite(
            str(folder / f"{split}.png"), np.repeat([[255] * 60, [0] * 60], [rows, 40 - rows], 0).astype(np.uint8)
        )
        line = {"image": "1.png", "mask": f"{split}.png", "prompt": "what could fall over"}
        (folder / f"{split}.jsonl").write_text(json.dumps(line), encoding="utf-8")
    return folder


def test_the_same_words_for_another_mask_of_another_split_are_an_error(tmp_path: Path) -> None:
    source = converseg(tmp_path / "source")
    with pytest.raises(DataError, match="is another mask here than in a dialogue before; remedy"):
        rewritten(source, tmp_path / "out")
    reader = open_data(source)
    for split in reader.splits():
        assert write_prist(reader, [split], tmp_path / split) == {split: (1, 0)}


def test_things_that_are_called_the_same_in_two_splits_of_a_list_have_their_own_labels(tmp_path: Path) -> None:
    source = coco(tmp_path / "source", ("a.png", "b.png"))
    content = json.loads((source / "val.json").read_text(encoding="utf-8"))
    for thing in content["annotations"]:
        thing["image_id"] = 0
    (source / "val.json").rename(source / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    refs: list[dict[str, Any]] = [
        {"image_id": 0, "ann_id": number, "split": split, "sentences": [{"sent": "the mug"}]}
        for number, split in enumerate(("train", "val"))
    ]
    (source / "refs(google).json").write_text(json.dumps(refs), encoding="utf-8")
    out = rewritten(source, tmp_path / "out")
    labels = {shape.label for shape in labelme.read(prist.mask_path(out, "a_png.png")).shapes}
    assert labels == {"the mug (0)", "the mug (1)"}


def test_what_could_not_be_written_whole_is_not_in_the_way_of_the_next_try(data_sets: Path, tmp_path: Path) -> None:
    source = shutil.copytree(data_sets / "prist", tmp_path / "source")
    (path,) = source.glob("*.json")
    (source / "zz.json").write_text(path.read_text(encoding="utf-8").replace("[SEG]", "here"), encoding="utf-8")
    with pytest.raises(DataError, match=r"zz\.json: dialogue 0"):
        rewritten(source, tmp_path / "out")
    shutil.copy(path, source / "zz.json")
    out = rewritten(source, tmp_path / "out")
    assert sorted(each.name for each in out.glob("*.json")) == sorted([path.name, "zz.json"])
