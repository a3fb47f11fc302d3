"""Measure how long a turn takes and where the time goes, against the published way to work in the same run.

Both ways answer the same four-turn dialogue on the same weights with teacher forcing: the network computes every token
and the benchmark's answer is taken instead, so every run decodes the same. Published way: every turn encodes the image,
reads the whole dialogue and decodes its words one step after another, then the masks; within a turn it has
transformers' own key-value cache. Ratios are of one run, in which the two take turns.
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
from typing import TYPE_CHECKING, Any

from pixelrs_ros.commands.numbers import not_negative, positive
from pixelrs_ros.config import load_preset
from pixelrs_ros.errors import PixelrsError

if TYPE_CHECKING:
    from pixelrs_ros.benchmark.engines import Network
    from pixelrs_ros.engine.backends import Backend

DEFAULT_TURNS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    what.add_argument("--preset", metavar="NAME", help="sizes of a preset, with --random-weights")
    parser.add_argument("--random-weights", action="store_true", help="weights do not change the times; needs --preset")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: half of the CPUs)")
    parser.add_argument(
        "--backend", default="torch", choices=("torch", "torch_compiled"), help="of the package (default: torch)"
    )
    parser.add_argument("--precision", default="auto", help="auto, fp32, fp16 or bf16 (default: auto)")
    parser.add_argument("--repeats", type=positive, default=10, metavar="N", help="of everything (default: 10)")
    parser.add_argument(
        "--memory-turns", type=not_negative, default=DEFAULT_TURNS, metavar="N", help="0: none (default: 1000)"
    )
    parser.add_argument("--no-ros", action="store_true", help="measure in one process only")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="default: benchmarks/cpu.json or <device>_<preset>.json"
    )
    parser.add_argument(
        "--document",
        action="store_true",
        help="rewrite the tables in docs/performance.md and the picture",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write the JSON.

    Raises:
        ConfigError: There is no such preset, device or backend.
        CheckpointError: The checkpoint cannot be loaded.
        PixelrsError: The options do not fit together, or a node did not answer.
        OutputError: The JSON cannot be written, which is found out first.
    """
    if bool(options.preset) != options.random_weights:
        raise PixelrsError("a preset has no weights: give --preset and --random-weights together")
    if options.preset:
        load_preset(options.preset)  # a wrong name is told before torch is loaded, which takes seconds
    import torch

    from pixelrs_ros.benchmark import engines, report
    from pixelrs_ros.documents import write_table
    from pixelrs_ros.engine.backends import Backend
    from pixelrs_ros.engine.background import default_num_threads
    from pixelrs_ros.files import require_writable, write_json

    path = (
        options.json
        or Path("benchmarks") / f"{options.device.replace(':', '')}{f'_{options.preset}' * bool(options.preset)}.json"
    )
    require_writable(path)
    torch.set_num_threads(options.threads or default_num_threads())
    if options.preset:
        network = engines.random_network(options.preset, options.device)
    else:
        network = engines.shipped_network(options.checkpoint, options.device)
    result = {"made with": circumstances(options)}
    result |= measure_here(network, Backend(options.backend, options.precision), options)
    if not options.no_ros and not options.preset:
        result["ros"] = measure_ros(options)
        ros = result["ros"]
        extra = ros["conversion"]["median"] + ros["transport of an image"]["median"]
        whole = ros["warm"]["pixelrs"]["fourth"]["to the whole answer"]["median"]
        result["transport and conversion, share of a fourth turn [%]"] = round(100 * extra / whole, 2)
        result["ratios over DDS"] = report.ratios(ros["warm"])
    print_table(result)
    write_json(path, result)
    if options.document:
        write_table(Path(), "bench:circumstances", report.circumstances_markdown(result))
        write_table(Path(), "bench:stages", report.stages_markdown(result))
        write_table(Path(), "bench:ratios", report.ratios_markdown(result))
        report.draw(result, Path("docs/images/performance.png"))


def circumstances(options: argparse.Namespace) -> dict[str, Any]:
    """On what it was measured, and how."""
    import torch
    import transformers

    device = torch.cuda.get_device_name(options.device) if options.device.startswith("cuda") else platform.processor()
    arguments = [argument for argument in sys.argv[1:] if argument]
    return {
        "command": " ".join(["pixelrs", *arguments]),
        "device": device or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "answers": "teacher-forced",
        "load average before": round(os.getloadavg()[0], 2),
    }


def measure_here(network: Network, backend: Backend, options: argparse.Namespace) -> dict[str, Any]:
    """What can be measured in this process."""
    from pixelrs_ros.benchmark import measure, report
    from pixelrs_ros.benchmark.engines import ForcedEngine, InlineEngine, PublishedEngine, PublishedSession
    from pixelrs_ros.engine.session import Session

    engine = ForcedEngine(network, backend)
    ways = {"pixelrs": Session(engine), "published": PublishedSession(PublishedEngine(network, backend))}
    result: dict[str, Any] = {"backend": engine.backend, "bandwidth": measure.bandwidth_floor(network)}
    result["stages_ms"] = measure.stages(engine, options.repeats)
    result["turns_ms"] = measure.turns(ways, options.repeats)
    result["ratios"] = report.ratios(result["turns_ms"])
    if (options.device, options.backend) == ("cpu", "torch") and not options.preset:
        result["first turn, SAM beside the rest or before it [ms]"] = measure.thread_table(
            lambda: {
                "beside": Session(ForcedEngine(network, backend)),
                "before": Session(InlineEngine(network, backend)),
            },
            max(2, options.repeats // 2),
        )
    if options.memory_turns:
        result["memory"] = measure.memory(Session(engine), options.memory_turns)
    return result


def measure_ros(options: argparse.Namespace) -> dict[str, Any]:
    """What needs a ROS graph, in a process of its own.

    Raises:
        PixelrsError: It failed; the reason is on the error stream.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ros.json"
        command = [sys.executable, "-m", "pixelrs_ros.ros.tools.bench", "--json", str(path)]
        command += ["--checkpoint", str(options.checkpoint), "--device", options.device]
        command += ["--backend", options.backend, "--precision", options.precision]
        command += ["--threads", str(options.threads or 0), "--repeats", str(options.repeats)]
        if subprocess.run(command).returncode != 0:
            raise PixelrsError("the part over ROS failed; without a ROS environment give --no-ros")
        measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return measured


def print_table(result: dict[str, Any]) -> None:
    """Everything on the terminal."""
    from rich.console import Console
    from rich.table import Table

    from pixelrs_ros.benchmark import report

    table = Table(title=f"milliseconds, {result['backend']}")
    table.add_column("stage")
    for column in ("median", "p95"):
        table.add_column(column, justify="right")
    for row in report.rows(result):
        table.add_row(*row)
    console = Console(highlight=False, width=110)
    console.print(table)
    for name in ("ratios", "ratios over DDS"):
        for what, ratio in result.get(name, {}).items():
            console.print(f"{name}: {what}: {ratio:.2f}")
    for claim in report.claims(result):
        console.print(claim, markup=False)
