"""Print what a checkpoint or a preset is made of: parameters of each part, and the memory of weights and training."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import positive

if TYPE_CHECKING:
    from rich.table import Table
    from torch import nn

    from pixelrs_ros.config import MirasConfig
    from pixelrs_ros.model.miras import Miras

BYTES = {"fp32": 4.0, "bf16": 2.0}
# Of the language model's linear layers: the weight, and a bf16 scale for each output channel; in int4 a bf16 scale and
# zero point for each group of inputs.
INT4_BYTES = 0.5 + 2 * 2 / 128
CONTEXT_TOKENS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (default: nano)")
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
        ConfigError: There is no such preset, or the checkpoint's configuration is wrong.
    """
    from rich.console import Console
    from rich.table import Table

    config, vocab_size = _preset(options) if options.preset else _checkpoint(options.checkpoint)
    miras = empty(config, vocab_size)
    counts, memory = parameters(miras), weight_bytes(miras)
    table = Table(title=options.preset or str(options.checkpoint))
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
    cache = _megabytes(cache_bytes_per_token(miras) * CONTEXT_TOKENS)
    console.print(f"Key-value cache for each {CONTEXT_TOKENS} tokens of context, in bf16: {cache} MB.")
    console.print(
        f"Context: up to {config.text.max_context_tokens} tokens, {config.clip.num_patches} of them the picture's."
    )
    if pretrained := config.language.pretrained:
        console.print(f"The language model comes from {pretrained.source}; a checkpoint holds its adapter only.")
    if options.training:
        console.print(_training_table(miras, config, options.training, options.batch))


def _training_table(miras: Miras, config: MirasConfig, path: Path, batch: int) -> Table:
    from rich.table import Table

    from pixelrs_ros.config import load_config
    from pixelrs_ros.training.config import RecipeConfig
    from pixelrs_ros.training.memory import training_memory

    needed = training_memory(miras, config, load_config(RecipeConfig, path), batch)
    table = Table(title=f"training with {path.name}, {batch} at once")
    table.add_column("on each GPU that holds the whole network")
    table.add_column("GiB", justify="right")
    for name, size in needed.items():
        table.add_row(name, f"{size / 2**30:.1f}")
    table.add_section()
    table.add_row("total", f"{sum(needed.values()) / 2**30:.1f}", style="bold")
    return table


def empty(config: MirasConfig, vocab_size: int) -> Miras:
    """The network as it runs, an adapter merged, without memory for its parameters."""
    from pixelrs_ros.model.build import build_miras

    language = dataclasses.replace(config.language, pretrained=None)
    return build_miras(dataclasses.replace(config, language=language), vocab_size, empty=True)


def parameters(miras: Miras) -> dict[str, int]:
    """Number of parameters of each part, SAM's three named apart."""
    from pixelrs_ros.model.build import count_parameters

    return {name: count_parameters(module) for name, module in _parts(miras).items()}


def weight_bytes(miras: Miras) -> dict[str, dict[str, float]]:
    """Bytes of each part's weights, by kind of number: "fp32", "bf16", "int8", "int4"."""
    counts = parameters(miras)
    memory = {kind: {part: size * count for part, count in counts.items()} for kind, size in BYTES.items()}
    linear, channels = _quantised(miras.language.base_model)
    saved = {"int8": linear - 2 * channels, "int4": (2 - INT4_BYTES) * linear}
    for kind, fewer in saved.items():
        memory[kind] = {**memory["bf16"], "language": memory["bf16"]["language"] - fewer}
    return memory


def cache_bytes_per_token(miras: Miras) -> int:
    """Bytes of one token's keys and values in bf16."""
    config = miras.language.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * 2)


def _parts(miras: Miras) -> dict[str, nn.Module]:
    parts: dict[str, nn.Module] = {}
    for name, part in miras.named_children():
        inner = {f"{name}.{key}": module for key, module in part.named_children()} if name == "sam" else {name: part}
        parts |= inner
    return parts


def _quantised(model: nn.Module) -> tuple[int, int]:
    """Weights and output channels of the linear layers."""
    from torch import nn

    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return sum(module.weight.numel() for module in linear), sum(module.out_features for module in linear)


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f}"


def _preset(options: argparse.Namespace) -> tuple[MirasConfig, int]:
    from pixelrs_ros.config import load_preset

    config = load_preset(options.preset)
    language = config.language
    rows = int(language.arguments.get("vocab_size", 2048))
    return config, options.vocab_size or rows + (language.pretrained.num_added_tokens if language.pretrained else 0)


def _checkpoint(checkpoint: str) -> tuple[MirasConfig, int]:
    from pixelrs_ros.checkpoint import CONFIG, TOKENIZER, resolve
    from pixelrs_ros.config import MirasConfig, load_config
    from pixelrs_ros.text.tokenizer import load_tokenizer, vocabulary_size

    folder: Path = resolve(checkpoint)
    return load_config(MirasConfig, folder / CONFIG), vocabulary_size(load_tokenizer(folder / TOKENIZER))
