"""The newest camera frames, and the choice of the one that an utterance speaks about. Imports no ROS."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from pixelrs_ros.errors import NoFrameError
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, BufferedFrame, Stream, same_frame

MessageT = TypeVar("MessageT")
_NS_PER_S = 1e9
_PERIOD_FRAMES = 10  # from which the camera's period is estimated


_CLOCKS = "check that the instruction and the camera go by the same clock, or set frame_policy to latest"


@dataclass(frozen=True)
class FrameLimits:
    """How far from its utterance a frame may be.

    Attributes:
        max_age_s: How much older than the utterance.
        max_slop_s: How far ahead of the node's clock a stamp may be; one further ahead comes from a wrong clock.
        max_depth_slop_s: How far depth and camera info may be from their image.
    """

    max_age_s: float
    max_slop_s: float
    max_depth_slop_s: float = 0.0


@dataclass(frozen=True)
class FrameChoice:
    """The frame of an utterance, as far as is known now.

    Attributes:
        frame: None when no image came until then.
        problem: Why it is not of the utterance's moment; None when it is.
        final: Whether no better one can be on its way.
        age_s: How old the frame is now, in seconds; by its arrival where its stamp and the node's clock do not agree.
    """

    frame: BufferedFrame[Any] | None
    problem: NoFrameError | None
    final: bool
    age_s: float = 0.0


class FrameBuffer(Generic[MessageT]):
    """Ring of the newest frames. Thread-safe.

    Args:
        size: Number of frames kept, at least 1.
        clock_s: Steady time in seconds, that of `BufferedFrame.arrived_s`.
    """

    def __init__(self, size: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        if size < 1:
            raise ValueError(f"a frame buffer holds at least 1 frame, got {size}")
        self._frames: deque[BufferedFrame[MessageT]] = deque(maxlen=size)
        self._clock_s = clock_s
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._frames)

    def add(self, frame: BufferedFrame[MessageT]) -> None:
        """Keep a frame; the oldest arrival leaves when the ring is full.

        Frames from ahead of the node's clock leave with the first one that is not: their stamps were wrong.
        """
        with self._lock:
            if not frame.ahead and any(other.ahead for other in self._frames):
                kept = [other for other in self._frames if not other.ahead]
                self._frames = deque(kept, maxlen=self._frames.maxlen)
            self._frames.append(frame)

    def resize(self, size: int) -> None:
        """Keep so many of the newest frames from now on, at least 1."""
        with self._lock:
            self._frames = deque(self._frames, maxlen=size)

    def clear(self) -> None:
        """Forget all frames."""
        with self._lock:
            self._frames.clear()

    def newest(self) -> BufferedFrame[MessageT] | None:
        """The frame that arrived last, None when none came yet."""
        with self._lock:
            return self._frames[-1] if self._frames else None

    def nearest(self, stamp_ns: int) -> BufferedFrame[MessageT] | None:
        """The frame captured nearest to a time; of two equally near ones the later arrival. None when none came yet."""
        with self._lock:
            # `min` keeps the first of equals, so the newest is offered first.
            return min(reversed(self._frames), key=lambda frame: abs(frame.stamp_ns - stamp_ns), default=None)

    def last_until(self, stamp_ns: int) -> BufferedFrame[MessageT] | None:
        """The frame captured last until a time; of equals the later arrival. None when all are later, or none came."""
        with self._lock:
            return _last_until(self._frames, stamp_ns)

    def select(self, stamp_ns: int, now_ns: int, limits: FrameLimits) -> FrameChoice:
        """Choose the frame of an utterance: the last one captured until it began, which is what the user saw.

        As long as the camera's rhythm says that this image is still on its way, the choice is not final: neither a
        later image is here, nor one that is older by less than a period. An image that is younger than a period is that
        last one; waiting for the next would cost time and show what the user had not yet seen. No image is ever chosen
        that was captured after the utterance had begun.

        Args:
            stamp_ns: Start of the utterance; 0 means the newest frame: its sender has no clock, or wants just that.
            now_ns: Present time by the node's clock.
            limits: How old the frame may be, and how far ahead of the node's clock.
        """
        with self._lock:
            frames = list(self._frames)
        if not frames:
            problem = "no image has arrived yet: check that the camera runs and that `image` is remapped to its topic"
            return FrameChoice(None, NoFrameError(problem), final=False)
        if not stamp_ns:
            return _newest(frames[-1], now_ns, self._clock_s(), limits)
        frame = _last_until(frames, stamp_ns)
        # Frames from beyond the horizon have wrong stamps, and say nothing about what is on its way.
        horizon_ns = max(stamp_ns, now_ns + round(limits.max_slop_s * _NS_PER_S))
        stamps_ns = [other.stamp_ns for other in frames if other.stamp_ns <= horizon_ns]
        later_is_here = any(other_ns >= stamp_ns for other_ns in stamps_ns)
        if frame is None:
            first_s = (min(other.stamp_ns for other in frames) - stamp_ns) / _NS_PER_S
            return FrameChoice(None, _all_later(first_s, later_is_here), final=later_is_here)
        age_s = (now_ns - frame.stamp_ns) / _NS_PER_S
        behind_s = (stamp_ns - frame.stamp_ns) / _NS_PER_S
        if behind_s > limits.max_age_s:
            return FrameChoice(frame, _too_old(behind_s, limits, later_is_here), later_is_here, age_s)
        return FrameChoice(frame, None, later_is_here or behind_s < _period_s(stamps_ns), age_s)

    def pointed_at(self, frame_ns: int, stamp_ns: int, now_ns: int, limits: FrameLimits) -> FrameChoice:
        """Choose the frame that the user points at: that of a certain stamp, and no other.

        Args:
            frame_ns: Its stamp.
            stamp_ns: Start of the utterance; 0: now.
            now_ns: Present time by the node's clock.
            limits: How old the frame may be.
        """
        with self._lock:
            frames = list(self._frames)
        age_s = (now_ns - frame_ns) / _NS_PER_S
        behind_s = ((stamp_ns or now_ns) - frame_ns) / _NS_PER_S
        for frame in reversed(frames):
            if frame.stamp_ns == frame_ns:
                problem = _pointed_too_late(behind_s, limits) if behind_s > limits.max_age_s else None
                return FrameChoice(frame, problem, True, age_s)
        later_is_here = any(frame.stamp_ns > frame_ns for frame in frames)
        return FrameChoice(None, _nothing_pointed_at(later_is_here), later_is_here, age_s)


def _pointed_too_late(behind_s: float, limits: FrameLimits) -> NoFrameError:
    return NoFrameError(
        f"the image that was pointed at is {behind_s:.1f} s older than the instruction, more than max_frame_age_s "
        f"({limits.max_age_s:g} s): point at a newer one"
    )


def _nothing_pointed_at(later_is_here: bool) -> NoFrameError:
    if later_is_here:
        why = "is no longer here, or is another camera's: point sooner, or raise frame_buffer_size"
    else:
        why = "has not arrived: check that its header is that of an image of this camera"
    return NoFrameError(f"the image that was pointed at {why}")


def _last_until(frames: Sequence[BufferedFrame[MessageT]], stamp_ns: int) -> BufferedFrame[MessageT] | None:
    until = [frame for frame in reversed(frames) if frame.stamp_ns <= stamp_ns]
    return max(until, key=lambda frame: frame.stamp_ns, default=None)


def _newest(frame: BufferedFrame[Any], now_ns: int, now_s: float, limits: FrameLimits) -> FrameChoice:
    """The frame that came last, unless both its stamp and its arrival say that the camera has stopped."""
    age_s, since_s = (now_ns - frame.stamp_ns) / _NS_PER_S, now_s - frame.arrived_s
    if -limits.max_slop_s <= age_s <= limits.max_age_s:
        return FrameChoice(frame, None, True, age_s)
    if since_s <= limits.max_age_s:  # the clocks differ, as when a recording is played without /clock
        return FrameChoice(frame, None, True, since_s)
    old_s = since_s if math.isfinite(since_s) else age_s
    problem = (
        f"the newest image is {old_s:.1f} s older than the instruction, more than max_frame_age_s "
        f"({limits.max_age_s:g} s): the camera has stopped: check that it runs and that its images get here"
    )
    return FrameChoice(frame, NoFrameError(problem), False, age_s)


def _too_old(behind_s: float, limits: FrameLimits, later_is_here: bool) -> NoFrameError:
    """That the last frame until the utterance is too old, and the remedy."""
    if later_is_here:
        remedy = "the camera sends too rarely: raise max_frame_age_s"
    else:
        remedy = f"the camera has stopped, or its clock differs from the instruction's: {_CLOCKS}"
    return NoFrameError(
        f"the last image until the instruction's stamp is {behind_s:.1f} s older than it, more than max_frame_age_s "
        f"({limits.max_age_s:g} s): {remedy}"
    )


def _all_later(first_s: float, later_is_here: bool) -> NoFrameError:
    """That all frames are later than the utterance, the first by so many seconds, and the remedy."""
    what = f"no image is here that was captured until the instruction's stamp; the first is {first_s:.3g} s younger"
    if not later_is_here:
        return NoFrameError(f"{what}, in the future: {_CLOCKS}")
    return NoFrameError(
        f"{what}: the images of that moment are gone, or the camera began later: send it sooner, raise "
        f"frame_buffer_size, or {_CLOCKS}"
    )


def _period_s(stamps_ns: Sequence[int]) -> float:
    """The camera's usual time between two frames; 0 as long as that is not known."""
    steps_ns = [later - earlier for earlier, later in pairwise(stamps_ns[-_PERIOD_FRAMES:]) if later > earlier]
    return median(steps_ns) / _NS_PER_S if steps_ns else 0.0


