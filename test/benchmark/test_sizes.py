"""Sizes: every network that is named can be made and takes a turn, at sizes that fit a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelrs_ros.benchmark import sizes
from pixelrs_ros.cli import main
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.settings import read_yaml

_SMALL = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 1200,
}  # fmt: skip
_SMALL_EYES: dict[str, Any] = {
    "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "out_hidden_size": 32
}  # fmt: skip
_SMALL_SAM = {
    "hidden_size": 8, "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
    "num_attention_heads_per_stage": [1, 2, 4, 8], "global_attention_blocks": [3],
}  # fmt: skip


def _shrunk(published: dict[str, Any]) -> dict[str, Any]:
    """The same families at next to no size."""
    small: dict[str, Any] = {}
    for name, size in published.items():
        if "family" not in size:
            small[name] = {**size, **_SMALL_SAM}
            continue
        rope = {**size["text"]["rope_parameters"], "mrope_section": [2, 1, 1]}
        head = {"head_dim": 8} if "head_dim" in size["text"] else {}
        text = {**size["text"], **_SMALL, **head, "rope_parameters": rope}
        eyes = {**size["vision"], **_SMALL_EYES}
        if "deepstack_visual_indexes" in eyes:
            eyes["deepstack_visual_indexes"] = [0, 1]
        else:
            eyes["fullatt_block_indexes"] = [1]
        small[name] = {**size, "text": text, "vision": eyes}
    return small


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "sizes.yaml"
    path.write_text(yaml.safe_dump(_shrunk(read_yaml(sizes.SIZES))))
    monkeypatch.setattr(sizes, "SIZES", path)


def _positive(row: dict[str, Any]) -> bool:
    return all(row[column] > 0 for column in sizes.COLUMNS if column in row)


def test_a_preset_of_random_weights_is_measured() -> None:
    row = sizes.measure("debug", "cpu", repeats=1)
    assert _positive(row) and row["first mask [ms]"] < 2 * row["turn [ms]"]


@pytest.mark.parametrize("name", sizes.VLM_SAM)
def test_vision_language_models_are_measured_too(small: None, name: str) -> None:
    row = sizes.measure(name, "cpu", repeats=1)
    assert _positive(row) and row["parameters"] < 10_000_000


def test_the_sizes_are_the_published_ones() -> None:
    """Parameters as the hub tells them of Qwen3-VL-2B and 4B and Qwen2.5-VL-7B, and SAM 2.1's own."""
    counts = {name: sizes.count(name) for name in sizes.VLM_SAM}
    assert counts == {
        "qwen3-vl-2b_sam2": 2_127_532_032 + 38_538_577,
        "qwen3-vl-4b_sam2": 4_437_815_808 + 216_924_865,
        "qwen2.5-vl-7b_sam2": 8_292_166_656 + 216_924_865,
    }


def test_what_cannot_run_is_told_in_its_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "sizes.json"
    status = main(["measure-sizes", "debug", "--device", "cpu", "--repeats", "1", "--json", str(path)])
    told = capsys.readouterr().out
    assert status == 0 and path.is_file() and "tokens/s" in told
    assert main(["measure-sizes", "nothing", "--json", str(path)]) == 1
    assert "known: " in capsys.readouterr().err
    with pytest.raises(ConfigError, match="cuda"):
        sizes.measure("debug", "cuda:77", repeats=1)
