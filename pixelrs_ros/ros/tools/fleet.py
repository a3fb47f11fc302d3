"""The ROS part of `pixelrs bench-fleet`: perception nodes in processes of their own, and everybody who talks to them.

Every dialogue is a user who speaks again as soon as an answer is there, about cameras that show simulated scenes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros import files
from pixelrs_ros.benchmark.fleet import SCENARIOS, summed_up
from pixelrs_ros.client import PixelrsClient
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.tools.processes import Processes, exit_on_signals, isolate
from pixelrs_ros.ros.tools.soak import resident_mb
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.scene import sample_scene

_WORDS = ("I am thirsty.", "The red one.", "By its handle.", "No, the other one.", "What is it made of?")
_CAMERA_PERIOD_S = 0.2
_START_TIMEOUT_S = 300.0
_TURN_TIMEOUT_S = 120.0
_SPIN_S = 0.05


class Dialogue:
    """A user of one robot who always waits for an answer or has just got one.

    Args:
        client: Talks to the robot; another thread spins it.
        name: The dialogue.
        camera: What the user looks at, a frame_id.
    """

    def __init__(self, client: PixelrsClient, name: str, camera: str) -> None:
        self._client, self._name, self._camera = client, name, camera
        self._said = 0
        self._speaking = False
        self.quiet = threading.Event()
        self.turns_ms: list[float] = []
        self.failures: list[str] = []

    def begin(self) -> None:
        """Speak, and go on until `end`."""
        self.turns_ms, self.failures = [], []
        self.quiet.clear()
        self._speaking = True
        self._speak()

    def end(self) -> None:
        """Say nothing more; `quiet` is set when the last answer is there."""
        self._speaking = False

    def _speak(self) -> None:
        text = _WORDS[self._said % len(_WORDS)]
        self._said += 1
        begun_s = time.monotonic()
        pending = self._client.send(text, session_id=self._name, camera=self._camera)
        pending.future.add_done_callback(partial(self._answered, begun_s))

    def _answered(self, begun_s: float, future: Any) -> None:
        if not self._speaking:
            self.quiet.set()
            return
        answer = future.result()
        if answer.answered:
            self.turns_ms.append(1e3 * (time.monotonic() - begun_s))
        else:
            self.failures.append(answer.text)
        self._speak()


class Robot:
    """A perception node in a process of its own, and its cameras, which show another stamp five times a second.

    Args:
        namespace: Its namespace.
        cameras: How many it has.
        processes: Where it runs.
        parameters: Of the node.
    """

    def __init__(self, namespace: str, cameras: int, processes: Processes, parameters: dict[str, Any]) -> None:
        self.namespace, self._processes = namespace, processes
        topics = [f"camera{number}/image" for number in range(cameras)]
        given = {**parameters, "image_topics": f"[{','.join(topics)}]", "autostart": "true", "store_dialogues": "false"}
        given["max_frame_age_s"] = "30.0"  # that this process may be slow to show an image is not what is measured
        words = [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]
        processes.start(namespace, "pixelrs_ros.ros.perception.node", "-r", f"__ns:=/{namespace}", *words)
        self.node = Node("user", namespace=namespace)
        self.client = PixelrsClient(self.node, spin=False)
        self._publishers = [self.node.create_publisher(Image, topic, qos_profile_sensor_data) for topic in topics]
        self._images = _pictures(cameras)
        self.node.create_timer(_CAMERA_PERIOD_S, self._show)

    def wait(self) -> None:
        """Wait until it is ready to answer.

        Raises:
            PixelrsError: It is not in time, or has ended.
        """
        alive = lambda: self._processes.exit_status(self.namespace) is None  # noqa: E731
        self.client.wait_until_ready(_START_TIMEOUT_S, alive=alive)

    @property
    def resident_mb(self) -> float:
        """Resident memory of the node."""
        return resident_mb(self._processes.pid(self.namespace))

    def _show(self) -> None:
        stamp = self.node.get_clock().now().to_msg()
        for publisher, image in zip(self._publishers, self._images, strict=True):
            image.header.stamp = stamp
            publisher.publish(image)


def _pictures(count: int) -> list[Image]:
    """What so many cameras show, at half the size: best effort loses large messages on a machine that is busy."""
    with Renderer() as renderer:
        views = [renderer.render(sample_scene(number)).image[::2, ::2] for number in range(count)]
    headers = (Header(frame_id=f"camera{number}") for number in range(count))
    return [conversions.fill_image(Image(), header, view, "rgb8") for header, view in zip(headers, views, strict=True)]


class Fleet:
    """Robots and their users on one machine."""

    def __init__(self, processes: Processes, parameters: dict[str, Any]) -> None:
        self._processes, self._parameters = processes, parameters
        self._executor = SingleThreadedExecutor()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self.robots: list[Robot] = []

    def __enter__(self) -> Fleet:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        for robot in self.robots:
            robot.client.destroy()
            robot.node.destroy_node()
            self._processes.interrupt(robot.namespace)
        for robot in self.robots:
            self._processes.wait(robot.namespace, _TURN_TIMEOUT_S)

    def add(self, *namespaces: str, cameras: int = 1) -> None:
        """Start more robots at the same time, and wait until they listen."""
        for namespace in namespaces:
            robot = Robot(namespace, cameras, self._processes, self._parameters)
            self._executor.add_node(robot.node)
            self.robots.append(robot)
        for robot in self.robots:
            robot.wait()

    def talk(self, dialogues: list[Dialogue], seconds: float) -> dict[str, Any]:
        """Let dialogues go on at the same time.

        Args:
            dialogues: All of them.
            seconds: How long, after a first turn of each, which does not count.

        Returns:
            See `benchmark.fleet.summed_up`; and "failed", why turns failed.

        Raises:
            PixelrsError: A dialogue got no answer.
        """
        self._go_on(dialogues, 0.0)
        self._go_on(dialogues, seconds)
        memory = [robot.resident_mb for robot in self.robots]
        failed = [failure for dialogue in dialogues for failure in dialogue.failures]
        return {**summed_up([dialogue.turns_ms for dialogue in dialogues], seconds, memory), "failed": failed}

    def _go_on(self, dialogues: list[Dialogue], seconds: float) -> None:
        for dialogue in dialogues:
            dialogue.begin()
        time.sleep(seconds)
        for dialogue in dialogues:
            dialogue.end()
        ends_s = time.monotonic() + _TURN_TIMEOUT_S
        for dialogue in dialogues:
            if not dialogue.quiet.wait(max(0.0, ends_s - time.monotonic())):
                raise PixelrsError(f"a dialogue got no answer within {_TURN_TIMEOUT_S:g} s")

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=_SPIN_S)


def runs(scenario: str, counts: list[int], seconds: float, fleet: Fleet) -> Iterator[tuple[int, dict[str, Any]]]:
    """How many there were, and what was measured, one after another."""
    if scenario != "robots":
        fleet.add(scenario, cameras=max(counts) if scenario == "cameras" else 1)
    for count in counts:
        if scenario == "robots":
            fleet.add(*(f"robot{number}" for number in range(len(fleet.robots), count)))
        dialogues = [
            Dialogue(
                fleet.robots[number if scenario == "robots" else 0].client,
                f"dialogue {number}",
                f"camera{number if scenario == 'cameras' else 0}",
            )
            for number in range(count)
        ]
        yield count, fleet.talk(dialogues, seconds)


def used_mb(device: str) -> float | None:
    """Memory of a GPU that is in use, by everybody, MB of 10^6 bytes; None on a CPU."""
    if not device.startswith("cuda"):
        return None
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / 1e6


def measure(
    counts: list[int], seconds: float, parameters: dict[str, Any], progress: Progress
) -> Iterator[dict[str, Any]]:
    """Everything, row by row.

    Raises:
        PixelrsError: A node did not start or did not answer.
    """
    task = progress.add_task("runs", total=len(SCENARIOS) * len(counts))
    unused_mb = used_mb(parameters["device"])
    for scenario in SCENARIOS:
        with contextlib.ExitStack() as stack:
            logs = stack.enter_context(tempfile.TemporaryDirectory())
            processes = stack.enter_context(Processes(Path(logs)))
            fleet = stack.enter_context(Fleet(processes, parameters))
            for count, measured in runs(scenario, counts, seconds, fleet):
                used = used_mb(parameters["device"])
                device_mb = None if used is None or unused_mb is None else round(used - unused_mb, 1)
                progress.console.print(
                    f"{count} {SCENARIOS[scenario]}: {measured['turns_per_s']} turns/s", markup=False
                )
                progress.advance(task)
                yield {"scenario": scenario, "count": count, **measured, "device_mb": device_mb}


def main(arguments: list[str] | None = None) -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--checkpoint", default="nano")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--count", type=int, action="append", required=True)
    options = parser.parse_args(arguments)
    isolate()
    exit_on_signals()
    parameters = {"checkpoint": options.checkpoint, "device": options.device}
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    try:
        files.require_writable(options.json)  # before work that takes long
        with ros([]), Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
            rows = list(measure(options.count, options.seconds, parameters, progress))
        files.write_json(options.json, rows)
    except PixelrsError as error:
        print(f"bench-fleet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
