"""Divides a list of dialogues into one to learn from and one to measure on, with no picture in both."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from pixelrs_ros.data import prist
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.errors import DataError

LEARN, HELD_OUT = "learn", "held_out"  # names of the two lists


def hold_out(folder: Path, split: str, share: float, seed: int = 0) -> tuple[int, int]:
    """Write `learn.json` and `held_out.json`; the same division for the same dialogues and seed.

    Pictures count as the same when their files are: a scene that several dialogues were about stays on one side.

    Args:
        folder: A PRIST folder.
        split: The list to divide, which stays as it is.
        share: Of the pictures that are held out, in (0, 1).
        seed: Of the division.

    Returns:
        How many dialogues there are to learn from, and how many to measure on.

    Raises:
        DataError: The list is missing or malformed, or has fewer than two pictures.
        OutputError: A file cannot be written.
    """
    if not 0.0 < share < 1.0:
        raise DataError(f"the share that is held out must lie between 0 and 1, got {share:g}")
    path = prist.split_path(folder, split)
    records = load_json(path)
    if not isinstance(records, list) or not all(isinstance(record, dict) and "img_id" in record for record in records):
        raise DataError(f"{path}: expected a list of dialogues, each with an img_id")
    pictures = [_digest(prist.image_path(folder, str(record["img_id"]))) for record in records]
    known = sorted(set(pictures))
    if len(known) < 2:
        raise DataError(f"{path}: has {len(known)} different pictures; to hold one out takes at least 2")
    random.Random(seed).shuffle(known)
    held = set(known[: min(len(known) - 1, max(1, round(share * len(known))))])
    sides = {
        LEARN: [record for record, picture in zip(records, pictures, strict=True) if picture not in held],
        HELD_OUT: [record for record, picture in zip(records, pictures, strict=True) if picture in held],
    }
    for name, side in sides.items():
        prist.write_records(prist.split_path(folder, name), side)
    return len(sides[LEARN]), len(sides[HELD_OUT])


def _digest(path: Path) -> bytes:
    try:
        return hashlib.blake2b(path.read_bytes()).digest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
