"""The loop that every phase shares: schedule, checkpoints to resume from, logs, the held-out curve and its picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Protocol

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.training.config import PhaseConfig


class Phase(Protocol):
    """One phase of training: some modules, a loss and a measurement."""

    name: str

    @property
    def module(self) -> nn.Module:
        """What is trained and kept; its parameters that ask for no gradient stay as they are."""

    def loss(self, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of the batch of that step and its terms for the log; draws only from torch's and its own seeded RNG."""

    def evaluate(self) -> dict[str, float]:
        """Measurements on the val split."""


def learning_rate(step: int, config: PhaseConfig) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth of the peak."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def state_path(out: Path, phase: str) -> Path:
    """Where a phase keeps its weights and its optimiser's moments."""
    return out / phase / "state.safetensors"


def load_weights(out: Path, phase: str, module: nn.Module) -> None:
    """Load what an earlier phase has trained.

    Raises:
        CheckpointError: That phase has not run, or its weights do not fit.
    """
    path = state_path(out, phase)
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; remedy: run the phase {phase!r} first")
    with safe_open(path, framework="pt") as file:
        keys = [key for key in list(file.keys()) if key.startswith("model.")]
        weights = {key[len("model.") :]: file.get_tensor(key) for key in keys}
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit the configuration: {error}") from error


class Trainer:
    """Runs one phase to its last step, from its last checkpoint if there is one."""

    def __init__(self, phase: Phase, config: PhaseConfig, out: Path, seed: int) -> None:
        self.phase = phase
        self.config = config
        self.out = out / phase.name
        self.path = state_path(out, phase.name)
        self.seed = seed
        self.parameters = {name: p for name, p in phase.module.named_parameters() if p.requires_grad}
        matrices = [p for p in self.parameters.values() if p.ndim > 1]
        vectors = [p for p in self.parameters.values() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95))
        self.step = 0

    def run(self, until: int | None = None) -> None:
        """Train to step `until` (default: the phase's last), writing a checkpoint at every measurement."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._resume()
        last = min(until or self.config.steps, self.config.steps)
        sums: dict[str, float] = {}
        counted = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(self.phase.name, total=last, completed=self.step)
            while self.step < last:
                terms = self._one_step()
                counted += 1
                sums = {name: sums.get(name, 0.0) + value for name, value in terms.items()}
                if self.step % self.config.evaluate_every == 0 or self.step == last:
                    self._measure({name: value / counted for name, value in sums.items()})
                    sums, counted = {}, 0
                progress.update(task, completed=self.step)

    def _one_step(self) -> dict[str, float]:
        torch.manual_seed(self.seed * 1_000_003 + self.step)  # so that a resumed run draws what an unbroken one draws
        self.phase.module.train()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.config)
        self.optimiser.zero_grad(set_to_none=True)
        loss, terms = self.phase.loss(self.step)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimiser.step()
        self.step += 1
        return {"loss": float(loss.detach()), **terms}

    @torch.no_grad()
    def _measure(self, terms: dict[str, float]) -> None:
        self.phase.module.eval()
        record = {"step": self.step, **terms, **{f"val_{k}": v for k, v in self.phase.evaluate().items()}}
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: round(value, 5) for name, value in record.items()}) + "\n")
        self._save()
        draw_curves(self.out / "log.jsonl", self.out / "curves.png")

    def _save(self) -> None:
        tensors = {f"model.{name}": value.contiguous() for name, value in self.phase.module.state_dict().items()}
        for name, parameter in self.parameters.items():
            if moments := self.optimiser.state.get(parameter):  # a parameter outside the graph has none
                tensors[f"first.{name}"] = moments["exp_avg"].contiguous()
                tensors[f"second.{name}"] = moments["exp_avg_sq"].contiguous()
        temporary = self.path.with_suffix(".tmp")
        save_file(tensors, temporary, metadata={"step": str(self.step)})
        temporary.replace(self.path)

    def _resume(self) -> None:
        if not self.path.is_file():
            return
        load_weights(self.path.parent.parent, self.phase.name, self.phase.module)
        with safe_open(self.path, framework="pt") as file:
            self.step = int(file.metadata()["step"])
            kept = set(file.keys())
            for name, parameter in self.parameters.items():
                if f"first.{name}" in kept:
                    self.optimiser.state[parameter] = {
                        "step": torch.tensor(float(self.step)),
                        "exp_avg": file.get_tensor(f"first.{name}"),
                        "exp_avg_sq": file.get_tensor(f"second.{name}"),
                    }


def draw_curves(log: Path, picture: Path) -> None:
    """Draw every quantity of a log over its steps."""
    from matplotlib.figure import Figure

    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    names = [name for name in records[-1] if name != "step"]
    columns = 3
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, index + 1)
        points = [(record["step"], record[name]) for record in records if name in record]
        axes.plot(*zip(*points, strict=True))
        axes.set_title(name, fontsize=9)
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=80)
