from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import cv2
import pytest

from pixelrs_ros.doctor import packages
from pixelrs_ros.doctor.findings import Level, Subject


class Installed(importlib.metadata.DistributionFinder):
    """Finds these packages, and no others, besides what sys.path holds."""

    def __init__(self, folder: Path, versions: dict[str, str]) -> None:
        self.folders = {}
        for name, version in versions.items():
            self.folders[name] = folder / f"{name}.dist-info"
            self.folders[name].mkdir()
            (self.folders[name] / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def find_spec(self, *_: object) -> None:
        return None

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):  # type: ignore[no-untyped-def]  # noqa: B008
        return [
            importlib.metadata.PathDistribution(path) for name, path in self.folders.items() if context.name == name
        ]


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, **versions: str) -> None:
    named = {name.replace("_", "-"): version for name, version in versions.items()}
    monkeypatch.setattr(sys, "meta_path", [Installed(folder, named), *sys.meta_path])


def test_this_interpreter_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.python(Subject()).level is Level.OK
    monkeypatch.setattr(packages, "PYTHON_VERSIONS", ((3, 99), (3, 99)))
    assert packages.python(Subject()).level is Level.FAIL
    monkeypatch.setattr(packages, "PYTHON_VERSIONS", ((3, 8), (3, 9)))
    newer = packages.python(Subject())
    assert newer.level is Level.WARN and "3.9" in newer.remedy


def test_pins_are_those_of_the_requirements() -> None:
    pinned = packages.pinned(("robot",))
    assert pinned["numpy"] == "2.2.6" and "transformers" in pinned and "onnxruntime" not in pinned
    assert packages.pinned().items() > pinned.items() and "onnxruntime" in packages.pinned()


def test_other_versions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {**packages.pinned(), "torch": packages.pinned()["torch"] + "+cu130", "onnxruntime": None}
    monkeypatch.setattr(packages, "version_of", found.get)
    assert packages.pins(Subject()).level is Level.OK, "a build's own suffix, and an extra that is not there"
    found |= {"tokenizers": "0.1.0", "safetensors": None}
    finding = packages.pins(Subject())
    assert finding.level is Level.WARN and finding.remedy
    assert "tokenizers 0.1.0 instead of" in finding.text and "missing: safetensors" in finding.text


def test_pins_come_from_the_metadata_where_there_is_no_source_tree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packages, "PACKAGE", tmp_path / "pixelrs_ros")
    lines = [
        "numpy==2.2.6",
        'onnx==1.23.2; extra == "export"',
        'onnx==1.0; python_version < "3.9" and extra == "export"',
        'pytest==9.2.0; extra == "dev"',
        "rich",
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: lines)
    assert packages.pinned() == {"numpy": "2.2.6", "onnx": "1.23.2"}
    assert packages.pinned(("robot",)) == {"numpy": "2.2.6"}

    def none(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", none)
    assert packages.pins(Subject()).level is Level.WARN


def test_numpy_and_opencv_exchange_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "OPENCV_PACKAGES", ("opencv-python-headless",))
    assert packages.numpy_opencv(Subject()).level is Level.OK
    monkeypatch.setattr(cv2, "__version__", "5.0.1")
    newer = packages.numpy_opencv(Subject())
    assert newer.level is Level.WARN and "opencv-python-headless<5" in newer.remedy
    monkeypatch.setattr(cv2, "cvtColor", lambda picture, _: picture)
    assert packages.numpy_opencv(Subject()).level is Level.FAIL


def test_two_opencvs_are_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, opencv_python="4.14.0", opencv_contrib_python_headless="4.14.0")
    finding = packages.numpy_opencv(Subject())
    assert finding.level is Level.FAIL and "opencv-contrib-python-headless" in finding.text


def test_two_onnxruntimes_are_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, onnxruntime="1.32.0")
    assert packages.onnx_runtime(Subject()).level is not Level.FAIL
    (tmp_path / "gpu").mkdir()
    install(monkeypatch, tmp_path / "gpu", onnxruntime_gpu="1.32.0")
    finding = packages.onnx_runtime(Subject())
    assert finding.level is Level.FAIL and finding.remedy.startswith("pip uninstall onnxruntime onnxruntime-gpu")


def test_onnxruntime_without_the_gpu_is_said() -> None:
    runtime = pytest.importorskip("onnxruntime")
    finding = packages.onnx_runtime(Subject())
    assert finding.level is Level.OK and "CPUExecutionProvider" in finding.text
    if "CUDAExecutionProvider" not in runtime.get_available_providers():
        finding = packages.onnx_runtime(Subject(device="cuda:0"))
        assert finding.level is Level.WARN and "onnxruntime-gpu" in finding.remedy
