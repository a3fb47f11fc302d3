"""The published recipe: stages that train parts of an assembled network, and the merge into a plain checkpoint."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pixelrs_ros.checkpoint import load_checkpoint, read_sizes, resolve, save_checkpoint
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.adapter import merge_lora
from pixelrs_ros.settings import load_config
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.config import RecipeConfig
from pixelrs_ros.training.loop import Trainer, join_processes
from pixelrs_ros.training.published.mixture import Mixture, open_source
from pixelrs_ros.training.published.stage import Collator, StagePhase
from pixelrs_ros.training.published.trainable import choose_trainable, kept_exact
from pixelrs_ros.training.state import load_weights

MERGED = "fp16"  # dtype of a finished checkpoint; it keeps all that a start in bf16 or fp16 has


class Recipe:
    """The network of a run with its adapter, as a stage finds it."""

    def __init__(self, config: RecipeConfig, dtype: str) -> None:
        """Read the start.

        Args:
            config: The run.
            dtype: What is not trained is held in it: "fp32", "fp16" or "bf16".
        """
        self.config = config
        self.out = Path(config.out)
        read_sizes(config.start)[0].require_high_resolution()
        exact = functools.partial(kept_exact, config=config.trainable)
        self.miras, self.miras_config, self.tokenizer = load_checkpoint(config.start, dtype=dtype, exact=exact)
        torch.manual_seed(config.engine.seed)  # of the adapter's first weights
        choose_trainable(self.miras, config.trainable)

    def train(self, name: str, until: int | None) -> None:
        """Run one stage to its end, or to step `until`."""
        config = self.config.stages[name]
        stages = list(self.config.stages)
        if name != stages[0]:
            load_weights(self.out, stages[stages.index(name) - 1], self.miras)
        if self.config.gradient_checkpointing:
            recompute_activations(self.miras.language)
        known = self.config.sources.by_name()
        mixture, val = (
            Mixture({source: open_source(known[source]) for source in rates}, rates, (self.config.engine.seed, salt))
            for salt, rates in enumerate((config.mixture, config.val_mixture))
        )
        layout = ChatLayout(
            self.tokenizer, self.miras_config.clip.num_patches, self.miras_config.text, self.miras_config.reader
        )
        shares = join_processes(self.config.engine).num_processes * config.pace.gradient_accumulation
        phase = StagePhase(
            name, self.miras, Collator(self.miras_config, layout), mixture, val, config.losses, config.num_eval,
            eval_batch=max(1, config.pace.batch_size // shares),
        )  # fmt: skip
        Trainer(phase, config.pace, self.config.engine, self.out).run(until)

    def merge(self, name: str, folder: Path) -> None:
        """Write what a stage has trained as a plain checkpoint."""
        load_weights(self.out, name, self.miras)
        self.merge_into(folder)

    def merge_into(self, folder: Path) -> None:
        """Write the network as it is, with its adapter added to the weights."""
        merge_lora(self.miras.language)
        save_checkpoint(folder, self.miras, self.miras_config, self.tokenizer, MERGED)


def recompute_activations(language: Any) -> None:
    """Let a language model of transformers recompute its activations in the backward pass."""
    # transformers 5.20, the newest for Python 3.10, knows only the name that 5.23 has deprecated.
    enable = getattr(language, "activation_checkpointing_enable", None) or language.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def train_recipe(config: RecipeConfig, stages: Sequence[str], until: int | None, checkpoint: Path | None) -> None:
    """Train the stages in order, or some of them; see `training.run.train`."""
    folder = _beside_start(config, checkpoint or Path(config.out) / "checkpoint")
    processes = join_processes(config.engine)
    for name in [_known(config, stage) for stage in stages] or config.stages:
        Recipe(config, "bf16" if config.engine.precision == "bf16" else "fp32").train(name, until)
    last = list(config.stages)[-1]
    if (not stages or last in stages) and processes.is_main_process:
        Recipe(config, MERGED).merge(last, folder)
    processes.destroy_process_group()


def merge(config_path: Path, stage: str | None, folder: Path) -> None:
    """Write what a stage of the published recipe has trained so far as a plain checkpoint.

    Args:
        config_path: YAML of a `RecipeConfig`.
        stage: Which; default the last.
        folder: For the checkpoint.

    Raises:
        ConfigError: The configuration or the stage's name is wrong, or the folder is the start's own.
        CheckpointError: The stage has not run, or the start is missing.
    """
    config = load_config(RecipeConfig, config_path)
    folder = _beside_start(config, folder)
    Recipe(config, MERGED).merge(_known(config, stage) if stage else list(config.stages)[-1], folder)


def _beside_start(config: RecipeConfig, folder: Path) -> Path:
    if folder.resolve() == resolve(config.start).resolve():
        raise ConfigError(f"{folder} is the start, which every stage builds on; remedy: write to another folder")
    return folder


def _known(config: RecipeConfig, stage: str) -> str:
    if stage not in config.stages:
        raise ConfigError(f"unknown stage {stage!r}; known: {', '.join(config.stages)}")
    return stage
