"""The newest camera frames, and the choice of the one that an utterance speaks about. Imports no ROS."""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from pixelrs_ros.errors import BadInputError, NoFrameError

MessageT = TypeVar("MessageT")
_NS_PER_S = 1e9
_PERIOD_FRAMES = 10  # from which the camera's period is estimated


class Stream(enum.Enum):
    """What a camera sends."""

    IMAGE = "image"
    DEPTH = "depth"
    INFO = "camera info"


@dataclass(frozen=True)
class BufferedFrame(Generic[MessageT]):
    """One message of a camera as it came, not yet converted: most frames are never asked for.

    Attributes:
        message: The image, depth image or camera info.
        stamp_ns: Capture time, nanoseconds, same clock as the utterances.
        error: Why the image cannot be used; None for a good one. A bad image is kept, so that an instruction that
            speaks about it is refused instead of being answered on an older picture.
        frame_id: Coordinate frame of its camera.
        size_px: Width and height of the image, or of the image that the camera info is of.
    """

    message: MessageT
    stamp_ns: int
    error: BadInputError | None = None
    frame_id: str = ""
    size_px: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class FrameLimits:
    """How far from its utterance a frame may be.

    Attributes:
        max_age_s: How much older than the utterance.
        max_slop_s: How much younger than the utterance.
        max_depth_slop_s: How far depth and camera info may be from their image.
    """

    max_age_s: float
    max_slop_s: float
    max_depth_slop_s: float = 0.0


class BoundFrame:
    """An image with the depth image and the camera info of its moment. Thread-safe.

    The image never changes. Depth and camera info of the same moment may still be on their way when an utterance pins
    the image; they are of no use before there is a mask, so they are taken when they come instead of being waited for.

    Args:
        image: The image.
        max_slop_s: How far the stamps of depth and camera info may be from the image's, in seconds.
    """

    def __init__(self, image: BufferedFrame[Any], max_slop_s: float = 0.0) -> None:
        self.image = image
        self._max_slop_ns = round(max_slop_s * _NS_PER_S)
        self._companions: dict[Stream, BufferedFrame[Any]] = {}
        self._lock = threading.Lock()

    @property
    def depth(self) -> BufferedFrame[Any] | None:
        """The depth image nearest in time, None when none is within the slop."""
        with self._lock:
            return self._companions.get(Stream.DEPTH)

    @property
    def info(self) -> BufferedFrame[Any] | None:
        """The camera info nearest in time, None when none is within the slop."""
        with self._lock:
            return self._companions.get(Stream.INFO)

    def offer(self, stream: Stream, frame: BufferedFrame[Any]) -> None:
        """Take a depth image or a camera info if it is nearer in time than what there is."""

        def distance_ns(other: BufferedFrame[Any]) -> int:
            return abs(other.stamp_ns - self.image.stamp_ns)

        with self._lock:
            held = self._companions.get(stream)
            if distance_ns(frame) <= self._max_slop_ns and (held is None or distance_ns(frame) < distance_ns(held)):
                self._companions[stream] = frame

    def mismatch(self) -> BadInputError | None:
        """Why depth or camera info cannot be used with this image; None when they can, or there are none.

        They must be of the image's size and in its coordinate frame, that is, registered to it: nothing is resized.
        """
        image = self.image
        remedy = "publish depth that is registered to the image, with its camera info (depth_image_proc registers)"
        for stream, frame in ((Stream.DEPTH, self.depth), (Stream.INFO, self.info)):
            if frame is None:
                continue
            if frame.error:
                return BadInputError(f"the {stream.value}: {frame.error}")
            if frame.size_px != image.size_px:
                sizes = [f"{width_px}x{height_px} px" for width_px, height_px in (frame.size_px, image.size_px)]
                return BadInputError(f"the {stream.value} is of {sizes[0]} but the image of {sizes[1]}: {remedy}")
            if frame.frame_id and image.frame_id and frame.frame_id != image.frame_id:
                frame_ids = f"{frame.frame_id!r} but the image in {image.frame_id!r}"
                return BadInputError(f"the {stream.value} is in the frame {frame_ids}: {remedy}")
        return None


