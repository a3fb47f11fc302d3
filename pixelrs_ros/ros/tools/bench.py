"""The ROS part of `pixelrs bench`: dialogues with perception nodes in processes of their own, over DDS.

Writes one JSON file: for the package as it is and for the published way to work, from the stamp of the instruction to
the first mask and to the whole answer; the transport of an image between processes; the conversion of messages.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import torch
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros import files
from pixelrs_ros.benchmark.engines import (
    DIALOGUE,
    ForcedEngine,
    Network,
    PublishedEngine,
    PublishedSession,
    shipped_network,
)
from pixelrs_ros.benchmark.measure import TURNS, picture, summary
from pixelrs_ros.client import PixelrsClient
from pixelrs_ros.engine.backends import Backend
from pixelrs_ros.engine.background import default_num_threads
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception import node, session_factory
from pixelrs_ros.ros.tools.processes import Processes, isolate
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.types import Reply, Segment, Status

_START_TIMEOUT_S = 300.0
_TURN_TIMEOUT_S = 60.0
_TRANSPORT_IMAGES = 60
_CONVERSIONS = 60
_CAMERA = "camera"
# The image does not change, so the newest is meant, whatever its age: none is worth waiting for.
_NEWEST = Instruction.LATEST


def forced_session(values: NodeParameters) -> Session:
    """The package as it is, saying the answers of the benchmark and storing its turns as the parameters want it."""
    return Session(ForcedEngine(_network(values), _backend(values)), storage=session_factory.storage_of(values))


def published_session(values: NodeParameters) -> Session:
    """The published way to work, saying the answers of the benchmark; it stores nothing."""
    return PublishedSession(PublishedEngine(_network(values), _backend(values)))


def _network(values: NodeParameters) -> Network:
    # As many threads as the node gives an engine of its own: an engine takes those that it finds.
    torch.set_num_threads(values.num_threads or default_num_threads())
    return shipped_network(values.checkpoint, values.device)


def _backend(values: NodeParameters) -> Backend:
    return Backend(values.backend, values.precision, values.language_weights)


# The ways to work, and what makes each one's dialogues.
FACTORIES: dict[str, Callable[[NodeParameters], Session]] = {"pixelrs": forced_session, "published": published_session}


class Player(PixelrsClient):
    """Camera and user of one perception node; notes when its messages arrive.

    Args:
        namespace: Namespace of the perception node.
    """

    def __init__(self, namespace: str) -> None:
        super().__init__(name="player", namespace=namespace, partial_masks=True)
        self._images = self.node.create_publisher(Image, "image", qos_profile_sensor_data)

    def wait_for_robot(self) -> None:
        """Wait until the perception node listens.

        Raises:
            PixelrsError: It does not in time.
        """
        complaint = f"the perception node in {self.node.get_namespace()} did not answer"
        self.wait(lambda: self.is_ready() and self._images.get_subscription_count() > 0, _START_TIMEOUT_S, complaint)

    def dialogue(self, number: int) -> list[dict[str, float]]:
        """Play a dialogue about a new picture.

        Returns:
            For each turn, milliseconds from the instruction's stamp to the first mask and to the whole answer, and by
            stage as the node says.

        Raises:
            PixelrsError: A turn was not answered in time, or not on this picture.
        """
        stamp_ns = self._now_ns()
        message = conversions.fill_image(Image(), Header(frame_id=_CAMERA), picture(number), "rgb8")
        message.header.stamp = conversions.ns_to_stamp(stamp_ns)
        ends = time.monotonic() + _TURN_TIMEOUT_S
        while not self._sees(message):
            if time.monotonic() > ends:
                raise PixelrsError(f"no image reached the perception node in {self.node.get_namespace()}")
        return [self._turn(text, f"dialogue {number}", stamp_ns) for text, _ in DIALOGUE]

    def _sees(self, image: Image) -> bool:
        """Publish an image and find out whether it came: images are best effort.

        An instruction without words is refused at once, in a message with the header of the image that it is about.
        """
        self._images.publish(image)
        stamp_ns = conversions.stamp_to_ns(image.header.stamp)
        refusal = self.say("", session_id="probe", stamp_ns=stamp_ns, timeout_s=_TURN_TIMEOUT_S, frame_policy=_NEWEST)
        return refusal.segmentation.header == image.header

    def _turn(self, text: str, session_id: str, image_stamp_ns: int) -> dict[str, float]:
        stamp_ns = self._now_ns()
        masks_ms: list[float] = []
        answers_ms: list[float] = []

        def since_stamp_ms() -> float:
            return (self._now_ns() - stamp_ns) / 1e6

        pending = self.send(
            text,
            session_id=session_id,
            stamp_ns=stamp_ns,
            frame_policy=_NEWEST,
            on_masks=lambda message: masks_ms.append(since_stamp_ms()),
        )
        pending.future.add_done_callback(lambda future: answers_ms.append(since_stamp_ms()))
        answer = self.wait_for(pending, _TURN_TIMEOUT_S)
        if conversions.stamp_to_ns(answer.segmentation.header.stamp) != image_stamp_ns:
            raise PixelrsError(f"another image was answered about: {answer.segmentation.message}")
        masks = {"to the first mask": masks_ms[0]} if masks_ms else {}
        return {**masks, "to the whole answer": answers_ms[0], **answer.latency_ms}

    def _now_ns(self) -> int:
        return int(self.node.get_clock().now().nanoseconds)


def play(ways: dict[str, Player], repeats: int) -> dict[str, Any]:
    """Dialogues with all ways in turn; the first one after the start is the cold one."""
    cold: dict[str, Any] = {}
    warm: dict[str, Any] = {way: {turn: defaultdict(list) for turn in TURNS} for way in ways}
    for repeat in range(repeats + 1):
        for way, player in ways.items():
            of_dialogue = player.dialogue(repeat)
            if repeat == 0:
                cold[way] = {turn: of_dialogue[place] for turn, place in TURNS.items()}
                continue
            for turn, place in TURNS.items():
                for stage, value in of_dialogue[place].items():
                    warm[way][turn][stage].append(value)
    return {
        "cold": cold,
        "warm": {
            way: {turn: {stage: summary(values) for stage, values in stages.items()} for turn, stages in turns.items()}
            for way, turns in warm.items()
        },
    }


def transport(receiver: Node) -> dict[str, float]:
    """Milliseconds that a 640x480 rgb8 image takes from one process to another, its serialization included."""
    delays_ms: list[float] = []

    def note(message: Image) -> None:
        now_ns = receiver.get_clock().now().nanoseconds
        delays_ms.append((now_ns - conversions.stamp_to_ns(message.header.stamp)) / 1e6)

    receiver.create_subscription(Image, "transport", note, qos_profile_sensor_data)
    ends = time.monotonic() + _TURN_TIMEOUT_S
    while len(delays_ms) < _TRANSPORT_IMAGES and time.monotonic() < ends:
        rclpy.spin_once(receiver, timeout_sec=0.1)
    if not delays_ms:
        raise PixelrsError("no image came from the other process")
    return summary(delays_ms[5:] or delays_ms)


def send_images() -> None:
    """Publish images, each stamped just before it is handed to ROS, until the process is interrupted."""
    with ros(None):
        sender = Node("sender")
        publisher = sender.create_publisher(Image, "transport", qos_profile_sensor_data)
        message = conversions.fill_image(Image(), Header(), picture(0), "rgb8")

        def publish() -> None:
            message.header.stamp = sender.get_clock().now().to_msg()
            publisher.publish(message)

        sender.create_timer(0.05, publish)
        spin(sender)


def conversion() -> dict[str, float]:
    """Milliseconds for all that a grounded turn converts: the image, its mask twice, the words."""
    header, instruction = Header(), Instruction(text="which?", confidence=1.0)
    message = conversions.fill_image(Image(), header, picture(0), "rgb8")
    mask = np.zeros((message.height, message.width), np.bool_)
    mask[100:300, 200:400] = True
    reply = Reply(Status.GROUNDED, "the mug", segments=(Segment("the mug", mask, 0.5),))
    values_ms = []
    for _ in range(_CONVERSIONS):
        started = time.perf_counter()
        conversions.frame_from_image(message, 1)
        conversions.fill_mask(Image(), header, reply.union_mask(*mask.shape))
        conversions.fill_segmentation(Segmentation(), header, instruction, 0, reply)
        conversions.fill_explanation(Explanation(), header, instruction, 0, reply)
        values_ms.append(1e3 * (time.perf_counter() - started))
    return summary(values_ms[5:])


def measure(parameters: Mapping[str, object], repeats: int) -> dict[str, Any]:
    """Everything, with processes of its own.

    Args:
        parameters: The parameters of both perception nodes: what runs the network, and how.
        repeats: Warm dialogues of each.

    Raises:
        PixelrsError: A node did not start or did not answer.
    """
    isolate()
    # The picture is sent once and stands for a camera that shows no other: nothing newer is worth waiting for.
    always = {"autostart": "true", "max_frame_age_s": "3600.0", "max_frame_wait_s": "0.0", "publish_overlay": "false"}
    values = {**always, **parameters}
    given = [argument for name, value in values.items() for argument in ("-p", f"{name}:={value}")]
    module = "pixelrs_ros.ros.tools.bench"
    with tempfile.TemporaryDirectory() as logs, Processes(Path(logs)) as processes, ros(None):
        processes.start("sender", f"{module}", "-r", "__node:=sender")
        transported = transport(Node("receiver"))
        processes.interrupt("sender")
        for way in FACTORIES:
            processes.start(way, module, "-r", f"__ns:=/{way}", *given)
        players = {way: Player(way) for way in FACTORIES}
        for player in players.values():
            player.wait_for_robot()
        played = play(players, repeats)
    return {**played, "transport of an image": transported, "conversion": conversion()}


def main(arguments: list[str] | None = None) -> int:
    """Measure, or be one of the processes that are measured: those are started with `--ros-args`."""
    given = sys.argv[1:] if arguments is None else arguments
    if "__node:=sender" in given:
        send_images()
        return 0
    for way, factory in FACTORIES.items():
        if f"__ns:=/{way}" in given:
            return node.main(session_factory=factory)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--checkpoint", default="nano")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args(given)
    parameters = {name: getattr(options, name) for name in ("checkpoint", "device", "backend", "precision")}
    try:
        files.require_writable(options.json)  # before work that takes long
        measured = measure({**parameters, "num_threads": options.threads}, options.repeats)
        files.write_json(options.json, measured, indent=None)
    except PixelrsError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
