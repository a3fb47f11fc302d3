"""Averages the weights of two checkpoints of one network, of which the second went on learning from the first.

What lies between them keeps more of what the first could do than the second does (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). Everything but the weights is the second's.

scripts/env.sh python scripts/average_checkpoints.py nano runs/nano_walks/checkpoint --share 0.5 --out runs/average
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from pixelrs_ros.checkpoint import INT8, load_checkpoint, save_checkpoint
from pixelrs_ros.errors import CheckpointError, PixelrsError


def average(first: str, second: str, share: float, out: Path) -> None:
    """Writes the average.

    Args:
        first: Folder or name of a checkpoint.
        second: The other one.
        share: The second's, in [0, 1].
        out: The folder to write.

    Raises:
        CheckpointError: One is no MIRAS, or they are not of one network.
    """
    (one, _, _), (other, config, tokenizer) = (load_checkpoint(name, dtype="fp32") for name in (first, second))
    before, after = one.state_dict(), other.state_dict()
    if {name: value.shape for name, value in before.items()} != {name: value.shape for name, value in after.items()}:
        raise CheckpointError(f"{first} and {second} have other weights; remedy: two checkpoints of one network")
    between = {
        name: torch.lerp(before[name], value, share) if value.is_floating_point() else value
        for name, value in after.items()
    }
    other.load_state_dict(between)
    save_checkpoint(out, other, config, tokenizer, INT8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", metavar="FIRST", help="folder or name")
    parser.add_argument("second", metavar="SECOND", help="folder or name")
    parser.add_argument("--share", type=float, default=0.5, help="the second's, in [0, 1] (default: 0.5)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    args = parser.parse_args()
    if not 0 <= args.share <= 1:
        parser.error(f"--share must be in [0, 1], got {args.share}")
    try:
        average(args.first, args.second, args.share, args.out)
    except PixelrsError as error:
        parser.error(str(error))
