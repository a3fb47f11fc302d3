from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixelrs_ros.commands import evaluate


def test_the_reliability_is_drawn_beside_a_file_and_not_beside_a_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []
    monkeypatch.setattr(evaluate, "draw_reliabilities", lambda where, _: drawn.append(where))
    evaluate.write_reports(Path("/dev/null"), "data", [])
    assert drawn == []
    evaluate.write_reports(tmp_path / "new" / "a.json", "data", [({"checkpoint": "nano"}, [])])
    assert drawn == [tmp_path / "new" / "a_reliability.svg"]
    written = json.loads((tmp_path / "new" / "a.json").read_text(encoding="utf-8"))
    assert written == {"data": "data", "reports": [{"checkpoint": "nano", "records": []}]}
