"""The one way to read a picture file: upright, whole, of a bounded size.

Annotation tools and viewers show a picture as its EXIF orientation says, so that is how every reader here sees it.
What OpenCV and libjpeg would fill up with gray without a word is refused.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pixelrs_ros.errors import BadInputError

PNG_SIGNATURE, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
MAX_HEADER_BYTES = 65_536  # so many are looked at, at most, until a header is found
_MAX_SEGMENTS = 1000
_BYTES_PER_PIXEL = 4  # of the largest picture, when decoded: 8 bits and four channels, or 16 bits and two
# Markers of JPEG (ITU-T T.81, table B.1): the start of a frame, in every coding there is, and those without a length.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_RESTARTS = range(0xD0, 0xD8)
_BARE = frozenset({0x01, *_RESTARTS})
_START_OF_SCAN, _END, _RESTART_INTERVAL = 0xDA, 0xD9, 0xDD
_MARKER = re.compile(rb"\xff[^\x00\xff]")  # within a scan: neither a stuffed 0xFF nor a fill byte
_SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # between scans: a marker that is not bare
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by PNG's color type; a palette holds RGB
_FILL = bytes(np.random.default_rng(0).integers(1, 255, 64, dtype=np.uint8))
_REDUCED = 8  # a JPEG decodes to an eighth of its sides in a third of the time
_CUT_OFF = "and its end is missing"


@dataclass(frozen=True)
class PictureHeader:
    """What a JPEG or PNG file says of itself.

    Attributes:
        codec: "jpeg" or "png".
        width_px: As stored, before an EXIF orientation turns it.
        height_px: As `width_px`.
        pixel_bytes: Bytes of a decoded pixel.
    """

    codec: str
    width_px: int
    height_px: int
    pixel_bytes: int

    @property
    def size(self) -> str:
        """For a message."""
        return f"a {self.codec.upper()} of {self.width_px}x{self.height_px} px"


def read_picture(path: Path) -> np.ndarray:
    """A picture file as (H, W, 3) uint8 RGB, turned upright as its EXIF orientation says.

    Raises:
        BadInputError: The file is missing, damaged or no picture that OpenCV can read.
    """
    if not path.is_file():
        raise BadInputError(f"{path}: image is missing: no file of this name")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return decode_picture(data)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from error


def decode_picture(data: bytes) -> np.ndarray:
    """The content of a picture file as (H, W, 3) uint8 RGB, upright.

    Raises:
        BadInputError: It is damaged or no picture that OpenCV can read.
    """
    if data[:8] == PNG_SIGNATURE or data[:3] == JPEG_START:
        require_whole(data)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise BadInputError(f"the picture cannot be decoded: {error.err}") from error
    if picture is None:
        raise BadInputError(f"not a picture that OpenCV can read ({len(data)} bytes)")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def read_header(data: bytes | memoryview) -> PictureHeader:
    """What a JPEG or PNG file says of itself; at most `MAX_HEADER_BYTES` of it are looked at.

    Raises:
        BadInputError: It is neither, its header is truncated, or the picture is empty.
    """
    view = memoryview(data).cast("B")
    if bytes(view[:8]) == PNG_SIGNATURE:
        header = _png_header(view)
    elif bytes(view[:3]) == JPEG_START:
        header = _jpeg_header(view)
    else:
        raise BadInputError(f"the image is neither JPEG nor PNG: its {len(view)} bytes begin with {bytes(view[:8])!r}")
    if header.width_px == 0 or header.height_px == 0:
        raise BadInputError(f"the image is empty: width {header.width_px} px, height {header.height_px} px")
    return header


def require_small(header: PictureHeader, max_megapixels: float) -> None:
    """Refuse a picture that a few kilobytes would make fill the memory.

    Args:
        header: What the file's first bytes say.
        max_megapixels: Largest picture, in millions of pixels; decoded it may take four bytes for each of those.

    Raises:
        BadInputError: It is larger.
    """
    pixels, max_pixels = header.width_px * header.height_px, max_megapixels * 1e6
    if pixels > max_pixels:
        raise BadInputError(
            f"{header.size} would decode to more than {max_megapixels:g} megapixels: raise the parameter "
            "'max_image_megapixels' if it is right"
        )
    if pixels * header.pixel_bytes > max_pixels * _BYTES_PER_PIXEL:
        raise BadInputError(
            f"{header.size} with {header.pixel_bytes} bytes a pixel would decode to "
            f"{pixels * header.pixel_bytes / 1e6:.0f} MB, more than {max_pixels * _BYTES_PER_PIXEL / 1e6:.0f} MB: send "
            "8 bits a channel, or raise the parameter 'max_image_megapixels'"
        )


def require_whole(data: bytes | memoryview) -> None:
    """Refuse a JPEG or PNG file of which something is missing, where decoders make up the rest and say nothing.

    Raises:
        BadInputError: See `read_header`; or it is truncated or damaged.
    """
    header = read_header(data)
    view = memoryview(data).cast("B")
    if header.codec == "png":
        _require_whole_png(view, header)
    else:
        _require_whole_jpeg(bytes(view), header)


def decode_as_stored(data: bytes | memoryview, max_megapixels: float = math.inf) -> np.ndarray:
    """Pixels as a JPEG or PNG file has them, colors as BGR, not turned: for images of cameras and of depth.

    Args:
        data: The whole file.
        max_megapixels: See `require_small`.

    Returns:
        (H, W) or (H, W, C), uint8 or uint16.

    Raises:
        BadInputError: See `require_small` and `require_whole`; or it cannot be decoded.
    """
    header = read_header(data)
    require_small(header, max_megapixels)
    require_whole(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(memoryview(data).cast("B"), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadInputError(f"the image cannot be decoded: {error.err}") from error
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise BadInputError(f"the image is damaged: {header.size} that cannot be decoded")
    return np.asarray(pixels)


def decode_camera_image(
    data: bytes | memoryview, format_name: str, max_megapixels: float = math.inf
) -> tuple[np.ndarray, str]:
    """Decode what sensor_msgs/CompressedImage carries.

    A JPEG file says itself how its colors are stored, so that its decoder gives RGB whatever the message tells. PNG has
    no such thing: "<encoding>; png compressed rgb8" is a picture that was encoded without swapping its channels
    (compressed_image_transport). Gray pictures of a Bayer camera are its pattern.

    Args:
        data: The whole file.
        format_name: The message's `format`.
        max_megapixels: See `require_small`.

    Returns:
        Pixels and their encoding: (H, W, 3) uint8 rgb8 or uint16 rgb16, or (H, W) uint8 mono8 or Bayer, or (H, W)
        uint16 mono16 or Bayer.

    Raises:
        BadInputError: See `decode_as_stored`.
    """
    pixels = decode_as_stored(data, max_megapixels)
    original, _, compressed = (part.strip() for part in format_name.partition(";"))
    bits = 8 * pixels.dtype.itemsize
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        gray = pixels if pixels.ndim == 2 else pixels[..., 0]
        is_pattern = original.startswith("bayer_") and original.endswith(str(bits))
        return np.ascontiguousarray(gray), original if is_pattern else f"mono{bits}"
    color = pixels[:, :, :3]  # transparency says nothing about a camera's picture
    is_rgb = bytes(data[:8]) == PNG_SIGNATURE and "compressed rgb" in compressed
    return np.ascontiguousarray(color if is_rgb else color[:, :, ::-1]), f"rgb{bits}"


def _png_header(view: memoryview) -> PictureHeader:
    # Signature, length and name of the first chunk, which must be IHDR (PNG specification, 11.2.2).
    if len(view) < 26 or bytes(view[12:16]) != b"IHDR":
        raise BadInputError(f"the image is truncated: a PNG of {len(view)} bytes without its header")
    width_px, height_px, bits, color = struct.unpack_from(">IIBB", view, 16)
    return PictureHeader("png", width_px, height_px, _CHANNELS.get(color, 4) * (2 if bits == 16 else 1))


def _require_whole_png(view: memoryview, header: PictureHeader) -> None:
    """Every chunk up to the last has the checksum that follows it."""
    place = len(PNG_SIGNATURE)
    while place + 12 <= len(view):
        (length,) = struct.unpack_from(">I", view, place)
        end = place + 8 + length
        if end + 4 > len(view):
            break
        if zlib.crc32(view[place + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise BadInputError(f"the image is damaged: {header.size}, and a checksum is wrong at byte {place}")
        if bytes(view[place + 4 : place + 8]) == b"IEND":
            return
        place = end + 4
    raise BadInputError(f"the image is truncated: {len(view)} bytes of {header.size}, {_CUT_OFF}")


@dataclass(frozen=True)
class _Frame:
    """What the frame header of a JPEG says (ITU-T T.81, B.2.2)."""

    marker: int
    width_px: int
    height_px: int
    sampling: tuple[tuple[int, int], ...]

    @property
    def num_units(self) -> int:
        """Minimum coded units of a scan with all components."""
        across, down = (max(one[axis] for one in self.sampling) for axis in (0, 1))
        if len(self.sampling) == 1:  # a component alone is coded block by block
            across = down = 1
        return math.ceil(self.width_px / (8 * across)) * math.ceil(self.height_px / (8 * down))


def _jpeg_header(view: memoryview) -> PictureHeader:
    """Go from marker to marker until the frame header, which gives the size (ITU-T T.81, B.2.2)."""
    place, seen = 2, 0
    for _ in range(_MAX_SEGMENTS):
        # Any number of 0xFF may stand before a marker; most often it is one.
        single = bytes(view[place + 1 : place + 2]) != b"\xff"
        window = bytes(view[place : place + (2 if single else MAX_HEADER_BYTES - seen)])
        fill = len(window) - len(window.lstrip(b"\xff"))
        if not fill or fill == len(window):
            break
        seen += fill
        place += fill + 1
        marker = view[place - 1]
        if marker in _BARE:
            continue
        if place + 2 > len(view) or marker in (_START_OF_SCAN, _END):
            break
        (length,) = struct.unpack_from(">H", view, place)
        if marker in _FRAMES:
            frame = _frame(marker, bytes(view[place : place + length]))
            return PictureHeader("jpeg", frame.width_px, frame.height_px, len(frame.sampling))
        seen += 4
        place += max(length, 2)
    raise BadInputError(
        f"the image is truncated or damaged: a JPEG of {len(view)} bytes without a frame header among the first "
        f"{MAX_HEADER_BYTES} bytes of its headers"
    )


def _frame(marker: int, segment: bytes) -> _Frame:
    if len(segment) < 8 or len(segment) < 8 + 3 * segment[7] or not segment[7]:
        raise BadInputError(f"the image is truncated: the frame header of its JPEG has {len(segment)} bytes")
    height_px, width_px = struct.unpack_from(">HH", segment, 3)
    sampling = tuple((max(1, segment[9 + 3 * i] >> 4), max(1, segment[9 + 3 * i] & 15)) for i in range(segment[7]))
    return _Frame(marker, width_px, height_px, sampling)


@dataclass(frozen=True)
class _Scans:
    """Where the entropy-coded data of a JPEG are.

    Attributes:
        frame: The frame header.
        ends: Where each stretch of data ends, at the marker that follows it.
        restarts: The restart markers in their order, 0 to 7.
        interval: Units between two of them; 0: there are none.
        count: Number of scans.
        end: Behind the end marker.
    """

    frame: _Frame
    ends: tuple[int, ...]
    restarts: tuple[int, ...]
    interval: int
    count: int
    end: int


def _scans(data: bytes) -> _Scans | None:
    """Walk through a JPEG; None where it ends before its end marker."""
    frame, interval, count = None, 0, 0
    ends: list[int] = []
    restarts: list[int] = []
    place = 2
    for _ in range(_MAX_SEGMENTS):
        # Fill bytes and what does not belong here are skipped, as decoders do.
        begin = _SEGMENT.search(data, place)
        if begin is None:
            return None
        place, marker = begin.start(), data[begin.start() + 1]
        if marker == _END:
            return None if frame is None else _Scans(frame, (*ends,), (*restarts,), interval, count, place + 2)
        if place + 4 > len(data):
            return None
        (length,) = struct.unpack_from(">H", data, place + 2)
        segment = data[place + 2 : place + 2 + length]
        if marker in _FRAMES:
            frame = _frame(marker, segment)
        elif marker == _RESTART_INTERVAL and len(segment) >= 4:
            (interval,) = struct.unpack_from(">H", segment, 2)
        place += 2 + max(length, 2)
        if marker != _START_OF_SCAN:
            continue
        count += 1
        for found in _MARKER.finditer(data, place):
            ends.append(found.start())
            place = found.start()
            if data[place + 1] not in _RESTARTS:
                break
            restarts.append(data[place + 1] - _RESTARTS.start)
        else:
            return None
    return None


def _require_whole_jpeg(data: bytes, header: PictureHeader) -> None:
    """Tell damage by what a decoder does when there are more data: where none are missing, it takes none of them.

    At the end of each stretch of data some bytes are put in. A decoder that has all units of the stretch skips them;
    one that has not takes them for what is missing, and the picture changes.
    """
    scans = _scans(data)
    if scans is None:
        raise BadInputError(f"the image is truncated: {len(data)} bytes of {header.size}, {_CUT_OFF}")
    if not _restarts_fit(scans):
        raise BadInputError(f"the image is damaged: {header.size} in which some of the data are missing")
    pieces = [data[begin:end] for begin, end in zip((0, *scans.ends), (*scans.ends, scans.end), strict=True)]
    # A scan may hold what shows at full size and in color only.
    reduced = scans.count == 1 and scans.frame.marker not in _PROGRESSIVE
    try:
        unchanged = np.array_equal(_drawn(b"".join(pieces), reduced), _drawn(_FILL.join(pieces), reduced))
    except Exception as error:  # Pillow raises many kinds
        raise BadInputError(f"the image is damaged: {header.size} cannot be decoded: {error}") from error
    if not unchanged:
        raise BadInputError(f"the image is damaged: {header.size} in which some of the data are missing")


def _restarts_fit(scans: _Scans) -> bool:
    """Whether the restart markers are counted through, and are as many as there must be."""
    if any(number != place % 8 for place, number in enumerate(scans.restarts)) and scans.count == 1:
        return False
    expected = math.ceil(scans.frame.num_units / scans.interval) - 1 if scans.interval else 0
    return scans.count != 1 or len(scans.restarts) == expected


def _drawn(data: bytes, reduced: bool) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        if reduced:
            picture.draft("L", (max(1, picture.width // _REDUCED), max(1, picture.height // _REDUCED)))
        return np.asarray(picture)
