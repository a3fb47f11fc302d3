"""Instruction and Image messages as no well-behaved node would send them, made of arbitrary bytes."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

from pixelrs_ros.msg import Instruction
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image

from pixelrs_ros.encodings import ENCODINGS

MESSAGE_BYTES = 41  # that one message is made of
NOW_S = 1_700_000_000  # the time of the well-stamped ones
SESSIONS = ("", "default", "kitchen", "Küche", "../../etc", "%s{}", "x" * 1000)  # fewer than a node remembers
_TEXTS = ("mask", "the mug", "mask it", "", " ", "[SEG]", "</s>", "%n%s{0}", "\x00", "\u202e", "x" * 2001)
_FRAMES = ("camera", "", "\x1b[2J")
_SIZES = (0, 1, 2, 3, 4, 9, 16, 31)
_BAD_ENCODINGS = ("", "nv99", "32FC1", "RGB8", "rgb8;", "\x00")
_PIXEL_BYTES = 8  # of the widest encoding; rows of others are padded
_LARGEST_BYTES = 10_000  # of an image that is as long as it says; larger ones lie

ValueT = TypeVar("ValueT")


class _Dice:
    """Reads choices from bytes; the smallest byte makes the plainest choice, as shrinking wants it."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._place = 0

    def read(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self._source, self._place)
        self._place += struct.calcsize(layout)
        return value

    def one_in(self, sides: int) -> bool:
        return bool(self.read("B") % sides == sides - 1)

    def pick(self, values: Sequence[ValueT]) -> ValueT:
        return values[self.read("B") % len(values)]

    def text(self) -> str:
        return str(self.read("8s").decode("utf-16", "ignore")) + str(self.read("4s").decode("utf-8", "ignore"))


def message(source: bytes) -> Instruction | Image:
    """A message of `MESSAGE_BYTES` bytes, as it comes out of the middleware: NUL ends a text."""
    dice = _Dice(source)
    made = _instruction(dice) if dice.one_in(2) else _image(dice)
    made.header.frame_id = dice.pick(_FRAMES)
    made.header.stamp.sec, made.header.stamp.nanosec = NOW_S, dice.read("H")
    if dice.one_in(8):
        made.header.stamp.sec = dice.read("i") * dice.pick((0, 1))
        nanosec = dice.read("I") % dice.pick((10**9, 2**32))  # more than a second's are no stamp
        made.header.stamp.nanosec = nanosec if made.header.stamp.sec else 0
    return deserialize_message(serialize_message(made), type(made))


def _instruction(dice: _Dice) -> Instruction:
    made = Instruction(text=dice.text() if dice.one_in(2) else dice.pick(_TEXTS), session_id=dice.pick(SESSIONS))
    made.source = dice.read("B") if dice.one_in(8) else dice.pick((0, 1))
    made.frame_policy = dice.read("B") if dice.one_in(8) else dice.pick(range(4))
    made.confidence = dice.read("f") if dice.one_in(8) else 1.0
    made.replace_last = dice.one_in(2)
    return made


def _image(dice: _Dice) -> Image:
    encoding = dice.pick(_BAD_ENCODINGS) if dice.one_in(8) else dice.pick(ENCODINGS)
    made = Image(encoding=encoding, is_bigendian=dice.pick((0, 1, 255)))
    made.height, made.width = (dice.read("I") if dice.one_in(8) else dice.pick(_SIZES) for _ in range(2))
    row_bytes = made.width * _PIXEL_BYTES
    made.step = dice.read("I") if dice.one_in(8) else min(row_bytes + dice.pick((0, 0, 5)), 2**32 - 1)
    num_bytes = made.height * made.step
    if num_bytes > _LARGEST_BYTES or dice.one_in(8):
        num_bytes = dice.read("H") % 300
    made.data = array("B", bytes(num_bytes))
    return made
