"""Every format, on two tiny pictures in exactly that format: found out, read, checked, written as PRIST."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pixelrs_ros import cli
from pixelrs_ros.commands.data_sets import FORMATS
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.check import check
from pixelrs_ros.data.readers.entries import UNCOUNTED, Entry, Fault
from pixelrs_ros.data.readers.opening import READERS, open_data
from pixelrs_ros.data.rewrite import write_prist
from pixelrs_ros.errors import DataError
from pixelrs_ros.evaluation.samples import Samples

EXPECTED = (Fault.UNMASKED, Fault.PICTURELESS)  # the folders have these, which the formats allow


@pytest.fixture
def sets(data_sets: Path, tmp_path: Path) -> dict[str, Path]:
    """A folder of each format."""
    folders = {name: tmp_path / name for name in READERS}
    shutil.copytree(data_sets / "prist", folders["prist"])
    for name in ("coco", "refcoco", "llava", "regiondial", "converseg"):
        shutil.copytree(data_sets / "images", folders[name] / "images")
    (folders["coco"] / "annotations").mkdir()
    shutil.copy(data_sets / "instances.json", folders["coco"] / "annotations" / "instances_val2017.json")
    shutil.copy(data_sets / "instances.json", folders["refcoco"])
    refs = json.loads((data_sets / "refs.json").read_text())
    (folders["refcoco"] / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    shutil.copy(data_sets / "vqa.json", folders["llava"] / "train.json")
    (folders["reasonseg"] / "val").mkdir(parents=True)
    for index in (0, 1):
        shutil.copy(data_sets / "images" / f"{index}.jpg", folders["reasonseg"] / "val")
    reason(folders["reasonseg"] / "val" / "0.json", ["Which thing keeps the rain off?"], is_sentence=True)
    reason(folders["reasonseg"] / "val" / "1.json", ["the dial", "the knob"], is_sentence=False)
    regions = [region("the tall one", 2), region("The mug left of the <box>{context_bbox}</box>.", 5, 0)]
    regions.append(region("What is in <box>{context_bbox}</box>?", 9, 0))
    talk = [{"image_id": 7, "conversational_turns": regions, "image_path": "images/0.jpg"}]
    (folders["regiondial"] / "refcocog_multi_turn.json").write_text(json.dumps(talk))
    (folders["converseg"] / "masks").mkdir()
    (folders["converseg"] / "data").mkdir()
    lines = [prompt(folders["converseg"], f"masks/{mode}.png", mode) for mode in ("L", "RGBA")]
    (folders["converseg"] / "data" / "human_annotated.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    return folders


def region(question: str, left: int, earlier: int | None = None) -> dict[str, Any]:
    """A turn of RegionDial-Bench, its mask of `left` rows."""
    mask = np.zeros((40, 60), int)
    mask[:left, :10] = 1
    turn = {"question": question, "bboxes": [[0, 0, 10, left]], "ann_ids": [1], "masks": [mask.tolist()]}
    return turn if earlier is None else {**turn, "context_from_turn": earlier}


def prompt(folder: Path, mask: str, mode: str) -> dict[str, str]:
    """A line of ConverSeg; its mask is white on black, or opaque on transparent."""
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[5:9, 5:9] = 255
    Image.fromarray(pixels if mode == "RGBA" else pixels[..., 0]).save(folder / mask)
    return {"id": mode, "image": "images/0.jpg", "mask": mask, "prompt": "what could fall over"}


def square(label: str, left: int, right: int) -> dict[str, Any]:
    corners = [[left, left], [right, left], [right, right], [left, right]]
    return {"label": label, "labels": [label], "shape_type": "polygon", "points": corners, "flags": {}}


def reason(path: Path, text: list[str], *, is_sentence: bool) -> None:
    shapes = [square("target", 2, 30), square("ignore", 20, 25), {**square("flag", 1, 2), "points": [[1, 1]]}]
    path.write_text(json.dumps({"text": text, "is_sentence": is_sentence, "shapes": shapes}))


def read(folder: Path, split: str) -> list[Entry]:
    return list(open_data(folder).entries(split))


def test_every_format_is_found_out_and_passes_its_check(sets: dict[str, Path]) -> None:
    assert set(FORMATS) == set(READERS)
    for form, folder in sets.items():
        reader = open_data(folder)
        assert reader.form == form
        with check(reader, reader.splits()) as report:
            problems = [problem for problem in report.problems() if problem.fault not in EXPECTED]
        assert not problems, form
        assert sum(counts.dialogues for counts in report.splits.values()) >= 1
        for split in reader.splits():
            for entry in reader.entries(split):
                masks = entry.masks()
                assert all(masks[label.casefold()].any() for label in entry.labels)


def test_reasonseg_has_a_dialogue_for_each_question_and_leaves_out_what_is_not_to_count(sets: dict[str, Path]) -> None:
    asked = read(sets["reasonseg"], "val")
    assert [entry.dialogue.turns[0].user for entry in asked] == [
        "Which thing keeps the rain off?", "Please segment the dial.", "Please segment the knob.",
    ]  # fmt: skip
    masks = asked[0].masks()
    assert masks["target"].sum() == 29**2 - 6**2 and masks[UNCOUNTED].sum() == 6**2


def test_refcoco_has_a_dialogue_for_each_expression_from_a_pickle(sets: dict[str, Path]) -> None:
    train = read(sets["refcoco"], "train")
    assert [entry.dialogue.focus for entry in train] == ["the tall one", "left mug", "the tall one"]
    assert [int(entry.masks()[entry.dialogue.focus].sum()) for entry in train] == [100, 100, 80]


def test_a_pickle_that_would_run_code_is_refused(sets: dict[str, Path]) -> None:
    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (sets["coco"] / "was_run",))

    (sets["refcoco"] / "refs(unc).p").write_bytes(pickle.dumps([Runs()]))
    with pytest.raises(DataError, match="plain lists and dictionaries"):
        read(sets["refcoco"], "train")
    assert not (sets["coco"] / "was_run").exists()


def test_regiondial_has_a_dialogue_for_each_turn_and_speaks_of_earlier_answers(sets: dict[str, Path]) -> None:
    asked = read(sets["regiondial"], "refcocog_multi_turn")
    assert [len(entry.dialogue.turns) for entry in asked] == [1, 2, 3]
    assert [turn.user for turn in asked[-1].dialogue.turns] == [
        "Please segment: the tall one",
        "Please segment: The mug left of what you showed just now.",
        "Please segment: What is in what you showed in answer 1?",
    ]
    assert [int(entry.masks()[entry.dialogue.focus.casefold()].sum()) for entry in asked] == [20, 50, 90]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        ({"context_from_turn": 1}, Fault.MALFORMED),
        ({"context_from_turn": None}, Fault.MALFORMED),
        ({"question": " "}, Fault.MALFORMED),
        ({"masks": None}, Fault.MASKS_UNREADABLE),
        ({"masks": []}, Fault.MASKS_UNREADABLE),
        ({"masks": [[[0, 1], [1]]]}, Fault.MASKS_UNREADABLE),
        ({"masks": [[0, 1]]}, Fault.MASKS_UNREADABLE),
        ({"masks": [[[0, 1], [1, 0]]]}, Fault.MASK_SIZE),
    ],
)
def test_a_turn_of_regiondial_that_is_not_whole_is_told(
    sets: dict[str, Path], spoil: dict[str, Any], fault: Fault
) -> None:
    path = sets["regiondial"] / "refcocog_multi_turn.json"
    talk = json.loads(path.read_text())
    talk[0]["conversational_turns"][1] |= spoil
    path.write_text(json.dumps(talk))
    with check(open_data(sets["regiondial"]), ["refcocog_multi_turn"]) as report:
        assert [problem.fault for problem in report.problems()] == [fault]


def test_converseg_has_a_dialogue_for_each_line(sets: dict[str, Path]) -> None:
    asked = read(sets["converseg"], "human_annotated")
    assert {entry.dialogue.turns[0].user for entry in asked} == {"Please segment: what could fall over"}
    assert [entry.dialogue.focus for entry in asked] == ["what could fall over", "what could fall over (2)"]
    assert [int(entry.masks()[entry.dialogue.focus].sum()) for entry in asked] == [16, 16]


def test_lines_and_masks_of_converseg_that_are_not_whole_are_told(sets: dict[str, Path]) -> None:
    path = sets["converseg"] / "data" / "human_annotated.jsonl"
    with path.open("a") as file:
        file.write('\n{"image": "images/0.jpg"}\n[]\n{\n')
    (sets["converseg"] / "masks" / "L.png").write_bytes(b"no picture")
    with check(open_data(sets["converseg"]), ["human_annotated"]) as report:
        assert [problem.fault for problem in report.problems()] == [Fault.MASKS_UNREADABLE, *[Fault.MALFORMED] * 3]


def test_coco_has_a_dialogue_for_each_category_of_a_picture(sets: dict[str, Path]) -> None:
    said = [(entry.dialogue.img_id, entry.dialogue.focus) for entry in read(sets["coco"], "instances_val2017")]
    assert said == [("0.jpg", "trash can"), ("0.jpg", "handle of the trash can"), ("1.jpg", "trash can")]


WRITTEN = {
    "prist": "train", "reasonseg": "val", "refcoco": "train", "regiondial": "refcocog_multi_turn",
    "converseg": "human_annotated",
}  # fmt: skip


def test_what_was_written_as_prist_has_every_pixel_and_word(sets: dict[str, Path], tmp_path: Path) -> None:
    for form, split in WRITTEN.items():
        source = open_data(sets[form])
        assert write_prist(source, [split], tmp_path / "out" / form)[split][1] == 0
        written = read(tmp_path / "out" / form, split)
        before = list(source.entries(split))
        assert [entry.dialogue.turns for entry in written] == [entry.dialogue.turns for entry in before]
        for old, new in zip(before, written, strict=True):
            focus = old.dialogue.focus.casefold()
            assert (old.masks()[focus] == new.masks()[focus]).all()
            assert old.picture.read_bytes() == new.picture.read_bytes()
    original, copied = sets["prist"], tmp_path / "out" / "prist"
    assert json.loads((original / "train.json").read_text()) == json.loads((copied / "train.json").read_text())
    assert (original / "masks/0.json").read_bytes() == (copied / "masks/0.json").read_bytes()


def test_every_split_can_be_scored(sets: dict[str, Path]) -> None:
    for form, split in WRITTEN.items():
        samples = Samples.load(sets[form], split)
        for sample in samples.all:
            image, masks = samples.read(sample.img_id)
            assert sample.has_target and all(masks[key].shape == image.shape[:2] for key in sample.keys), form


def test_conversations_without_masks_have_no_place_in_prist_and_are_counted(
    sets: dict[str, Path], tmp_path: Path
) -> None:
    assert write_prist(open_data(sets["llava"]), ["train"], tmp_path / "out") == {"train": (0, 1)}


def test_a_folder_of_no_or_of_two_formats_says_what_to_do(sets: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no known format; remedy.*--format"):
        open_data(tmp_path / "empty")
    shutil.copy(sets["llava"] / "train.json", sets["prist"] / "vqa.json")
    with pytest.raises(DataError, match="looks like prist and llava; remedy"):
        open_data(sets["prist"])
    assert open_data(sets["prist"], "llava").splits() == ["vqa"]


def broken(folder: Path) -> None:
    """A PRIST folder with one fault of each kind."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    picture = np.full((40, 60, 3), 99, np.uint8)
    for name in ("good", "small", "odd", "late", "blank"):
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), picture)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(folder / "images" / "turned.jpg", exif=exif)
    whole = (folder / "images" / "good.jpg").read_bytes()
    (folder / "images" / "cut.jpg").write_bytes(whole[: len(whole) // 2])

    def annotate(name: str, height: int, width: int, shape: dict[str, Any]) -> None:
        content = {"imageHeight": height, "imageWidth": width, "shapes": [shape]}
        (folder / "masks" / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="cp1252")

    for name in ("good", "cut", "late"):
        annotate(name, 40, 60, square("Dial", 5, 20))
    annotate("turned", 60, 40, square("dial", 5, 20))
    annotate("small", 20, 30, square("dial", 5, 15))
    annotate("odd", 40, 60, {**square("dial", 5, 20), "points": [[1, 1], [2, 2]]})
    annotate("blank", 40, 60, square("dial", 100, 120))

    def told(
        img_id: str, focus: str = "dial", who: tuple[str, str] = ("human", "gpt"), answer: str = "This: [SEG]."
    ) -> Any:
        said = [{"from": who[0], "value": "Wo ist der Knopf für Öl?"}, {"from": who[1], "value": answer}]
        return {"img_id": img_id, "dialogue": said, "focus": focus}

    records = [
        told("good.jpg"), told("good.jpg"), told("gone.jpg"), told("cut.jpg"), told("turned.jpg"), told("small.jpg"),
        told("odd.jpg"), told("blank.jpg"), told("good.jpg", "lever"), told("late.jpg", who=("gpt", "human")),
        told("good.jpg", answer="No mask."), told("good.jpg", answer="[SEG] and [SEG]."), {"img_id": "good.jpg"},
    ]  # fmt: skip
    (folder / "test.json").write_text(json.dumps(records, ensure_ascii=False), encoding="cp1252")


def test_every_fault_is_told_with_its_file_and_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path / "data")
    page, listed = tmp_path / "page.html", tmp_path / "found.json"
    assert cli.main(["data", "check", str(tmp_path / "data"), "--html", str(page), "--json", str(listed)]) == 1
    said = capsys.readouterr()
    found = json.loads(listed.read_text(encoding="utf-8"))
    assert found["faults"] == {
        "text in cp1252": 1, "duplicate": 1, "missing picture": 1, "damaged picture": 1, "picture turned by EXIF": 1,
        "mask of another size than its picture": 1, "bad polygon": 1, "empty mask": 1, "label that matches nothing": 1,
        "utterances out of order": 1, "more or fewer [SEG] than masks": 1,
        "[SEG] of which the data has no mask": 1, "malformed entry": 1,
    }  # fmt: skip
    assert found["errors"] == 9 and "9 errors" in said.err
    assert found["splits"]["test"]["dialogues"] == 10
    for name in ("gone.jpg", "cut.jpg", "turned.jpg", "odd.json", "dialogue 9"):
        assert name in said.out, name
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 9


def test_text_in_cp1252_is_read_as_it_was_written(tmp_path: Path) -> None:
    broken(tmp_path)
    first = next(iter(open_data(tmp_path).entries("test")))
    assert first.dialogue.turns[0].user == "Wo ist der Knopf für Öl?"


def test_a_split_that_is_not_there_is_an_error_that_names_those_that_are(
    sets: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["data", "check", str(sets["prist"]), "--split", "val"]) == 1
    assert "there is no split 'val'; there are train" in capsys.readouterr().err


def test_the_command_writes_a_folder_that_passes_the_check(sets: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "converted"
    assert cli.main(["data", "convert", str(sets["reasonseg"]), "--out", str(out)]) == 0
    assert cli.main(["data", "check", str(out)]) == 0
    assert labelme.read(prist.mask_path(out, "val_0_jpg.jpg")).image_name == "val_0_jpg.jpg"


def test_what_is_wrong_with_the_data_is_not_blamed_on_the_file_that_is_written(
    tmp_path: Path, sets: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(sets["prist"], tmp_path / "faulty")
    (path,) = folder.glob("*.json")
    path.write_text(path.read_text().replace("[SEG]", "here"))
    assert cli.main(["data", "convert", str(folder), "--out", str(tmp_path / "converted")]) == 1
    said = capsys.readouterr().err
    assert f"{path}: dialogue 0: the focus is a mask of the last answer, which has none" in said
    assert "cannot be written" not in said
