"""The newest camera frames, and the choice of the one that an utterance speaks about. Imports no ROS."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pixelrs_ros.errors import BadInputError

MessageT = TypeVar("MessageT")
_NS_PER_S = 1e9


@dataclass(frozen=True)
class BufferedFrame(Generic[MessageT]):
    """One image message as it came, not yet converted: most frames are never asked for.

    Attributes:
        message: The image message.
        stamp_ns: Capture time, nanoseconds, same clock as the utterances.
        error: Why the image cannot be used; empty for a good one. A bad image is kept, so that an instruction that
            speaks about it is refused instead of being answered on an older picture.
        frame_id: Coordinate frame of its camera.
    """

    message: MessageT
    stamp_ns: int
    error: str = ""
    frame_id: str = ""


class FrameBuffer(Generic[MessageT]):
    """Ring of the newest frames. Thread-safe.

    Args:
        size: Number of frames kept, at least 1.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a frame buffer holds at least 1 frame, got {size}")
        self._frames: deque[BufferedFrame[MessageT]] = deque(maxlen=size)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._frames)

    def add(self, frame: BufferedFrame[MessageT]) -> None:
        """Keep a frame; the oldest arrival leaves when the ring is full."""
        with self._lock:
            self._frames.append(frame)

    def newest(self) -> BufferedFrame[MessageT] | None:
        """The frame that arrived last, None when none came yet."""
        with self._lock:
            return self._frames[-1] if self._frames else None

    def nearest(self, stamp_ns: int) -> BufferedFrame[MessageT] | None:
        """The frame captured nearest to a time; of two equally near ones the later arrival. None when none came yet."""
        with self._lock:
            # `min` keeps the first of equals, so the newest is offered first.
            return min(reversed(self._frames), key=lambda frame: abs(frame.stamp_ns - stamp_ns), default=None)

    def select(
        self, stamp_ns: int, now_ns: int, max_age_s: float, max_slop_s: float
    ) -> tuple[BufferedFrame[MessageT] | None, str]:
        """Choose the frame of an utterance.

        Args:
            stamp_ns: Start of the utterance; 0 means that its sender has no clock, and the newest frame is meant.
            now_ns: Present time, which stands in for a stamp of 0.
            max_age_s: How much older than the utterance the frame may be.
            max_slop_s: How much younger than the utterance the frame may be.

        Returns:
            The frame, None when no image came yet; and why it cannot be used, empty when it can.
        """
        frame = self.nearest(stamp_ns) if stamp_ns else self.newest()
        if frame is None:
            return (
                None,
                "no image has arrived yet: check that the camera runs and that `image` is remapped to its topic",
            )
        age_s = ((stamp_ns or now_ns) - frame.stamp_ns) / _NS_PER_S
        if age_s > max_age_s:
            return frame, (
                f"the newest image is {age_s:.1f} s older than the instruction, more than max_frame_age_s "
                f"({max_age_s:g} s): the camera has stopped, or its clock differs from the instruction's"
            )
        if stamp_ns and -age_s > max_slop_s:
            return frame, (
                f"the nearest image is {-age_s:.1f} s younger than the instruction, more than max_frame_slop_s "
                f"({max_slop_s:g} s): the images of that moment are gone; raise frame_buffer_size or send it sooner"
            )
        return frame, frame.error


class Cameras(Generic[MessageT]):
    """The newest frames of several cameras, a buffer for each. Thread-safe.

    Args:
        topics: Of the cameras' images, at least one; the first is meant where an instruction names no camera.
        size: Number of frames kept of each, at least 1.
    """

    def __init__(self, topics: Sequence[str], size: int) -> None:
        self._buffers: dict[str, FrameBuffer[MessageT]] = {topic: FrameBuffer(size) for topic in topics}

    def __len__(self) -> int:
        return sum(len(buffer) for buffer in self._buffers.values())

    def add(self, topic: str, frame: BufferedFrame[MessageT]) -> None:
        """Keep a frame of one camera."""
        self._buffers[topic].add(frame)

    def select(
        self, frame_id: str, stamp_ns: int, now_ns: int, max_age_s: float, max_slop_s: float
    ) -> tuple[BufferedFrame[MessageT] | None, str]:
        """Choose the frame of an utterance.

        Args:
            frame_id: Of the camera that the utterance speaks about; where there is but one camera, it does not matter.
            stamp_ns: And the other arguments: see `FrameBuffer.select`.
            now_ns: Present time.
            max_age_s: How much older than the utterance the frame may be.
            max_slop_s: How much younger than the utterance the frame may be.

        Returns:
            See `FrameBuffer.select`.
        """
        buffers = list(self._buffers.values())
        named = buffers[:1]
        if frame_id and len(buffers) > 1:
            named = [buffer for buffer in buffers if (newest := buffer.newest()) and newest.frame_id == frame_id]
        if not named:
            seen = sorted({newest.frame_id for buffer in buffers if (newest := buffer.newest())})
            return None, f"no camera with frame_id {frame_id!r} has sent an image; those that have: {seen}"
        return named[0].select(stamp_ns, now_ns, max_age_s, max_slop_s)


def require_usable(selected: tuple[BufferedFrame[MessageT] | None, str]) -> BufferedFrame[MessageT]:
    """The frame of `FrameBuffer.select`.

    Raises:
        BadInputError: There is none, or it cannot be used; the message says why.
    """
    frame, problem = selected
    if frame is None or problem:
        raise BadInputError(problem)
    return frame