class CameraBuffers:
    """The newest frames of several cameras, with their depth and camera info. Thread-safe.

    Args:
        names: The cameras' names, at least one; the first one is meant where an instruction names no camera.
        size: Number of frames kept of each stream of each, at least 1.

    Attributes:
        complaints: What is known to be wrong with the topics of a camera.
    """

    def __init__(self, names: Sequence[str], size: int) -> None:
        self.complaints: dict[str, str] = {}
        self._buffers = {name: {stream: FrameBuffer[Any](size) for stream in Stream} for name in names}
        # Those that somebody still holds, which may lack what is on its way.
        self._bound: dict[str, WeakSet[BoundFrame]] = {name: WeakSet() for name in names}

    def __len__(self) -> int:
        """Images kept of all cameras."""
        return sum(len(streams[Stream.IMAGE]) for streams in self._buffers.values())

    def add(self, name: str, stream: Stream, frame: BufferedFrame[Any]) -> None:
        """Keep a frame of one camera."""
        self._buffers[name][stream].add(frame)
        if stream is not Stream.IMAGE:
            for bound in list(self._bound[name]):
                bound.offer(stream, frame)

    def newest(self, name: str, stream: Stream) -> BufferedFrame[Any] | None:
        """The frame of a camera's stream that arrived last, None when none came yet."""
        return self._buffers[name][stream].newest()

    def resize(self, size: int) -> None:
        """Keep so many of the newest frames of each stream from now on, at least 1."""
        for streams in self._buffers.values():
            for buffer in streams.values():
                buffer.resize(size)

    def clear(self) -> None:
        """Forget all frames, as when the clock has been set back: their stamps mean nothing any more."""
        for streams in self._buffers.values():
            for buffer in streams.values():
                buffer.clear()

    def select(
        self, frame_id: str, stamp_ns: int, now_ns: int, limits: FrameLimits, pointed_ns: int = 0
    ) -> tuple[str | None, FrameChoice]:
        """Choose the frame of an utterance.

        Args:
            frame_id: Frame of the camera that the utterance speaks about; ignored where there is only one camera.
            stamp_ns: And the other arguments: see `FrameBuffer.select`.
            now_ns: Present time.
            limits: How old the frame may be, and how far ahead of the node's clock.
            pointed_ns: Stamp of the frame that the user points at, see `FrameBuffer.pointed_at`; 0: at none.

        Returns:
            Name of the camera, None when there is none; and see `FrameBuffer.select`.
        """
        newest = {name: streams[Stream.IMAGE].newest() for name, streams in self._buffers.items()}
        named = list(newest)[:1]
        if frame_id and len(newest) > 1:
            named = [name for name, frame in newest.items() if frame and same_frame(frame.frame_id, frame_id)]
        if not named:
            seen = sorted({frame.frame_id for frame in newest.values() if frame is not None})
            problem = (
                f"no camera with frame_id {frame_id!r} has sent an image; those that have: {seen}: name one of these "
                "in the instruction's header, or none for the first of image_topics"
            )
            return None, FrameChoice(None, NoFrameError(problem), final=False)
        images = self._buffers[named[0]][Stream.IMAGE]
        if pointed_ns:
            choice = images.pointed_at(pointed_ns, stamp_ns, now_ns, limits)
        else:
            choice = images.select(stamp_ns, now_ns, limits)
        complaint = self.complaints.get(named[0])
        if choice.frame is None and newest[named[0]] is None and complaint:
            choice = replace(choice, problem=NoFrameError(f"no image has arrived yet: {complaint}"))
        return named[0], choice

    def bind(self, name: str, image: BufferedFrame[Any], max_depth_slop_s: float) -> BoundFrame:
        """An image of a camera with its depth and camera info: those that are here, and nearer ones that come later."""
        bound = BoundFrame(image, max_depth_slop_s)
        for stream in (Stream.DEPTH, Stream.INFO):
            nearest = self._buffers[name][stream].nearest(image.stamp_ns)
            if nearest is not None:
                bound.offer(stream, nearest)
        self._bound[name].add(bound)
        return bound
