"""Score a checkpoint on a PRIST folder, ours or not.

The human turns of each dialogue are played in order with the network's own answers as history, and the masks of the
last answer are scored against the polygons whose label is the dialogue's focus; no mask counts as IoU 0. The trivial
baselines stand beside. gIoU: mean IoU, with its 95 % interval (bootstrap over images). cIoU: summed intersections over
summed unions. Boundary IoU: Cheng et al. 2021, bands of 2 % of the diagonal. P, R, F1: of pixels, summed over the data
set. Seconds a turn: the median, with the encoding of the picture.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from pixelrs_ros.evaluation.play import AnsweringEngine, Condition
    from pixelrs_ros.evaluation.records import Record

TO_TERMINAL = Path("-")
TABLE_WIDTH = 150  # characters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="PRIST folder: <split>.json, images/, masks/"
    )
    parser.add_argument("--split", default="test", help="which <split>.json (default: test)")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (default: nano)")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N dialogues")
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=TO_TERMINAL,
        metavar="FILE",
        help="write the report as JSON, every dialogue with it, to FILE; without FILE print the report alone",
    )
    history = parser.add_mutually_exclusive_group()
    history.add_argument(
        "--reference-history", action="store_true", help="history holds the data's answers, not our own"
    )
    history.add_argument("--last-turn-only", action="store_true", help="give the last instruction alone, no history")
    history.add_argument(
        "--all", action="store_true", help="own history, blind, last turn only, reference history at once"
    )
    parser.add_argument(
        "--blind", action="store_true", help="show the language model a grey image; SAM sees the real one"
    )
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads a process (default: torch's)")
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes that share the images")


def run(options: argparse.Namespace) -> None:
    """Play, print the tables, write the JSON.

    Raises:
        DataError: The folder is incomplete.
        CheckpointError: The checkpoint cannot be loaded.
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from pixelrs_ros.evaluation.evaluate import Job, evaluate
    from pixelrs_ros.evaluation.samples import Samples

    samples = Samples.load(options.data, options.split, limit=options.limit)
    console = Console(stderr=options.json == TO_TERMINAL)
    if not console.is_terminal:
        console.width = TABLE_WIDTH  # a file has no width of its own, and the default would cut numbers
    make_engine = partial(load_engine, options.checkpoint, options.device, options.threads)
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("dialogues", total=len(samples.all))
        report, records = evaluate(
            Job(samples, conditions(options)),
            make_engine,
            workers=options.workers,
            on_progress=lambda finished: progress.advance(task, finished),
        )
    report = {"data": str(options.data), "checkpoint": str(options.checkpoint), **report}
    _print_tables(console, report)
    _write_json(options.json, report, records)


def conditions(options: argparse.Namespace) -> tuple[Condition, ...]:
    """The conditions that the options ask for; the first is the headline.

    Raises:
        ConfigError: Both --all and --blind.
    """
    from pixelrs_ros.evaluation.play import ALL_CONDITIONS, Condition

    if options.all and options.blind:
        raise ConfigError("--all has a blind row of its own: leave --blind away")
    if options.all:
        return ALL_CONDITIONS
    if options.reference_history:
        return (Condition("reference", options.blind),)
    return (Condition("none" if options.last_turn_only else "own", options.blind),)


def load_engine(checkpoint: str, device: str, threads: int | None) -> AnsweringEngine:
    """A freshly loaded network.

    Raises:
        CheckpointError: It cannot be loaded.
    """
    from pixelrs_ros.engine.engine import Engine

    return Engine.from_checkpoint(checkpoint, device=device, num_threads=threads)


def _print_tables(console: Console, report: dict[str, Any]) -> None:
    from pixelrs_ros.evaluation.tables import conditions_table, kinds_table, status_table, views_table

    for table in (conditions_table(report), kinds_table(report), views_table(report), status_table(report)):
        if table is not None:
            console.print(table)


def _write_json(where: Path | None, report: dict[str, Any], records: list[Record]) -> None:
    if where is None:
        return
    if where == TO_TERMINAL:
        print(json.dumps(report, indent=1, ensure_ascii=False))
        return
    where.parent.mkdir(parents=True, exist_ok=True)
    whole = {**report, "records": [record.to_json() for record in records]}
    where.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
