"""Puts what a network is compared with into benchmarks/baselines.json and the documents, the lowest first.

E="pixelrs evaluate --data data/tabletop --split test --limit 320"
$E --baseline box-of-largest --baseline box-of-target --baseline true-words --json out/own.json
$E --last-turn-only --json out/last.json
$E --baseline true-words --json out/ablations.json --checkpoint runs/ablations_cpu/full/checkpoint ...   # all three
scripts/env.sh python scripts/write_baselines.py out/own.json out/last.json out/ablations.json --runs runs/ablations_cpu
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pixelrs_ros.documents import write_table
from pixelrs_ros.evaluation.results import read_heads
from pixelrs_ros.files import write_json

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "baselines.json"
COST = "cost.json"
PHASES = ("see", "talk", "connect", "ground")
KEPT = ("count", "g_iou", "g_iou_95", "c_iou", "boundary_iou", "referent_right", "right")
# What a phase's log says of the held-out scenes: what tables call it.
LOGGED = {
    ("see", "val_kind"): "kind of a patch named right",
    ("see", "val_whole_iou"): "IoU of things, prompted by the truth",
    ("see", "val_part_iou"): "IoU of parts, likewise",
    ("ground", "val_status_right"): "how a turn ends, told the history",
    ("ground", "val_phrase_right"): "phrase said right, told what stands before it",
}


def rows(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Every condition and baseline of every network, the lowest gIoU first; what stands in several files, once."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for path in paths:
        for report in read_heads(path)[0]:
            for name, scores in report["conditions"].items():
                network, split = network_of(report["checkpoint"]), report["split"]
                status = (scores["status"] or {}).get("accuracy")
                kept = {key: scores[key] for key in KEPT} | {"status_right": status}
                found.setdefault((network, split, name), {"network": network, "split": split, "shown": name, **kept})
    return sorted(found.values(), key=lambda row: row["g_iou"])


def network_of(checkpoint: str) -> str:
    """What tables call it: a shipped one's name, or that of the run that it is of."""
    path = Path(checkpoint)
    return path.parent.name.replace("_", " ") if path.name == "checkpoint" else path.name


def trainings(folder: Path) -> list[dict[str, Any]]:
    """What each run below a folder took and has reached so far; None where its phase has not been measured yet."""
    found = []
    for run in sorted(path for path in folder.iterdir() if path.is_dir()):
        logs = {phase: _last(run / phase / "log.jsonl") for phase in PHASES}
        reached = {name: logs[phase].get(key) for (phase, key), name in LOGGED.items()}
        cost = json.loads((run / COST).read_text(encoding="utf-8")) if (run / COST).is_file() else {}
        steps = {phase: log.get("step", 0) for phase, log in logs.items()}
        found.append({"network": run.name.replace("_", " "), "steps": steps, "cpu_s": cost.get("cpu_s"), **reached})
    return sorted(found, key=lambda row: row[LOGGED["see", "val_kind"]] or 0.0)


def _last(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return last


def table(found: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| network | what is shown | n | gIoU | 95 % | cIoU | right referent | status right |", "|---" * 8 + "|"]
    for row in found:
        interval = "–".join(f"{end:.2f}" for end in row["g_iou_95"])
        numbers = (f"{row['g_iou']:.2f}", interval, f"{row['c_iou']:.2f}", *map(_percent, _rates(row)))
        lines.append(f"| {row['network']} | {row['shown']} | {row['count']} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _rates(row: dict[str, Any]) -> tuple[float | None, float | None]:
    return row["referent_right"], row["status_right"]


def training_table(found: list[dict[str, Any]]) -> str:
    """What the trainings have reached on held-out scenes, as Markdown."""
    names = list(LOGGED.values())
    head = f"| network | steps of see / talk / connect / ground | {' | '.join(names)} |"
    lines = [head, "|---" * (2 + len(names)) + "|"]
    for row in found:
        values = ("" if row[name] is None else f"{row[name]:.2f}" for name in names)
        lines.append(f"| {row['network']} | {' / '.join(map(str, row['steps'].values()))} | {' | '.join(values)} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", type=Path, nargs="+", help="JSON files of `pixelrs evaluate`")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where the ablations were trained")
    options = parser.parse_args()
    found, trained = rows(options.evaluations), trainings(options.runs)
    write_json(OUT, {"rows": found, "trainings": trained})
    for name, text in (("baselines", table(found)), ("ablations", training_table(trained))):
        for page in write_table(ROOT, name, text):
            print(f"{page.relative_to(ROOT)}: {name}")


if __name__ == "__main__":
    main()
