"""A real, if small, language model judges over HTTP: dialogues alone, and two against each other in both orders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chat_server import serving
from small_llm import NAME, SmallModel
from spoken_files import write_data, write_said

from pixelrs_ros import cli


def test_a_real_model_scores_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_data(tmp_path / "mine", ["0.jpg"])
    good = write_said(tmp_path / "good.json", data, [("Tea or juice?", "The red mug.")], name="good")
    bad = write_said(tmp_path / "bad.json", data, [("No.", "I do not see that.")], name="bad")
    out = tmp_path / "judged.json"
    with serving(SmallModel()) as url:
        judge = ["--endpoint", url, "--judge", NAME, "--max-tokens", "120", "--at-once", "1", "--timeout-s", "600"]
        assert cli.main(["judge", str(good), str(bad), "--out", str(out), *judge]) == 0
    found = json.loads(out.read_text())
    assert found["judge"]["model"] == NAME and found["judge"]["seeds"] == [0]
    assert [(each["kind"], each["speakers"]) for each in found["answers"]] == [
        ("score", ["good, test"]),
        ("score", ["bad, test"]),
        ("pair", ["good, test", "bad, test"]),
        ("pair", ["bad, test", "good, test"]),
    ]
    for each in found["answers"]:  # so small a model may not find its end
        assert each["raw"] and bool(each["verdict"]) is not bool(each["error"])
        assert not each["verdict"] or each["verdict"] == json.loads(each["raw"])
    assert sum(speaker["verdicts"] + speaker["errors"] for speaker in found["speakers"]) == 2
    (pair,) = found["pairs"]
    assert pair["duels"] == pair["wins"] + pair["ties"] + pair["losses"] == int(not pair["errors"])
    printed = capsys.readouterr().out
    for text in ("as the judge sees it, 1 to 5", "who answers better, each asked in both orders"):
        assert text in printed
