"""Measures whether the operator page keeps up with a camera, and whether turns wait for it.

scripts/env.sh python scripts/measure_console.py --document

A simulated camera and the perception node run as on a robot; then the page with more and more viewers, each of
which takes live pictures as fast as they come. Turns are asked one after another all the while.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from websockets.asyncio.client import connect

from pixelrs_ros.documents import write_table
from pixelrs_ros.ros.demo.scene_client import SceneClient
from pixelrs_ros.ros.demo.script import FIRST_SCENE_SEED
from pixelrs_ros.ros.tools.processes import Processes, isolate

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 120.0
WORDS = ("Give me the mug", "the other one", "Where is the hammer?", "What is on the table?")
SESSION_ID = "measured"


class Run(NamedTuple):
    """What was measured while so many looked.

    Attributes:
        turns_ms: How long each turn took.
        seen_hz: Pictures a second that each viewer got.
        taken_hz: Pictures a second that the camera sent.
        cpu_share: Of one core, by the page's process.
    """

    turns_ms: list[float]
    seen_hz: float = 0.0
    taken_hz: float = 0.0
    cpu_share: float = 0.0


class Viewers:
    """So many pages that look at the live picture, and how many pictures they have got."""

    def __init__(self, address: str, count: int) -> None:
        self._address, self._count = address, count
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._look()), daemon=True)
        self.pictures = 0

    def __enter__(self) -> Viewers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    async def _look(self) -> None:
        os.setpriority(os.PRIO_PROCESS, 0, 10)  # of this thread: viewers are on machines of their own
        await asyncio.gather(*(self._look_alone() for _ in range(self._count)))

    async def _look_alone(self) -> None:
        async with connect(self._address) as socket:
            await socket.send(SESSION_ID)
            while not self._ended.is_set():
                message = await socket.recv()
                self.pictures += message[:1] == b"P"
                await socket.send(SESSION_ID)


@contextmanager
def console() -> Iterator[tuple[str, psutil.Process]]:
    """The page's process: where its live pictures are, and itself."""
    command = [sys.executable, "-m", "pixelrs_ros.console.app", "--ros-args", "-p", "port:=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("console: open ").strip()
        yield address.replace("http", "ws", 1) + "live", psutil.Process(process.pid)
        process.terminate()


def turns_ms(client: SceneClient, count: int) -> list[float]:
    """How long so many turns took, as the node measured them."""
    client.reset(SESSION_ID, timeout_s=TIMEOUT_S)
    answers = [
        client.say(WORDS[index % len(WORDS)], session_id=SESSION_ID, timeout_s=TIMEOUT_S) for index in range(count)
    ]
    return [answer.latency_ms["total"] for answer in answers]


def measure(client: SceneClient, images: list[int], count: int, viewers: int | None) -> Run:
    """Ask so many turns while so many look at the page; None viewers: without the page."""
    if viewers is None:
        return Run(turns_ms(client, count))
    with console() as (address, process), Viewers(address, viewers) as looking:
        turns_ms(client, len(WORDS))  # until everything has been loaded and found
        shown, taken, cpu, since_s = looking.pictures, images[0], process.cpu_times(), time.monotonic()
        times = turns_ms(client, count)
        took_s, after = time.monotonic() - since_s, process.cpu_times()
        share = (after.user + after.system - cpu.user - cpu.system) / took_s
        return Run(times, (looking.pictures - shown) / took_s / max(viewers, 1), (images[0] - taken) / took_s, share)


def row(what: str, runs: list[Run]) -> str:
    """The runs of one kind as a row of Markdown."""
    times_ms = [time_ms for run in runs for time_ms in run.turns_ms]
    median, high = statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[-1]
    seen, taken, cpu = (
        statistics.mean(getattr(run, name) for run in runs) for name in ("seen_hz", "taken_hz", "cpu_share")
    )
    pictures = f"{seen:.1f} of {taken:.1f}" if seen else ""
    return f"| {what} | {pictures} | {median:.0f} / {high:.0f} | {f'{100 * cpu:.0f} %' if cpu else ''} |"


def main() -> None:
    """Measure, print the table, and put it into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="through all numbers of viewers (default: 6)")
    parser.add_argument("--turns", type=int, default=16, help="for each number, each round (default: 16)")
    parser.add_argument("--rate-hz", type=float, default=30.0, help="of the camera (default: 30)")
    parser.add_argument("--viewers", type=int, nargs="*", default=[0, 1, 4], help="default: 0 1 4")
    parser.add_argument("--document", action="store_true", help="rewrite the table of docs/console.md")
    options = parser.parse_args()
    isolate()
    rclpy.init()
    runs: dict[int | None, list[Run]] = {viewers: [] for viewers in (None, *options.viewers)}
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        view = ("-p", f"scene_seed:={FIRST_SCENE_SEED}", "-p", f"rate_hz:={options.rate_hz}")
        processes.start("sim_camera", "pixelrs_ros.ros.demo.sim_camera", *view)
        given = ("-p", "autostart:=true", "-p", "store_dialogues:=false", "-p", "num_threads:=1")
        processes.start("perception", "pixelrs_ros.ros.perception.node", *given)
        client = SceneClient(name="measuring")
        images = [0]

        def count_image(_: CameraInfo) -> None:
            images[0] += 1

        client.node.create_subscription(CameraInfo, "camera_info", count_image, qos_profile_sensor_data)
        client.wait_for_robot(TIMEOUT_S, alive=lambda: not processes.ended())
        turns_ms(client, len(WORDS))
        for _ in range(options.rounds):  # whatever else the machine does meets all of them
            for viewers, of_kind in runs.items():
                of_kind.append(measure(client, images, options.turns, viewers))
        client.destroy()
    rclpy.shutdown()
    names = {None: "no page", 0: "nobody looks", 1: "1 viewer"}
    rows = ["| | pictures a second, each viewer | turn, median / p95 [ms] | CPU of the page |", "|---|---|---|---|"]
    rows += [row(names.get(viewers, f"{viewers} viewers"), of_kind) for viewers, of_kind in runs.items()]
    print("\n".join(rows))
    if options.document:
        write_table(ROOT, "console_measured", "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