@dataclass(frozen=True)
class FrameChoice:
    """The frame of an utterance, as far as is known now.

    Attributes:
        frame: None when no image came yet.
        problem: Why it is not of the utterance's moment; None when it is.
        final: Whether no better one can be on its way.
    """

    frame: BufferedFrame[Any] | None
    problem: NoFrameError | None
    final: bool


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

    def period_ns(self) -> float | None:
        """The camera's usual time between two frames, None as long as that is not known."""
        with self._lock:
            stamps_ns = [frame.stamp_ns for frame in list(self._frames)[-_PERIOD_FRAMES:]]
        steps_ns = [later - earlier for earlier, later in pairwise(stamps_ns) if later > earlier]
        return median(steps_ns) if steps_ns else None

    def select(self, stamp_ns: int, now_ns: int, limits: FrameLimits) -> FrameChoice:
        """Choose the frame of an utterance: the one captured nearest to it.

        An utterance is about what the user saw when it began, which is the last image captured until then. As long as
        the camera's rhythm says that this image is still on its way, the choice is not final: no image of that moment
        or a later one is here, and the newest is older by a period or more, or too old. An image that is younger than
        a period is that last image; waiting for the next one would cost time and show what the user had not yet seen.

        Args:
            stamp_ns: Start of the utterance; 0 means that its sender has no clock, and the newest frame is meant.
            now_ns: Present time, which stands in for a stamp of 0.
            limits: How old and how young the frame may be.
        """
        frame = self.nearest(stamp_ns) if stamp_ns else self.newest()
        if frame is None:
            problem = "no image has arrived yet: check that the camera runs and that `image` is remapped to its topic"
            return FrameChoice(None, NoFrameError(problem), final=False)
        age_s = ((stamp_ns or now_ns) - frame.stamp_ns) / _NS_PER_S
        if age_s > limits.max_age_s:
            problem = (
                f"the newest image is {age_s:.1f} s older than the instruction, more than max_frame_age_s "
                f"({limits.max_age_s:g} s): the camera has stopped, or its clock differs from the instruction's"
            )
            return FrameChoice(frame, NoFrameError(problem), final=False)
        if stamp_ns and -age_s > limits.max_slop_s:
            problem = (
                f"the nearest image is {-age_s:.1f} s younger than the instruction, more than max_frame_slop_s "
                f"({limits.max_slop_s:g} s): the images of that moment are gone; raise frame_buffer_size or send it "
                "sooner"
            )
            return FrameChoice(frame, NoFrameError(problem), final=True)
        return FrameChoice(frame, None, final=not stamp_ns or self._has_all_until(stamp_ns))

    def _has_all_until(self, stamp_ns: int) -> bool:
        with self._lock:
            behind_ns = stamp_ns - max(frame.stamp_ns for frame in self._frames)
        period_ns = self.period_ns()
        return behind_ns <= 0 or (period_ns is not None and behind_ns < period_ns)


class CameraBuffers:
    """The newest frames of several cameras, with their depth and camera info. Thread-safe.

    Args:
        names: The cameras' names, at least one; the first one is meant where an instruction names no camera.
        size: Number of frames kept of each stream of each, at least 1.
    """

    def __init__(self, names: Sequence[str], size: int) -> None:
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

    def select(self, frame_id: str, stamp_ns: int, now_ns: int, limits: FrameLimits) -> tuple[str, FrameChoice]:
        """Choose the frame of an utterance.

        Args:
            frame_id: Frame of the camera that the utterance speaks about; ignored where there is only one camera.
            stamp_ns: And the other arguments: see `FrameBuffer.select`.
            now_ns: Present time.
            limits: How old and how young the frame may be.

        Returns:
            Name of the camera, empty when there is none; and see `FrameBuffer.select`.
        """
        newest = {name: streams[Stream.IMAGE].newest() for name, streams in self._buffers.items()}
        named = list(newest)[:1]
        if frame_id and len(newest) > 1:
            named = [name for name, frame in newest.items() if frame is not None and frame.frame_id == frame_id]
        if not named:
            seen = sorted({frame.frame_id for frame in newest.values() if frame is not None})
            problem = f"no camera with frame_id {frame_id!r} has sent an image; those that have: {seen}"
            return "", FrameChoice(None, NoFrameError(problem), final=False)
        return named[0], self._buffers[named[0]][Stream.IMAGE].select(stamp_ns, now_ns, limits)

    def bind(self, name: str, image: BufferedFrame[Any], max_depth_slop_s: float) -> BoundFrame:
        """An image of a camera with its depth and camera info: those that are here, and nearer ones that come later."""
        bound = BoundFrame(image, max_depth_slop_s)
        for stream in (Stream.DEPTH, Stream.INFO):
            nearest = self._buffers[name][stream].nearest(image.stamp_ns)
            if nearest is not None:
                bound.offer(stream, nearest)
        self._bound[name].add(bound)
        return bound


def require_usable(bound: BoundFrame | None, problem: NoFrameError | None) -> BufferedFrame[Any]:
    """The image of an utterance.

    Args:
        bound: What was pinned for it, None when there was no image.
        problem: Why that image is not of the utterance's moment; None when it is.

    Raises:
        NoFrameError: There is no image of its moment; the message says why.
        BadInputError: The image of its moment cannot be read.
    """
    # New ones: these lie in a buffer, and what is raised again grows a longer traceback each time.
    if problem is not None:
        raise NoFrameError(str(problem))
    if bound is None:
        raise NoFrameError("no image was bound to this instruction")
    if bound.image.error is not None:
        raise BadInputError(str(bound.image.error))
    return bound.image
