"""A data set that is made up as it is read: however long it is, its check needs the same memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.data.check import check
from pixelrs_ros.data.json_files import stream_list
from pixelrs_ros.data.prist import PristDialogue, PristTurn
from pixelrs_ros.data.readers.entries import Entry, Fault, Reader, Tell, refuse
from pixelrs_ros.files import write_picture

SIZE_PX = (8, 8)


class Endless(Reader):
    """As many dialogues as its split's name says, every third the same as the one before; none is kept."""

    form = "endless"

    @classmethod
    def recognizes(cls, folder: Path) -> bool:
        return False

    def splits(self) -> list[str]:
        return []

    def entries(self, split: str, tell: Tell = refuse) -> Iterator[Entry]:
        for index in range(int(split)):
            turn = PristTurn(f"Show thing {index - (index % 3 == 2)}.", "This: [SEG].")
            dialogue = PristDialogue("a.png", (turn,), "thing")
            yield Entry(f"entry {index}", dialogue, self.folder / "a.png", lambda: {"thing": np.ones(SIZE_PX, bool)})


@pytest.fixture
def endless(tmp_path: Path) -> Endless:
    write_picture(tmp_path / "a.png", np.zeros((*SIZE_PX, 3), np.uint8))
    return Endless(tmp_path)


def peak_of(reader: Endless, count: int) -> int:
    tracemalloc.start()
    with check(reader, [str(count)]) as report:
        _, peak = tracemalloc.get_traced_memory()
        assert report.splits[str(count)].dialogues == count
        assert report.faults == {Fault.DUPLICATE: count // 3}
        assert sum(1 for _ in report.problems()) == count // 3
    tracemalloc.stop()
    return peak


def test_a_check_of_many_dialogues_needs_the_memory_of_few(endless: Endless) -> None:
    peak_of(endless, 30)  # what is imported and cached once
    few, many = peak_of(endless, 300), peak_of(endless, 3000)
    assert many < few + 100_000, f"{few} bytes for 300 dialogues, {many} for 3000"


def test_a_long_list_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    with path.open("w") as file:
        file.write("[" + ",".join(json.dumps({"text": "x" * 100, "index": index}) for index in range(30_000)) + "]")
    tracemalloc.start()
    assert sum(entry["index"] for entry in stream_list(path)) == 30_000 * 29_999 // 2
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_500_000 < path.stat().st_size
