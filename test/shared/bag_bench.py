"""Recordings as a perception node and its camera would have left them, without a node."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from pixelrs_ros.data.bag_writing import BagWriter
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.text.answer import parse
from pixelrs_ros.types import Reply, Segment, Status

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
HEIGHT_PX, WIDTH_PX = 48, 64


def a_picture(seed: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)


def a_mask(column: int) -> np.ndarray:
    """(H, W) bool: an ellipse with a hole, so that its outline has many points."""
    rows, columns = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    inside = ((rows - 24) / 18) ** 2 + ((columns - column) / 11) ** 2 < 1
    inside[20:24, column - 3 : column + 2] = False
    return np.asarray(inside)


def a_reply(answer: str, *masks: np.ndarray) -> Reply:
    """What the network gives back that writes this answer, with one mask for each `[SEG]`."""
    parsed = parse(answer)
    segments = tuple(
        Segment(parsed.text[phrase.start : phrase.end], mask, 0.75)
        for phrase, mask in zip(parsed.phrases, masks, strict=True)
    )
    return Reply(parsed.status, parsed.text, answer, segments, parsed.phrases)


class BagBench:
    """Writes a recording, one second after another; a context.

    Args:
        path: Its folder.
        namespace: Of the robot, with a slash at its end.
        noted: See `Bag.noted`.
    """

    def __init__(self, path: Path, namespace: str = "/", noted: dict[str, str] | None = None) -> None:
        self.path = path
        self.namespace = namespace
        self.now_ns = START_NS
        self._writer = BagWriter(path, noted or {})

    def __enter__(self) -> BagBench:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def put(self, topic: str, kind: str, message: Any) -> None:
        """Record a message; a topic that begins with a slash is in no namespace."""
        name = topic if topic.startswith("/") else f"{self.namespace}{topic}"
        self._writer.write(name, kind, self.now_ns, serialize_message(message))

    def show(self, picture: np.ndarray, topic: str = "image") -> Header:
        """A camera image a second later; its header."""
        self.now_ns += SECOND_NS
        header = Header(stamp=conversions.ns_to_stamp(self.now_ns), frame_id="camera")
        self.put(topic, "sensor_msgs/msg/Image", conversions.fill_image(Image(), header, picture, "rgb8"))
        return header

    def say(self, text: str, number: int, session_id: str = "default", **fields: Any) -> Instruction:
        """An instruction that its sender has named."""
        self.now_ns += SECOND_NS
        message = Instruction(text=text, session_id=session_id, confidence=1.0, **fields)
        message.instruction_id = f"{session_id} {number} {self.now_ns}"
        message.header.stamp = conversions.ns_to_stamp(self.now_ns)
        self.put("instruction", "pixelrs_ros/msg/Instruction", message)
        return message

    def whisper(self, text: str) -> Instruction:
        """Bare words, and the instruction that the node makes of them."""
        self.now_ns += SECOND_NS
        self.put("instruction_text", "std_msgs/msg/String", String(data=text))
        message = Instruction(text=text, session_id="default", instruction_id=f"named by the node {self.now_ns}")
        message.header.stamp = conversions.ns_to_stamp(self.now_ns + 1_000_000)
        return message

    def answer(
        self, header: Header, instruction: Instruction, number: int, reply: Reply, encoding: str = "full"
    ) -> None:
        """How the turn ended, and the words."""
        how = (header, instruction, number, reply)
        self.put(
            "segmentation",
            "pixelrs_ros/msg/Segmentation",
            conversions.fill_segmentation(Segmentation(), *how, encoding=encoding),
        )
        self.put("explanation", "pixelrs_ros/msg/Explanation", conversions.fill_explanation(Explanation(), *how))

    def fail(self, instruction: Instruction, number: int, status: Status) -> None:
        """A turn that ended without an answer."""
        self.answer(instruction.header, instruction, number, Reply(status, "", message="on purpose"))


def a_dialogue(bench: BagBench, session_id: str = "default") -> None:
    """Four turns: words, two masks, nothing found, and one mask."""
    header = bench.show(a_picture(0))
    bench.answer(header, bench.say("I want to drink.", 0, session_id), 0, a_reply("There is a mug."))
    header = bench.show(a_picture(1))
    both = a_reply("[OBJ]The mug[SEG], by[OBJ] its handle[SEG].", a_mask(20), a_mask(40))
    bench.answer(header, bench.say("where?", 1, session_id), 1, both)
    header = bench.show(a_picture(2))
    bench.answer(header, bench.say("the fork", 2, session_id), 2, a_reply("[NONE]I see no fork."))
    header = bench.show(a_picture(3))
    bench.answer(header, bench.say("the pan", 3, session_id), 3, a_reply("[OBJ]The pan[SEG].", a_mask(30)), "runs")
