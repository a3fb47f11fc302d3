"""Write a simulated scene as a world for Gazebo, with a depth camera and a segmentation camera that knows the truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.commands.numbers import not_negative
from pixelrs_ros.sim.gazebo.releases import RELEASES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the world")
    parser.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of the scene (default: 0)")
    parser.add_argument(
        "--gazebo", choices=tuple(RELEASES), default="harmonic", help="release of Gazebo (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Write the world, its meshes, and what its labels mean.

    Raises:
        OutputError: A file cannot be written.
    """
    from pixelrs_ros.sim.gazebo.labels import LABELS_FILE
    from pixelrs_ros.sim.gazebo.world import write_world
    from pixelrs_ros.sim.scene.scene import sample_scene

    release = RELEASES[options.gazebo]
    path = write_world(sample_scene(options.seed), options.out, release)
    print(f"{path}: {' '.join(release.command)} {path.resolve()}")
    print(f"{options.out / LABELS_FILE}: what the pixels of the segmentation camera mean")
