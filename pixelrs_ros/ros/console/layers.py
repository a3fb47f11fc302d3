"""The live picture and the masks that lie over it, as files that a browser shows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.msg import Segment, Segmentation, TrackedSegment, Tracking
from pixelrs_ros.overlay import color_of
from pixelrs_ros.pictures import read_header
from pixelrs_ros.ros.console.views import PictureView
from pixelrs_ros.ros.wire.conversions import image_to_rgb, stamp_to_ns

# Masks that nothing has confirmed for so long may no longer be where the thing is.
FRESH_S = 2.0
_EARLY = 2  # periods: pictures of a camera arrive in bunches on a busy machine
_FILL, _OUTLINE = 115, 255  # opacity, in [0, 255]
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)

Segments = Sequence[Segment | TrackedSegment]


class Pace:
    """Lets so many things a second pass, on average; after a pause a few come at once.

    Args:
        rate_hz: How many.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._due_s = -math.inf

    def lets_pass(self, now_s: float) -> bool:
        """Whether one may pass now, in seconds of any clock."""
        if now_s < self._due_s - _EARLY * self._period_s:
            return False
        self._due_s = max(self._due_s, now_s) + self._period_s
        return True


@dataclass(frozen=True)
class _Known:
    """What is known of a dialogue's masks.

    Attributes:
        instruction_id: Of the turn that found them.
        phrases: The words that name those that are seen.
        version: Grows with every change.
        png: The picture of them; empty: nothing is seen.
        until_s: When it no longer holds, `time.monotonic()`.
    """

    instruction_id: str
    phrases: tuple[str, ...] = ()
    version: int = 0
    png: bytes = b""
    until_s: float = -math.inf


class MaskLayers:
    """What is known to be where in the live picture, for each dialogue. Filled in one thread, asked from any."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def on_segmentation(self, message: Segmentation) -> None:
        """A turn has found masks, perhaps not all yet; or has ended without any.

        Raises:
            BadInputError: A mask contradicts itself.
        """
        self._renew(message.session_id, message.instruction_id, message.segments)

    def on_tracking(self, message: Tracking) -> None:
        """The targets of the last grounded turn have been followed. Errors as of `on_segmentation`."""
        known = self._known.get(message.session_id)
        if known is None or known.instruction_id == message.instruction_id:
            self._renew(message.session_id, message.instruction_id, message.segments)

    def forget(self, session_id: str) -> None:
        """Show nothing of a dialogue any more."""
        self._renew(session_id, "", ())

    def content(self, session_id: str) -> tuple[int, bytes]:
        """Version and PNG of the masks that hold now; 0 and empty when there are none."""
        known = self._now(session_id)
        return (known.version, known.png) if known else (0, b"")

    def phrases(self, session_id: str) -> tuple[str, ...]:
        """What the masks that hold now are of."""
        known = self._now(session_id)
        return known.phrases if known else ()

    def _now(self, session_id: str) -> _Known | None:
        known = self._known.get(session_id)
        return known if known and time.monotonic() <= known.until_s else None

    def _renew(self, session_id: str, instruction_id: str, segments: Segments) -> None:
        before = self._known.get(session_id, _Known(instruction_id))
        phrases = tuple(segment.phrase for segment in segments if segment.box.width)
        until_s = time.monotonic() + FRESH_S
        self._known[session_id] = _Known(instruction_id, phrases, before.version + 1, encode_masks(segments), until_s)


def encode_masks(segments: Segments) -> bytes:
    """A PNG that is transparent but for the masks, each in its color with an outline; empty without masks.

    Raises:
        BadInputError: A message contradicts itself.
    """
    picture: np.ndarray | None = None
    for index, segment in enumerate(segments):
        mask = mask_of(segment)
        if not mask.any():
            continue
        if picture is None:
            picture = np.zeros((*mask.shape, 4), np.uint8)
        if picture.shape[:2] != mask.shape:
            raise BadInputError(f"masks of one turn differ in size: {picture.shape[:2]} and {mask.shape}")
        red, green, blue = color_of(index)
        picture[mask] = (blue, green, red, _FILL)
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        thickness_px = max(1, round(min(mask.shape) / 240))
        cv2.drawContours(picture, outlines, -1, (blue, green, red, _OUTLINE), thickness=thickness_px)
    if picture is None:
        return b""
    return bytes(cv2.imencode(".png", picture, _PNG)[1])


def encode_jpeg(rgb: np.ndarray, quality: int) -> bytes:
    """A JPEG of (H, W, 3) uint8 RGB; `quality` lies in [1, 100]."""
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def picture_of(message: Image | CompressedImage, number: int, *, max_width_px: int, quality: int) -> PictureView:
    """A camera's image for the page; a JPEG that is small enough stays as it is.

    Raises:
        BadInputError: It cannot be converted.
    """
    of_message = stamp_to_ns(message.header.stamp), message.header.frame_id
    if isinstance(message, CompressedImage) and "jpeg" in message.format:
        data = bytes(message.data)
        header = read_header(data)
        if header.width_px <= max_width_px:
            return PictureView(number, data, *of_message, header.width_px, header.height_px)
    rgb = image_to_rgb(message)
    height_px, width_px = rgb.shape[:2]
    if width_px > max_width_px:
        size = max_width_px, max(1, round(height_px * max_width_px / width_px))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return PictureView(number, encode_jpeg(rgb, quality), *of_message, width_px, height_px)
