"""Fit a checkpoint's mask score to the IoUs that it reaches on a split, and write the fit into its config.yaml.

The score joins two of the network's own estimates: how well the mask is cut (SAM's) and how sure the words are. The
dialogues are played with the network's own answers as history; how many turns get no answer is told. Use a split that
is neither trained nor tested on.
"""

from __future__ import annotations

import argparse
import dataclasses
from functools import partial
from pathlib import Path

from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.commands.sharing import add_worker_options, players_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder or name; its config.yaml is written",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="PRIST folder")
    parser.add_argument("--split", default="val", help="which <split>.json (default: val)")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N dialogues")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="CPU threads a process (default: half of the CPUs)"
    )
    add_worker_options(parser, "share the images")


def run(options: argparse.Namespace) -> None:
    """Play, fit, write.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        DataError: The folder is incomplete, or its dialogues give too few masks.
    """
    from rich.console import Console

    from pixelrs_ros.checkpoint import CONFIG, read_config, resolve, write_config
    from pixelrs_ros.commands.evaluate import load_engine
    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.evaluation.calibration import calibrate
    from pixelrs_ros.evaluation.evaluate import Job, evaluate
    from pixelrs_ros.evaluation.fit_score import fit_score, rescored
    from pixelrs_ros.evaluation.play import HEADLINE
    from pixelrs_ros.evaluation.samples import Samples
    from pixelrs_ros.evaluation.tables import unanswered_lines

    folder = resolve(options.checkpoint)
    samples = Samples.load(options.data, options.split, limit=options.limit)
    threads, workers = players_of(options)
    make_engine = partial(load_engine, str(folder), options.device, threads)
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("dialogues", total=len(samples.all))
        report, records = evaluate(
            Job(samples, (HEADLINE,)),
            make_engine,
            workers=workers,
            on_progress=lambda done: progress.advance(task, done),
        )
    for line in unanswered_lines({"checkpoint": folder.name, **report}):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    played = [record for record in records if record.condition == HEADLINE.name]
    config = read_config(folder)
    score = fit_score(played)
    for name, scored in (("before", config.score), ("fitted", score)):
        calibration = calibrate(*rescored(played, scored))
        assert calibration is not None  # fit_score has seen to it that there are masks
        console.print(f"{name}: {scored}, error {calibration.expected_error:.3f} over {calibration.count} masks")
    write_config(folder, dataclasses.replace(config, score=score))
    console.print(f"written to {folder / CONFIG}; the error on other dialogues: pixelrs evaluate")
