"""A real language model, of 135 million weights, tells of a picture from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chat_server import serving
from labeled_pictures import write_labeled

from pixelrs_ros.cli import main
from pixelrs_ros.data.check import check
from pixelrs_ros.data.prist import SEG, read_split
from pixelrs_ros.data.readers.opening import open_data

small_llm = pytest.importorskip("small_llm", reason="its weights are not installed")


def test_a_small_model_tells_of_a_picture(tmp_path: Path) -> None:
    labeled = write_labeled(tmp_path / "photos", {"desk.png": ("book", "lamp")})
    out = tmp_path / "built"
    with serving(small_llm.SmallModel()) as url:
        asked = ["--by", "model", "--endpoint", url, "--model", small_llm.NAME, "--max-tokens", "300"]
        asked += ["--at-once", "1", "--timeout-s", "600", "--dialogues", "1"]
        assert main(["data", "build", str(labeled), "--out", str(out), *asked]) == 0
    told = read_split(out, "train")
    assert {dialogue.focus for dialogue in told} <= {"book", "lamp"}
    assert all(f"{dialogue.focus} {SEG}" in dialogue.turns[-1].answer for dialogue in told)
    found = json.loads((out / "report.json").read_text())
    assert found["dialogues"] + sum(len(drop["labels"]) for drop in found["drops"]) == 1
    assert found["usage"]["asked"] >= 3
    with check(open_data(out), ["train"], lambda: None) as report:
        assert not report.errors
