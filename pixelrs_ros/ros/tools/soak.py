"""Thousands of turns with one perception process, whose memory and answers are watched.

scripts/env.sh python -m pixelrs_ros.ros.tools.soak --turns 10000 --minutes 10 --out benchmarks/soak.json

More dialogues are held at a time than the node keeps in memory, each turn looks at a camera that shows something else,
and every turn is stored. The exit status is 1 when a turn was lost or failed, or the memory grew.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros import files
from pixelrs_ros.benchmark.measure import picture
from pixelrs_ros.client import NoAnswerError
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.tools.processes import Processes, exit_on_signals, isolate
from pixelrs_ros.ros.tools.robot_client import RobotClient
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros

MAX_GROWTH = 0.02
_WORDS = ("I am thirsty.", "The blue one.", "By its handle.", "No, the other one.", "What is it made of?")
_DIALOGUES = 20
_TURNS_OF_ONE = 5  # before the next dialogue goes on
_PICTURES = 6
_CAMERA_PERIOD_S = 0.2
_SAMPLES = 60
_WARM_UP = 0.2  # of the turns, at least; and until every dialogue is as long as the node remembers it
_START_TIMEOUT_S = 300.0
_TURN_TIMEOUT_S = 60.0
_PERCEPTION = "perception"


@dataclass
class Soak:
    """What happened.

    Attributes:
        max_turns: How many turns of a dialogue the node remembers.
        turns: How many were sent.
        lost: How many of them had no answer in time.
        statuses: How often each status was answered.
        complaint: The message of the last turn that failed.
        seconds: How long it took.
        samples: (turn, resident memory of the node in MB of 10^6 bytes).
    """

    max_turns: int
    turns: int = 0
    lost: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    complaint: str = ""
    seconds: float = 0.0
    samples: list[tuple[int, float]] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Of the memory after the warm-up: from its first quarter to its last, as a share; 0 with too few samples."""
        begin = max(_WARM_UP * self.turns, _DIALOGUES * self.max_turns)
        warm = [megabytes for turn, megabytes in self.samples if turn >= begin]
        quarter = len(warm) // 4
        return median(warm[-quarter:]) / median(warm[:quarter]) - 1 if quarter else 0.0

    @property
    def failed(self) -> int:
        """Turns that were answered with our own failure, or refused."""
        refusals = ("internal_error", "rejected", "no_frame", "bad_input", "cancelled")
        return sum(self.statuses[status] for status in refusals)


class SoakClient(RobotClient):
    """A user, and a camera that shows one picture after another."""

    def __init__(self) -> None:
        super().__init__(name="soak")
        self._pictures = [
            # Half the size: best effort loses large messages on a machine that is busy.
            conversions.fill_image(Image(), Header(frame_id="camera"), picture(seed)[::2, ::2], "rgb8")
            for seed in range(_PICTURES)
        ]
        self._shown = 0
        self._images = self.node.create_publisher(Image, "image", qos_profile_sensor_data)
        self.node.create_timer(_CAMERA_PERIOD_S, self._show)

    def _show(self) -> None:
        image = self._pictures[self._shown % _PICTURES]
        self._shown += 1
        image.header.stamp = self.node.get_clock().now().to_msg()
        self._images.publish(image)


def resident_mb(pid: int) -> float:
    """Resident memory of a process, MB of 10^6 bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    if found is None:
        raise PixelrsError(f"process {pid} has ended")
    return int(found[1]) * 1024 / 1e6


def soak(
    checkpoint: str, turns: int, minutes: float, max_turns: int = 16, report: Callable[[str], None] = print
) -> Soak:
    """Talk to a perception process of its own.

    Args:
        checkpoint: The checkpoint that it runs.
        turns: How many.
        minutes: After which it ends, however many there were.
        max_turns: How many turns of a dialogue the node remembers.
        report: Called with a line about the memory now and then.

    Raises:
        PixelrsError: The node does not start, or has ended.
    """
    found = Soak(max_turns)
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder) / "logs") as processes:
        given = {"checkpoint": checkpoint, "autostart": "true", "storage_dir": f"{folder}/store"}
        given["max_turns"] = str(max_turns)
        given["max_frame_age_s"] = "30.0"  # that this process may be slow to show an image is not what is measured
        words = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
        processes.start(_PERCEPTION, "pixelrs_ros.ros.perception.node", *words)
        client = SoakClient()
        client.wait_for_robot(_START_TIMEOUT_S, alive=lambda: not processes.ended())
        begun_s = time.monotonic()
        for turn in range(turns):
            if turn % max(1, turns // _SAMPLES) == 0 or found.seconds > len(found.samples) * minutes:
                found.samples.append((turn, resident_mb(processes.pid(_PERCEPTION))))
                report(f"turn {turn}: {found.samples[-1][1]:.1f} MB, lost {found.lost}, {found.seconds:.0f} s")
            _turn(client, turn, found)
            found.seconds = time.monotonic() - begun_s
            if found.seconds > 60 * minutes:
                break
        client.destroy()
        if processes.ended():
            raise PixelrsError(f"the node has ended: {processes.log_tail(_PERCEPTION)}")
    return found


def _turn(client: RobotClient, turn: int, found: Soak) -> None:
    found.turns += 1
    session_id = f"dialogue {turn // _TURNS_OF_ONE % _DIALOGUES}"
    try:
        answer = client.say(_WORDS[turn % len(_WORDS)], session_id=session_id, timeout_s=_TURN_TIMEOUT_S)
    except NoAnswerError:
        found.lost += 1
        return
    found.statuses[answer.status.value] += 1
    found.complaint = answer.segmentation.message or found.complaint


def main(arguments: list[str] | None = None) -> int:
    """Soak, print, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10_000, help="how many")
    parser.add_argument("--minutes", type=float, default=10.0, help="end after so many, however many turns there were")
    parser.add_argument("--checkpoint", default="nano", help="folder, or the name of a shipped one")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args(arguments)
    isolate()
    exit_on_signals()
    files.print_whatever_the_terminal_knows()
    try:
        if options.out is not None:
            files.require_writable(options.out)  # before work that takes long
        return _run(options)
    except PixelrsError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    with ros([]):
        found = soak(options.checkpoint, options.turns, options.minutes)
        print(
            f"{found.turns} turns in {found.seconds:.0f} s, {found.lost} lost, {found.failed} failed, memory grew by "
            f"{100 * found.growth:.2f} % after the warm-up; {dict(found.statuses)} {found.complaint}"
        )
        if options.out is not None:
            files.write_json(options.out, _summary(found, options), indent=2)
        return int(found.lost > 0 or found.failed > 0 or found.growth > MAX_GROWTH)


def _summary(found: Soak, options: argparse.Namespace) -> dict[str, Any]:
    command = f"python -m pixelrs_ros.ros.tools.soak --turns {options.turns} --minutes {options.minutes:g}"
    facts = {"command": command, "cpus": len(os.sched_getaffinity(0)), **vars(found)}
    facts |= {"statuses": dict(found.statuses), "failed": found.failed}
    return {**facts, "growth_percent": round(100 * found.growth, 3)}


if __name__ == "__main__":
    sys.exit(main())
