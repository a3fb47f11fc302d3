"""From public parts to masks: the commands of docs/models.md in their order, on next to no weights and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from pixelrs_ros.cli import main
from pixelrs_ros.settings import read_yaml

PUBLISHED = Path(__file__).parents[2] / "config" / "training" / "miras-7b.yaml"


def pixelrs(*words: str | Path) -> None:
    assert main([str(word) for word in words]) == 0


def write_recipe(folder: Path, data: Path) -> Path:
    """The published recipe, two steps a stage, on PRIST's and LLaVA's formats."""
    question = [{"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "A table."}]
    picture = sorted((data / "images").iterdir())[0].name
    (folder / "llava.json").write_text(json.dumps([{"image": picture, "conversations": question}]))
    content = read_yaml(PUBLISHED)
    content |= {"start": str(folder / "untrained"), "out": str(folder / "runs"), "engine": {"seed": 1}}
    content["sources"] = {
        "prist": {
            name: {"folder": str(data), "split": split} for name, split in (("prist", "train"), ("prist_val", "val"))
        },
        "conversations": {"llava": {"annotations": str(folder / "llava.json"), "images": str(data / "images")}},
    }
    pace = {"steps": 2, "batch_size": 2, "warmup_steps": 0, "evaluate_every": 1, "learning_rate": 1e-2}
    for stage in content["stages"].values():
        stage["pace"] |= pace
        stage |= {"mixture": {"prist": 5, "llava": 1}, "val_mixture": {"prist_val": 1}, "num_eval": 1}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_from_public_parts_to_masks(
    parts: Any, foreign: Any, tmp_path: Path, train_until_killed: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data, untrained, merged = tmp_path / "prist", tmp_path / "untrained", tmp_path / "runs" / "checkpoint"
    foreign.write_qwen(tmp_path / "qwen", parts.language / "tokenizer.json")
    sizes = ("--set", "convnext.image_size_px=64", "--set", "text.max_answer_tokens=8")
    pixelrs("assemble", *parts.options(language=tmp_path / "qwen"), *sizes, "--dtype", "bf16", "--out", untrained)
    pixelrs("info", "--checkpoint", untrained)
    assert "sam.mask_decoder" in capsys.readouterr().out

    pixelrs("generate", "--out", data, "--train", "4", "--val", "2")
    recipe = write_recipe(tmp_path, data)
    train_until_killed(4, "--config", str(recipe))  # in the last step of the second stage
    assert not merged.exists()
    pixelrs("train", "--config", recipe)
    for stage in ("alignment", "instruction"):
        lines = (tmp_path / "runs" / stage / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [1, 2]

    pixelrs("merge", "--config", recipe, "--stage", "alignment", "--out", tmp_path / "aligned")
    start, aligned, last = (
        load_file(folder / "model.safetensors") for folder in (untrained, tmp_path / "aligned", merged)
    )
    assert start.keys() == aligned.keys() == last.keys()
    changed = {name for name in last if not torch.equal(last[name], start[name].half())}
    for part in ("q_proj.weight", "v_proj.weight", "embed_tokens.weight", "segmentation_prompt.", "sam.mask_decoder."):
        assert any(part in name for name in changed), part
        assert any(part in name and not torch.equal(last[name], aligned[name]) for name in changed), part
    frozen = ("clip.", "convnext.", "fusion.", "projector.", "sam.image_encoder.", "language.model.layers.0.mlp.")
    assert not [name for name in changed if name.startswith(frozen)]

    picture = sorted((data / "images").iterdir())[0]
    pixelrs("segment", picture, "--checkpoint", merged, "--say", "Where is it?", "--out", tmp_path / "segment")
    assert (tmp_path / "segment" / "turn_1_overlay.png").is_file()
    report = tmp_path / "evaluation.json"
    pixelrs("evaluate", "--data", data, "--split", "val", "--limit", "1", "--checkpoint", merged, "--json", report)
    assert json.loads(report.read_text())["reports"]
