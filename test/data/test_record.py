"""Dialogues of a robot as PRIST folders, read back by everything that reads PRIST."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelrs_ros.data import prist
from pixelrs_ros.data.conversations import DialogueSource
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.data.record import DIALOGUE_FILE, SPLIT, write_dialogue
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.types import Segment, Status, Turn

IMAGE = np.stack([*np.mgrid[0:240:8, 0:200:5], np.full((30, 40), 90)], axis=-1).astype(np.uint8)
ANSWERS = (
    ("i want to drink", " there is a mug.", Status.ANSWERED),
    ("where?", "[OBJ] the mug[SEG], by[OBJ] its handle[SEG].", Status.GROUNDED),
    ("thank you", "", Status.ANSWERED),
    ("[SEG] the pan", "[OBJ] The Pan[SEG] would do.", Status.GROUNDED),
    ("the fork", "[NONE] I see no fork.", Status.NOT_FOUND),
)


def a_mask(column: int, phrase: str) -> StoredMask:
    mask = np.zeros(IMAGE.shape[:2], np.bool_)
    mask[5:20, column : column + 9] = True
    mask[8:12, column + 3 : column + 5] = False
    return StoredMask.of(Segment(phrase, mask, 0.5))


def jpeg() -> bytes:
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(IMAGE, cv2.COLOR_RGB2BGR))[1])


POINTS = {0: (0.5, 29.0), 3: (12.0, 7.5)}
MASKS = {1: (a_mask(2, "the mug"), a_mask(20, "its handle")), 3: (a_mask(9, "The Pan"),)}


def recorded(picture: bytes | None) -> list[tuple[Turn, Evidence]]:
    return [
        (
            Turn(4 + index, *said, 100 + index, 50 + index, "camera", "", POINTS.get(index)),
            Evidence(b"1", picture, MASKS.get(index, ())),
        )
        for index, said in enumerate(ANSWERS)
    ]


def test_every_reader_of_prist_reads_it(tmp_path: Path) -> None:
    folder, missing = write_dialogue(tmp_path / "exports", "../../etc; 日本 %s", recorded(jpeg()))
    assert missing == "" and folder.parent == tmp_path / "exports" and folder.is_absolute()
    both, pan = prist.read_split(folder, SPLIT)
    assert [(turn.user, turn.answer) for turn in both.turns] == [
        ("i want to drink", "there is a mug."),
        ("where?", "the mug, by its handle [SEG]."),
    ]
    assert [turn.answer for turn in pan.turns] == [
        "there is a mug.", "the mug, by its handle.", "The Pan [SEG] would do."
    ]  # fmt: skip
    assert [turn.point for turn in pan.turns] == [(0.5, 29.0), None, (12.0, 7.5)]
    assert (both.focus, pan.focus) == ("the mug and its handle", "The Pan")
    samples = Samples.load(folder, SPLIT)
    for sample, place in zip(samples.all, (1, 3), strict=True):
        image, masks = samples.read(sample.img_id)
        assert np.abs(image.astype(int) - IMAGE).mean() < 10
        expected = np.logical_or.reduce([mask.mask() for mask in MASKS[place]])
        np.testing.assert_array_equal(masks[sample.keys[0]], expected)
    masks = prist.read_masks(folder, both.img_id)
    np.testing.assert_array_equal(masks["its handle"], MASKS[1][1].mask())
    example = DialogueSource(open_data(folder), SPLIT).draw(np.random.default_rng(0))
    assert len(example.masks) == 1 and example.masks[0] is not None and example.masks[0].any()


def test_masks_of_the_same_words_are_one_target(tmp_path: Path) -> None:
    masks = (a_mask(2, "the mugs"), a_mask(20, "The mugs"))
    turn = Turn(0, "the mugs", "[OBJ] the mugs[SEG] and[OBJ] The mugs[SEG]", Status.GROUNDED)
    folder, _ = write_dialogue(tmp_path, "kitchen", [(turn, Evidence(b"1", jpeg(), masks))])
    (sample,) = Samples.load(folder, SPLIT).all
    _, read = Samples.load(folder, SPLIT).read(sample.img_id)
    np.testing.assert_array_equal(read[sample.keys[0]], masks[0].mask() | masks[1].mask())


def test_the_dialogue_is_also_written_as_it_was(tmp_path: Path) -> None:
    folder, _ = write_dialogue(tmp_path, "kitchen", recorded(jpeg()))
    whole = json.loads((folder / DIALOGUE_FILE).read_text(encoding="utf-8"))
    assert whole["session_id"] == "kitchen"
    assert [(turn["text"], turn["answer"], Status(turn["status"])) for turn in whole["turns"]] == list(ANSWERS)
    last = whole["turns"][-1]
    assert (last["index"], last["instruction_stamp_ns"], last["image_stamp_ns"], last["frame_id"]) == (
        8, 104, 54, "camera"
    )  # fmt: skip
    assert (folder / "images" / last["img_id"]).read_bytes() == jpeg()
    assert [mask["label"] for mask in whole["turns"][1]["masks"]] == ["the mug", "its handle"]


def test_without_images_it_says_what_is_missing(tmp_path: Path) -> None:
    folder, missing = write_dialogue(tmp_path, "kitchen", recorded(None))
    assert missing == "5 of 5 turns have no stored image"
    assert prist.read_split(folder, SPLIT) == [] and not list((folder / "images").iterdir())
    assert "its handle" in prist.read_masks(folder, "turn_000005.jpg")


def test_two_exports_stand_side_by_side(tmp_path: Path) -> None:
    folders = {write_dialogue(tmp_path, "kitchen", recorded(jpeg()))[0] for _ in range(3)}
    assert folders == set(tmp_path.iterdir()) and len(folders) == 3


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="cannot be written"):
        write_dialogue(tmp_path / "file", "kitchen", recorded(jpeg()))
    damaged = StoredMask("the mug", 0.5, 30, 40, b"no deflated bits")
    with pytest.raises(DataError, match="the mask of 'the mug' is damaged"):
        write_dialogue(tmp_path / "exports", "kitchen", [(recorded(None)[0][0], Evidence(masks=(damaged,)))])
    assert not list((tmp_path / "exports").iterdir())


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_an_export_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder, _ = write_dialogue(tmp_path / "new" / "exports", "kitchen", recorded(jpeg()))
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in [*(tmp_path / "new").rglob("*"), tmp_path / "new"]}
    assert len(modes) > 8
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
    assert folder.is_dir()


def test_exports_that_lead_elsewhere_or_that_everybody_may_write_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "exports").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="exports is a symbolic link"):
        write_dialogue(tmp_path / "exports", "kitchen", recorded(jpeg()))
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match="dangling is a symbolic link"):
        write_dialogue(tmp_path / "dangling", "kitchen", recorded(jpeg()))
    (tmp_path / "elsewhere").chmod(0o777)
    with pytest.raises(DataError, match="everybody may write there"):
        write_dialogue(tmp_path / "elsewhere", "kitchen", recorded(jpeg()))
    assert not list((tmp_path / "elsewhere").iterdir()) and not (tmp_path / "nowhere").exists()
