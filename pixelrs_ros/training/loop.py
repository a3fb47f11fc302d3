"""The one loop that trains everything: Hugging Face accelerate around a phase's loss.

Weights end in the same place however many processes share the work: the examples of a step are numbered, each process
takes its slice of them, and what a loss is averaged over (tokens, masks) is counted over all of them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import torch
from accelerate import Accelerator, DataLoaderConfiguration, DistributedDataParallelKwargs, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import get_scheduler

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.training.config import EngineConfig, PhaseConfig
from pixelrs_ros.training.log import Log
from pixelrs_ros.training.muon import Muon, inner_matrices
from pixelrs_ros.training.state import load_state, save_state, state_path, trained

Terms = dict[str, torch.Tensor]
Sizes = dict[str, torch.Tensor]


class Phase(Protocol):
    """One phase of training: some modules, examples, a loss and a measurement."""

    name: str

    @property
    def module(self) -> nn.Module:
        """What is trained and kept; its parameters that ask for no gradient stay as they are."""

    @property
    def examples(self) -> Dataset[Any]:
        """Example number n, which depends on n and the seed only; without an end."""

    @property
    def collate(self) -> Callable[[list[Any]], Any]:
        """Makes a batch of examples: tensors, or tuples or dictionaries of them."""

    def sizes(self, batch: Any) -> dict[str, int]:
        """What the terms of the loss are averaged over, by name: examples, tokens, masks."""

    def loss(self, batch: Any, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """This batch's share of the loss and of its terms for the log.

        Args:
            batch: One of several that make up a step.
            sizes: The whole step's, at least 1 each; the shares of its batches add up to the step's loss.
        """

    def evaluate(self, objective: Objective) -> dict[str, float]:
        """Measurements on the val split; a network that may be sharded has to be run through `objective`."""


class Objective(nn.Module):
    """What accelerate wraps: calling it computes a phase's loss, so that DDP and FSDP see the forward pass."""

    def __init__(self, phase: Phase) -> None:
        super().__init__()
        self.module = phase.module
        self.phase = phase

    def forward(self, batch: Any, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """See `Phase.loss`."""
        return self.phase.loss(batch, sizes)


def join_processes(engine: EngineConfig) -> PartialState:
    """What this process knows of those that `accelerate launch` or torchrun has started beside it.

    Raises:
        ConfigError: They do not find each other.
    """
    # Unless it is told, accelerate takes no notice of torchrun on a machine without a GPU.
    state = PartialState(cpu=engine.cpu or not torch.accelerator.is_available())
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if state.num_processes != launched:
        raise ConfigError(f"{launched} processes were launched, but each trains alone; remedy: accelerate launch --cpu")
    return state


def make_accelerator(engine: EngineConfig) -> Accelerator:
    """The engine, in the processes and with the sharding that `accelerate launch` or torchrun has set up.

    Raises:
        ConfigError: The launch asks for FSDP 1, or CPU or GPU lack the precision.
    """
    processes = join_processes(engine)
    AcceleratorState._reset_state()  # a process may train twice, with another precision
    try:
        accelerator = Accelerator(
            cpu=processes.device.type == "cpu",
            mixed_precision=engine.precision,
            dataloader_config=DataLoaderConfiguration(split_batches=True),
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
    except ValueError as error:
        raise ConfigError(f"precision {engine.precision!r} cannot be used here: {error}") from error
    if accelerator.distributed_type == DistributedType.FSDP and not accelerator.is_fsdp2:
        raise ConfigError("FSDP 1 is not supported; remedy: set fsdp_version: 2 as config/accelerate/fsdp.yaml does")
    return accelerator


class Clock:
    """Lets the schedule of a phase that has so many minutes follow the clock where the steps are slower.

    Args:
        config: The phase's length and pace.
        steps: That are left of it.
    """

    def __init__(self, config: PhaseConfig, steps: int) -> None:
        self._seconds = 60 * config.minutes
        self._steps = steps
        self._taken = 0
        self._began = time.monotonic()

    def is_over(self) -> bool:
        """Whether the phase's time is up."""
        return 0 < self._seconds <= time.monotonic() - self._began

    def steps_behind(self) -> int:
        """How many steps of the schedule the clock is ahead of those that were taken, this one included."""
        self._taken += 1
        if not self._seconds:
            return 0
        due = int(self._steps * min(1.0, (time.monotonic() - self._began) / self._seconds))
        behind = max(0, due - self._taken)
        self._taken += behind
        return behind


def _read_alone(worker: int) -> None:
    """Keep OpenCV from waiting for threads that a forked process does not have."""
    cv2.setNumThreads(0)


class Trainer:
    """Runs one phase to its last step, from its last checkpoint if there is one."""

    def __init__(self, phase: Phase, config: PhaseConfig, engine: EngineConfig, out: Path) -> None:
        self.phase = phase
        self.config = config
        self.engine = engine
        self.accelerator = make_accelerator(engine)
        shares = config.gradient_accumulation * self.accelerator.num_processes
        if config.batch_size % shares:
            raise ConfigError(
                f"{phase.name}: batch_size {config.batch_size} must be a multiple of gradient_accumulation times the "
                f"number of processes, {shares}"
            )
        self.path = state_path(out, phase.name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.objective, self.optimizer = self.accelerator.prepare(Objective(phase), self._optimizer())
        self.scheduler = self._scheduler()
        self.step = 0
        if self.path.is_file():
            progress = load_state(self.path, phase.module, self.optimizer.optimizer)
            self.step = progress["step"]
            if not config.minutes:  # by the clock, every start has a schedule of its own
                self.scheduler.load_state_dict(progress["schedule"])
            for group, rate in zip(self.optimizer.param_groups, self.scheduler.get_last_lr(), strict=True):
                group["lr"] = rate

    def run(self, until: int | None = None) -> None:
        """Train to step `until` (default: the phase's last), writing a checkpoint at every measurement."""
        last = min(until or self.config.steps, self.config.steps)
        if self.step >= last:
            return
        clock = Clock(self.config, last - self.step)
        main = self.accelerator.is_main_process
        log = Log(self.path.parent, self.step) if main else None
        sums: Terms = {}
        counted = 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not main) as progress:
            task = progress.add_task(self.phase.name, total=last, completed=self.step)
            for batches in self._steps(last):
                terms = self._one_step(batches, clock)
                counted += 1
                sums = {name: sums.get(name, 0.0) + value for name, value in terms.items()}
                over = self.step == last or clock.is_over()
                if self.step % self.config.evaluate_every == 0 or over:
                    self._measure({name: value / counted for name, value in sums.items()}, log)
                    sums, counted = {}, 0
                progress.update(task, completed=self.step)
                if over:
                    break
        if log:
            log.close()
        self.accelerator.wait_for_everyone()  # another process must not look for the last checkpoint too early

    def _optimizer(self) -> torch.optim.Optimizer:
        config, module = self.config, self.phase.module
        inner = {id(matrix) for matrix in inner_matrices(module)} if config.optimizer == "muon" else set()
        if inner and self.accelerator.distributed_type == DistributedType.FSDP:
            raise ConfigError(f"{self.phase.name}: muon needs whole matrices, FSDP cuts them; remedy: optimizer: adamw")
        alike: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
        for name, parameter in trained(module).items():
            rate = next((rate for part, rate in config.rates.items() if part in name), 1.0)
            alike.setdefault((id(parameter) in inner, rate, parameter.ndim > 1), []).append(parameter)
        groups = [
            {
                "params": parameters,
                "orthogonal": orthogonal,
                "lr": config.learning_rate * rate,
                "weight_decay": config.weight_decay if matrix else 0.0,
            }
            for (orthogonal, rate, matrix), parameters in alike.items()
        ]
        return (Muon if inner else torch.optim.AdamW)(groups, lr=config.learning_rate, betas=config.betas)

    def _scheduler(self) -> torch.optim.lr_scheduler.LRScheduler:
        config = self.config
        try:
            return get_scheduler(
                config.schedule, self.optimizer.optimizer, config.warmup_steps, config.steps, config.schedule_arguments
            )
        except (ValueError, TypeError) as error:
            message = f"schedule {config.schedule!r} with {config.schedule_arguments} is not one of transformers'"
            raise ConfigError(f"{self.phase.name}: {message}: {error}") from error

    def _steps(self, last: int) -> Iterator[list[Any]]:
        """The batches of each step to come, as many as gradients are accumulated over."""
        accumulation = self.config.gradient_accumulation
        loader: DataLoader[Any] = DataLoader(
            self.phase.examples,
            batch_size=self.config.batch_size // accumulation,
            sampler=range(self.step * self.config.batch_size, last * self.config.batch_size),
            collate_fn=self.phase.collate,
            num_workers=self.engine.num_workers,
            worker_init_fn=_read_alone,
        )
        batches = iter(self.accelerator.prepare(loader))
        for _ in range(self.step, last):
            yield [next(batches) for _ in range(accumulation)]

    def _one_step(self, batches: list[Any], clock: Clock) -> Terms:
        sizes = self._sizes(batches)
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        self.objective.train()
        total: Terms = {}
        for index, batch in enumerate(batches):
            # So that a resumed run draws what an unbroken one draws, and each process something else.
            number = (self.step * len(batches) + index) * processes + rank
            torch.manual_seed(self.engine.seed * 1_000_003 + number)
            last = index == len(batches) - 1
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.objective):
                loss, terms = self.objective(batch, sizes)
                self.accelerator.backward(loss * processes)  # DDP and FSDP average over the processes
            terms = {"loss": loss, **terms}
            total = {name: total.get(name, 0.0) + value.detach() for name, value in terms.items()}
        self.accelerator.clip_grad_norm_(self.phase.module.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        self.scheduler.step()
        for _ in range(clock.steps_behind()):
            self.scheduler.step()
        self.optimizer.zero_grad()
        self.step += 1
        return total

    def _sizes(self, batches: list[Any]) -> Sizes:
        own = [self.phase.sizes(batch) for batch in batches]
        # Whole numbers, which FSDP's mixed precision leaves alone.
        counts = torch.tensor([sum(sizes[name] for sizes in own) for name in own[0]])
        counts = self.accelerator.reduce(counts.to(self.accelerator.device)).clamp(min=1)
        return dict(zip(own[0], counts.unbind(), strict=True))

    @torch.no_grad()
    def _measure(self, terms: Terms, log: Log | None) -> None:
        means = self.accelerator.reduce(torch.stack([value.float() for value in terms.values()])).tolist()
        self.objective.eval()
        measured = self.phase.evaluate(self.objective)
        if log:
            values = dict(zip(terms, means, strict=True))
            log.write(self.step, {**values, **{f"val_{name}": value for name, value in measured.items()}})
        progress = {
            "step": self.step,
            "schedule": self.scheduler.state_dict(),
            "processes": self.accelerator.num_processes,  # for people; another number may go on from here
        }
        save_state(
            self.path, self.phase.module, self.optimizer.optimizer, progress, write=self.accelerator.is_main_process
        )
