from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from pixelrs_ros.training.cache import load_split
from safetensors.torch import load_file

from pixelrs_ros.config import read_yaml
from pixelrs_ros.data.generate import generate
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import CheckpointError, ConfigError, DataError
from pixelrs_ros.training.config import PHASES
from pixelrs_ros.training.run import train
from pixelrs_ros.types import Frame, Status, Utterance

DEBUG = Path(__file__).parents[2] / "config" / "training" / "debug.yaml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "prist"
    generate(folder, {"train": 6, "val": 2}, seed=3, dialogues_per_image={"train": 3, "val": 2})
    return folder


@pytest.fixture(scope="module")
def configure(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes the debug run's configuration with these folders."""

    def write(out: Path, **changes: object) -> Path:
        path = tmp_path_factory.mktemp("config") / "debug.yaml"
        path.write_text(yaml.safe_dump({**read_yaml(DEBUG), "data": str(data), "out": str(out), **changes}))
        return path

    return write


@pytest.fixture(scope="module")
def unbroken(configure: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every phase from its first to its last step."""
    out = tmp_path_factory.mktemp("runs") / "unbroken"
    train(configure(out))
    return out


def test_every_phase_logs_and_draws_its_curves(unbroken: Path) -> None:
    for phase in PHASES:
        records = [json.loads(line) for line in (unbroken / phase / "log.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == [1, 2]
        assert all(np.isfinite(value) for record in records for value in record.values())
        assert any(name.startswith("val_") for name in records[0])
        assert (unbroken / phase / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_every_phase_moves_its_weights(unbroken: Path) -> None:
    for phase in PHASES:
        state = load_file(unbroken / phase / "state.safetensors")
        moved = [name for name in state if name.startswith("second.") and state[name].any()]
        assert len(moved) > len([name for name in state if name.startswith("second.")]) / 2


@pytest.mark.parametrize("phase", PHASES)
def test_a_resumed_phase_ends_in_the_same_bits(
    unbroken: Path, configure: Callable[..., Path], tmp_path: Path, phase: str
) -> None:
    for earlier in PHASES[: PHASES.index(phase)]:
        (tmp_path / earlier).symlink_to(unbroken / earlier)
    config = configure(tmp_path)
    train(config, phase, until=1, checkpoint=tmp_path / "half")
    half = load_file(tmp_path / phase / "state.safetensors")
    train(config, phase, checkpoint=tmp_path / "whole")
    resumed, expected = (load_file(out / phase / "state.safetensors") for out in (tmp_path, unbroken))
    assert resumed.keys() == expected.keys()
    different = [name for name in expected if not torch.equal(resumed[name], expected[name])]
    assert not different
    assert any(not torch.equal(half[name], expected[name]) for name in expected if name.startswith("model."))


def test_a_finished_run_changes_nothing_more(unbroken: Path, configure: Callable[..., Path]) -> None:
    state = unbroken / "connect" / "state.safetensors"
    before = state.stat().st_mtime_ns
    train(configure(unbroken), "connect")
    assert state.stat().st_mtime_ns == before


def test_the_checkpoint_answers(unbroken: Path, data: Path) -> None:
    checkpoint = unbroken / "checkpoint"
    assert sorted(path.name for path in checkpoint.iterdir()) == ["config.yaml", "model.safetensors", "tokenizer.json"]
    engine = Engine.from_checkpoint(checkpoint)
    for phase, name in (("towers", "convnext"), ("sight", "language"), ("joint", "sam")):
        trained = load_file(unbroken / phase / "state.safetensors")
        shipped = engine.miras.state_dict()
        kept = {key.removeprefix("model.") for key in trained if key.startswith(f"model.{name}.")}
        assert len(kept) > 10
        for key in kept:
            assert torch.allclose(shipped[key], trained[f"model.{key}"], rtol=1e-3, atol=1e-4), key
    image = np.full((48, 64, 3), 90, np.uint8)
    reply = Session(engine).say(Utterance("I want to drink."), Frame(image))
    assert reply.status in set(Status) - {Status.BAD_INPUT, Status.INTERNAL_ERROR}


def test_regions_are_read_from_the_folder(unbroken: Path, data: Path) -> None:
    split = load_split(data, "train", "debug", data / "cache")
    assert (
        split.clip.shape == (6, 32, 32, 3) and split.sam.shape == (6, 48, 64, 3) and split.regions.shape == (6, 48, 64)
    )
    assert [len(dialogues) for dialogues in split.dialogues] == [3] * 6
    for image in range(6):
        assert len(np.unique(split.regions[image])) > 3
        assert split.concepts[image, 0].tolist() == [0, 0, 0]
        labeled = np.flatnonzero(split.concepts[image, :, 0])
        assert (split.objects[image, labeled] > 0).all()


def test_workers_read_the_same_as_one_process(data: Path, tmp_path: Path) -> None:
    one, two = (load_split(data, "val", "debug", tmp_path / str(workers), workers) for workers in (1, 2))
    for name in ("clip", "convnext", "sam", "regions", "concepts", "objects"):
        assert (getattr(one, name) == getattr(two, name)).all()


def test_a_run_may_take_over_finished_eyes(
    unbroken: Path, configure: Callable[..., Path], data: Path, tmp_path: Path
) -> None:
    eyes = unbroken / "checkpoint"
    phases = {name: read_yaml(DEBUG)["phases"][name] for name in ("connect", "sight", "joint")}
    train(configure(tmp_path / "run", eyes=str(eyes), seed=5, phases=phases))
    before, after = (load_file(folder / "model.safetensors") for folder in (eyes, tmp_path / "run" / "checkpoint"))
    kept = {name for name in before if name.startswith(("clip.", "convnext.", "fusion."))}
    assert kept
    assert all(torch.equal(before[name], after[name]) for name in kept)
    grid = "sam.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"  # where "here" is, for words and SAM alike
    assert torch.equal(before[grid], after[grid])
    moved = [name for name in after if name.startswith(("language.", "sam.mask_decoder.transformer."))]
    assert any(not torch.equal(before[name], after[name]) for name in moved)
    with pytest.raises(ConfigError, match="eyes: clip of nano is not clip of the preset"):
        train(configure(tmp_path / "other", eyes="nano", phases=phases))
    with pytest.raises(ConfigError, match="phases must be words, connect, sight, joint; unknown or missing: towers"):
        train(configure(tmp_path / "other", eyes=str(eyes), phases={**phases, "towers": phases["joint"]}))


def test_what_is_missing_is_named(configure: Callable[..., Path], data: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"towers/state\.safetensors is missing.*run the phase 'towers' first"):
        train(configure(tmp_path), "connect")
    with pytest.raises(ConfigError, match="unknown phase 'dream'; known: towers"):
        train(configure(tmp_path), "dream")
    with pytest.raises(ConfigError, match=r"phases must be towers, .*; unknown or missing: joint"):
        phases = {name: phase for name, phase in read_yaml(DEBUG)["phases"].items() if name != "joint"}
        train(configure(tmp_path, phases=phases))
    with pytest.raises(ConfigError, match="unknown preset 'giant'"):
        train(configure(tmp_path, preset="giant"))
    with pytest.raises(DataError, match="nowhere; remedy: pixelrs generate"):
        train(configure(tmp_path, data=str(tmp_path / "nowhere")))
    with pytest.raises(DataError, match=r"test\.json is missing"):
        load_split(data, "test", "debug", tmp_path)


def test_files_missing_from_the_folder_are_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "val.json").write_text((data / "val.json").read_text())
    with pytest.raises(DataError, match=r"images/val_000000\.jpg: image is missing"):
        load_split(tmp_path, "val", "debug", tmp_path / "cache", workers=1)
    (tmp_path / "images").symlink_to(data / "images")
    with pytest.raises(DataError, match=r"masks/val_000000\.json"):
        load_split(tmp_path, "val", "debug", tmp_path / "cache", workers=1)
