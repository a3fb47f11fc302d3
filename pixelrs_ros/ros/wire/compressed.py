"""Compressed images, as the `compressed` and `compressedDepth` plugins of image_transport send them.

`inspect_message` looks at headers only and costs microseconds whatever the size, for callbacks; `decode` and
`decode_depth` are for the moment at which an image is used.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from sensor_msgs.msg import CompressedImage

from pixelrs_ros import pictures
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.pictures import PictureHeader

# What compressedDepth puts before its PNG: its format, then the two numbers of its inverse depth.
_DEPTH_HEADER = struct.Struct("<iff")
_MILLIMETERS = ("16UC1", "mono16")


def inspect_message(message: CompressedImage, max_megapixels: float, *, depth: bool = False) -> PictureHeader:
    """Read the header of an image message, without decoding it.

    Args:
        message: The image.
        max_megapixels: See `pictures.require_small`.
        depth: Whether it is one of `compressedDepth`.

    Raises:
        BadInputError: It is neither JPEG nor PNG, its header is truncated, it is empty, or it is too large.
    """
    data = memoryview(message.data)
    header = pictures.read_header(_without_depth_header(data) if depth else data)
    pictures.require_small(header, max_megapixels)
    return header


def decode(message: CompressedImage, max_megapixels: float = math.inf) -> tuple[np.ndarray, str]:
    """Decode a color or gray image, 8 or 16 bits a channel; see `pictures.decode_camera_image`."""
    return pictures.decode_camera_image(memoryview(message.data), message.format, max_megapixels)


def decode_depth(message: CompressedImage, max_megapixels: float = math.inf) -> tuple[np.ndarray, str]:
    """Decode a depth image of `compressedDepth` in its PNG format.

    Twelve bytes go before the PNG. Whole numbers (16UC1) are in it as they are; meters (32FC1) as the inverse depth
    q = a / depth + b in 16 bits, where a and b are in the twelve bytes and q = 0 stands for no depth
    (compressed_depth_image_transport).

    Returns:
        Depth and its encoding: (H, W) uint16 16UC1, or (H, W) float32 32FC1 (NaN: no depth).

    Raises:
        BadInputError: See `pictures.decode_as_stored`; or the format is another one, such as RVL, or the header is
            missing.
    """
    original, _, codec = (part.strip() for part in message.format.partition(";"))
    if original not in (*_MILLIMETERS, "32FC1") or "rvl" in codec.lower():
        raise BadInputError(
            f"unknown compressed depth format {message.format!r}; supported: '16UC1; compressedDepth png', "
            "'32FC1; compressedDepth png' (set the sender's parameter 'format' to png)"
        )
    data = memoryview(message.data)
    pixels = pictures.decode_as_stored(_without_depth_header(data), max_megapixels)
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise BadInputError(f"a compressed depth image holds 16-bit gray, got {pixels.dtype} {pixels.shape}")
    if original in _MILLIMETERS:
        return pixels, "16UC1"
    _, scale, offset = _DEPTH_HEADER.unpack_from(data)
    with np.errstate(all="ignore"):
        depth_m = np.float32(scale) / (pixels.astype(np.float32) - np.float32(offset))
        depth_m[(pixels == 0) | ~np.isfinite(depth_m) | (depth_m <= 0)] = np.nan
    return depth_m, original


def _without_depth_header(data: memoryview) -> memoryview:
    if len(data) < _DEPTH_HEADER.size:
        raise BadInputError(f"the compressed depth image is truncated: {len(data)} bytes, its header alone takes 12")
    return data[_DEPTH_HEADER.size :]
