"""LISA's checkpoint from the hub: fetched, converted, opened by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub import COMMIT, own_world, serving, write_table

from pixelrs_ros.cli import main
from pixelrs_ros.engine.opening import open_answerer
from pixelrs_ros.engine.session import Session
from pixelrs_ros.shipped import fetched_dir
from pixelrs_ros.types import Frame, Utterance

ADDED = ("[SEG]", "<im_start>", "<im_end>")


def write_lisa(folder: Path, foreign: Any) -> None:
    """As its authors save it: without CLIP."""
    sizes = foreign.Sizes(vocabulary=80 + len(ADDED))
    foreign.write_tokenizer(folder, ADDED)
    left_out = ("_aux", "vlm_uni", "vision_tower")
    shapes = {k: v for k, v in foreign.reference_shapes(sizes).items() if not any(part in k for part in left_out)}
    torch.save(foreign.random_state(shapes), folder / "pytorch_model.bin")
    config = foreign.llama_config(sizes, model_type="llava", architectures=["LISAForCausalLM"])
    foreign.write_json(folder / "config.json", config)


def test_lisa_is_converted_and_answers_by_its_name(
    parts: Any, foreign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own_world(monkeypatch, tmp_path)
    write_lisa(tmp_path / "lisa", foreign)
    files: dict[str, Any] = {"config.json": {}, "pytorch_model.bin": {}}
    table = {
        "model": {"repo": "tiny/lisa", "files": {**files, "tokenizer.json": {}}},
        "clip": {"repo": "tiny/clip", "files": {**files, "preprocessor_config.json": {}}},
    }
    write_table(tmp_path / "published.yaml", "tiny-lisa", "lisa", table)
    with serving(monkeypatch, {"tiny/lisa": tmp_path / "lisa", "tiny/clip": parts.clip}):
        assert main(["fetch", "tiny-lisa", "--accept-license"]) == 0
    assert "read as LISA" in capsys.readouterr().out
    folder = fetched_dir("tiny-lisa")
    assert {path.name for path in folder.iterdir()} == {
        ".lock", "config.yaml", "fetched.json", "model.safetensors", "tokenizer.json",
    }  # fmt: skip
    assert json.loads((folder / "fetched.json").read_text())["parts"]["model"]["commit"] == COMMIT
    engine = open_answerer("tiny-lisa")
    assert engine.about == "nothing at all"
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert Session(engine).say(Utterance("where is the knife"), Frame(picture)).answer is not None
    assert main(["fetch", "tiny-lisa", "--accept-license"]) == 0
    assert "whole already" in capsys.readouterr().out
