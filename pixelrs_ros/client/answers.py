"""What comes back from the perception node, and what one has of it before."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.task import Future

from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.msg import Explanation, Segment, Segmentation
from pixelrs_ros.status_codes import STATUSES
from pixelrs_ros.types import Status


class NoAnswerError(PixelrsError, TimeoutError):
    """A node did not answer in time; the message names it."""


@dataclass(frozen=True)
class Answer:
    """How a turn ended.

    Attributes:
        segmentation: The message with the masks.
        explanation: The message with the words.
    """

    segmentation: Segmentation
    explanation: Explanation

    @property
    def status(self) -> Status:
        """How the turn ended."""
        return STATUSES[self.segmentation.status]

    @property
    def answered(self) -> bool:
        """Whether the network has answered; otherwise `text` says why not."""
        return self.status.answered

    @property
    def text(self) -> str:
        """The robot's words; where the turn failed, why."""
        return str(self.explanation.text)

    @property
    def segments(self) -> list[Segment]:
        """What was found: phrase, score, box, mask and, with a depth camera, the place in space."""
        return list(self.segmentation.segments)

    @property
    def masks(self) -> list[np.ndarray]:
        """The masks of `segments`, (H, W) bool each, of the size of the image that the turn was about."""
        return [mask_of(segment) for segment in self.segmentation.segments]

    @property
    def latency_ms(self) -> dict[str, float]:
        """Milliseconds by stage, as the node measured them."""
        return {latency.stage: float(latency.milliseconds) for latency in self.segmentation.latencies}


class PendingAnswer:
    """An instruction that has been sent.

    Attributes:
        stamp_ns: The stamp that it was sent with, nanoseconds; its answers carry it.
        future: Completed with the answer, in the thread that spins the node.
    """

    def __init__(self, stamp_ns: int, cancel: Callable[[], None] | None = None) -> None:
        self.stamp_ns = stamp_ns
        self.future: Future[Answer] = Future()
        self.segmentation: Segmentation | None = None
        self.explanation: Explanation | None = None
        self._cancel = cancel

    def __await__(self) -> Generator[Any, None, Answer]:
        """Wait for the answer in a coroutine of the node's executor."""
        answer = yield from self.future.__await__()
        assert answer is not None
        return answer

    def done(self) -> bool:
        """Whether the answer is here."""
        return bool(self.future.done())

    def cancel(self) -> bool:
        """Ask the node to end the turn at its next word; the answer comes all the same, with the status CANCELLED.

        Returns:
            Whether it could be asked; instructions that were sent with `send` cannot be cancelled.
        """
        if self._cancel is None or self.done():
            return False
        self._cancel()
        return True

    def add(self, message: Segmentation | Explanation) -> None:
        """Take one of the two messages that end the turn; the second one completes the future."""
        if isinstance(message, Segmentation):
            self.segmentation = message
        else:
            self.explanation = message
        if self.segmentation is not None and self.explanation is not None and not self.done():
            self.future.set_result(Answer(self.segmentation, self.explanation))
