"""Measure several dialogues with one node, several cameras of one node, and several robots on this machine.

Every dialogue is a user who speaks again as soon as an answer is there; the cameras show simulated scenes. Printed for
1, 2 and 4 of each: turns a second of all together, how long a turn takes from the instruction to the whole answer over
DDS, the nodes' resident memory, and Jain's index over the turns of the dialogues: 1 where all get the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pixelrs_ros.commands.numbers import positive, positive_number
from pixelrs_ros.errors import PixelrsError

COUNTS = (1, 2, 4)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    parser.add_argument("--device", default="cpu", help="torch device of every node (default: cpu)")
    parser.add_argument(
        "--seconds", type=positive_number, default=10.0, metavar="S", help="of each of the nine runs (default: 10)"
    )
    parser.add_argument(
        "--count", type=positive, action="append", metavar="N", help="how many; may be repeated (default: 1, 2 and 4)"
    )
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks/fleet.json"), metavar="FILE",
        help="default: benchmarks/fleet.json",
    )  # fmt: skip
    parser.add_argument("--document", action="store_true", help="rewrite the table of docs/fleet.md")


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the JSON.

    Raises:
        CheckpointError: There is no such checkpoint.
        PixelrsError: A node did not start or did not answer.
        OutputError: The JSON cannot be written, which is found out first.
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from pixelrs_ros.benchmark.fleet import markdown
    from pixelrs_ros.documents import write_table
    from pixelrs_ros.files import require_writable, write_json
    from pixelrs_ros.shipped import resolve

    resolve(options.checkpoint)
    require_writable(options.json)
    result = {"made with": _circumstances(options.device), "seconds": options.seconds, "rows": _measure(options)}
    write_json(options.json, result)
    table = markdown(result)
    Console(highlight=False, width=140).print(Markdown(table))
    if options.document:
        write_table(Path(), "bench:fleet", table)


def _circumstances(device: str) -> dict[str, Any]:
    """On what it was measured, and how busy that was before."""
    name = platform.processor() or platform.machine()
    if device.startswith("cuda"):
        import torch

        name = torch.cuda.get_device_name(device)
    return {
        "command": " ".join(["pixelrs", *sys.argv[1:]]),
        "device": name,
        "cpus": len(os.sched_getaffinity(0)),
        "load average before": round(os.getloadavg()[0], 2),
    }


def _measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """What needs a ROS graph, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.json"
        command = [sys.executable, "-m", "pixelrs_ros.ros.tools.fleet", "--json", str(path)]
        command += ["--checkpoint", options.checkpoint, "--device", options.device, "--seconds", str(options.seconds)]
        for count in sorted(set(options.count or COUNTS)):
            command += ["--count", str(count)]
        if subprocess.run(command).returncode != 0:
            raise PixelrsError("the fleet could not be measured; it needs a ROS environment, and its output says more")
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return rows
