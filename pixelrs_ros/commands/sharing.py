"""The options of commands whose work is shared among processes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.errors import ConfigError

if TYPE_CHECKING:
    from pixelrs_ros.workers import Workers


def add_worker_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare --workers and --ray; `what` the processes do."""
    parser.add_argument("--workers", type=positive, metavar="N", help=f"processes that {what} (default: 1)")
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="those of a Ray cluster instead: HOST:PORT, auto for one that runs here, local for one of its own",
    )


def workers_of(options: argparse.Namespace, *, cpus: int = 1, gpus: int = 0) -> Workers:
    """Who works.

    Args:
        options: With the two options.
        cpus: That each process needs.
        gpus: Likewise.

    Raises:
        ConfigError: Both were given.
    """
    from pixelrs_ros.workers import Workers

    if options.ray is not None and options.workers is not None:
        raise ConfigError("--workers are processes of this machine, and --ray asks for those of a cluster: give one")
    if options.ray == "":
        raise ConfigError("--ray needs an address: HOST:PORT, or auto")
    return Workers(options.workers or 1, options.ray or "", cpus, gpus)


def players_of(options: argparse.Namespace) -> tuple[int | None, Workers]:
    """Who plays dialogues.

    Args:
        options: With --threads and --device, too.

    Returns:
        CPU threads of each process, None: half of the CPUs; and the processes.

    Raises:
        ConfigError: See `workers_of`.
    """
    threads = options.threads or (1 if options.ray else None)  # a cluster counts them
    return threads, workers_of(options, cpus=threads or 1, gpus=int(options.device.startswith("cuda")))
