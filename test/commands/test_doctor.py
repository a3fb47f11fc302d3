from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixelrs_ros import cli
from pixelrs_ros.doctor import findings as doctor
from pixelrs_ros.doctor.findings import Finding, Subject, fail, ok, warn


def found(monkeypatch: pytest.MonkeyPatch, *results: Finding) -> list[Subject]:
    """Examinations find this; returns the subjects that they are asked about."""
    asked = []

    def examine(module: str, subject: Subject, limit_s: float) -> dict[str, Finding]:
        asked.append(subject)
        return {f"{module} {index}": result for index, result in enumerate(results)}

    monkeypatch.setattr(doctor, "examine", examine)
    return asked


def test_warnings_are_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = found(monkeypatch, ok("fine [bold]as it is[/nothing]"), warn("a bit [odd]", "do this"))
    file = tmp_path / "new" / "doctor.json"
    assert cli.main(["doctor", "--preset", "debug", "--device", "cuda:1", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "fine [bold]as it is[/nothing]" in printed and "→ do this" in printed
    assert {(subject.preset, subject.device) for subject in asked} == {("debug", "cuda:1")}
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["subject"]["device"] == "cuda:1"
    assert [check["level"] for check in written["checks"]] == ["OK", "WARN"] * 2


def test_a_failure_is_the_exit_status_and_still_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found(monkeypatch, ok("fine"), fail("broken", "mend it"))
    file = tmp_path / "doctor.json"
    assert cli.main(["doctor", "--json", str(file)]) == 1
    assert "2 of 4 checks failed" in capsys.readouterr().err
    assert [check["remedy"] for check in json.loads(file.read_text())["checks"]] == ["", "mend it"] * 2
    assert cli.main(["doctor", "--json", str(tmp_path)]) == 1
    assert "--json" in capsys.readouterr().err


def test_a_broken_checkpoint_is_found_through_the_whole_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    file = tmp_path / "doctor.json"
    assert cli.main(["doctor", "--checkpoint", str(tmp_path / "mine"), "--json", str(file)]) == 1
    levels = {check["check"]: check["level"] for check in json.loads(file.read_text(encoding="utf-8"))["checks"]}
    assert [levels[name] for name in ("Python", "device", "tokenizer", "weights")] == ["OK", "OK", "FAIL", "FAIL"]
    assert "ROS environment" in levels and "weights" in capsys.readouterr().err
