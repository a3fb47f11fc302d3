"""Measure how well masks follow their targets in simulated videos, and how often a mask is surely on the wrong thing.

The videos have 100 frames, a camera that moves all the time and, by situation, something that passes before the target,
a double of the target, a cut, a jump of the camera or darkness (`sim/picture/video.py`). A target that is visible
but lost counts with an IoU of 0. Times are of the processor, one thread.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pixelrs_ros.commands.numbers import not_negative, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    parser.add_argument("--videos", type=positive, default=4, metavar="N", help="of each situation (default: 4)")
    parser.add_argument("--first-seed", type=not_negative, metavar="N", help="of the scenes (default: 921000)")
    parser.add_argument(
        "--prompted",
        type=not_negative,
        default=8,
        metavar="N",
        help="videos on which [SEG] prompts are tried (default: 8)",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where rendered videos are kept for the next time")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/tracking.json"), metavar="FILE",
        help="default: benchmarks/tracking.json",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Render, follow, print the table, write the JSON.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        OutputError: The JSON cannot be written, which is found out first.
    """
    import cv2
    from rich.console import Console
    from rich.table import Table

    from pixelrs_ros.evaluation import tracking
    from pixelrs_ros.files import require_writable, write_json

    require_writable(options.json)
    cv2.setNumThreads(1)
    console = Console(highlight=False, width=120)
    engine = None
    if options.prompted:
        loaded = tracking.PromptEngine.from_checkpoint(options.checkpoint, num_threads=1)
        assert isinstance(loaded, tracking.PromptEngine)  # the signature promises less
        engine = loaded
    first_seed = tracking.FIRST_SEED if options.first_seed is None else options.first_seed
    videos = tracking.recordings(options.videos, first_seed, options.keep)
    rows = tracking.measure_all(videos, engine, options.prompted, lambda line: console.print(line, markup=False))
    summary = tracking.summary(rows)
    table = Table(title="IoU as a share of the first frame's")
    for column in summary[0]:
        table.add_column(column, justify="left" if column in ("way", "first mask", "situation") else "right")
    for row in summary:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table, markup=False)
    result: dict[str, Any] = {"command": " ".join(["pixelrs", *sys.argv[1:]]), "summary": summary, "videos": rows}
    write_json(options.json, result)
