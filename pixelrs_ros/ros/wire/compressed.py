"""Compressed images, as the `compressed` and `compressedDepth` plugins of image_transport send them.

`inspect` looks at headers only and costs microseconds whatever the size, for callbacks; `decode` and `decode_depth` are
for the moment at which an image is used.
"""

from __future__ import annotations

import math
import struct
from array import array
from typing import NamedTuple

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage

from pixelrs_ros.errors import BadInputError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
# Markers of JPEG (ITU-T T.81, table B.1): the start of a frame, in every coding there is, and those without a length.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# What compressedDepth puts before its PNG: its format, then the two numbers of its inverse depth.
_DEPTH_HEADER = struct.Struct("<iff")


class ImageHeader(NamedTuple):
    """What a compressed image says of itself."""

    codec: str  # jpeg or png
    width_px: int
    height_px: int


def inspect(data: bytes | array[int] | memoryview, max_megapixels: float) -> ImageHeader:
    """Read the header of a JPEG or PNG file, without decoding it.

    Args:
        data: The whole file.
        max_megapixels: Largest image that is accepted, in millions of pixels: a file of a few kilobytes can hold an
            image that fills the memory.

    Raises:
        BadInputError: It is neither JPEG nor PNG, its header is truncated, it is empty, or it is too large.
    """
    view = memoryview(data).cast("B")
    if bytes(view[:8]) == _PNG_SIGNATURE:
        header = _png_header(view)
    elif bytes(view[:3]) == _JPEG_START:
        header = _jpeg_header(view)
    else:
        raise BadInputError(
            f"the compressed image is neither JPEG nor PNG: its {len(view)} bytes begin with {bytes(view[:8])!r}"
        )
    _, width_px, height_px = header
    if width_px == 0 or height_px == 0:
        raise BadInputError(f"the image is empty: width {width_px} px, height {height_px} px")
    if width_px * height_px > max_megapixels * 1e6:
        raise BadInputError(
            f"the compressed image would decode to {width_px}x{height_px} px, more than {max_megapixels:g} megapixels: "
            "raise the parameter 'max_image_megapixels' if it is right"
        )
    return header


def inspect_message(message: CompressedImage, max_megapixels: float, *, depth: bool = False) -> ImageHeader:
    """Read the header of an image message. Arguments and errors as in `inspect`; `depth`: of `compressedDepth`."""
    data = memoryview(message.data)
    return inspect(_without_depth_header(data) if depth else data, max_megapixels)


def decode(message: CompressedImage, max_megapixels: float = math.inf) -> tuple[np.ndarray, str]:
    """Decode a color or gray image, 8 or 16 bits a channel.

    Where the sender says so in `format` (compressed_image_transport: "<encoding>; jpeg compressed <encoding>"), a
    picture that was encoded as RGB without swapping its channels and a Bayer pattern are understood.

    Args:
        message: The image.
        max_megapixels: See `inspect`.

    Returns:
        Pixels and their encoding: (H, W, 3) uint8 rgb8, or (H, W) uint8 mono8 or Bayer, or (H, W) uint16 mono16.

    Raises:
        BadInputError: See `inspect`; or the data is truncated or damaged.
    """
    pixels = _decode(memoryview(message.data), max_megapixels)
    original, _, compressed = (part.strip() for part in message.format.partition(";"))
    if pixels.ndim == 2:
        if pixels.dtype == np.uint16:
            return pixels, "mono16"
        return pixels, original if original.startswith("bayer_") else "mono8"
    if pixels.dtype == np.uint16:
        pixels = to_8_bits(pixels)
    color = pixels[:, :, :3]  # transparency says nothing about a camera's picture
    if "compressed rgb" not in compressed:
        color = color[:, :, ::-1]
    return np.ascontiguousarray(color), "rgb8"


