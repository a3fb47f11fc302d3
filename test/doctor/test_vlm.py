"""The doctor before a checkpoint of kind vlm."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_vlm import write_vlm

from pixelrs_ros.doctor import network
from pixelrs_ros.doctor.findings import Check, Level, Subject
from pixelrs_ros.doctor.weights import bytes_by_kind

CHECKS: tuple[Check, ...] = (network.configuration, network.tokenizer, network.weights, network.finite, network.memory)


@pytest.fixture(scope="module", params=["qwen3_vl", "qwen2_5_vl"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vlm(tmp_path_factory.mktemp("vlm") / "it", request.param)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "it"))


def levels(folder: Path) -> list[str]:
    findings = [check(Subject(checkpoint=str(folder))) for check in CHECKS]
    assert all(bool(finding.remedy) == (finding.level is not Level.OK) for finding in findings)
    return [finding.level.value for finding in findings]


def test_a_whole_one_is_fine_and_its_classes_are_named(whole: Path) -> None:
    assert levels(whole) == ["OK"] * 5
    told = network.weights(Subject(checkpoint=str(whole))).text
    assert "VLForConditionalGeneration" in told and "Sam2Model" in told
    assert "for the weights and one dialogue" in network.memory(Subject(checkpoint=str(whole))).text


def cut(folder: Path) -> None:
    path = folder / "vlm" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def drop_most(folder: Path) -> None:
    path = folder / "sam" / "model.safetensors"
    tensors = load_file(path)
    save_file({name: tensors[name] for name in sorted(tensors)[:20]}, path, {"format": "pt"})


def spoil(folder: Path) -> None:
    path = folder / "sam" / "model.safetensors"
    tensors = load_file(path)
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    save_file(tensors, path, {"format": "pt"})


def rename(folder: Path) -> None:
    path = folder / "vlm" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "llava"}))


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda folder: shutil.rmtree(folder / "sam"), ["OK", "OK", "FAIL", "FAIL", "FAIL"]),
        (lambda folder: (folder / "vlm" / "tokenizer.json").unlink(), ["OK", "FAIL", "OK", "OK", "OK"]),
        (cut, ["OK", "OK", "FAIL", "FAIL", "OK"]),
        (drop_most, ["OK", "OK", "FAIL", "OK", "OK"]),
        (spoil, ["OK", "OK", "OK", "FAIL", "OK"]),
        (rename, ["OK", "OK", "FAIL", "OK", "FAIL"]),
    ],
)
def test_what_is_wrong_is_found_by_its_check(harm: Callable[[Path], object], expected: list[str], folder: Path) -> None:
    harm(folder)
    assert levels(folder) == expected


def test_only_linear_layers_become_smaller() -> None:
    kinds = bytes_by_kind(1000, 600)
    assert (kinds["fp32"], kinds["bf16"], kinds["int8"]) == (4000, 2000, 1400)
    assert 1100 < kinds["int4"] < 1130
