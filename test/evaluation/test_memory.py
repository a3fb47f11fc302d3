"""However many dialogues are played, the memory is that of few."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.commands.evaluate import write_reports
from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.conversations import DialogueSource
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.evaluation.evaluate import Job, evaluate
from pixelrs_ros.evaluation.play import HEADLINE
from pixelrs_ros.evaluation.results import read_results
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.files import write_file
from pixelrs_ros.types import Point, Reply, Segment, Status, Turn

SHAPE = (24, 32)
TRUTH = np.zeros(SHAPE, bool)
TRUTH[4:12, 4:12] = True
EACH = 10  # dialogues of a picture


class Shows:
    """Always the same mask."""

    def encode(self, image: np.ndarray, *, blind: bool = False) -> None:
        """Nothing."""

    def history_answer(self, value: str, status: Status) -> str:
        """As it is."""
        return value

    def answer(self, encoded: None, turns: Sequence[Turn], text: str, *, point: Point | None = None) -> Reply:
        """The mask."""
        return Reply(Status.GROUNDED, "This is it.", "This is[OBJ] it[SEG].", (Segment("it", TRUTH, 0.9),))


def write_folder(folder: Path, count: int) -> Path:
    """So many dialogues."""
    (folder / "images").mkdir(parents=True)
    turns = (prist.PristTurn("I would like a hot drink. " * 8, "Tea?"), prist.PristTurn("Coffee.", "This: [SEG]."))
    for number in range(0, count, EACH):
        name = f"{number:06d}.png"
        cv2.imwrite(str(prist.image_path(folder, name)), np.zeros((*SHAPE, 3), np.uint8))
        annotation = labelme.annotate(f"../images/{name}", {("mug", 0): TRUTH, ("lid", 0): ~TRUTH})
        write_file(prist.mask_path(folder, name), labelme.to_json(annotation))
    names = [f"{number - number % EACH:06d}.png" for number in range(count)]
    prist.write_records(
        prist.split_path(folder, "test"), [prist.PristDialogue(name, turns, "mug").to_record() for name in names]
    )
    return folder


def peak_of(folder: Path, count: int) -> int:
    """Bytes that an evaluation and its file take at most, and the reading of a training source."""
    write_folder(folder, count)
    tracemalloc.start()
    report, records = evaluate(Job(Samples.load(folder, "test"), (HEADLINE,)), Shows)
    path = folder / "result.json"
    results: list[tuple[dict[str, Any], Any]] = [({"checkpoint": "shows", **report}, records)]
    write_reports(path, str(folder), results)
    source = DialogueSource(open_data(folder), "test")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(source) == count and source.draw(np.random.default_rng(0)).masks[0] is not None
    assert report["dialogues"] == count and report["conditions"]["own history"]["g_iou"] == 1.0
    assert path.stat().st_size > 1000 * count
    _, (result,) = read_results(path)
    assert list(result.place) == list(range(count))
    (written,) = json.loads(path.read_text())["reports"]
    assert {**written, "records": None} == {**json.loads(json.dumps(results[0][0])), "records": None}
    return peak


def test_many_dialogues_take_the_memory_of_few(tmp_path: Path) -> None:
    peak_of(tmp_path / "warm", EACH)  # what is imported and cached once
    few, many = peak_of(tmp_path / "few", 200), peak_of(tmp_path / "many", 1000)
    assert many < few + 2_000_000, f"{few} bytes for 200 dialogues, {many} for 1000"  # files are read by the MB
