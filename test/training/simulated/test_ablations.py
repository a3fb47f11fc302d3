"""The shipped ablations at debug size: each part can be left out, from the training to the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from pixelrs_ros.checkpoint import check_weights, read_sizes
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.settings import read_yaml
from pixelrs_ros.training.simulated.run import train

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "config" / "training"
ABLATIONS = ("full", "no_fusion", "no_second_encoder")
GONE = {"full": (), "no_fusion": ("fusion.",), "no_second_encoder": ("fusion.", "convnext.", "detail.")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three networks, trained by the script on the same scenes; their folders have the names of the ablations."""
    folder = tmp_path_factory.mktemp("ablations")
    for name in ABLATIONS:
        shipped = yaml.safe_load((CONFIGS / "ablations" / f"{name}.yaml").read_text())
        content = {"base": str(CONFIGS / "debug.yaml"), "bank": str(folder / "bank"), "cpu": True}
        content |= {"out": str(folder / name), "network": shipped.get("network", {})}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, str(ROOT / "scripts" / "train_ablations.py"), "--configs", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pixelrs evaluate ") and str(folder / "full" / "checkpoint") in done.stdout
    return folder


@pytest.mark.parametrize("name", ABLATIONS)
def test_what_is_left_out_is_gone_and_the_rest_answers(trained: Path, name: str) -> None:
    checkpoint = trained / name / "checkpoint"
    check_weights(checkpoint)
    engine = Engine.from_checkpoint(checkpoint)
    weights = engine.miras.state_dict()
    assert not [key for key in weights if key.startswith(GONE[name])]
    assert [key for key in weights if key.startswith("clip.")]
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    encoded = engine.encode(image)
    assert engine.answer(encoded, (), "the red mug").status.answered
    logits, quality = engine.mask_logits(encoded, torch.ones(1, engine.miras.language.config.hidden_size))
    assert logits.shape == (48, 64) and torch.isfinite(logits).all() and torch.isfinite(quality)


@pytest.mark.parametrize("name", ABLATIONS)
def test_all_phases_learned_and_what_they_took_is_written(trained: Path, name: str) -> None:
    for phase in ("see", "talk", "connect", "ground"):
        lines = (trained / name / phase / "log.jsonl").read_text().splitlines()
        assert all(np.isfinite(value) for value in json.loads(lines[-1]).values())
    talk = [(trained / one / "talk" / "state.safetensors").read_bytes() for one in ("full", name)]
    assert talk[0] == talk[1], "what sees no pictures is trained once"
    for phase in ("see", "connect", "ground"):
        cost = json.loads((trained / name / phase / "cost.json").read_text())
        assert cost["cpu_s"] > 0 and 0 < cost["wall_s"] < 280


def test_what_clip_alone_learns_is_learned_once(trained: Path, tmp_path: Path) -> None:
    content = read_yaml(CONFIGS / "debug.yaml")
    pace = {**content["phases"]["ground"], "steps": 1}
    content |= {"start": str(trained / "full" / "checkpoint"), "bank": str(trained / "bank"), "cpu": True}
    content |= {"fresh": ["fusion", "detail"], "phases": {"imitate": pace, "ground": pace}}
    for name in ABLATIONS:
        shipped = yaml.safe_load((CONFIGS / "ablations_cpu" / f"{name}.yaml").read_text())
        changes = {"out": str(tmp_path / "runs" / name), "network": shipped.get("network", {})}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content | changes))
    command = [sys.executable, str(ROOT / "scripts" / "train_ablations.py"), "--configs", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, timeout=280)
    runs = [tmp_path / "runs" / name for name in ABLATIONS]
    full, no_fusion, no_second = ((run / "imitate" / "state.safetensors").read_bytes() for run in runs)
    assert no_fusion == no_second != full
    assert all((run / phase / "cost.json").is_file() for run in runs for phase in ("imitate", "ground"))
    for name, run in zip(ABLATIONS, runs, strict=True):
        weights = Engine.from_checkpoint(run / "checkpoint").miras.state_dict()
        assert not [key for key in weights if key.startswith(GONE[name])]


@pytest.mark.parametrize("folder", ["ablations", "ablations_cpu"])
def test_the_shipped_ones_differ_in_nothing_but_the_part_and_the_length(folder: str) -> None:
    full, *others = (read_yaml(CONFIGS / folder / f"{name}.yaml") for name in ABLATIONS)
    for other in others:
        assert other["network"] != full.get("network", {})
        assert {**other, "network": None, "out": None, "phases": None} == {
            **full, "network": None, "out": None, "phases": None
        }  # fmt: skip
        assert other["phases"].keys() == full["phases"].keys()
        for name, phase in other["phases"].items():
            assert {**phase, "steps": 0} == {**full["phases"][name], "steps": 0}
    assert len({content["out"] for content in (full, *others)}) == 3


def test_a_network_without_its_second_encoder_may_be_trained_further(trained: Path, tmp_path: Path) -> None:
    start = trained / "no_second_encoder" / "checkpoint"
    assert read_sizes(start)[0].convnext is None
    content = read_yaml(CONFIGS / "debug.yaml")
    content |= {"start": str(start), "bank": str(trained / "bank"), "out": str(tmp_path / "more"), "cpu": True}
    content["phases"] = {"ground": content["phases"]["ground"]}
    path = tmp_path / "more.yaml"
    path.write_text(yaml.safe_dump(content))
    train(path)
    assert check_weights(tmp_path / "more" / "checkpoint") == check_weights(start)
