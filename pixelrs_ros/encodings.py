"""Raw images in every encoding that cameras send, as RGB: what sensor_msgs/image_encodings names, and NV12."""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError

BITS = (10, 12, 14, 16)  # that cameras put into 16
_REMEDY = "remedy: let the driver or image_proc publish one of these"


@dataclass(frozen=True)
class _Layout:
    """How the pixels of an encoding lie.

    Attributes:
        item_bytes: Bytes of one channel.
        channels: In each pixel of a row.
        to_rgb: OpenCV's conversion, after scaling to 8 bits; None: it is RGB.
        multiple: Width and height must be multiples of these, (x, y).
        smallest: Sides that the conversion needs.
        half_rows: Half rows of data for each row of the image.
    """

    item_bytes: int
    channels: int
    to_rgb: int | None
    multiple: tuple[int, int] = (1, 1)
    smallest: int = 1
    half_rows: int = 2


# OpenCV names a Bayer pattern by its second row's second and third pixel, ROS by its first row: RGGB is OpenCV's "BG".
_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
_UYVY, _YUY2 = cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2RGB_YUY2
_LAYOUTS: dict[str, _Layout] = {
    **{
        f"{name}{8 * size}": _Layout(size, channels, conversion)
        for size in (1, 2)
        for name, channels, conversion in (
            ("rgb", 3, None),
            ("bgr", 3, cv2.COLOR_BGR2RGB),
            ("rgba", 4, cv2.COLOR_RGBA2RGB),
            ("bgra", 4, cv2.COLOR_BGRA2RGB),
            ("mono", 1, cv2.COLOR_GRAY2RGB),
        )
    },
    **{
        f"bayer_{name}{8 * size}": _Layout(size, 1, conversion, smallest=3)
        for size in (1, 2)
        for name, conversion in _BAYER.items()
    },
    # Numbers of channels without a meaning have OpenCV's, as in cv_bridge.
    "8UC1": _Layout(1, 1, cv2.COLOR_GRAY2RGB),
    "8UC3": _Layout(1, 3, cv2.COLOR_BGR2RGB),
    "8UC4": _Layout(1, 4, cv2.COLOR_BGRA2RGB),
    "16UC1": _Layout(2, 1, cv2.COLOR_GRAY2RGB),
    "16UC3": _Layout(2, 3, cv2.COLOR_BGR2RGB),
    "16UC4": _Layout(2, 4, cv2.COLOR_BGRA2RGB),
    "yuv422": _Layout(1, 2, _UYVY, (2, 1)),
    "uyvy": _Layout(1, 2, _UYVY, (2, 1)),
    "yuv422_yuy2": _Layout(1, 2, _YUY2, (2, 1)),
    "yuyv": _Layout(1, 2, _YUY2, (2, 1)),
    # A plane of brightness, and one of half the height with the two colors in turn.
    "nv12": _Layout(1, 1, cv2.COLOR_YUV2RGB_NV12, (2, 2), half_rows=3),
    "nv21": _Layout(1, 1, cv2.COLOR_YUV2RGB_NV21, (2, 2), half_rows=3),
}
ENCODINGS: tuple[str, ...] = tuple(_LAYOUTS)


@dataclass(frozen=True)
class RawImage:
    """What sensor_msgs/Image says.

    Attributes:
        data: Row after row.
        encoding: One of `ENCODINGS`.
        width_px: The image's width.
        height_px: The image's height.
        step_bytes: From the begin of a row to that of the next; the last row may come without its padding.
        is_big_endian: Whether numbers of 16 bits have their high byte first.
    """

    data: bytes | bytearray | memoryview | array[int]
    encoding: str
    width_px: int
    height_px: int
    step_bytes: int
    is_big_endian: bool = False


