"""Each data source on two tiny pictures, in exactly the format that the source is published in."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pixelrs_ros.data.coco import CocoSource, ReferringSource, category_name
from pixelrs_ros.data.conversations import ConversationSource, DialogueSource
from pixelrs_ros.data.examples import Example, Source
from pixelrs_ros.data.label_maps import LabelMapSource
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.errors import DataError


def opened(folder: Path) -> dict[str, Source]:
    images = folder / "images"
    return {
        "coco": CocoSource(folder / "instances.json", images, 2),
        "referring": ReferringSource(folder / "refs.json", folder / "instances.json", images, "train", 1),
        "label_maps": LabelMapSource(images, folder / "label_maps", folder / "names.txt", 1, 2),
        "prist": DialogueSource(open_data(folder / "prist"), "train"),
        "conversations": ConversationSource(folder / "vqa.json", images),
    }


def draws(source: Source, count: int = 40) -> list[Example]:
    return [source.draw(np.random.default_rng([3, index])) for index in range(count)]


@pytest.mark.parametrize("name", ["coco", "referring", "label_maps", "prist", "conversations"])
def test_draws_follow_from_the_generator(data_sets: Path, name: str) -> None:
    one, two = (draws(opened(data_sets)[name], 5) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        assert first.turns == second.turns and (first.image == second.image).all()
        assert first.image.dtype == np.uint8 and first.image.shape[0] == 40


def test_categories_are_recast_with_each_label_before_its_token(data_sets: Path) -> None:
    square, runs, column = 100, 80, 80
    second = 10 * 6  # drawn as COCO draws it: the right and lower edges belong to the neighbors
    seen: dict[str, set[int]] = {}
    for example in draws(opened(data_sets)["coco"]):
        ((request, answer),) = example.turns
        pieces = answer.split("[SEG]")[:-1]
        assert len(pieces) == len(example.masks)
        for piece, mask in zip(pieces, example.masks, strict=True):
            label = piece.split("[OBJ] ")[1]
            assert label in request and mask is not None
            seen.setdefault(label, set()).add(int(mask.sum()))
    assert seen == {"trash can": {square + second, runs}, "handle of the trash can": {column}}


def test_run_lengths_are_read_column_by_column(data_sets: Path) -> None:
    source = CocoSource(data_sets / "instances.json", data_sets / "images", 1)
    (handle,) = [region for region in source.regions(0) if region.names == ("handle of the trash can",)]
    mask = handle.mask()
    assert mask.shape == (40, 60) and mask[:, 2:4].all() and mask.sum() == 80
    (crowd,) = source.regions(1)
    assert crowd.mask()[:, :2].all()


@pytest.mark.parametrize(
    ("name", "words"), [("bottle", "bottle"), ("trash_can:handle", "handle of the trash can"), ("a [SEG]", "a SEG")]
)
def test_categories_become_words(name: str, words: str) -> None:
    assert category_name(name) == words


def test_expressions_name_their_own_instance(data_sets: Path) -> None:
    seen = set()
    for example in draws(opened(data_sets)["referring"]):
        (mask,) = example.masks
        assert mask is not None
        seen.add((example.turns[0][1].split("[OBJ] ")[1].split("[SEG]")[0], example.image.shape[1], int(mask.sum())))
    assert seen == {("the tall one", 60, 100), ("left mug", 60, 100), ("the tall one", 50, 80)}


def test_references_are_read_from_the_published_pickle(data_sets: Path, tmp_path: Path) -> None:
    refs = json.loads((data_sets / "refs.json").read_text())
    refs[0]["ann_id"] = [10, 13]  # as gRefCOCO has it
    refs[1]["ann_id"] = [-1]
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=0))
    paths = (tmp_path / "refs(unc).p", data_sets / "instances.json", data_sets / "images")
    source = ReferringSource(*paths, "train", 1)
    assert len(source) == 1
    (region,) = source.regions(0)
    assert region.mask().sum() == 160


class Harm:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return Path.touch, ("harm",)


def test_a_pickle_runs_no_code(data_sets: Path, tmp_path: Path) -> None:
    (tmp_path / "refs.p").write_bytes(pickle.dumps([Harm()]))
    with pytest.raises(DataError, match="not plain lists"):
        ReferringSource(tmp_path / "refs.p", data_sets / "instances.json", data_sets, "train", 1)


def test_label_maps_name_classes_with_all_their_words(data_sets: Path) -> None:
    areas: dict[str, set[int]] = {}
    for example in draws(opened(data_sets)["label_maps"]):
        for piece, mask in zip(example.turns[0][1].split("[SEG]"), example.masks, strict=False):
            assert mask is not None
            areas.setdefault(piece.split("[OBJ] ")[1], set()).add(int(mask.sum()))
    assert areas == {"wall": {300}, "brick wall": {300}, "oven": {100}}


def test_prist_gives_the_dialogue_and_the_focus(data_sets: Path) -> None:
    example = draws(opened(data_sets)["prist"], 1)[0]
    assert example.turns == (("I want to bake.", "What bread?"), ("Rye.", "Turn this dial: [SEG]."))
    (mask,) = example.masks
    assert mask is not None and 80 < mask.sum() < 110 and mask[6, 18] and not mask[14, 6]


def test_earlier_tokens_of_prist_have_no_mask(data_sets: Path, tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).symlink_to(data_sets / "prist" / part)
    records = json.loads((data_sets / "prist" / "train.json").read_text())
    records[0]["dialogue"][1]["value"] = "Here [SEG]?"
    (tmp_path / "train.json").write_text(json.dumps(records[:1]))
    first, last = DialogueSource(open_data(tmp_path), "train").draw(np.random.default_rng(0)).masks
    assert first is None and last is not None
    records[0]["focus"] = "knob"
    (tmp_path / "train.json").write_text(json.dumps(records[:1]))
    with pytest.raises(DataError, match=r"masks/0\.json: no polygon is labeled 'knob'"):
        DialogueSource(open_data(tmp_path), "train").draw(np.random.default_rng(0))


def test_conversations_lose_the_place_of_the_image_and_those_without_one(data_sets: Path) -> None:
    source = opened(data_sets)["conversations"]
    assert len(source) == 1
    assert draws(source, 1)[0].turns == (("What is this?", "Noise, in many colors."),)


def broken(data_sets: Path, tmp_path: Path, name: str, change: Callable[[Any], None]) -> Path:
    content = json.loads((data_sets / name).read_text())
    change(content)
    (tmp_path / name).write_text(json.dumps(content))
    return tmp_path / name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("categories"), "not in COCO's format of masks: it has no list of categories"),
        (lambda c: c["annotations"][0].update(image_id=9), "annotation 10: is of an image"),
        (lambda c: c["annotations"][0].update(segmentation={"size": [1, 1]}), "segmentation of annotation 10"),
        (lambda c: c["images"][0].pop("file_name"), r"images\[0\]: it has neither a file_name"),
        (lambda c: c.update(annotations=[]), "no labeled image"),
    ],
)
def test_wrong_coco_files_are_named(data_sets: Path, tmp_path: Path, change: Callable[[Any], None], named: str) -> None:
    path = broken(data_sets, tmp_path, "instances.json", change)
    with pytest.raises(DataError, match=named):
        draws(CocoSource(path, data_sets / "images", 3))


def test_wrong_conversations_are_named(data_sets: Path, tmp_path: Path) -> None:
    for change, named in (
        (lambda c: c[0]["conversations"].pop(), r"conversation 0: .* in pairs"),
        (lambda c: c[0]["conversations"][0].update({"from": "gpt"}), "utterance 0 must be from 'human'"),
        (lambda c: c[0]["conversations"][1].update(value="<image>"), "utterance 1 must have a value that is not empty"),
        (lambda c: c.pop(0), "no conversation has an image"),
    ):
        with pytest.raises(DataError, match=named):
            ConversationSource(broken(data_sets, tmp_path, "vqa.json", change), data_sets / "images")


def test_missing_files_are_named(data_sets: Path, tmp_path: Path) -> None:
    source = ConversationSource(data_sets / "vqa.json", tmp_path)
    with pytest.raises(DataError, match=r"0\.jpg: image is missing"):
        draws(source, 1)
    with pytest.raises(DataError, match=r"2 images of .* have no label map, first .*0\.png"):
        LabelMapSource(data_sets / "images", tmp_path, data_sets / "names.txt", 1, 1)
    with pytest.raises(DataError, match=r"names\.json"):
        LabelMapSource(data_sets / "images", data_sets / "label_maps", tmp_path / "names.json", 1, 1)
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((4, 4, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="one channel"):
        draws(LabelMapSource(data_sets / "images", tmp_path, data_sets / "names.txt", 1, 1))


def test_nothing_labeled_is_an_error_not_an_endless_search(data_sets: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("sky\n")
    with pytest.raises(DataError, match="has a labeled region"):
        draws(LabelMapSource(data_sets / "images", data_sets / "label_maps", tmp_path / "names.txt", 100, 1))


def test_masks_and_tokens_must_agree() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(DataError, match=r"1 \[SEG\] needs as many masks, got 0"):
        Example(image, (("a", "b [SEG]"),), ())
    with pytest.raises(DataError, match="does not fit its image"):
        Example(image, (("a", "b [SEG]"),), (np.zeros((5, 4), bool),))


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
@pytest.mark.parametrize("name", ["coco", "referring", "label_maps", "prist", "conversations"])
def test_every_source_shows_a_rotated_photograph_as_a_viewer_does(
    data_sets: Path, tmp_path: Path, name: str, orientation: int
) -> None:
    """The masks are drawn on the upright picture; the camera has stored it turned, with EXIF's tag."""
    folder = tmp_path / "data"
    shutil.copytree(data_sets, folder)
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: np.fliplr,
        3: lambda one: np.rot90(one, 2),
        6: np.rot90,
        8: lambda one: np.rot90(one, -1),
    }
    for part in ("images", "prist/images"):
        for index in range(2):
            upright = np.zeros((40, 60 - 10 * index, 3), np.uint8)
            upright[:20, :20] = 255
            photograph = Image.fromarray(np.ascontiguousarray(turns[orientation](upright)))
            exif = photograph.getexif()
            exif[0x112] = orientation
            photograph.save(folder / part / f"{index}.jpg", exif=exif, quality=95)
    for example in draws(opened(folder)[name], 5):
        height, width = example.image.shape[:2]
        assert height == 40 and width in (50, 60)
        assert example.image[5:15, 5:15].min() > 200 and example.image[25:, 25:].max() < 50


def test_a_damaged_label_map_is_refused(data_sets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data_sets, folder)
    for path in (folder / "label_maps").iterdir():
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"label_maps/\d\.png: cannot be read: the image is truncated"):
        opened(folder)["label_maps"].draw(np.random.default_rng(0))
