"""Teach a checkpoint which pictures it is used to, so that it says when one is unlike them, and lowers its scores.

Writes familiarity.safetensors into the checkpoint's folder. Use pictures like those that it was trained on: one split
to learn from, another to set the limit, within which 99 of 100 of them lie.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="DIR", help="folder or name")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="PRIST folder")
    parser.add_argument("--split", default="train", help="pictures to learn from (default: train)")
    parser.add_argument("--held-out", default="val", metavar="SPLIT", help="pictures for the limit (default: val)")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")


def run(options: argparse.Namespace) -> None:
    """Look at the pictures, fit, write.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        DataError: A split is missing, or has too few pictures.
        OutputError: The file cannot be written.
    """
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from pixelrs_ros.checkpoint import FAMILIARITY
    from pixelrs_ros.engine.engine import Engine
    from pixelrs_ros.engine.familiarity import features, fit
    from pixelrs_ros.evaluation.samples import Samples
    from pixelrs_ros.files import require_writable_folder
    from pixelrs_ros.shipped import resolve

    folder = resolve(options.checkpoint)
    require_writable_folder(folder)
    console = Console()
    splits = [Samples.load(options.data, name) for name in (options.split, options.held_out)]
    engine = Engine.from_checkpoint(folder, options.device)
    seen, held_out = (
        np.array([
            features(engine.encode(samples.read(names[0].img_id)[0]).image_tokens).numpy()
            for names in track(
                samples.by_image(), samples.split, samples.count_images(), console=console, transient=True
            )
        ])
        for samples in splits
    )  # fmt: skip
    familiarity = fit(seen, held_out)
    familiarity.save(folder)
    console.print(f"{len(seen)} pictures learned, {len(held_out)} held out; written to {folder / FAMILIARITY}")
