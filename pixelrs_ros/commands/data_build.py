"""Make dialogues for a folder of pictures with labeled masks, by rules or by asking a language model.

In the paper's three steps: visual elements with attributes (elements/), a tree of questions (trees/, to read and
change), and from the root to each leaf a dialogue that ends on the leaf's mask. What is there is not asked again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.endpoints import add_endpoint_options
from pixelrs_ros.commands.numbers import not_negative, positive
from pixelrs_ros.errors import AnswerError, ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixelrs_ros.data.build.build import Built

REPORT = "report.json"
ANSWERS = "answers.jsonl"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="pictures in images/, labelme's masks in masks/")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the PRIST folder")
    parser.add_argument("--by", choices=("rules", "model"), default="rules", help="who tells (default: rules, offline)")
    parser.add_argument("--split", default="train", metavar="NAME", help="of the dialogues (default: train)")
    parser.add_argument("--dialogues", type=positive, metavar="N", help="of each picture, at most (default: all paths)")
    parser.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of choices and model (default: 0)")
    model = parser.add_argument_group("model")
    add_endpoint_options(model, temperature=0.7)
    model.add_argument("--model", metavar="NAME", help="as the endpoint calls it")
    model.add_argument("--see", action="store_true", help="show the pictures to the model, which must be able to see")


def run(options: argparse.Namespace) -> None:
    """Build, write the report, print it.

    Raises:
        ConfigError: A model is asked for without its name or address, or does not answer at all.
        DataError: The folder, or a file that a person changed, is malformed, or the split has dialogues that were not
            built here.
        OutputError: A file cannot be written.
        AnswerError: There is no dialogue.
    """
    import asyncio

    from rich.console import Console

    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.data.build.pictures import labeled_pictures
    from pixelrs_ros.files import require_writable_folder, write_json

    if options.by == "model" and (options.endpoint is None or options.model is None):
        raise ConfigError("--by model wants --endpoint and --model: where the model is, and what it is called there")
    names = labeled_pictures(options.folder)
    splits = _splits_to_be(options.out, options.split)
    require_writable_folder(options.out)
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("pictures", total=len(names))
        found = asyncio.run(_build(options, names, lambda: progress.advance(task)))
    write_json(options.out / REPORT, found | {"splits": splits})
    print(f"{options.out / options.split}.json: {found['dialogues']} dialogues about {found['pictures']} pictures")
    if found["left_out"]:
        print(f"left out, fewer than two labels that a mask shows: {found['left_out']} pictures")
    for reason, count in found["dropped"].items():
        print(f"dropped, {reason}: {count}")
    if usage := found.get("usage"):
        print(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in usage.items()))
    if not found["dialogues"]:
        first = f"; the first drop: {found['drops'][0]['error']}" if found["drops"] else "; no picture has two labels"
        raise AnswerError(f"there is no dialogue{first}")


def _splits_to_be(out: Path, split: str) -> list[str]:
    """Those that were built in a folder, and the one that will be.

    Raises:
        DataError: There is one of this name that was not built; the report knows those that were.
    """
    from pixelrs_ros.data.json_files import load_json
    from pixelrs_ros.data.prist import split_path

    path, report = split_path(out, split), out / REPORT
    content = load_json(report) if report.is_file() else {}
    built = content.get("splits", []) if isinstance(content, dict) else []
    if path.exists() and split not in built:
        raise DataError(f"{path}: holds dialogues that were not built, and would be lost; remedy: another --split")
    return sorted({*built, split})


async def _build(options: argparse.Namespace, names: list[str], on_progress: Callable[[], None]) -> dict[str, Any]:
    from pixelrs_ros.data.build.build import build
    from pixelrs_ros.data.build.rules import RuleBuilder

    chosen = {"split": options.split, "seed": options.seed, "per_picture": options.dialogues}
    if options.by == "rules":
        built = await build(options.folder, options.out, RuleBuilder(), **chosen, on_progress=on_progress)
        return {"by": "rules", **chosen, **_told(built, str)}

    from pixelrs_ros.data.build.asked import AskingBuilder, names_what_is_not_there
    from pixelrs_ros.data.build.pictures import labels_of
    from pixelrs_ros.endpoint.endpoint import Endpoint
    from pixelrs_ros.endpoint.journal import Journal

    def why(error: BaseException) -> str:
        if not isinstance(error, AnswerError):
            return "no answer"
        return "names what is not in the picture" if names_what_is_not_there(error) else "not what was wanted"

    vocabulary = set().union(*(labels_of(options.folder, name) for name in names))
    sampling = {"temperature": options.temperature, "max_tokens": options.max_tokens}
    with Journal(options.out / ANSWERS) as journal:
        async with Endpoint(
            options.endpoint, options.model, journal, **sampling, timeout_s=options.timeout_s, at_once=options.at_once
        ) as endpoint:
            builder = AskingBuilder(endpoint, vocabulary, seed=options.seed, see=options.see)
            built = await build(
                options.folder, options.out, builder, **chosen, at_once=options.at_once, on_progress=on_progress
            )
            told = _told(built, why)
            return {"by": options.model, **chosen, **sampling, **told, "usage": vars(endpoint.usage)}


def _told(built: Built, why: Callable[[BaseException], str]) -> dict[str, Any]:
    drops = [
        {
            "picture": drop.picture,
            "step": drop.step,
            "labels": drop.labels,
            "why": why(drop.error),
            "error": str(drop.error),
        }
        for drop in built.drops
    ]
    counts = {"pictures": built.pictures, "left_out": built.left_out, "dialogues": built.dialogues}
    return {**counts, "dropped": built.dropped(why), "drops": drops}
