"""Print what a checkpoint or a preset is made of: parameters of each part, and the memory of weights and training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from torch import nn

    from pixelrs_ros.config import MirasConfig, VlmConfig
    from pixelrs_ros.model.miras import Miras

CONTEXT_TOKENS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    what.add_argument("--preset", metavar="NAME", help="a shipped network configuration, without weights")
    parser.add_argument(
        "--vocab-size", type=positive, metavar="N",
        help="tokens, with --preset (default: what its language model's vocab_size says, else 2048)",
    )  # fmt: skip
    parser.add_argument(
        "--training", type=Path, metavar="FILE", help="also the memory that this run (YAML with stages) needs"
    )
    parser.add_argument(
        "--batch", type=positive, default=1, metavar="N", help="examples at once, with --training (default: 1)"
    )


def run(options: argparse.Namespace) -> None:
    """Print the table; no weights are read.

    Raises:
        CheckpointError: The checkpoint lacks a file.
        ConfigError: There is no such preset, or the checkpoint's configuration is wrong, or --training asks for the
            memory of what cannot be trained.
    """
    from pixelrs_ros.config import load_preset
    from pixelrs_ros.published import published
    from pixelrs_ros.shipped import resolve

    # A wrong name is told before torch is loaded, which takes seconds.
    if options.preset in published():
        raise ConfigError(
            f"{options.preset} is no preset but public weights; remedy: pixelrs fetch {options.preset}, then "
            f"--checkpoint {options.preset}; pixelrs fetch --list tells its memory before"
        )
    if options.preset:
        load_preset(options.preset)
    else:
        resolve(options.checkpoint)
    from pixelrs_ros.checkpoint import read_config, read_sizes
    from pixelrs_ros.config import VlmConfig
    from pixelrs_ros.model.memory import empty, preset_sizes

    title = options.preset or str(options.checkpoint)
    if not options.preset and isinstance(vlm := read_config(resolve(options.checkpoint)), VlmConfig):
        if options.training:
            raise ConfigError(f"{title} is of kind vlm, which is not trained here: leave --training away")
        _print_vlm(title, resolve(options.checkpoint), vlm)
        return
    preset = options.preset
    config, vocab_size = preset_sizes(preset, options.vocab_size) if preset else read_sizes(options.checkpoint)
    miras = empty(config, vocab_size)
    console = _print(title, miras, config.text.max_context_tokens, config.clip.num_patches)
    if options.training:
        console.print(_training_table(miras, config, options.training, options.batch))


def _print_vlm(title: str, folder: Path, config: VlmConfig) -> None:
    from pixelrs_ros.engine.vlm.loading import empty_parts

    parts = empty_parts(folder, config)
    vision: Any = parts["vision"].config
    _print(
        title,
        parts,
        config.max_context_tokens,
        config.max_pixels // (vision.patch_size * vision.spatial_merge_size) ** 2,
    )


def _print(title: str, network: nn.Module, context: int, picture: int) -> Console:
    """Print the table of a network that can read so many tokens, of which a picture takes at most so many."""
    from rich.console import Console
    from rich.table import Table

    from pixelrs_ros.model.memory import cache_bytes_per_token, parameters, weight_bytes

    counts, memory = parameters(network), weight_bytes(network)
    table = Table(title=title)
    for column in ("part", "parameters", *memory):
        table.add_column(column, justify="left" if column == "part" else "right")
    for part, count in counts.items():
        table.add_row(part, f"{count:,}", *(_megabytes(kind[part]) for kind in memory.values()))
    table.add_section()
    sums = [sum(kind.values()) for kind in memory.values()]
    table.add_row("total", f"{sum(counts.values()):,}", *map(_megabytes, sums), style="bold")
    console = Console(highlight=False)
    console.print(table)
    console.print("Memory of the weights in MB. int8 and int4: the language model's linear layers, all else bf16.")
    cache = _megabytes(cache_bytes_per_token(network) * CONTEXT_TOKENS)
    console.print(f"Key-value cache for each {CONTEXT_TOKENS} tokens of context, in bf16: {cache} MB.")
    console.print(f"Context: up to {context} tokens, {picture} of them the picture's.")
    return console


def _training_table(miras: Miras, config: MirasConfig, path: Path, batch: int) -> Table:
    from rich.table import Table

    from pixelrs_ros.settings import load_config
    from pixelrs_ros.training.config import RecipeConfig
    from pixelrs_ros.training.published.memory import training_memory

    needed = training_memory(miras, config, load_config(RecipeConfig, path), batch)
    table = Table(title=f"training with {path.name}, {batch} at once")
    table.add_column("on each GPU that holds the whole network")
    table.add_column("GiB", justify="right")
    for name, size in needed.items():
        table.add_row(name, f"{size / 2**30:.1f}")
    table.add_section()
    table.add_row("total", f"{sum(needed.values()) / 2**30:.1f}", style="bold")
    return table


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f}"