def decode_depth(message: CompressedImage, max_megapixels: float = math.inf) -> tuple[np.ndarray, str]:
    """Decode a depth image of `compressedDepth` in its PNG format.

    Twelve bytes go before the PNG. Millimeters (16UC1) are in it as they are; meters (32FC1) as the inverse depth
    q = a / depth + b in 16 bits, where a and b are in the twelve bytes and q = 0 stands for no depth
    (compressed_depth_image_transport).

    Returns:
        Depth and its encoding: (H, W) uint16 16UC1 in mm, or (H, W) float32 32FC1 in m (NaN: no depth).

    Raises:
        BadInputError: See `decode`; or the format is another one, such as RVL, or the header is missing.
    """
    original, _, codec = (part.strip() for part in message.format.partition(";"))
    if original not in ("16UC1", "32FC1") or "rvl" in codec.lower():
        raise BadInputError(
            f"unknown compressed depth format {message.format!r}; supported: '16UC1; compressedDepth png', "
            "'32FC1; compressedDepth png' (set the sender's parameter 'format' to png)"
        )
    data = memoryview(message.data)
    pixels = _decode(_without_depth_header(data), max_megapixels)
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise BadInputError(f"a compressed depth image holds 16-bit gray, got {pixels.dtype} {pixels.shape}")
    if original == "16UC1":
        return pixels, original
    _, scale, offset = _DEPTH_HEADER.unpack_from(data)
    with np.errstate(all="ignore"):
        depth_m = np.float32(scale) / (pixels.astype(np.float32) - np.float32(offset))
        depth_m[(pixels == 0) | ~np.isfinite(depth_m) | (depth_m <= 0)] = np.nan
    return depth_m, original


def to_8_bits(pixels: np.ndarray) -> np.ndarray:
    """uint16 to uint8, rounded, so that 65535 becomes 255."""
    return np.asarray(((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _without_depth_header(data: memoryview) -> memoryview:
    if len(data) < _DEPTH_HEADER.size:
        raise BadInputError(f"the compressed depth image is truncated: {len(data)} bytes, its header alone takes 12")
    return data[_DEPTH_HEADER.size :]


def _decode(data: memoryview, max_megapixels: float) -> np.ndarray:
    """Pixels as the file has them, colors as BGR: (H, W) or (H, W, C), uint8 or uint16."""
    header = inspect(data, max_megapixels)
    view = memoryview(data).cast("B")
    # OpenCV fills what is missing with gray and says nothing.
    whole = _png_is_whole(view) if header.codec == "png" else _jpeg_is_whole(view)
    if not whole:
        raise BadInputError(
            f"the compressed image is truncated: {len(view)} bytes of a {header.codec.upper()} of "
            f"{header.width_px}x{header.height_px} px, and its end is missing"
        )
    try:
        pixels = cv2.imdecode(np.frombuffer(view, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadInputError(f"the compressed image cannot be decoded: {error.err}") from error
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise BadInputError(
            f"the compressed image is damaged: a {header.codec.upper()} of {len(view)} bytes that cannot be decoded"
        )
    return np.asarray(pixels)


def _png_header(view: memoryview) -> ImageHeader:
    # Signature, length and name of the first chunk, which must be IHDR (PNG specification, 11.2.2).
    if len(view) < 24 or bytes(view[12:16]) != b"IHDR":
        raise BadInputError(f"the compressed image is truncated: a PNG of {len(view)} bytes without its header")
    width_px, height_px = struct.unpack_from(">II", view, 16)
    return ImageHeader("png", width_px, height_px)


def _jpeg_header(view: memoryview) -> ImageHeader:
    """Go from marker to marker until the frame header, which gives the size (ITU-T T.81, B.2.2)."""
    place = 2
    while place + 4 <= len(view) and view[place] == 0xFF:
        marker = view[place + 1]
        if marker == 0xFF or marker in _JPEG_BARE:  # fill bytes
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", view, place + 2)
        if marker in _JPEG_FRAMES and place + 9 <= len(view):
            height_px, width_px = struct.unpack_from(">HH", view, place + 5)
            return ImageHeader("jpeg", width_px, height_px)
        place += 2 + max(length, 2)
    raise BadInputError(f"the compressed image is truncated: a JPEG of {len(view)} bytes without its frame header")


def _png_is_whole(view: memoryview) -> bool:
    place = len(_PNG_SIGNATURE)
    while place + 12 <= len(view):
        (length,) = struct.unpack_from(">I", view, place)
        if bytes(view[place + 4 : place + 8]) == b"IEND":
            return True
        place += 12 + length
    return False


def _jpeg_is_whole(view: memoryview) -> bool:
    """Whether it ends with the end marker; some cameras fill their last packet up with zeros."""
    tail = bytes(view[-4096:]).rstrip(b"\x00")
    return tail.endswith(_JPEG_END)
