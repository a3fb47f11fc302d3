"""Measures how well a checkpoint takes a click on a picture, and writes the table into docs/results.md.

pixelrs generate --out data/pointing --train 1 --val 1 --test 40 --test-stranger 40 --seed 31
scripts/env.sh python scripts/measure_pointing.py data/pointing

Each thing of each picture is clicked on once, at a pixel drawn at random from what is seen of it. An answer is right
where its mask has an IoU above 0.5 with what was meant; where nothing was meant, where it shows no mask.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from pixelrs_ros.documents import write_table
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.evaluation.samples import Samples, is_whole
from pixelrs_ros.files import write_json
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.types import POINTING, Point, Reply, Status

ROOT = Path(__file__).resolve().parent.parent
SPLITS = {"test": "own pictures", "test_stranger": "another hand's pictures"}
HOW = CLICK, NOTHING, BLIND = "click", "no click", "click, eyes covered"
RIGHT_IOU = 0.5
PART, THIS, WORDS, OTHER, BARE = (
    "“the (part) of this one”", f"“{POINTING}”", "“the (color) (kind)”", "“give me this (another kind)”",
    f"“{POINTING}” where nothing stands",
)  # fmt: skip
CONTROLLED = (PART, THIS)  # also asked without a click, and of eyes that see gray
MANNER = {THIS: POINTING, "“Give me this.”": "Give me this."}
LEAST_PX = 40  # of a thing that is clicked on
CLICKS_BESIDE = 3  # on nothing, a picture
UNSPOKEN = ("body",)  # parts that nobody asks for

Found = dict[tuple[str, str, str], list[float]]  # overlaps by row, split and condition
Case = tuple[str, str, Point | None, np.ndarray | None]  # row, words, click, what is meant


def cases(masks: dict[str, np.ndarray], rng: np.random.Generator) -> Iterator[Case]:
    """What is asked about one picture.

    Args:
        masks: (H, W) bool by label.
        rng: Draws the pixels.
    """
    for name, mask in masks.items():
        if not is_whole(name) or np.count_nonzero(mask) < LEAST_PX:
            continue
        point = pixel_of(mask, rng)
        kind = name.split()[1]
        for row, words in MANNER.items():
            yield row, words, point, mask
        other = str(rng.choice([each for each in KINDS if each != kind]))
        yield OTHER, f"give me this {other}", point, None
        if not name[-1].isdigit() and f"{name} 2" not in masks:  # a twin has no words of its own
            yield WORDS, f"the {name}", None, mask
        parts = [label for label in masks if label.endswith(f" of the {name}") and label.split()[0] not in UNSPOKEN]
        if parts:
            part = str(rng.choice(parts))
            yield PART, f"the {part.split(' of the ')[0]} of this one", point, masks[part]
    bare = ~np.logical_or.reduce(list(masks.values()))
    for _ in range(CLICKS_BESIDE):
        yield BARE, POINTING, pixel_of(bare, rng), None


def pixel_of(mask: np.ndarray, rng: np.random.Generator) -> Point:
    """The middle of one of the pixels of an (H, W) bool mask."""
    y, x = rng.choice(np.argwhere(mask))
    return float(x) + 0.5, float(y) + 0.5


def overlap(reply: Reply, meant: np.ndarray | None) -> float:
    """IoU with what was meant; where that is nothing, 1 without a mask and else 0."""
    if meant is None:
        return float(reply.status is not Status.GROUNDED)
    return iou(reply.union_mask(*meant.shape), meant)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DIR", help=f"PRIST folder with the splits {', '.join(SPLITS)}")
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (default: nano)")
    options = parser.parse_args()
    engine = Engine.from_checkpoint(options.checkpoint)
    found: Found = defaultdict(list)
    times_ms: dict[str, list[float]] = defaultdict(list)
    for split in SPLITS:
        samples, rng = Samples.load(options.data, split), np.random.default_rng(0)
        for group in track(samples.by_image(), split, samples.count_images(), transient=True):
            image, masks = samples.read(group[0].img_id)
            seen, gray = engine.encode(image), engine.encode(image, blind=True)
            engine.answer(seen, (), POINTING)  # SAM has seen the picture by then
            for row, words, point, meant in cases(masks, rng):
                reply = engine.answer(seen, (), words, point=point)
                found[row, split, CLICK if point else NOTHING].append(overlap(reply, meant))
                times_ms[CLICK if point else NOTHING].append(reply.latency_ms["total"] - reply.latency_ms["encode"])
                if row in CONTROLLED:
                    found[row, split, NOTHING].append(overlap(engine.answer(seen, (), words), meant))
                    found[row, split, BLIND].append(overlap(engine.answer(gray, (), words, point=point), meant))
    rows = [row_of(row, split, found) for row, split in {key[:2]: None for key in found}]
    rows.sort(key=lambda each: each["right"].get(CLICK, 2.0))  # the words without a click come last
    table = ["| words, pictures | n | " + " | ".join(HOW) + " |", "|---|---|---|---|---|"]
    for each in rows:
        shares = (f"{each['right'][how]:.0%}" if how in each["right"] else "" for how in HOW)
        table.append(f"| {each['words']}, {SPLITS[each['split']]} | {each['count']} | {' | '.join(shares)} |")
    load = os.getloadavg()[2]
    median_ms = {how: round(float(np.median(each)), 1) for how, each in times_ms.items()}
    table += [
        "",
        f"An answer took {median_ms[CLICK]:.0f} ms with a click and {median_ms[NOTHING]:.0f} ms without (median, "
        f"without the picture's encoding; {engine.backend}; load average {load:.0f} of {os.cpu_count()}).",
    ]
    print("\n".join(table))
    write_json(
        ROOT / "benchmarks" / "pointing.json",
        {"command": "scripts/measure_pointing.py", "rows": rows, "median_ms": median_ms, "load_average": load},
    )
    write_table(ROOT, "pointing", "\n".join(table))


def row_of(row: str, split: str, found: Found) -> dict[str, Any]:
    """A row of the table: the share of right answers and the mean IoU, each under the conditions that were tried."""
    overlaps = {how: np.array(found[row, split, how]) for how in HOW if (row, split, how) in found}
    return {
        "words": row,
        "split": split,
        "count": max(map(len, overlaps.values())),
        "right": {how: round(float((each > RIGHT_IOU).mean()), 3) for how, each in overlaps.items()},
        "mean_iou": {how: round(float(each.mean()), 3) for how, each in overlaps.items()},
    }


if __name__ == "__main__":
    main()
