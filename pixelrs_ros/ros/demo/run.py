"""The whole demo, for `make demo` and the launch file: camera, robot, operator and planner, and a report."""

from __future__ import annotations

import argparse
import json
import sys
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pixelrs_ros import files
from pixelrs_ros.data.bag_writing import forget_recording
from pixelrs_ros.errors import OutputError
from pixelrs_ros.ros.tools.processes import Processes, exit_on_signals, isolate

RECORDING = "recording"  # folder of the bag, beside the report
_POLL_S = 0.3
# Between the operator's end and the planner's: the scenes are drawn once more, and the report is written.
_REPORT_TIMEOUT_S = 30.0
_STATUS_STYLES = {"grounded": "green", "answered": "cyan", "clarify": "cyan", "not_found": "yellow"}


def run_demo(
    out_dir: Path, dialogues: int | None, timeout_s: float, console: Console, ros_arguments: tuple[str, ...] = ()
) -> list[str]:
    """Run the processes until the planner has written its report.

    Args:
        out_dir: Where the report and the processes' logs go.
        dialogues: How many the operator plays; None: as its parameter says.
        timeout_s: When to give up.
        console: Where progress is printed.
        ros_arguments: ROS arguments of all nodes, such as a namespace.

    Returns:
        What went wrong, in words; empty when nothing did.
    """
    with Processes(out_dir / "logs") as processes:
        given = () if dialogues is None else ("-p", f"dialogues:={dialogues}")
        out = ("-p", f"out_dir:={json.dumps(str(out_dir))}")
        # First: it shall hear everything. Of the images it keeps those that turns are about.
        recorded = ("-p", f"out:={json.dumps(str(out_dir / RECORDING))}", "-p", "images:=turns")
        processes.start("recorder", "pixelrs_ros.ros.recording.recorder", *ros_arguments, *recorded)
        processes.start("sim_camera", "pixelrs_ros.ros.demo.sim_camera", *ros_arguments)
        # It stores nothing: the demo leaves its report behind and nothing else.
        active = ("-p", "autostart:=true", "-p", "store_dialogues:=false")
        processes.start("perception", "pixelrs_ros.ros.perception.node", *ros_arguments, *active)
        processes.start("operator", "pixelrs_ros.ros.demo.operator", *ros_arguments, *given)
        processes.start("planner", "pixelrs_ros.ros.demo.planner", *ros_arguments, *out)
        with console.status("The operator talks to the robot …"):
            problems = _watch(processes, time.monotonic() + timeout_s)
        statuses = processes.stop()
        for name in ("sim_camera", "perception", "recorder"):
            if statuses[name] and not any(problem.startswith(f"{name} died") for problem in problems):
                problems.append(f"{name} ended with exit status {statuses[name]}")
        for problem in problems:
            name = problem.split()[0]
            if name in statuses:
                console.print(f"[bold]{name}[/] wrote last:")
                console.print(processes.log_tail(name), markup=False, highlight=False)
    return problems


def _watch(processes: Processes, deadline_s: float) -> list[str]:
    """Wait for the planner; returns what went wrong."""
    problems: list[str] = []
    while processes.wait("planner", _POLL_S) is None:
        for name in ("sim_camera", "perception", "recorder"):
            if processes.exit_status(name) is not None:
                problems.append(f"{name} died with exit status {processes.exit_status(name)}")
        operator = processes.exit_status("operator")
        if operator is not None and processes.wait("planner", _REPORT_TIMEOUT_S) is None:
            problems.append(f"planner did not end; the operator ended with exit status {operator}")
        if time.monotonic() > deadline_s:
            problems.append("operator did not end in time")
        if problems:  # the report of what there is
            processes.interrupt("planner")
            processes.wait("planner", _REPORT_TIMEOUT_S)
            return problems
    if processes.wait("operator", _REPORT_TIMEOUT_S):
        problems.append(f"operator ended with exit status {processes.exit_status('operator')}")
    return problems


def check_results(results: dict[str, Any]) -> list[str]:
    """What is wrong with the content of results.json, in words."""
    problems = []
    if not results["turns"]:
        problems.append("no turn was played")
    if results["unanswered"]:
        problems.append(f"{results['unanswered']} turns went unanswered")
    if not results["masks"]:
        problems.append("no mask arrived")
    return problems


