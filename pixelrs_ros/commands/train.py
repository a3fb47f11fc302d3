"""Train a network: the phases of a configuration in order, each resuming from its own checkpoint."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pixelrs_ros.commands.numbers import positive, positive_number
from pixelrs_ros.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="YAML of the training run")
    parser.add_argument(
        "--phase", nargs="+", default=[], metavar="NAME", help="only these phases (default: all, in order)"
    )
    parser.add_argument(
        "--until", type=positive, metavar="STEP", help="stop each phase at this step, to be resumed later"
    )
    parser.add_argument(
        "--checkpoint", type=Path, metavar="DIR", help="for the finished network (default: of the config)"
    )
    parser.add_argument(
        "--minutes",
        type=positive_number,
        metavar="M",
        help="end within so many minutes, with the best there is by then",
    )


def run(options: argparse.Namespace) -> None:
    """Train.

    Raises:
        ConfigError: The configuration has an unknown, missing or impossible value.
        DataError: The data set is incomplete.
        CheckpointError: An earlier phase has not run.
    """
    began = time.monotonic()
    try:
        from pixelrs_ros.training.simulated.clocked import Plan
        from pixelrs_ros.training.simulated.run import train
    except ModuleNotFoundError as error:
        files = " ".join(f"-r requirements/{name}.txt" for name in ("train", "sim", "plots"))
        raise ConfigError(f"training needs {error.name}; remedy: pip install {files}") from error

    if options.minutes and not options.phase:
        Plan(options.config, options.minutes, train).run()
        return
    left = options.minutes and max(options.minutes - (time.monotonic() - began) / 60, 0.01)
    train(options.config, options.phase, options.until, options.checkpoint, left)
