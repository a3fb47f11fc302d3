"""Measures how well a checkpoint tells pictures unlike its training's, and writes the table into docs/results.md.

pixelrs generate --out data/tabletop --train 500 --val 200 --test 100 --test-stranger 100 --test-shapes 100 --seed 11
scripts/env.sh python scripts/measure_novelty.py data/tabletop

The photographs are those that scikit-image carries; on each of them the network is given some orders.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.progress import track
from skimage import data as photographs

from pixelrs_ros.documents import write_table
from pixelrs_ros.engine.choice import mask_score
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.evaluation.samples import Samples
from pixelrs_ros.files import write_json
from pixelrs_ros.types import Frame, Status, Utterance

ROOT = Path(__file__).resolve().parent.parent
# All that come with the package and not from the network.
PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "hubble_deep_field",
               "immunohistochemistry", "moon", "page", "retina", "rocket", "text")  # fmt: skip
SPLITS = {
    "val": "what sets the limit",
    "test": "other scenes of the same world",
    "test_shapes": "shapes that training never shows",
    "test_stranger": "another hand's pictures",
}
ORDERS = ("the red mug", "Give me the cup.", "the handle of the red mug", "the biggest thing", "something to eat with")


def pictures(name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a photograph."""
    picture = np.asarray(getattr(photographs, name)())
    return np.ascontiguousarray(np.stack([picture] * 3, axis=2) if picture.ndim == 2 else picture[..., :3])


def of_split(folder: Path, split: str) -> Iterator[np.ndarray]:
    """The pictures of a split."""
    samples = Samples.load(folder, split)
    for group in track(samples.by_image(), split, samples.count_images(), transient=True):
        yield samples.read(group[0].img_id)[0]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DIR", help="PRIST folder with the splits " + ", ".join(SPLITS))
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or shipped name (default: nano)")
    options = parser.parse_args()
    engine = Engine.from_checkpoint(options.checkpoint)
    rows = ["| pictures | number | unlikely | novelty: lowest, median, highest |", "|---|---|---|---|"]
    numbers: dict[str, object] = {}
    for split, what in SPLITS.items():
        found = [engine.encode(picture).novelty for picture in of_split(options.data, split)]
        rows.append(_row(f"`{split}`: {what}", found))
        numbers[split] = {"count": len(found), "unlikely": float(np.mean(np.array(found) > 1))}
    novelties, scores, raw = {}, [], []
    for name in track(PHOTOGRAPHS, "photographs", transient=True):
        frame = Frame(pictures(name))
        for order in ORDERS:
            reply = Session(engine).say(Utterance(order), frame)
            novelties[name] = round(reply.novelty, 2)
            if reply.status is Status.GROUNDED:
                scores += [segment.score for segment in reply.segments]
                raw += [mask_score(engine.config.score, one.quality, one.certainty) for one in reply.segments]
    rows.append(_row("photographs of scikit-image", list(novelties.values())))
    said = f"{len(scores)} of {len(PHOTOGRAPHS) * len(ORDERS)} orders about the photographs were answered with a mask, "
    said += f"all of them wrong; its score was {np.mean(scores):.2f} on average and at most {max(scores):.2f} "
    said += f"(without novelty {np.mean(raw):.2f} and {max(raw):.2f})."
    numbers["photographs"] = {"novelty": novelties, "masks": len(scores), "mean_score": float(np.mean(scores)),
                              "max_score": max(scores), "mean_score_without_novelty": float(np.mean(raw))}  # fmt: skip
    table = "\n".join([*rows, "", said])
    print(table)
    write_json(ROOT / "benchmarks" / "novelty.json", {"command": "scripts/measure_novelty.py", **numbers})
    write_table(ROOT, "novelty", table)


def _row(name: str, found: list[float]) -> str:
    lowest, median, highest = (f"{value:.2f}" for value in (min(found), np.median(found), max(found)))
    return f"| {name} | {len(found)} | {np.mean(np.array(found) > 1):.0%} | {lowest}, {median}, {highest} |"


if __name__ == "__main__":
    main()
