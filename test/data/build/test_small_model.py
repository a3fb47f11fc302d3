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
        status = main(["data", "build", str(labeled), "--out", str(out), *asked])
    found = json.loads((out / "report.json").read_text())
    assert found["usage"]["asked"] >= 1
    assert status == (0 if found["dialogues"] else 1)
    assert found["dialogues"] or found["drops"], "what is not told is accounted for"
    told = read_split(out, "train")
    assert len(told) == found["dialogues"]
    for dialogue in told:
        assert f"{dialogue.focus} {SEG}" in dialogue.turns[-1].answer
        assert len(dialogue.turns) == 2
    if told:
        with check(open_data(out), ["train"], lambda: None) as report:
            assert not report.errors
