"""Reports of made-up records in the form that `pixelrs evaluate --json` writes them, over a made-up PRIST folder."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros import cli
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.evaluation.drawings import precision_recall_curve
from pixelrs_ros.evaluation.metrics import score_mask
from pixelrs_ros.evaluation.records import Record, encode_shown
from pixelrs_ros.evaluation.referents import WordScore
from pixelrs_ros.evaluation.results import choose_cases, paired_difference, read_results, tables_of
from pixelrs_ros.evaluation.tallies import Tally

COUNT = 12
TRUTH = np.zeros((60, 80), bool)
TRUTH[10:50, 20:60] = True


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "prist"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    records = []
    for index in range(COUNT):
        img_id = f"{index}.png"
        cv2.imwrite(str(folder / "images" / img_id), np.full((60, 80, 3), 10 * index, np.uint8))
        annotation = labelme.annotate(f"../images/{img_id}", {("mug", 0): TRUTH})
        prist.mask_path(folder, img_id).write_text(labelme.to_json(annotation))
        turns = (prist.PristTurn("I <b>thirst</b>.", "So?"), prist.PristTurn(f"Show mug {index}.", "This: [SEG]."))
        records.append(prist.PristDialogue(img_id, turns, "mug").to_record())
    prist.write_records(prist.split_path(folder, "test"), records)
    return folder


def record(index: int, columns: int, *, target: bool = True, status: str = "grounded") -> Record:
    """One that shows the left columns of the truth."""
    shown = TRUTH.copy()
    shown[:, 20 + columns :] = False
    truth = TRUTH if target else np.zeros_like(TRUTH)
    return Record(
        condition="own history", dialogue=index, img_id=f"{index}.png", focus="mug" if target else "",
        mask=score_mask(shown, truth), masked=bool(shown.any()), said=("So?", "Here."), phrases=("mug",),
        words=WordScore(True), score=columns / 40 if shown.any() else None, kind="part" if index % 2 else "object",
        statuses=(("grounded" if target else "not_found", status),), answer_s=(0.5, 0.25), encode_s=0.1,
        has_target=target, area=float(TRUTH.mean()) if target else None, visible=index / COUNT, target="mug",
        shown=encode_shown(shown),
    )  # fmt: skip


def write(path: Path, data: Path, checkpoint: str, found: list[Record]) -> Path:
    report = {
        "checkpoint": checkpoint, "split": "test", "format": "prist", "pictures": None, "dialogues": len(found),
        "images": len(found), "peak_memory_mb": 512.0, "conditions": {"own history": Tally(found).summary()},
        "records": [each.to_json() for each in found],
    }  # fmt: skip
    path.write_text(json.dumps({"data": str(data), "reports": [report]}))
    return path


def test_the_page_shows_tables_drawings_and_the_dialogues_of_its_cases(data: Path, tmp_path: Path) -> None:
    found = [record(index, 3 * index) for index in range(COUNT)]
    page = tmp_path / "page.html"
    assert cli.main(["report", str(write(tmp_path / "a.json", data, "one", found)), "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for what in (
        "By size",
        "By occlusion",
        "By target",
        "By last turn",
        "By split",
        "hidden (&lt; 60% visible)",
        "<svg",
    ):
        assert what in text, what
    assert text.count("data:image/jpeg;base64,") == 12  # four of each sort
    assert "Show mug 11." in text and "Show mug 0." in text
    assert "I &lt;b&gt;thirst&lt;/b&gt;." in text and "<b>thirst" not in text
    assert 'src="http' not in text and 'href="http' not in text.replace('xlink:href="#', "")


def test_a_better_file_is_told_apart_and_the_same_one_is_not(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = write(tmp_path / "a.json", data, "one", [record(index, 2 * index) for index in range(COUNT)])
    better = write(tmp_path / "b.json", data, "two", [record(index, 2 * index + 8) for index in range(COUNT)])
    assert cli.main(["report", str(worse), str(better), str(worse), "--out", str(tmp_path / "page.html")]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("two, test against one, test: gIoU +0.2000 [") and first.endswith("12 dialogues: better")
    assert "+0.0000 [+0.0000, +0.0000]" in second and second.endswith("not told apart")
    assert cli.main(["report", "--compare", str(worse), str(better), "--out", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out.splitlines()[0] == first
    assert cli.main(["report", "--out", str(tmp_path / "page.html")]) == 1
    assert "name a FILE" in capsys.readouterr().err


def test_only_dialogues_that_both_have_are_compared(data: Path, tmp_path: Path) -> None:
    (one,) = read_results(write(tmp_path / "a.json", data, "one", [record(i, 10) for i in range(6)]))[1]
    (two,) = read_results(write(tmp_path / "b.json", data, "two", [record(i, 20) for i in range(4, 12)]))[1]
    found = paired_difference(one, two)
    assert found is not None and found[0] == 2 and found[1] == pytest.approx(0.25)


def test_an_answer_claims_that_nothing_is_there_in_words_or_by_its_score(data: Path, tmp_path: Path) -> None:
    found = [record(0, 30), record(1, 30, target=False), record(2, 0, target=False, status="not_found")]
    (results,) = read_results(write(tmp_path / "a.json", data, "one", found))[1]
    assert list(results.absent[0]) == [0.25, 0.25, 1.0] and list(results.absent[1]) == [0.0, 1.0, 1.0]


def test_sizes_and_occlusions_have_their_rows() -> None:
    def rows(**values: Any) -> dict[str, tuple[str, ...]]:
        return tables_of({"kind": None, "target": None, "area": None, "visible": None, **values}, "test")

    assert rows() == {"split": ("test",)}
    assert rows(area=0.005)["size"][0].startswith("small") and rows(area=0.01)["size"][0].startswith("middle")
    assert rows(area=0.1)["size"][0].startswith("large")
    assert [rows(visible=v)["occlusion"][0].split(" (")[0] for v in (0.59, 0.6, 0.9)] == [
        "hidden", "partly hidden", "not hidden",
    ]  # fmt: skip


def test_cases_are_not_shown_twice_where_there_are_few(data: Path, tmp_path: Path) -> None:
    (results,) = read_results(write(tmp_path / "a.json", data, "one", [record(i, 9 * i) for i in range(4)]))[1]
    chosen = choose_cases(results)
    assert chosen["best"] == [3] and chosen["worst"] == [0] and len(chosen["median"]) == 1


def test_precision_falls_where_a_wrong_mask_is_surer_than_a_right_one() -> None:
    recall, precision = precision_recall_curve(np.array([0.9, 0.8, 0.7, -1.0]), np.array([0.9, 0.2, 0.8, 0.0]))
    assert recall.tolist() == [0.25, 0.25, 0.5]
    assert precision.tolist() == pytest.approx([1.0, 0.5, 2 / 3])


def test_a_page_can_be_made_when_the_pictures_are_gone(data: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", tmp_path / "gone", "one", [record(index, 20) for index in range(COUNT)])
    assert cli.main(["report", str(path), "--out", str(tmp_path / "page.html")]) == 0
    assert "the picture is not at hand" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["", "{}", '{"reports": [1]}', '{"reports": [{"checkpoint": "a"}]}'])
def test_other_files_are_refused_by_name(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(content)
    assert cli.main(["report", str(tmp_path / "a.json"), "--out", str(tmp_path / "page.html")]) == 1
    assert str(tmp_path / "a.json") in capsys.readouterr().err


def test_memory_grows_with_numbers_and_not_with_records(data: Path, tmp_path: Path) -> None:
    """A record takes a kilobyte on disk; read, less than a hundred and fifty bytes."""
    path = write(tmp_path / "a.json", data, "one", [record(0, 10)])
    head, _, tail = path.read_text().partition('"records": [')
    one = tail[: tail.rindex("]}]}")]
    peaks, sizes = [], []
    for count in (500, 2000):
        entries = (one.replace('"dialogue": 0', f'"dialogue": {index}') for index in range(count))
        path.write_text(f'{head}"records": [{",".join(entries)}]}}]}}')
        tracemalloc.start()
        (results,) = read_results(path)[1]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(path.stat().st_size)
        assert len(results.iou) == count
    assert peaks[1] - peaks[0] < 1500 * 150 < (sizes[1] - sizes[0]) / 4


def test_two_folders_of_one_name_are_told_apart_by_their_files(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write(tmp_path / f"{name}.json", data, "checkpoint", [record(0, 10)]) for name in "ab"]
    page = tmp_path / "page.html"
    assert cli.main(["report", *map(str, files), "--out", str(page)]) == 0
    a, b = (f"checkpoint ({file}), test" for file in files)
    assert f"{b} against {a}: gIoU" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert a in text and b in text and "checkpoint, test" not in text


@pytest.mark.parametrize(("label", "size_px"), [("cup", (60, 80)), ("mug", (30, 40))])
def test_a_page_can_be_made_when_the_masks_have_changed(
    data: Path, tmp_path: Path, label: str, size_px: tuple[int, int]
) -> None:
    changed = labelme.annotate("../images/0.png", {(label, 0): np.ones(size_px, bool)})
    prist.mask_path(data, "0.png").write_text(labelme.to_json(changed))
    page = tmp_path / "page.html"
    assert cli.main(["report", str(write(tmp_path / "a.json", data, "one", [record(0, 10)])), "--out", str(page)]) == 0
    assert "the picture is not at hand" in page.read_text(encoding="utf-8")
