"""What the loop promises to every phase: the schedule, the order of examples, the files it leaves."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn
from torch.utils.data import Dataset

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.training.config import EngineConfig, PhaseConfig
from pixelrs_ros.training.loop import Objective, Sizes, Terms, Trainer
from pixelrs_ros.training.state import load_weights

ACCELERATE = sorted((Path(__file__).parents[2] / "config" / "accelerate").glob("*.yaml"))
ENGINE = EngineConfig(seed=1, cpu=True)
PACE = PhaseConfig(8, 4, 1e-2, 2, 0.0, 2)


class Ten(Dataset[int]):
    """Ten examples, again and again."""

    def __getitem__(self, number: int) -> int:
        return number * 7 % 10


class Line:
    """Fits y = 3 x to noisy examples, of which some count twice; remembers what it has seen and at which rate."""

    name = "line"

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(1, 1)
        self.examples: Dataset[int] = Ten()
        self.seen: list[int] = []

    def collate(self, examples: list[int]) -> torch.Tensor:
        self.seen += examples
        return torch.tensor(examples).float().unsqueeze(1)

    def sizes(self, batch: torch.Tensor) -> dict[str, int]:
        return {"points": int((1 + batch % 2).sum())}

    def loss(self, batch: torch.Tensor, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        error = (self.module(batch) - 3 * batch).square() * (1 + batch % 2)
        loss = error.sum() / sizes["points"]
        return loss, {"noise": torch.rand(()), "error": loss.detach()}

    def evaluate(self, objective: Objective) -> dict[str, float]:
        return {"slope": float(self.module.weight)}


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "line" / "log.jsonl").read_text().splitlines()]


def test_the_rate_warms_up_and_falls_to_a_fiftieth(tmp_path: Path) -> None:
    trainer = Trainer(Line(), dataclasses.replace(PACE, steps=110, warmup_steps=10), ENGINE, tmp_path)
    rates = []
    for _ in range(111):
        rates.append(trainer.scheduler.get_last_lr()[0])
        trainer.optimizer.step()
        trainer.scheduler.step()
    assert rates[0] == 0 and rates[5] == pytest.approx(5e-3) and rates[10] == pytest.approx(1e-2) == max(rates)
    assert rates[60] == pytest.approx(1e-2 * (0.02 + 0.98 / 2)) and rates[110] == pytest.approx(1e-2 / 50)


def test_a_resumed_run_sees_draws_and_logs_what_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, first, second = Line(), Line(), Line()
    Trainer(whole, PACE, ENGINE, tmp_path / "whole").run()
    Trainer(first, PACE, ENGINE, tmp_path / "broken").run(until=3)
    log = tmp_path / "broken" / "line" / "log.jsonl"
    assert [record["step"] for record in log_of(tmp_path / "broken")] == [2, 3]
    with log.open("a") as file:  # as if killed between two writes
        file.write('{"step": 4, "loss": 0.5}\n{"step": 6, "lo')
    Trainer(second, PACE, ENGINE, tmp_path / "broken").run()
    assert first.seen[:12] + second.seen == whole.seen
    assert torch.equal(second.module.weight, whole.module.weight) and second.module.weight.item() > 0.02
    expected = {record["step"]: record for record in log_of(tmp_path / "whole")}
    resumed = log_of(tmp_path / "broken")
    assert [record["step"] for record in resumed] == [2, 3, 4, 6, 8]
    assert [record for record in resumed if record["step"] in (2, 6, 8)] == [expected[step] for step in (2, 6, 8)]


def test_accumulated_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    one, four = Line(), Line()
    Trainer(one, PACE, ENGINE, tmp_path / "one").run()
    Trainer(four, dataclasses.replace(PACE, gradient_accumulation=4), ENGINE, tmp_path / "four").run()
    assert torch.allclose(one.module.weight, four.module.weight, rtol=1e-5)
    errors = [[record["error"] for record in log_of(tmp_path / name)] for name in ("one", "four")]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)


def test_workers_read_the_same(tmp_path: Path) -> None:
    none, one = Line(), Line()
    for phase, workers in ((none, 0), (one, 1)):
        Trainer(phase, PACE, dataclasses.replace(ENGINE, num_workers=workers), tmp_path / str(workers)).run(until=2)
    assert torch.equal(none.module.weight, one.module.weight) and not one.seen


def test_states_that_do_not_fit_are_named(tmp_path: Path) -> None:
    Trainer(Line(), PACE, ENGINE, tmp_path).run(until=1)
    for module, named in (
        (nn.Linear(2, 1), r"of the wrong shape: weight \(1, 1\) instead of \(1, 2\)"),
        (nn.Linear(1, 1, bias=False), "left over: bias"),
        (nn.Sequential(nn.Linear(1, 1)), "missing: 0.bias"),
    ):
        with pytest.raises(CheckpointError, match=named):
            load_weights(tmp_path, "line", module)
    (tmp_path / "line" / "state.safetensors").write_bytes(b"cut short")
    with pytest.raises(CheckpointError, match=r"state\.safetensors cannot be read"):
        Trainer(Line(), PACE, ENGINE, tmp_path)


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"batch_size": 0}, {"gradient_accumulation": 0}, {"evaluate_every": 0}]
)
def test_impossible_paces_are_named(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(change))} must be at least 1, got 0"):
        dataclasses.replace(PACE, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ACCELERATE, ids=lambda path: path.name)
def test_what_is_to_be_sharded_is_in_the_network(path: Path, debug_config: MirasConfig) -> None:
    """accelerate looks the classes up by name and fails on one that it does not find."""
    from accelerate.commands.config.config_args import load_config_from_file

    load_config_from_file(str(path))  # refuses keys that it does not know
    content = yaml.safe_load(path.read_text())
    sharding = content.get("fsdp_config")
    assert (sharding is not None) == (content["distributed_type"] == "FSDP")
    if sharding:
        names = {type(module).__name__ for module in build_miras(debug_config, 300, empty=True).modules()}
        assert set(sharding["fsdp_transformer_layer_cls_to_wrap"].split(",")) <= names
        assert sharding["fsdp_version"] == 2


class Adapted(Line):
    """The same with an adapter beside the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.module.lora_A = nn.Parameter(torch.zeros(2, 1))