def require_convertible(image: RawImage) -> None:
    """Find out, without converting it, whether an image can be converted.

    Raises:
        BadInputError: Its encoding is unknown, it is empty, its sides do not suit the encoding, its rows are too short
            or its data is truncated.
    """
    layout = _LAYOUTS.get(image.encoding)
    if layout is None:
        raise BadInputError(f"unknown image encoding {image.encoding!r}; supported: {', '.join(ENCODINGS)}; {_REMEDY}")
    size = f"{image.width_px}x{image.height_px} px"
    if image.height_px < 1 or image.width_px < 1:
        raise BadInputError(f"the image is empty: width {image.width_px} px, height {image.height_px} px")
    if image.width_px % layout.multiple[0] or image.height_px % layout.multiple[1]:
        raise BadInputError(f"an image in {image.encoding} has an even width (and height, in NV12), got {size}")
    if min(image.width_px, image.height_px) < layout.smallest:
        raise BadInputError(f"a Bayer image is at least 3x3 px, got {size}")
    row_bytes = image.width_px * layout.channels * layout.item_bytes
    if image.step_bytes < row_bytes:
        raise BadInputError(
            f"the image's step is {image.step_bytes} bytes, but {image.width_px} px of {image.encoding} take "
            f"{row_bytes} bytes"
        )
    rows = image.height_px * layout.half_rows // 2
    needed, given = image.step_bytes * (rows - 1) + row_bytes, memoryview(image.data).nbytes
    if given < needed:
        raise BadInputError(
            f"the image is truncated: {size} of {image.encoding} with step {image.step_bytes} take {needed} bytes, got "
            f"{given}"
        )


def to_rgb(image: RawImage, bits: int = 16) -> np.ndarray:
    """Convert an image.

    Args:
        image: As it came.
        bits: How many of 16 carry the picture: 12 for a camera that sends 0 to 4095. The same number for every image of
            a camera keeps the brightness of a scene from one to the next; see `bits_seen`.

    Returns:
        (H, W, 3) uint8 RGB, contiguous, its own memory.

    Raises:
        BadInputError: See `require_convertible`; or `bits` is not one of 8 to 16.
    """
    require_convertible(image)
    layout = _LAYOUTS[image.encoding]
    pixels = _pixels(image)
    if pixels.dtype == np.uint16:
        pixels = to_8_bits(pixels, bits)
    rgb = pixels if layout.to_rgb is None else cv2.cvtColor(pixels, layout.to_rgb)
    return np.array(rgb, dtype=np.uint8, order="C", copy=True)


def bits_seen(image: RawImage) -> int:
    """The fewest of 10, 12, 14 and 16 bits that hold every value of a 16-bit image; 8 where it has 8.

    The largest number over a camera's images tells how many it uses: a dark image alone may look like fewer.

    Raises:
        BadInputError: See `require_convertible`.
    """
    require_convertible(image)
    if _LAYOUTS[image.encoding].item_bytes == 1:
        return 8
    return next(bits for bits in BITS if int(_pixels(image).max()) < 1 << bits)


class UsedBits:
    """How many of 16 bits the images of one camera use: those given, or else the most that one has used. Thread-safe.

    Args:
        given: 8 to 16; 0: as many as are seen.
    """

    def __init__(self, given: int = 0) -> None:
        self._given = given
        self._seen = min(BITS)
        self._lock = threading.Lock()

    def of(self, image: RawImage) -> int:
        """The bits to convert an image with.

        Raises:
            BadInputError: See `require_convertible`.
        """
        if self._given:
            return self._given
        with self._lock:
            if self._seen < max(BITS):
                self._seen = max(self._seen, bits_seen(image))
            return self._seen


def to_8_bits(pixels: np.ndarray, bits: int = 16) -> np.ndarray:
    """uint16 to uint8, rounded, so that the largest value of so many bits becomes 255, and so does what is beyond.

    Raises:
        BadInputError: `bits` is not one of 8 to 16.
    """
    if not 8 <= bits <= 16:
        raise BadInputError(f"a picture in 16 bits uses 8 to 16 of them, got {bits}")
    largest = (1 << bits) - 1
    scaled = (np.minimum(pixels, largest).astype(np.uint32) * 255 + largest // 2) // largest
    return np.asarray(scaled.astype(np.uint8))


def _pixels(image: RawImage) -> np.ndarray:
    """(H, W) or (H, W, C), uint8 or uint16 in this machine's byte order, without padding."""
    layout = _LAYOUTS[image.encoding]
    kind = np.dtype(np.uint8 if layout.item_bytes == 1 else np.uint16).newbyteorder(">" if image.is_big_endian else "<")
    rows = image.height_px * layout.half_rows // 2
    shape: tuple[int, ...] = (rows, image.width_px, layout.channels)
    strides: tuple[int, ...] = (image.step_bytes, layout.channels * layout.item_bytes, layout.item_bytes)
    if layout.channels == 1:
        shape, strides = shape[:2], strides[:2]
    # In place: the last row may come without its padding, and a step that lies would take any memory to fill up.
    view: np.ndarray = np.ndarray(shape, kind, memoryview(image.data).cast("B"), strides=strides)
    return np.ascontiguousarray(view, dtype=kind.newbyteorder("="))
