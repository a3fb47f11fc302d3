"""Render scenes and tell dialogues about them: a PRIST folder, resumable, the same bytes for the same seed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import not_negative, positive
from pixelrs_ros.commands.sharing import add_worker_options, workers_of
from pixelrs_ros.errors import DataError

if TYPE_CHECKING:
    from pixelrs_ros.data.generate import Pictures


SPLITS: dict[Pictures, str] = {
    "train": "pictures to train on",
    "val": "pictures to watch training on",
    "test": "pictures to test on, told of twice: in plain language (test) and in hard language (test_language)",
    "test_talk": "pictures to test on in the words of the held-out voices: test_direct, test_relations, test_parts, "
    "test_chat and test_pairs",
    "train_talk": "pictures to train on in the words that the shipped network has learned from",
    "test_shapes": "pictures to test on whose targets are of shapes that the other splits never show",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the PRIST folder")
    for split, what in SPLITS.items():
        name = split.replace("_", "-")
        parser.add_argument(f"--{name}", type=positive, metavar="N", help=f"{what} (default: none)")
    parser.add_argument(
        "--test-stranger", type=positive, metavar="N",
        help="pictures and words by a stranger to our simulator: test_stranger (default: none)",
    )  # fmt: skip
    parser.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of every random choice (default: 0)")
    add_worker_options(parser, "draw")


def run(options: argparse.Namespace) -> None:
    """Make or complete the folder; splits that were not asked for stay as they are.

    Raises:
        DataError: No split was asked for, or the folder cannot be written.
        ConfigError: The Ray cluster cannot be used.
    """
    workers = workers_of(options)
    counts: dict[Pictures, int] = {split: getattr(options, split) for split in SPLITS if getattr(options, split)}
    if not counts and not options.test_stranger:
        raise DataError(
            "nothing to make: give --train, --val, --train-talk, --test, --test-shapes, --test-talk or --test-stranger "
            "a number of pictures"
        )

    from pixelrs_ros.data.generate import generate

    made = generate(options.out, counts, seed=options.seed, workers=workers)
    if options.test_stranger:
        from pixelrs_ros.stranger import write_stranger

        made["test_stranger"] = write_stranger(options.out, options.test_stranger, options.seed)
    for split, dialogues in made.items():
        print(f"{options.out / split}.json: {dialogues} dialogues")
