"""Trains MIRAS whole, without its second encoder and without fusion, each for the same time: what are they worth?

scripts/env.sh python scripts/train_ablations.py --minutes 10            # on one GPU, a network after the other
scripts/env.sh python scripts/train_ablations.py --configs config/training/ablations_cpu        # on one CPU core

The scenes are drawn once, before. Without a clock `talk`, which sees no pictures, is trained once, too, and taken over
by the other networks. Started again it goes on. Beside each checkpoint `cost.json` says what its training took;
`pixelrs evaluate` and scripts/write_baselines.py make the table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from pixelrs_ros import cli
from pixelrs_ros.settings import load_config
from pixelrs_ros.training.config import TrainConfig

ROOT = Path(__file__).resolve().parent.parent
FIRST = "full.yaml"
COST, TALK = "cost.json", "talk"


def run(config: Path, *options: str) -> tuple[float, float]:
    """`pixelrs train`, to its end.

    Returns:
        Wall-clock seconds, and CPU seconds with those of the processes that it starts.
    """
    began, before = time.monotonic(), sum(os.times()[:4])
    if status := cli.main(["train", "--config", str(config), *options]):
        sys.exit(status)
    return time.monotonic() - began, sum(os.times()[:4]) - before


def train(config: Path, minutes: float | None, first: Path) -> Path:
    """One network; what it took is added to what earlier runs of it took.

    Args:
        config: Its configuration.
        minutes: For all of it; None: its steps.
        first: Where the first network was trained.

    Returns:
        Its checkpoint.
    """
    out = Path(load_config(TrainConfig, config).out)
    if not (out / "checkpoint").is_dir():
        if not minutes and out != first and not (out / TALK).exists():
            shutil.copytree(first / TALK, out / TALK)
        wall_s, cpu_s = run(config, *(["--minutes", str(minutes)] if minutes else []))
        path = out / COST
        earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"wall_s": 0.0, "cpu_s": 0.0}
        cost = {"wall_s": round(earlier["wall_s"] + wall_s, 1), "cpu_s": round(earlier["cpu_s"] + cpu_s, 1)}
        path.write_text(json.dumps(cost), encoding="utf-8")
    return out / "checkpoint"


def main() -> None:
    """Draw, then train all of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, default=ROOT / "config/training/ablations", metavar="DIR")
    parser.add_argument("--minutes", type=float, metavar="M", help="of each network (default: all of its steps)")
    options = parser.parse_args()
    configs = sorted(options.configs.glob("*.yaml"), key=lambda path: (path.name != FIRST, path.name))
    run(configs[0], "--phase", "draw")
    first = Path(load_config(TrainConfig, configs[0]).out)
    checkpoints = [train(config, options.minutes, first) for config in configs]
    print("pixelrs evaluate --split test " + " ".join(f"--checkpoint {path}" for path in checkpoints))


if __name__ == "__main__":
    main()
