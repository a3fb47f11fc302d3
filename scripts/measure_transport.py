"""Measures what an image costs on its way from one node to another: in one process, and between two.

scripts/env.sh python scripts/measure_transport.py --document
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import psutil
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.documents import write_table
from pixelrs_ros.ros.tools.processes import isolate
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros, spin

ROOT = Path(__file__).resolve().parent.parent
SIZES_PX = ((640, 480), (1280, 720), (1920, 1080))
RATE_HZ = 10.0
IMAGES, WARM_UP = 100, 10
TIMEOUT_S = 60.0
SENDER = "--send"


class Cost(NamedTuple):
    """Of an image of one size.

    Attributes:
        delays_ms: From `publish` to the callback, of each image that came.
        sent: How many were published meanwhile.
        cpu_ms: CPU time of all processes for one image.
    """

    delays_ms: list[float]
    sent: int
    cpu_ms: float


class Sender(Node):
    """Publishes numbered images as a camera does, each stamped just before it is handed to ROS."""

    def __init__(self, width_px: int, height_px: int) -> None:
        super().__init__("sender")
        self._images = self.create_publisher(Image, "transport", qos_profile_sensor_data)
        self._image, self._numbers = picture(width_px, height_px), count()
        self.create_timer(1.0 / RATE_HZ, self._publish)

    def _publish(self) -> None:
        self._image.header.frame_id = str(next(self._numbers))
        self._image.header.stamp = conversions.ns_to_stamp(time.time_ns())
        self._images.publish(self._image)


def picture(width_px: int, height_px: int) -> Image:
    """Noise."""
    rgb = np.random.default_rng(0).integers(0, 256, (height_px, width_px, 3), np.uint8)
    return conversions.fill_image(Image(), Header(), rgb, "rgb8")


def received(processes: list[psutil.Process], *nodes: Node) -> Cost:
    """What comes to a new node, in an executor with others."""
    delays_ms: list[float] = []
    numbers: list[int] = []
    listener = Node("listener")

    def note(message: Image) -> None:
        delays_ms.append((time.time_ns() - conversions.stamp_to_ns(message.header.stamp)) / 1e6)
        numbers.append(int(message.header.frame_id))

    listener.create_subscription(Image, "transport", note, qos_profile_sensor_data)
    executor = SingleThreadedExecutor()
    for node in (listener, *nodes):
        executor.add_node(node)

    def listen(wanted: int) -> None:
        delays_ms.clear()
        numbers.clear()
        ends_s = time.monotonic() + TIMEOUT_S
        while len(delays_ms) < wanted:
            if time.monotonic() > ends_s:
                raise SystemExit(f"{len(delays_ms)} of {wanted} images came within {TIMEOUT_S:g} s")
            executor.spin_once(timeout_sec=0.1)

    listen(WARM_UP)
    before_s = _cpu_s(processes)
    listen(IMAGES)
    cpu_ms = 1e3 * (_cpu_s(processes) - before_s) / IMAGES
    executor.shutdown()
    for node in (listener, *nodes):
        node.destroy_node()
    return Cost(delays_ms, numbers[-1] - numbers[0] + 1, cpu_ms)


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(process.cpu_times().user + process.cpu_times().system for process in processes)


def within_one_process(width_px: int, height_px: int) -> Cost:
    """Two nodes in one executor."""
    return received([psutil.Process()], Sender(width_px, height_px))


def between_two(width_px: int, height_px: int, transports: str = "") -> Cost:
    """Two processes; `transports` names those of Fast DDS that the sender has, empty for the package's own."""
    with sender(width_px, height_px, transports) as process:
        return received([psutil.Process(), psutil.Process(process.pid)])


@contextmanager
def sender(width_px: int, height_px: int, transports: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that publishes."""
    environment = {**os.environ, **({"FASTDDS_BUILTIN_TRANSPORTS": transports} if transports else {})}
    command = [sys.executable, __file__, SENDER, str(width_px), str(height_px)]
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def table() -> str:
    """What was measured, as Markdown."""
    lines = ["| rgb8 image | | delay, median, ms | CPU time, ms | lost |", "|---|---|---|---|---|"]
    ways = {
        "one process": within_one_process,
        "two processes, shared memory": between_two,
        "two processes, UDP": lambda width_px, height_px: between_two(width_px, height_px, "UDPv4"),
    }
    for width_px, height_px in SIZES_PX:
        size = f"{width_px}×{height_px}"
        for name, measure in ways.items():
            cost = measure(width_px, height_px)
            lost = cost.sent - len(cost.delays_ms)
            delay_ms = median(cost.delays_ms)
            lines.append(f"| {size} | {name} | {delay_ms:.1f} | {cost.cpu_ms:.1f} | {lost} of {cost.sent} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; returns the exit status."""
    if SENDER in sys.argv:
        width_px, height_px = map(int, sys.argv[-2:])
        with ros([]):
            spin(Sender(width_px, height_px))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--document", action="store_true", help="also write the table into docs/")
    options = parser.parse_args()
    isolate()
    with ros([]):
        measured = table()
    print(measured)
    if options.document:
        write_table(ROOT, "transport", measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
