"""A whole run of the debug network: its phases, its clock, and what is left when it is killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, WEIGHTS, check_weights
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import CheckpointError, ConfigError, DataError
from pixelrs_ros.settings import read_yaml
from pixelrs_ros.training.config import PHASES
from pixelrs_ros.training.simulated import clocked
from pixelrs_ros.training.simulated.run import train
from pixelrs_ros.types import Frame, Status, Utterance

ROOT = Path(__file__).parents[3]
DEBUG = ROOT / "config" / "training" / "debug.yaml"
SCRIPT = ROOT / "scripts" / "train_on_gpu.sh"
Configure = Callable[..., Path]


@pytest.fixture(scope="module")
def configure(tmp_path_factory: pytest.TempPathFactory) -> Configure:
    """Writes the debug run's configuration with another folder for its results; all runs share their scenes."""
    bank = tmp_path_factory.mktemp("bank")

    def write(out: Path, **changes: object) -> Path:
        path = tmp_path_factory.mktemp("config") / "debug.yaml"
        content = {**read_yaml(DEBUG), "bank": str(bank), "out": str(out), "cpu": True, **changes}
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture(scope="module")
def unbroken(configure: Configure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of everything, from the drawing to the checkpoint."""
    out = tmp_path_factory.mktemp("runs") / "unbroken"
    train(configure(out))
    return out


def state(out: Path, phase: str) -> dict[str, torch.Tensor]:
    return load_file(out / phase / "state.safetensors")


def differing(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_every_phase_logs_and_draws_its_curves(unbroken: Path) -> None:
    for phase in PHASES:
        records = [json.loads(line) for line in (unbroken / phase / "log.jsonl").read_text().splitlines()]
        assert [record["step"] for record in records] == [1, 2]
        assert all(np.isfinite(value) for record in records for value in record.values())
        assert any(name.startswith("val_") for name in records[0])
        assert (unbroken / phase / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_every_phase_moves_its_weights(unbroken: Path) -> None:
    for phase in PHASES:
        moments = {name: value for name, value in state(unbroken, phase).items() if name.startswith("second.")}
        assert moments
        assert len([name for name, value in moments.items() if value.any()]) > len(moments) / 2


def test_what_reads_the_user_keeps_what_it_has_read(unbroken: Path) -> None:
    kept = state(unbroken, "talk")
    assert not [name for name in kept if ".reader.bert." in name], "the BERT is not trained"
    assert [name for name in kept if name.endswith("reader.projector.weight")]


@pytest.mark.parametrize("phase", PHASES)
def test_a_resumed_phase_ends_in_the_same_bits(
    unbroken: Path, configure: Configure, tmp_path: Path, phase: str
) -> None:
    for earlier in (TOKENIZER, *PHASES[: PHASES.index(phase)]):
        (tmp_path / earlier).symlink_to(unbroken / earlier)
    config = configure(tmp_path)
    train(config, [phase], until=1, checkpoint=tmp_path / "half")
    half = state(tmp_path, phase)
    train(config, [phase], checkpoint=tmp_path / "whole")
    assert not differing(state(tmp_path, phase), state(unbroken, phase))
    assert [name for name in differing(half, state(unbroken, phase)) if name.startswith("model.")]


def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bits(
    unbroken: Path, configure: Configure, tmp_path: Path, train_until_killed: Callable[..., None]
) -> None:
    config = configure(tmp_path)
    (tmp_path / TOKENIZER).symlink_to(unbroken / TOKENIZER)
    for saves in (2, 3, 3, 3):  # each time while the last step of the next phase is being saved
        train_until_killed(saves, "--config", str(config))
    train(config)
    for phase in PHASES:
        assert not differing(state(tmp_path, phase), state(unbroken, phase)), phase
    assert (tmp_path / "checkpoint" / WEIGHTS).read_bytes() == (unbroken / "checkpoint" / WEIGHTS).read_bytes()


def test_a_finished_run_changes_nothing_more(unbroken: Path, configure: Configure) -> None:
    path = unbroken / "connect" / "state.safetensors"
    before = path.stat().st_mtime_ns
    train(configure(unbroken), ["connect"])
    assert path.stat().st_mtime_ns == before


def test_the_checkpoint_answers_with_what_was_trained(unbroken: Path) -> None:
    checkpoint = unbroken / "checkpoint"
    assert sorted(path.name for path in checkpoint.iterdir()) == sorted((CONFIG, TOKENIZER, WEIGHTS))
    engine = Engine.from_checkpoint(checkpoint)
    trained, shipped = state(unbroken, "ground"), engine.miras.state_dict()
    homes = {"eyes.": "", "talker.": ""}
    compared = 0
    for name, value in trained.items():
        if not name.startswith("model."):
            continue
        inner = name.removeprefix("model.")
        for home in homes:
            inner = inner.removeprefix(home)
        if inner in shipped:
            step = value.float().flatten(1).abs().amax(dim=1).max() / 127 if value.ndim > 1 else value.abs().max()
            assert (shipped[inner] - value).abs().max() <= 0.5 * step + 1e-3 * value.abs().max() + 1e-6, name
            compared += 1
    assert compared > 150
    reply = Session(engine).say(Utterance("I want to drink."), Frame(np.full((48, 64, 3), 90, np.uint8)))
    assert reply.status in (Status.GROUNDED, Status.ANSWERED, Status.CLARIFY, Status.NOT_FOUND)
    assert (reply.status is Status.GROUNDED) == any(segment.mask.any() for segment in reply.segments)


def test_a_run_may_start_from_a_checkpoint(unbroken: Path, configure: Configure, tmp_path: Path) -> None:
    ground = read_yaml(DEBUG)["phases"]["ground"]
    start = unbroken / "checkpoint"
    train(configure(tmp_path, start=str(start), phases={"ground": ground}))
    before, after = (load_file(folder / WEIGHTS) for folder in (start, tmp_path / "checkpoint"))
    assert before.keys() == after.keys() and differing(before, after)
    with pytest.raises(ConfigError, match="unknown or missing: connect, see, talk"):
        train(configure(tmp_path, start=str(start)))


def test_wrong_orders_are_named(configure: Configure, unbroken: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown phase 'joint'; known: see, talk, connect, ground"):
        train(configure(tmp_path / "a"), ["joint"])
    with pytest.raises(CheckpointError, match="run the phase 'see' first"):
        train(configure(tmp_path / "b"), ["connect"])
    with pytest.raises(DataError, match="holds no scenes"):
        train(configure(tmp_path / "c", bank=str(tmp_path / "empty")), ["see"])
    with pytest.raises(DataError, match="was drawn for another seed or network"):
        train(configure(tmp_path / "d", seed=9), ["draw"])


def test_minutes_end_a_phase_in_time_and_its_last_measurement_is_written(
    unbroken: Path, configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / TOKENIZER).symlink_to(unbroken / TOKENIZER)
    phases = read_yaml(DEBUG)["phases"]
    phases["see"] |= {"steps": 5_000, "evaluate_every": 5_000}
    config = configure(tmp_path, phases=phases)
    began = time.monotonic()
    train(config, ["see"], minutes=0.1)
    assert 5.5 < time.monotonic() - began < 20
    (last,) = [json.loads(line) for line in (tmp_path / "see" / "log.jsonl").read_text().splitlines()]
    assert 2 < last["step"] < 5_000 and "val_kind" in last
    assert state(tmp_path, "see")


def test_pieces_join_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = np.random.default_rng(0).bytes(2_500)
    source = tmp_path / "from"
    source.mkdir()
    for name in (CONFIG, TOKENIZER):
        (source / name).write_text(name)
    (source / WEIGHTS).write_bytes(content)
    monkeypatch.setattr(clocked, "PIECE_BYTES", 1_000)
    pieces = clocked.cut(source / WEIGHTS, source)
    assert [piece.stat().st_size for piece in pieces] == [1_000, 1_000, 500]
    subprocess.run([str(SCRIPT), "--join", str(source), str(tmp_path / "to")], check=True, capture_output=True)
    assert (tmp_path / "to" / WEIGHTS).read_bytes() == content
    assert (tmp_path / "to" / CONFIG).read_text() == CONFIG
    monkeypatch.setattr(clocked, "PIECE_BYTES", 300)
    with pytest.raises(DataError, match="makes 9 pieces of 300 bytes, at most 8 are wanted"):
        clocked.cut(source / WEIGHTS, tmp_path / "many")


def test_the_whole_plan_in_half_a_minute(tmp_path: Path) -> None:
    """`scripts/train_on_gpu.sh` as it goes to a machine with a GPU, on a copy of what it needs."""
    for folder in ("scripts", "config/training"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "scripts")
    shutil.copytree(ROOT / "pixelrs_ros", tmp_path / "pixelrs_ros", ignore=shutil.ignore_patterns("__pycache__"))
    content = read_yaml(DEBUG)
    for phase in ("see", "talk", "ground"):
        content["phases"][phase] |= {"steps": 5_000, "evaluate_every": 5_000}
    (tmp_path / "config/training/debug.yaml").write_text(yaml.safe_dump({**content, "cpu": True}))
    command = ["scripts/train_on_gpu.sh", "0.5", "out", "config/training/debug.yaml"]
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == sorted((CONFIG, TOKENIZER, f"{WEIGHTS}.0", "logs.tgz"))
    joined = tmp_path / "joined"
    subprocess.run(["scripts/train_on_gpu.sh", "--join", "out", str(joined)], cwd=tmp_path, check=True)
    assert check_weights(joined) > 100
    assert (joined / WEIGHTS).read_bytes() == (tmp_path / "runs/debug/checkpoint" / WEIGHTS).read_bytes()
    for phase in ("see", "talk", "ground"):
        log = (tmp_path / "runs/debug" / phase / "log.jsonl").read_text().splitlines()
        assert 0 < json.loads(log[-1])["step"] < 5_000 and "val_" in log[-1]
