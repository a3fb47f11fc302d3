"""One instruction on its way through the node: what came, what it is about, who wants to know."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from std_msgs.msg import Header

from pixelrs_ros.errors import TurnCancelledError
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.queueing.frame_buffer import BoundFrame
from pixelrs_ros.types import DEFAULT_SESSION_ID


class Stage(enum.IntEnum):
    """How far a turn has come; the values are those of the action's feedback."""

    QUEUED = 0
    ENCODING = 1
    REASONING = 2
    GROUNDING = 3


@dataclass(eq=False)
class Job:
    """An instruction and the image that it speaks about.

    Attributes:
        instruction: As it came.
        stamp_ns: Start of the utterance, nanoseconds.
        received_s: `time.perf_counter()` when the instruction came.
        bound: The image that was pinned for it, with its depth and camera info; None when there was none.
        problem: Why what there was is not of the utterance's moment; else empty.
        captured_s: `time.perf_counter()` when its image was captured, as far as the node's clock tells; None without an
            image, or where the image is meant to be an old one.
        one_shot: It belongs to no dialogue: none is read or changed, and the answer goes to `on_end` alone.
        on_progress: Told how far the turn has come and the words so far, in the worker's thread; must not raise.
        ended: Its answer is on its way out; what the node still does about it is nobody's business.
        on_end: Told the messages that end the turn, exactly once and in whatever thread ends it; must not raise.
    """

    instruction: Instruction
    stamp_ns: int
    received_s: float = field(default_factory=time.perf_counter)
    bound: BoundFrame | None = None
    problem: str = ""
    captured_s: float | None = None
    one_shot: bool = False
    on_progress: Callable[[Stage, str], None] = lambda stage, text: None
    on_end: Callable[[Segmentation, Explanation], None] = lambda segmentation, explanation: None
    ended: bool = False
    _cancelled: str = ""

    @property
    def session_id(self) -> str:
        """The dialogue, never empty."""
        return self.instruction.session_id or DEFAULT_SESSION_ID

    @property
    def header(self) -> Header:
        """Of the image; without one that of the instruction."""
        return self.instruction.header if self.bound is None else self.bound.image.message.header

    def cancel(self, message: str) -> bool:
        """Ask the turn to end at its next token. May be called from any thread.

        Returns:
            Whether it had not been asked before; the first message holds.
        """
        first = not self._cancelled
        self._cancelled = self._cancelled or message
        return first

    def check(self) -> None:
        """Go on.

        Raises:
            TurnCancelledError: It has been cancelled.
        """
        if self._cancelled:
            raise TurnCancelledError(self._cancelled)