def print_results(results: dict[str, Any], console: Console) -> None:
    """Show the turns as a table, and the numbers over all of them."""
    table = Table(pad_edge=False)
    for title in ("scene", "user", "robot", "status"):
        table.add_column(title, overflow="fold")
    table.add_column("IoU", justify="right")
    table.add_column("ms", justify="right")
    following = [turn["turn"] for turn in results["turns"][1:]] + [0]
    for turn, next_turn in zip(results["turns"], following, strict=False):  # there may be no turn
        style = _STATUS_STYLES.get(turn["status"], "red")
        score = "" if turn["iou"] is None else f"{turn['iou']:.2f}"
        moved = " moved" if turn["camera"] else ""
        total = turn["latency_ms"].get("total")
        table.add_row(
            f"{turn['scene']}{moved}",
            escape(turn["text"]),
            escape(turn["explanation"]),
            f"[{style}]{turn['status']}[/]",
            score,
            "" if total is None else f"{total:.0f}",
            end_section=next_turn == 0,
        )
    console.print(table)
    numbers = {"mean IoU": results["mean_iou"], "last turns": results["mean_final_iou"]}
    for name, value in numbers.items():
        console.print(f"{name}: {'–' if value is None else f'{value:.2f}'}", end="   ", highlight=False)
    console.print(f"answered: {results['answered']} of {len(results['turns'])}   masks: {results['masks']}")


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 1 when a node died, a turn went unanswered, no mask arrived or a file cannot be written."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of the report (%(default)s)")
    parser.add_argument("--dialogues", type=int, help="how many the operator plays (its parameter: 8)")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds after which to give up (%(default)s)")
    parser.add_argument("--namespace", default="", help="namespace of all nodes")
    parser.add_argument("--params-file", type=Path, help="YAML file of the parameters of the nodes")
    parser.add_argument("--join", action="store_true", help="on the ROS graph of this terminal, not on one of its own")
    given = sys.argv[1:] if arguments is None else arguments
    own = list(takewhile(lambda argument: argument != "--ros-args", given))  # launch adds some of ROS
    options = parser.parse_args(own)
    if options.dialogues is not None and not 1 <= options.dialogues <= 100:
        parser.error(f"--dialogues lies between 1 and 100, got {options.dialogues}")
    if options.params_file is not None and not options.params_file.is_file():
        parser.error(f"--params-file: there is no file '{options.params_file}'")
    try:
        validate_namespace(f"/{options.namespace.strip('/')}")
    except InvalidNamespaceException as error:
        parser.error(f"--namespace: {error}")
    if not options.join:
        isolate()
    exit_on_signals()
    console = Console()
    files.print_whatever_the_terminal_knows()
    results_path = options.out / "results.json"
    started_s = time.monotonic()
    try:
        for path in (results_path, options.out / "report.html"):
            files.require_writable(path)
        results_path.unlink(missing_ok=True)  # an earlier run's must not be taken for this one's
        forget_recording(options.out / RECORDING)
        problems = run_demo(options.out, options.dialogues, options.timeout, console, _ros_arguments(options))
    except OutputError as error:
        console.print(f"demo: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted")
        return 130
    if results_path.exists():
        results = json.loads(results_path.read_text(encoding="utf-8"))
        print_results(results, console)
        problems += check_results(results)
        console.print(f"report: {options.out / 'report.html'}   ({time.monotonic() - started_s:.0f} s)")
        console.print(f"recording: {options.out / RECORDING}", highlight=False)
    else:
        problems.append("no results were written")
    for problem in problems:
        console.print(f"[red]demo: {problem}[/]", highlight=False)
    return 1 if problems else 0


def _ros_arguments(options: argparse.Namespace) -> tuple[str, ...]:
    namespace = options.namespace.strip("/")
    placed = ("-r", f"__ns:=/{namespace}") if namespace else ()
    params = ("--params-file", str(options.params_file)) if options.params_file is not None else ()
    return (*placed, *params)


if __name__ == "__main__":
    sys.exit(main())
