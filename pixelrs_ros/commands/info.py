"""Print what a checkpoint or a preset is made of: parameters of each part."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import positive

if TYPE_CHECKING:
    from pixelrs_ros.model.miras import Miras


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (default: nano)")
    what.add_argument("--preset", metavar="NAME", help="a shipped network configuration, without weights")
    parser.add_argument(
        "--vocab-size", type=positive, default=2048, metavar="N", help="tokens, with --preset (default: 2048)"
    )


def run(options: argparse.Namespace) -> None:
    """Print the table.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        ConfigError: There is no such preset.
    """
    from rich.console import Console
    from rich.table import Table

    miras = _empty(options.preset, options.vocab_size) if options.preset else _loaded(options.checkpoint)
    counts = parameters(miras)
    table = Table(title=options.preset or str(options.checkpoint))
    table.add_column("part")
    table.add_column("parameters", justify="right")
    for part, count in counts.items():
        table.add_row(part, f"{count:,}")
    table.add_section()
    total = sum(counts.values())
    table.add_row("total", f"{total:,}", style="bold")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{2 * total / 1e6:.1f} MB of weights in fp16")


def parameters(miras: Miras) -> dict[str, int]:
    """Number of parameters of each part, SAM's three named apart."""
    from pixelrs_ros.model.build import count_parameters

    counts: dict[str, int] = {}
    for name, part in miras.named_children():
        parts = part.named_children() if name == "sam" else [("", part)]
        counts.update({f"{name}.{inner}" if inner else name: count_parameters(module) for inner, module in parts})
    return counts


def _empty(preset: str, vocab_size: int) -> Miras:
    import torch

    from pixelrs_ros.config import load_preset
    from pixelrs_ros.model.build import build_miras

    with torch.device("meta"):  # shapes only: the published size would not fit into memory
        return build_miras(load_preset(preset), vocab_size)


def _loaded(checkpoint: str) -> Miras:
    from pixelrs_ros.checkpoint import load_checkpoint

    return load_checkpoint(checkpoint)[0]
