"""Trains MIRAS whole, without its second encoder and without fusion, each for the same time: what are they worth?

scripts/env.sh python scripts/train_ablations.py --minutes 10            # on one GPU, a network after the other
scripts/env.sh python scripts/train_ablations.py --configs config/training/ablations_cpu        # on one CPU core

The scenes are drawn once, before. Without a clock a phase that is the same for two networks is trained once, and taken
over by the second: `talk`, which sees no pictures, and `imitate` of networks without fusion, whose image tokens are
CLIP's alone. Started again it goes on. `cost.json`, beside the checkpoint or, without a clock, beside each phase's
weights, says what its training took; `pixelrs evaluate` and scripts/write_baselines.py make the table.
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
from pixelrs_ros.training.config import ORDER, TrainConfig

ROOT = Path(__file__).resolve().parent.parent
FIRST = "full.yaml"
COST = "cost.json"


def run(config: Path, folder: Path, *options: str) -> None:
    """`pixelrs train`, to its end; what it took is added, in a folder, to what earlier runs of it took.

    CPU seconds are those of this process and of the processes that it has started.
    """
    began, before = time.monotonic(), sum(os.times()[:4])
    status = cli.main(["train", "--config", str(config), *options])
    took = {"wall_s": time.monotonic() - began, "cpu_s": sum(os.times()[:4]) - before}
    path = folder / COST
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else dict.fromkeys(took, 0.0)
    cost = {name: round(earlier[name] + seconds, 1) for name, seconds in took.items()}
    path.write_text(json.dumps(cost), encoding="utf-8")
    if status:
        sys.exit(status)


def train(path: Path, others: list[TrainConfig], minutes: float | None) -> None:
    """One network, unless its checkpoint is there.

    Args:
        path: Its configuration.
        others: Those of the networks that were trained before.
        minutes: For all of it; None: its steps.
    """
    config = load_config(TrainConfig, path)
    out = Path(config.out)
    if (out / "checkpoint").is_dir():
        return
    if minutes:
        out.mkdir(parents=True, exist_ok=True)
        run(path, out, "--minutes", str(minutes))
        return
    for phase in (phase for phase in ORDER if phase in config.phases):
        same = next((Path(other.out) for other in others if is_same(phase, config, other)), None)
        folder = out / phase
        if same and not folder.exists():
            shutil.copytree(same / phase, folder)
        if not same:
            folder.mkdir(parents=True, exist_ok=True)
            run(path, folder, "--phase", phase)


def is_same(phase: str, one: TrainConfig, other: TrainConfig) -> bool:
    """Whether two networks learn the same in a phase."""
    without_fusion = not (has_fusion(one) or has_fusion(other))
    alike = phase == "talk" or (phase == "imitate" and without_fusion)
    return alike and one.phases[phase] == other.phases[phase]


def has_fusion(config: TrainConfig) -> bool:
    """Whether the second encoder's features reach the image tokens."""
    return bool(config.network.get("fusion", True)) and config.network.get("convnext", {}) is not None


def main() -> None:
    """Draw, then train all of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, default=ROOT / "config/training/ablations", metavar="DIR")
    parser.add_argument("--minutes", type=float, metavar="M", help="of each network (default: all of its steps)")
    options = parser.parse_args()
    configs = sorted(options.configs.glob("*.yaml"), key=lambda path: (path.name != FIRST, path.name))
    loaded = [load_config(TrainConfig, config) for config in configs]
    if cli.main(["train", "--config", str(configs[0]), "--phase", "draw"]):
        sys.exit(1)
    for index, config in enumerate(configs):
        train(config, loaded[:index], options.minutes)
    print("pixelrs evaluate --split test " + " ".join(f"--checkpoint {config.out}/checkpoint" for config in loaded))


if __name__ == "__main__":
    main()
