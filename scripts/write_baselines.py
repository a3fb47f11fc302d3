"""Puts what a network is compared with into benchmarks/baselines.json and the documents, the lowest first.

E="pixelrs evaluate --data data/tabletop --split test"
$E --limit 320 --baseline box-of-largest --baseline box-of-target --baseline true-words --json out/own.json
$E --limit 320 --last-turn-only --json out/last.json
for run in runs/ablations_cpu/*; do        # all three
    $E --limit 120 --baseline true-words --checkpoint $run/checkpoint --json out/$(basename $run).json
done
scripts/env.sh python scripts/write_baselines.py out/own.json out/last.json out/full.json ... --runs runs/ablations_cpu
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pixelrs_ros.documents import write_table
from pixelrs_ros.evaluation.baselines import CHOOSERS
from pixelrs_ros.evaluation.results import Results, paired_difference, read_heads, read_results
from pixelrs_ros.files import write_json
from pixelrs_ros.training.config import ORDER

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "baselines.json"
COST = "cost.json"
KEPT = ("count", "g_iou", "g_iou_95", "c_iou", "boundary_iou", "referent_right", "right")
# What a phase's log says of the held-out scenes: what tables call it.
LOGGED = {
    ("see", "val_kind"): "kind of a patch named right",
    ("see", "val_whole_iou"): "IoU of things, prompted by the truth",
    ("see", "val_part_iou"): "IoU of parts, likewise",
    ("imitate", "val_error"): "error of the image tokens",
    ("ground", "val_status_right"): "how a turn ends, told the history",
    ("ground", "val_phrase_right"): "phrase said right, told what stands before it",
    ("ground", "val_whole_iou"): "IoU of things, told the words",
    ("ground", "val_part_iou"): "IoU of parts, likewise told",
}
WHOLE = "full"  # the run that others are compared with


def rows(paths: Iterable[Path], kept: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Every condition and baseline of every network, the lowest gIoU first; what stands in several files, once.

    Args:
        paths: Files of `pixelrs evaluate`.
        kept: Earlier rows, of which those that stand in no file stay.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in (*_read(paths), *kept):
        known = found.setdefault(_key(row), row)
        if row["shown"] in CHOOSERS and row["count"] > known["count"]:  # whatever the network: the more, the better
            found[_key(row)] = row
    return sorted(found.values(), key=lambda row: row["g_iou"])


def _read(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        for report in read_heads(path)[0]:
            for name, scores in report["conditions"].items():
                status = (scores["status"] or {}).get("accuracy")
                row = {"network": network_of(report["checkpoint"]), "split": report["split"], "shown": name}
                yield {**row, **{key: scores[key] for key in KEPT}, "status_right": status}


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    """What a row is about; choices that understand nothing are the same beside every network."""
    return ("" if row["shown"] in CHOOSERS else row["network"], row["split"], row["shown"])


def differences(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """How much every network's gIoU is above that of the whole one, of the same split and condition."""
    every = [results for path in paths for results in read_results(path, every=True)[1]]
    named: dict[tuple[str, str, str], Results] = {
        (network_of(one.checkpoint), one.split, one.condition): one for one in every if one.condition not in CHOOSERS
    }
    found = []
    for (network, split, shown), results in named.items():
        whole = named.get((WHOLE, split, shown))
        difference = None if whole is None or network == WHOLE else paired_difference(whole, results)
        if difference:
            count, mean, low, high = difference
            row = {"network": network, "split": split, "shown": shown, "count": count}
            found.append({**row, "g_iou_difference": mean, "g_iou_difference_95": [low, high]})
    return sorted(found, key=lambda row: (row["shown"], row["g_iou_difference"]))


def network_of(checkpoint: str) -> str:
    """What tables call it: a shipped one's name, or that of the run that it is of."""
    path = Path(checkpoint)
    return path.parent.name.replace("_", " ") if path.name == "checkpoint" else path.name


def trainings(folder: Path) -> list[dict[str, Any]]:
    """What each run below a folder took and has reached so far; None where its phase has not been measured yet."""
    found = []
    for run in sorted(path for path in folder.iterdir() if path.is_dir()):
        logs = {phase: _last(run / phase / "log.jsonl") for phase in ORDER}
        reached = {name: logs[phase].get(key) for (phase, key), name in LOGGED.items()}
        steps = {phase: log["step"] for phase, log in logs.items() if log}
        cost = {phase: _cost(run / phase) for phase in steps} | {"all": _cost(run)}
        cost = {phase: seconds for phase, seconds in cost.items() if seconds}
        found.append({"network": run.name.replace("_", " "), "steps": steps, "cost": cost, **reached})
    return found


def _cost(folder: Path) -> dict[str, float] | None:
    path = folder / COST
    cost: dict[str, float] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return cost


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
    """What the trainings took and have reached on held-out scenes, as Markdown; phases that none has are left out."""
    phases = [phase for phase in ORDER if any(phase in row["steps"] for row in found)]
    names = [name for (phase, _), name in LOGGED.items() if phase in phases]
    head = f"| network | steps of {' / '.join(phases)} | CPU seconds | {' | '.join(names)} |"
    lines = [head, "|---" * (3 + len(names)) + "|"]
    for row in found:
        steps = " / ".join(str(row["steps"].get(phase, 0)) for phase in phases)
        seconds = " / ".join(f"{cost['cpu_s']:.0f}" for cost in row["cost"].values())
        values = ("" if row[name] is None else f"{row[name]:.2f}" for name in names)
        lines.append(f"| {row['network']} | {steps} | {seconds} | {' | '.join(values)} |")
    return "\n".join(lines)


def difference_table(found: list[dict[str, Any]]) -> str:
    """The differences as Markdown."""
    lines = ["| against *full* | what is shown | n | difference of gIoU | 95 % |", "|---" * 5 + "|"]
    for row in found:
        interval = " to ".join(f"{end:+.3f}" for end in row["g_iou_difference_95"])
        numbers = f"{row['count']} | {row['g_iou_difference']:+.3f} | {interval}"
        lines.append(f"| {row['network']} | {row['shown']} | {numbers} |")
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", type=Path, nargs="+", help="JSON files of `pixelrs evaluate`")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where the ablations were trained")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="also the rows that stand in benchmarks/baselines.json and in no file; without --runs, all else too",
    )
    options = parser.parse_args()
    if not (options.keep or options.runs):
        parser.error("--runs is missing; remedy: name the folder, or --keep what is written of its runs")
    kept = json.loads(OUT.read_text(encoding="utf-8")) if options.keep else {"rows": []}
    found = rows(options.evaluations, kept["rows"])
    trained = trainings(options.runs) if options.runs else kept["trainings"]
    differing = differences(options.evaluations) if options.runs else kept["differences"]
    write_json(OUT, {"rows": found, "differences": differing, "trainings": trained})
    tables = {
        "baselines": table(found),
        "differences": difference_table(differing),
        "ablations": training_table(trained),
    }
    for name, text in tables.items():
        for page in write_table(ROOT, name, text):
            print(f"{page.relative_to(ROOT)}: {name}")


if __name__ == "__main__":
    main()
