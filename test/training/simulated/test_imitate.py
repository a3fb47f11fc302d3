"""Parts of a finished network begin anew: what comes from it, what stays as it is, and whose tokens are learned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from pixelrs_ros.checkpoint import load_checkpoint, read_sizes
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.settings import read_yaml
from pixelrs_ros.training.simulated.run import train

DEBUG = Path(__file__).parents[3] / "config" / "training" / "debug.yaml"
FRESH, FROZEN = ["projector", "fusion", "detail"], ["language", "reader", "convnext"]
IMITATE = {"steps": 30, "batch_size": 4, "learning_rate": 3.0e-3, "warmup_steps": 1, "weight_decay": 0.0,
           "evaluate_every": 1, "optimizer": "muon"}  # fmt: skip
Configure = Callable[..., Path]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a debug run from nothing, its scenes below it."""
    folder = tmp_path_factory.mktemp("finished")
    path = folder / "debug.yaml"
    path.write_text(yaml.safe_dump({"base": str(DEBUG), "bank": str(folder / "bank"), "out": str(folder), "cpu": True}))
    train(path)
    return folder


@pytest.fixture(scope="module")
def configure(finished: Path) -> Configure:
    """Writes the configuration of a run that starts from it, with parts anew."""

    def write(out: Path, **changes: object) -> Path:
        content = read_yaml(DEBUG)
        content |= {"start": str(finished / "checkpoint"), "bank": str(finished / "more"), "out": str(out), "cpu": True}
        content |= {"seed": 2}  # what begins anew would else begin as the start did
        content |= {"phases": {"imitate": IMITATE, "ground": content["phases"]["ground"]}}
        content |= {"fresh": FRESH, "frozen": FROZEN, **changes}
        path = out.with_suffix(".yaml")
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture(scope="module")
def renewed(configure: Configure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with what joins the encoders to the rest anew."""
    out = tmp_path_factory.mktemp("runs") / "renewed"
    train(configure(out))
    return out


def errors(out: Path) -> list[float]:
    return [json.loads(line)["val_error"] for line in (out / "imitate" / "log.jsonl").read_text().splitlines()]


def test_its_tokens_come_to_be_those_of_the_start(renewed: Path) -> None:
    first, *_, last = errors(renewed)
    assert np.isfinite(first) and last < 0.7 * first


def test_frozen_parts_are_those_of_the_start_and_the_others_are_not(renewed: Path, finished: Path) -> None:
    before, after = (load_checkpoint(folder / "checkpoint")[0].state_dict() for folder in (finished, renewed))
    assert before.keys() == after.keys()
    # Both were written in 8 bits, the second from the numbers of the first.
    moved = {name.partition(".")[0] for name in before if not torch.allclose(before[name], after[name], atol=1e-3)}
    assert moved >= {"clip", "projector", "fusion", "sam"}
    assert not moved & set(FROZEN)


@pytest.mark.parametrize("network", [{"fusion": False}, {"convnext": None, "detail": False}])
def test_a_part_may_be_left_out_and_the_rest_answers(
    configure: Configure, tmp_path: Path, network: dict[str, object]
) -> None:
    short = {"imitate": {**IMITATE, "steps": 2}, "ground": read_yaml(DEBUG)["phases"]["ground"]}
    train(configure(tmp_path / "less", network=network, phases=short))
    sizes, _ = read_sizes(tmp_path / "less" / "checkpoint")
    assert (sizes.convnext is None) == ("convnext" in network) and (sizes.convnext is None or not sizes.fusion)
    engine = Engine.from_checkpoint(tmp_path / "less" / "checkpoint")
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    assert engine.answer(engine.encode(image), (), "the red mug").status.answered


def test_what_makes_no_run_is_refused(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="run the phase 'imitate' first"):
        train(configure(tmp_path / "a"), ["ground"])
    with pytest.raises(ConfigError, match=r"fresh: no part is named fussion; known: clip, convnext, fusion"):
        train(configure(tmp_path / "b", fresh=["fussion"]))
    with pytest.raises(ConfigError, match="phases must be imitate, ground; unknown or missing: imitate"):
        train(configure(tmp_path / "c", phases={"ground": IMITATE}))
    with pytest.raises(ConfigError, match="fresh and frozen are about the parts of a start"):
        train(configure(tmp_path / "d", start=None, phases=read_yaml(DEBUG)["phases"]))
    with pytest.raises(ConfigError, match=r"projector has another size than in .*; remedy: add it to fresh"):
        train(configure(tmp_path / "e", fresh=["fusion"], network={"projector_hidden_size": 24}), ["imitate"])
