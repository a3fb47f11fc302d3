"""One instruction on its way through the node: the message, the image that it is about, and who awaits the answer."""

from __future__ import annotations

import enum
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from std_msgs.msg import Header

from pixelrs_ros.errors import NoFrameError, TurnCancelledError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame
from pixelrs_ros.ros.wire.conversions import stamp_to_ns
from pixelrs_ros.types import DEFAULT_SESSION_ID


class Stage(enum.IntEnum):
    """How far a turn has come; the values are those of the action's feedback."""

    QUEUED = 0
    ENCODING = 1
    REASONING = 2
    GROUNDING = 3


@dataclass(eq=False)
class TurnRequest:
    """An instruction and the image that it speaks about.

    Attributes:
        instruction: The message as received; without an `instruction_id` it is given one.
        stamp_ns: Start of the utterance, nanoseconds.
        received_s: `time.perf_counter()` when the instruction was received.
        bound: The image that was pinned for it, with its depth and camera info; None when there was none.
        problem: Why the pinned image is not of the utterance's moment; None when it is.
        captured_s: `time.perf_counter()` when its image was captured, by the node's clock; None without an image.
        one_shot: It belongs to no dialogue: none is read or changed, and the answer goes to `on_end` alone.
        on_progress: Called with the stage and the words so far, in the worker's thread; must not raise.
        ended: Its answer is being published; whatever the node does afterwards does not keep its dialogue busy.
        on_end: Called with the messages that end the turn, exactly once and in whatever thread ends it; must not raise.
    """

    instruction: Instruction
    stamp_ns: int
    received_s: float = field(default_factory=time.perf_counter)
    bound: BoundFrame | None = None
    problem: NoFrameError | None = None
    captured_s: float | None = None
    one_shot: bool = False
    on_progress: Callable[[Stage, str], None] = lambda stage, text: None
    on_end: Callable[[Segmentation, Explanation], None] = lambda segmentation, explanation: None
    ended: bool = False
    _cancelled: TurnCancelledError | None = None

    def __post_init__(self) -> None:
        self.instruction.instruction_id = self.instruction.instruction_id or uuid.uuid4().hex

    @property
    def session_id(self) -> str:
        """The dialogue, never empty."""
        return self.instruction.session_id or DEFAULT_SESSION_ID

    @property
    def pointed_ns(self) -> int:
        """Stamp of the image that the user points at, nanoseconds; 0: at none in particular."""
        pointing = self.instruction.pointing
        return stamp_to_ns(pointing[0].header.stamp) if pointing else 0

    @property
    def camera(self) -> str:
        """The frame_id of the camera that it names; empty: none."""
        pointing = self.instruction.pointing
        return (pointing[0].header.frame_id if pointing else "") or self.instruction.header.frame_id

    @property
    def flow(self) -> str | None:
        """Its flow in the queue: its dialogue, or None, which all requests outside of any dialogue share."""
        return None if self.one_shot else self.session_id

    @property
    def header(self) -> Header:
        """The image's header; without an image, the instruction's."""
        return self.instruction.header if self.bound is None else self.bound.image.message.header

    def cancel(self, message: str) -> bool:
        """Ask the turn to end at its next token. May be called from any thread.

        Returns:
            Whether it had not been asked before; the first message holds.
        """
        first = self._cancelled is None
        self._cancelled = self._cancelled or TurnCancelledError(message)
        return first

    def check(self) -> None:
        """Go on.

        Raises:
            TurnCancelledError: It has been cancelled.
        """
        if self._cancelled is not None:
            raise TurnCancelledError(str(self._cancelled))
