"""Write a checkpoint's image encoders, prompt and mask decoder as ONNX graphs for the node's `backend: onnx`.

Each graph is run in ONNX Runtime and compared with torch; the export fails where they differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.commands.numbers import not_negative_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default: onnx in the checkpoint's folder, where the node looks for it"
    )
    parser.add_argument(
        "--tolerance",
        type=not_negative_number,
        default=1e-4,
        metavar="X",
        help="largest difference from torch, as a fraction of the largest output (default: 1e-4)",
    )


def run(options: argparse.Namespace) -> None:
    """Export, printing the difference of each graph from torch.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        ExportError: A library is missing or a graph differs too much.
        OutputError: The folder cannot be written, which is found out first.
    """
    from pixelrs_ros.files import require_writable_folder
    from pixelrs_ros.shipped import resolve

    # What is wrong with the options is told before torch is loaded, which takes seconds.
    checkpoint = resolve(options.checkpoint)
    if options.out:
        require_writable_folder(options.out)
    from pixelrs_ros.engine.backends import ONNX
    from pixelrs_ros.engine.onnx_export import export_onnx

    folder = options.out or checkpoint / ONNX
    for part in export_onnx(options.checkpoint, folder, options.tolerance):
        difference = f"max |onnx - torch| = {part.max_abs_difference:.2e}, max |torch| = {part.max_abs:.2e}"
        print(f"{folder / part.file}: {difference}")