def test_parts_learn_at_rates_of_their_own(tmp_path: Path) -> None:
    pace = dataclasses.replace(PACE, weight_decay=0.1, rates={"lora_": 5.0})
    trainer = Trainer(Adapted(), pace, ENGINE, tmp_path)
    groups = trainer.optimizer.param_groups
    decays = {tuple(p.shape): (group["initial_lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert decays == {(1, 1): (1e-2, 0.1), (1,): (1e-2, 0.0), (2, 1): (5e-2, 0.1)}
    with pytest.raises(ConfigError, match="rates must be finite and at least 0"):
        dataclasses.replace(PACE, rates={"lora_": -1.0})


def test_the_clock_ends_a_phase_with_its_schedule_and_a_measurement(tmp_path: Path) -> None:
    pace = dataclasses.replace(PACE, steps=20_000, evaluate_every=20_000, minutes=1.5 / 60)
    trainer = Trainer(Line(), pace, ENGINE, tmp_path)
    began = time.monotonic()
    trainer.run()
    assert 1.4 < time.monotonic() - began < 6
    (last,) = log_of(tmp_path)
    assert 1 < last["step"] == trainer.step < 20_000 and "val_slope" in last
    assert trainer.scheduler.get_last_lr()[0] == pytest.approx(1e-2 / 50, rel=0.1), "it followed the clock"
    assert (tmp_path / "line" / "state.safetensors").is_file()


def test_a_clock_that_has_time_enough_changes_nothing(tmp_path: Path) -> None:
    free, timed = Line(), Line()
    Trainer(free, PACE, ENGINE, tmp_path / "free").run()
    Trainer(timed, dataclasses.replace(PACE, minutes=10), ENGINE, tmp_path / "timed").run()
    assert torch.equal(free.module.weight, timed.module.weight)
