"""Fetch public weights from the Hugging Face hub and make a checkpoint of them; nothing else asks a network.

  pixelrs fetch --list
  pixelrs fetch qwen3-vl-2b_sam2
  pixelrs segment kitchen.png --checkpoint qwen3-vl-2b_sam2 --say "the mug on the left"

They go to $XDG_DATA_HOME/pixelrs_ros/checkpoints/NAME (~/.local/share without it), where every --checkpoint and the
node's `checkpoint` find them by name; with --to, to another folder, by its path. The license is shown, and accepted
once. An interrupted download goes on where it was; files that lie in the folder already are used. HF_ENDPOINT,
HF_HUB_OFFLINE and HF_TOKEN hold as for huggingface_hub.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixelrs_ros.published import Weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to fetch, as --list names it")
    parser.add_argument("--to", type=Path, metavar="DIR", help="the checkpoint folder (default: found by NAME)")
    parser.add_argument("--list", action="store_true", help="print every name with its size, memory and license")
    parser.add_argument("--accept-license", action="store_true", help="without asking")


def run(options: argparse.Namespace) -> None:
    """Fetch, or list.

    Raises:
        BadInputError: Neither a name nor --list is given.
        ConfigError: No weights are known by that name.
        FetchError: The license is not accepted, a part cannot be had, a checksum is wrong, or the disk is too small.
        CheckpointError: The parts do not make a checkpoint.
        OutputError: The folder cannot be written.
    """
    from pixelrs_ros.errors import BadInputError
    from pixelrs_ros.published import find
    from pixelrs_ros.shipped import fetched_dir

    if options.list:
        print_list()
        return
    if options.name is None:
        raise BadInputError("NAME is missing; pixelrs fetch --list shows what there is")
    weights = find(options.name)
    folder = options.to or fetched_dir(options.name)
    require_license(options.name, weights, accepted=options.accept_license)
    from pixelrs_ros.fetch.fetching import fetch

    if fetch(options.name, weights, folder, lambda line: print(line, flush=True)):
        print(f"{folder} is whole; next: pixelrs doctor --checkpoint {options.to or options.name}")
    else:
        print(f"{folder} is whole already")


def print_list() -> None:
    """Print the table of names."""
    from rich.console import Console
    from rich.table import Table

    from pixelrs_ros.published import published
    from pixelrs_ros.shipped import CONFIG, fetched_dir

    table = Table(show_lines=True)
    for column in ("name", "fetches", "in bf16", "fetched"):
        table.add_column(column, no_wrap=True)
    table.add_column("license")
    for name, weights in published().items():
        there = "yes" if (fetched_dir(name) / CONFIG).is_file() else ""
        memory = f"{2 * weights.memory.parameters / 1e9:.1f} GB"
        gated = " Gated." if weights.gated else ""
        table.add_row(name, f"{weights.gb:.1f} GB", memory, there, f"{weights.license}{gated}")
    Console(highlight=False).print(table)


def require_license(name: str, weights: Weights, *, accepted: bool) -> None:
    """Show the license and have it accepted, once.

    Raises:
        FetchError: It is not.
        OutputError: That it was cannot be noted.
    """
    from pixelrs_ros.errors import FetchError
    from pixelrs_ros.fetch.licenses import is_accepted, remember

    if is_accepted(name, weights):
        return
    print(f"{name}, {weights.gb:.1f} GB. {weights.license}")
    for part in weights.parts.values():
        print(f"  https://huggingface.co/{part.repo}: {part.license}")
    if not accepted and not _agrees():
        raise FetchError(f"the license of {name} was not accepted; remedy: answer y, or give --accept-license")
    remember(name, weights)


def _agrees() -> bool:
    """What somebody at a terminal says; nobody there, or an end of the input, is a no."""
    try:
        return sys.stdin.isatty() and input("Do you accept? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
