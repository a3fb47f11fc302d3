"""One image of a camera, with the depth image and the camera info of its moment. Imports no ROS."""

from __future__ import annotations

import enum
import math
import threading
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pixelrs_ros.encodings import UsedBits
from pixelrs_ros.errors import BadInputError, NoFrameError

MessageT = TypeVar("MessageT")
_NS_PER_S = 1e9


class Stream(enum.Enum):
    """What a camera sends."""

    IMAGE = "image"
    DEPTH = "depth"
    INFO = "camera info"


_TOPICS = {Stream.IMAGE: "image_topics", Stream.DEPTH: "depth_topics", Stream.INFO: "camera_info_topics"}


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
        arrived_s: When it came, by `time.monotonic()`.
        ahead: Whether its stamp lay further ahead of the node's clock than `max_frame_slop_s` when it came.
        bits: How many of 16 its camera uses; None: as many as the image itself.
    """

    message: MessageT
    stamp_ns: int
    error: BadInputError | None = None
    frame_id: str = ""
    size_px: tuple[int, int] = (0, 0)
    arrived_s: float = -math.inf
    ahead: bool = False
    bits: UsedBits | None = None


def same_frame(first: str, second: str) -> bool:
    """Whether two coordinate frames have one name; tf of ROS 1 put a slash before it, and some drivers still do."""
    return first.removeprefix("/") == second.removeprefix("/")


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
        self._missed_ns: dict[Stream, int] = {}  # how far off the nearest was that was too far
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
            if distance_ns(frame) > self._max_slop_ns:
                self._missed_ns[stream] = min(distance_ns(frame), self._missed_ns.get(stream, distance_ns(frame)))
            elif held is None or distance_ns(frame) < distance_ns(held):
                self._companions[stream] = frame

    def missing(self, stream: Stream) -> str | None:
        """Why there is no depth image or no camera info; None when there is."""
        with self._lock:
            held, missed_ns = self._companions.get(stream), self._missed_ns.get(stream)
        if held is not None:
            return None
        if missed_ns is None:
            what = "depth image" if stream is Stream.DEPTH else stream.value
            return f"no {what} came with the image: check that the camera sends it (parameter '{_TOPICS[stream]}')"
        return (
            f"the nearest {stream.value} is {missed_ns / 1e6:.0f} ms off the image, more than max_depth_slop_s "
            f"({self._max_slop_ns / _NS_PER_S:g} s): let the camera stamp both alike, see that none is "
            "lost on the way, or raise max_depth_slop_s"
        )

    def _was_offered(self, stream: Stream) -> bool:
        with self._lock:
            return stream in self._companions or stream in self._missed_ns

    def mismatch(self) -> BadInputError | None:
        """Why depth or camera info cannot be used with this image; None when they can, or not both are sent.

        They must be of the image's moment, of its size and in its coordinate frame, that is, registered to it: nothing
        is resized.
        """
        image = self.image
        remedy = "publish depth that is registered to the image, with its camera info (depth_image_proc registers)"
        both_are_sent = all(self._was_offered(stream) for stream in (Stream.DEPTH, Stream.INFO))
        for stream, frame in ((Stream.DEPTH, self.depth), (Stream.INFO, self.info)):
            if frame is None:
                missing = self.missing(stream)
                if both_are_sent and missing is not None:
                    return BadInputError(missing)
                continue
            if frame.error:
                return BadInputError(f"the {stream.value}: {frame.error}")
            if frame.size_px != image.size_px:
                sizes = [f"{width_px}x{height_px} px" for width_px, height_px in (frame.size_px, image.size_px)]
                return BadInputError(f"the {stream.value} is of {sizes[0]} but the image of {sizes[1]}: {remedy}")
            if frame.frame_id and image.frame_id and not same_frame(frame.frame_id, image.frame_id):
                frame_ids = f"{frame.frame_id!r} but the image in {image.frame_id!r}"
                return BadInputError(f"the {stream.value} is in the frame {frame_ids}: {remedy}")
        return None


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
