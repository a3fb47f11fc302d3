"""Measure how far the places and boxes of targets are from the simulator's truth.

Seeded scenes are drawn with depth and spoilt as a depth camera spoils it: noise, flying pixels, holes, color and depth
a little apart, whole millimeters; and, for one sensor, a lens that distorts. Every visible object and part is measured
with its true mask, or with that of a network, with and without erosion and removal of outliers.

Centroid, box center and box size are compared with the visible surface, which is all that one view can measure.
"Whole" compares the same box with the one around all of the object: what faces away is missing, so that the error stays
large however good the depth is. Sizes: mean of the three sides' errors. All in mm, median / 95th percentile. A network
that takes something else for the target errs by the distance between the two; "found" leaves masks below IoU 0.5 out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.numbers import not_negative, positive

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from pixelrs_ros.evaluation.space import Masks

FIRST_SEED = 950_000  # far from the seeds of the training data and of the demonstrations
TABLE_WIDTH = 170  # characters
FOUND = 0.5  # IoU of a mask that shows the target, however badly cut


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenes", type=positive, default=200, metavar="N", help="how many (default: 200)")
    parser.add_argument("--seed", type=not_negative, default=FIRST_SEED, help="of the first scene (default: 950000)")
    parser.add_argument("--masks", choices=("true", "network"), default="true", help="default: true")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="for --masks network (default: nano)")
    parser.add_argument("--device", default="cpu", help="torch device, for --masks network (default: cpu)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads of the network")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")


def run(options: argparse.Namespace) -> None:
    """Draw, measure, print the table, write the JSON.

    Raises:
        CheckpointError: The checkpoint cannot be loaded.
        OutputError: The JSON cannot be written, which is found out first.
    """
    from rich.console import Console
    from rich.progress import track

    from pixelrs_ros.evaluation.space import SENSORS, VARIANTS, measure_scene
    from pixelrs_ros.files import require_writable, write_json
    from pixelrs_ros.sim.picture.render import Renderer

    if options.json:
        require_writable(options.json)
    masks = _masks(options)
    records: list[dict[str, Any]] = []
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = TABLE_WIDTH
    with Renderer() as renderer:
        seeds = range(options.seed, options.seed + options.scenes)
        for seed in track(seeds, "scenes", console=console, transient=True):
            records += measure_scene(renderer, seed, masks, VARIANTS, list(SENSORS))
    result = summarize(records)
    console.print(table(result))
    if options.json:
        made_with = {"command": " ".join(["pixelrs", *sys.argv[1:]]), "scenes": options.scenes, "masks": options.masks}
        whole = {"made with": made_with, "unit": "mm; ms: milliseconds a target", "results": result}
        write_json(options.json, whole)


def _masks(options: argparse.Namespace) -> Masks:
    from pixelrs_ros.evaluation.space import network_masks, true_masks

    if options.masks == "true":
        return true_masks
    from pixelrs_ros.commands.evaluate import load_engine

    return network_masks(load_engine(options.checkpoint, options.device, options.threads))


def summarize(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers by sensor, by objects and parts, and by variant; masks of something else also left out."""
    from pixelrs_ros.evaluation.space import SENSORS, VARIANTS, summary

    kinds: dict[str, Callable[[dict[str, Any]], bool]] = {
        "objects": lambda record: not record["part"],
        "parts": lambda record: bool(record["part"]),
    }
    if any(record["iou"] < FOUND for record in records):
        kinds["found objects"] = lambda record: not record["part"] and record["iou"] >= FOUND
        kinds["found parts"] = lambda record: bool(record["part"]) and record["iou"] >= FOUND
    return {
        sensor: {
            name: {
                variant: summary([r for r in records if (r["sensor"], r["variant"]) == (sensor, variant) and kind(r)])
                for variant in VARIANTS
            }
            for name, kind in kinds.items()
        }
        for sensor in SENSORS
    }


def table(result: dict[str, Any]) -> Table:
    """The numbers on the terminal: median / 95th percentile."""
    from rich.table import Table

    from pixelrs_ros.evaluation.space import ERRORS

    made = Table(title="errors in mm, median / 95th percentile")
    made.add_column("", no_wrap=True)
    for column in ("removed", "measured", *(name.replace("_", " ") for name in ERRORS), "ms"):
        made.add_column(column, justify="right")
    for sensor, kinds in result.items():
        made.add_section()
        for kind, variants in kinds.items():
            for variant, row in variants.items():
                cells = (row.get(name) for name in (*ERRORS, "ms"))
                texts = (f"{cell['p50']:.1f} / {cell['p95']:.1f}" if cell else "" for cell in cells)
                made.add_row(f"{kind}, {sensor}", variant, f"{row['measured']}/{row['targets']}", *texts)
    return made
