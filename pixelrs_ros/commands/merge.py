"""Merge what a stage of the published recipe has trained into a plain checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="YAML of the training run")
    parser.add_argument("--stage", metavar="NAME", help="which stage (default: the last)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the checkpoint")


def run(options: argparse.Namespace) -> None:
    """Merge.

    Raises:
        ConfigError: The configuration or the stage's name is wrong.
        CheckpointError: The stage has not run, or the start is missing.
    """
    try:
        from pixelrs_ros.training.published.recipe import merge
    except ModuleNotFoundError as error:
        raise ConfigError(f"training needs {error.name}; remedy: pip install -r requirements/train.txt") from error

    merge(options.config, options.stage, options.out)
