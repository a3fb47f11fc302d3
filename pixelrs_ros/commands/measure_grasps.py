"""Measure how often a simulated gripper lifts what was asked for, as a whole and by its handle.

In each seeded scene things come to rest, and a depth camera with its usual faults looks at them. The planner gets a
mask, true or of a network that is told "Give me the red mug." or "Give me the red mug by its handle.", and proposes
grasps; a parallel gripper in MuJoCo tries the best one: approaches, closes, lifts by 25 cm. Lifted is what then lies in
both fingers and touches nothing else. Scenes without a handle to be seen are passed over; nothing else is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pixelrs_ros.commands.numbers import not_negative, positive

SOURCES = ("truth", "network")
TABLE_WIDTH = 120  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenes", type=positive, default=50, metavar="N", help="how many (default: 50)")
    parser.add_argument("--seed", type=not_negative, metavar="N", help="of the first scene (default: 965000)")
    parser.add_argument("--masks", choices=SOURCES, help="default: both")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="of the network (default: nano)")
    parser.add_argument("--device", default="cpu", help="torch device of the network (default: cpu)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads of the network")
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/grasps.json"), metavar="FILE",
        help="default: benchmarks/grasps.json",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, default=Path("out/grasps.html"), metavar="FILE", help="default: out/grasps.html"
    )


def run(options: argparse.Namespace) -> None:
    """Plan, lift, print the table, write the JSON and the page.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        OutputError: A file cannot be written, which is found out first.
    """
    import cv2
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from pixelrs_ros.commands.evaluate import load_engine
    from pixelrs_ros.evaluation import grasps
    from pixelrs_ros.evaluation.grasps_page import Page
    from pixelrs_ros.files import require_writable, write_json
    from pixelrs_ros.gripper import Gripper

    for path in (options.json, options.report):
        require_writable(path)
    cv2.setNumThreads(1)
    masks: dict[str, grasps.Masks] = {}
    for source in SOURCES if options.masks is None else (options.masks,):
        masks[source] = grasps.true_mask
        if source == grasps.NETWORK:
            engine = load_engine(options.checkpoint, options.device, options.threads)
            masks[source] = grasps.network_mask(engine)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    seed = grasps.FIRST_SEED if options.seed is None else options.seed
    page, records = Page(), []
    trials = grasps.run_trials(options.scenes, seed, masks, Gripper())
    for trial in track(trials, "trials", 2 * len(masks) * options.scenes, console=console, transient=True):
        page.add(trial)
        records.append(trial.record())
    rows = grasps.summary(records)
    table = Table(title="lifted by the simulated gripper")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), justify="left" if column in ("masks", "by") else "right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table, markup=False)
    command = " ".join(["pixelrs", *sys.argv[1:]])
    write_json(options.json, {"command": command, "summary": rows, "trials": records})
    page.write(options.report, command, rows)
    console.print(f"wrote {options.json} and {options.report}", markup=False)
