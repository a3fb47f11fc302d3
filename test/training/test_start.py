"""What training cannot begin with is told at once and clearly, before a scene is drawn or a weight is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_miras import build_small, without_high_resolution
from tiny_vlm import write_vlm
from tokenizers import Tokenizer

from pixelrs_ros import cli
from pixelrs_ros.checkpoint import WEIGHTS, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.settings import read_yaml

CONFIGS = Path(__file__).parents[2] / "config" / "training"


@pytest.fixture(params=["kind vlm: it answers", "sees with CLIP alone"])
def start(
    request: pytest.FixtureRequest, tmp_path: Path, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> tuple[Path, str]:
    """The folder, and what is wrong with it."""
    folder, wrong = tmp_path / "start", str(request.param)
    if "vlm" in wrong:
        return write_vlm(folder), wrong
    config = without_high_resolution(debug_config)
    save_checkpoint(folder, build_small(config, debug_tokenizer.get_vocab_size()), config, debug_tokenizer)
    (folder / WEIGHTS).write_bytes(b"")  # nobody gets as far as reading it
    return folder, wrong


def of_scenes(start: Path, out: Path) -> dict[str, Any]:
    content = read_yaml(CONFIGS / "debug.yaml")
    phases = {"ground": content["phases"]["ground"]}
    return {**content, "start": str(start), "bank": str(out / "bank"), "out": str(out), "cpu": True, "phases": phases}


def of_stages(start: Path, out: Path) -> dict[str, Any]:
    content = read_yaml(CONFIGS / "miras-7b.yaml")
    return {**content, "start": str(start), "out": str(out), "engine": {"seed": 1, "cpu": True}}


@pytest.mark.parametrize("content", [of_scenes, of_stages])
def test_a_start_that_cannot_be_trained_is_refused(
    content: Callable[[Path, Path], dict[str, Any]], start: tuple[Path, str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "training.yaml"
    path.write_text(yaml.safe_dump(content(start[0], tmp_path / "run")))
    assert cli.main(["train", "--config", str(path)]) == 1
    said = capsys.readouterr().err
    told = "has framing clip" if content is of_scenes and "CLIP" in start[1] else start[1]
    assert told in said and "can be trained" in said
    assert not (tmp_path / "run").exists()
