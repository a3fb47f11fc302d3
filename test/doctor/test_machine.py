from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pixelrs_ros.doctor import machine
from pixelrs_ros.doctor.findings import Level, Subject


def test_torch_tells_its_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_GPU_FILES", ())
    finding = machine.torch_build(Subject())
    assert finding.level is Level.OK and torch.__version__ in finding.text and "TensorRT" in finding.text
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "_GPU_FILES", (str(tmp_path),))
    unused = machine.torch_build(Subject())
    assert unused.level is Level.WARN and unused.remedy


@pytest.mark.parametrize(("device", "level"), [("cpu", "OK"), ("cuda:99", "FAIL"), ("nonsense", "FAIL")])
def test_a_device_computes_or_is_named(device: str, level: str) -> None:
    finding = machine.device(Subject(device=device))
    assert finding.level.value == level and finding.text.startswith(device)


@pytest.mark.parametrize(("free", "level"), [(1e12, "OK"), (1e9, "WARN"), (1e6, "FAIL")])
def test_room_on_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: float, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert machine.disk(Subject(out=str(tmp_path / "not" / "yet"))).level.value == level


def test_a_folder_that_is_a_file_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert machine.disk(Subject(out=str(tmp_path / "out"))).level is Level.FAIL
    assert machine.disk(Subject(out=str(tmp_path))).level is Level.OK


def test_the_renderer_draws_or_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.renderer(Subject()).level is Level.OK
    monkeypatch.setattr("pixelrs_ros.sim.picture.render.Renderer", lambda *_: 1 / 0)
    finding = machine.renderer(Subject())
    assert finding.level is Level.WARN and "division" in finding.text and "osmesa" in finding.remedy
