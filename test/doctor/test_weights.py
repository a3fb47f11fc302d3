"""Which public weights a machine has the memory for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelrs_ros.doctor.findings import Level, Subject
from pixelrs_ros.doctor.weights import fit, fitting, precision
from pixelrs_ros.published import published
from pixelrs_ros.shipped import fetched_dir


@pytest.mark.parametrize(
    ("device", "free", "name", "expected"),
    [
        ("cuda", 24e9, "qwen2.5-vl-7b_sam2", "bf16"),
        ("cuda", 16e9, "qwen2.5-vl-7b_sam2", "int8"),
        ("cuda", 9e9, "qwen2.5-vl-7b_sam2", "int4"),
        ("cuda", 6e9, "qwen2.5-vl-7b_sam2", None),
        ("cuda", 8e9, "qwen3-vl-2b_sam2", "bf16"),
        ("cpu", 16e9, "qwen3-vl-2b_sam2", "fp32"),
        ("cpu", 6e9, "qwen3-vl-2b_sam2", None),
        ("cuda", 24e9, "lisa-7b-v1", "bf16"),
    ],
)
def test_the_most_exact_numbers_that_fit(device: str, free: float, name: str, expected: str | None) -> None:
    assert precision(device, free, published()[name].memory) == expected


def test_everything_is_named_on_one_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (fetched_dir("lisa-7b-v1")).mkdir(parents=True)
    (fetched_dir("lisa-7b-v1") / "config.yaml").touch()
    text = fit("cuda", 9e9).text
    fits, large, there = (part.split(": ", 1)[1] for part in text.split(", enough ")[1].split("; "))
    assert "qwen2.5-vl-7b_sam2 (int4)" in fits and "lisa-13b-llama2-v1" in large and there == "lisa-7b-v1"
    assert len(fits.split(", ")) + len(large.split(", ")) == len(published())


def test_it_is_told_of_this_machine_and_never_fails() -> None:
    finding = fitting(Subject())
    assert finding.level is Level.OK and "free on cpu" in finding.text
