from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, WEIGHTS, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.doctor import network
from pixelrs_ros.doctor.findings import Check, Level, Subject
from pixelrs_ros.model.miras import Miras

CHECKS: tuple[Check, ...] = (network.configuration, network.tokenizer, network.weights, network.finite, network.memory)


@pytest.fixture
def folder(tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Path:
    save_checkpoint(tmp_path, debug_miras, debug_config, debug_tokenizer)
    return tmp_path


def levels(folder: Path | str) -> list[str]:
    findings = [check(Subject(checkpoint=str(folder))) for check in CHECKS]
    assert all(bool(finding.remedy) == (finding.level is not Level.OK) for finding in findings)
    return [finding.level.value for finding in findings]


def test_a_whole_checkpoint_is_fine(folder: Path) -> None:
    assert levels(folder) == ["OK"] * 5


def test_the_shipped_checkpoint_is_fine() -> None:
    assert levels("nano")[:4] == ["OK"] * 4


def test_no_such_checkpoint(tmp_path: Path) -> None:
    assert levels(tmp_path / "gone") == ["FAIL"] * 5


@pytest.mark.parametrize("keep", [0, 100, 100_000])
def test_truncated_weights(folder: Path, keep: int) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:keep])
    assert levels(folder) == ["OK", "OK", "FAIL", "FAIL", "OK"]


def test_a_tensor_of_the_wrong_shape(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["projector.2.bias"] = torch.zeros(7)
    save_file(weights, folder / WEIGHTS)
    assert levels(folder) == ["OK", "OK", "FAIL", "OK", "OK"]
    assert "projector.2.bias (7,) instead of (32,)" in network.weights(Subject(checkpoint=str(folder))).text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_weight_that_is_no_number(folder: Path, value: float) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["projector.0.weight"][3, 2] = value
    save_file(weights, folder / WEIGHTS)
    assert levels(folder) == ["OK", "OK", "OK", "FAIL", "OK"]
    assert network.finite(Subject(checkpoint=str(folder))).text.endswith("weights in projector.0.weight")


def test_a_missing_token(folder: Path) -> None:
    path = folder / TOKENIZER
    path.write_text(path.read_text(encoding="utf-8").replace("[SEG]", "[CUT]"), encoding="utf-8")
    assert levels(folder)[:2] == ["OK", "FAIL"]
    assert "lacks the special tokens [SEG]" in network.tokenizer(Subject(checkpoint=str(folder))).text


def test_a_wrong_configuration(folder: Path) -> None:
    path = folder / CONFIG
    path.write_text(path.read_text(encoding="utf-8").replace("prompt_dim:", "prompt_size:"), encoding="utf-8")
    assert levels(folder)[0] == "FAIL"
    assert "unknown key sam.prompt_size" in network.configuration(Subject(checkpoint=str(folder))).text


def test_presets_need_no_checkpoint() -> None:
    subject = Subject(checkpoint="gone", preset="debug")
    assert {check(subject).level for check in CHECKS[:4]} == {Level.OK}
    unknown = network.configuration(Subject(preset="giant"))
    assert unknown.level is Level.FAIL and "known: debug" in unknown.text and "--preset" in unknown.remedy


@pytest.mark.parametrize(
    ("free", "level", "smaller"),
    [(24e9, "OK", False), (20e9, "WARN", True), (13e9, "FAIL", True), (2e9, "FAIL", False)],
)
def test_memory_of_the_published_size_on_a_gpu(free: float, level: str, smaller: bool) -> None:
    # 8 billion weights of 2 bytes, and half a megabyte for each token of a dialogue.
    finding = network.fit(Subject(preset="miras-7b", device="cuda"), free)
    assert finding.level.value == level, finding.text
    assert finding.text.startswith(f"{free / 1e9:.2f} GB free on cuda")
    assert ("language_weights: int8" in finding.remedy) == smaller


def test_on_a_cpu_weights_are_of_four_bytes() -> None:
    needed = 4 * sum(network.sizes.parameters(network.sizes.empty(*network.sizes.preset_sizes("nano"))).values())
    subject = Subject(preset="nano")
    assert network.fit(subject, needed).level is Level.FAIL
    assert network.fit(subject, needed * 1.1 + 100e6).level is Level.WARN
    assert network.fit(subject, needed * 1.1 + 600e6).level is Level.OK


def test_memory_of_a_device_that_is_not_there() -> None:
    finding = network.memory(Subject(preset="debug", device="cuda:99"))
    assert finding.level is Level.FAIL and "cuda:99 is unknown" in finding.text
