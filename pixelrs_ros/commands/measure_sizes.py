"""Measure what each size of network takes of one device: memory at the peak, time of a turn, tokens per second.

Only `nano` has weights; the others' are random, at their real sizes, and the words of the answers are forced, since
neither changes what a turn takes. Each dialogue has two grounded turns about a 640x480 picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pixelrs_ros.commands.numbers import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="presets, qwen3-vl-2b_sam2 and such (default: all)")
    parser.add_argument("--device", default="cuda", help="torch device (default: cuda)")
    parser.add_argument("--repeats", type=positive, default=5, metavar="N", help="dialogues that count (default: 5)")
    parser.add_argument(
        "--language-weights", default=["full"], nargs="+", choices=("full", "int8", "int4"),
        help="each in turn (default: full); int8 and int4 need torchao",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: benchmarks/sizes_<device>.json")


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the JSON. What a device cannot run is told in its row.

    Raises:
        ConfigError: A name is unknown.
        OutputError: The JSON cannot be written, which is found out first.
    """
    import torch
    from rich.console import Console
    from rich.table import Table

    from pixelrs_ros.benchmark import sizes
    from pixelrs_ros.errors import ConfigError
    from pixelrs_ros.files import require_writable, write_json

    path = options.json or Path("benchmarks") / f"sizes_{options.device.replace(':', '')}.json"
    require_writable(path)
    chosen = options.names or [name for name in sizes.names() if name != "debug"]
    unknown = sorted(set(chosen) - set(sizes.names()))
    if unknown:
        raise ConfigError(f"unknown size {', '.join(unknown)}; known: {', '.join(sizes.names())}")
    console = Console(highlight=False, width=140)
    rows: list[dict[str, Any]] = []
    for name in chosen:
        for weights in options.language_weights:
            row: dict[str, Any] = {"name": name, "language weights": weights}
            with console.status(f"{name}, {weights}"):
                try:
                    row |= sizes.measure(name, options.device, options.repeats, weights)
                except ConfigError as error:
                    row["not run"] = str(error)
            rows.append(row)
            console.print(", ".join(f"{key}: {value}" for key, value in row.items()), markup=False)
    table = Table(*sizes.COLUMNS)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in sizes.COLUMNS))
    console.print(table)
    on = torch.cuda.get_device_name(options.device) if options.device.startswith("cuda") else options.device
    write_json(path, {"device": on, "torch": torch.__version__, "sizes": rows})
