"""Every encoding gives the picture back that was put into it."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest

from pixelrs_ros.encodings import ENCODINGS, RawImage, bits_seen, require_convertible, to_8_bits, to_rgb
from pixelrs_ros.errors import BadInputError

HEIGHT, WIDTH = 24, 32
BAYER = {"rggb": "RGGB", "bggr": "BGGR", "gbrg": "GBRG", "grbg": "GRBG"}


def picture() -> np.ndarray:
    """Four quarters, of blocks of 2x2 at least, so that halved colors lose nothing."""
    rgb = np.full((HEIGHT, WIDTH, 3), (200, 40, 60), np.uint8)
    rgb[: HEIGHT // 2, WIDTH // 2 :] = (30, 180, 90)
    rgb[HEIGHT // 2 :, : WIDTH // 2] = (50, 70, 220)
    rgb[HEIGHT // 2 :, WIDTH // 2 :] = 128
    return rgb


def yuv(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3): ITU-R BT.601 with 16 to 235, as OpenCV's conversions of video take it."""
    r, g, b = (rgb[..., i].astype(float) for i in range(3))
    y = 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256
    u = 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256
    v = 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256
    return np.rint(np.stack([y, u, v], axis=-1)).astype(np.uint8)


def packed(rgb: np.ndarray, encoding: str) -> np.ndarray:
    """Rows of the data."""
    if encoding.startswith("bayer_"):
        out = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, color in enumerate(BAYER[encoding[6:10]]):
            rows, columns = slice(place // 2, None, 2), slice(place % 2, None, 2)
            out[rows, columns] = rgb[rows, columns, "RGB".index(color)]
    elif encoding in ("yuv422", "uyvy", "yuv422_yuy2", "yuyv"):
        y, u, v = np.moveaxis(yuv(rgb), -1, 0)
        colors = np.stack([u[:, ::2], v[:, ::2]], axis=-1).reshape(HEIGHT, WIDTH)
        pair = (colors, y) if encoding in ("yuv422", "uyvy") else (y, colors)
        out = np.stack(pair, axis=-1)
    elif encoding in ("nv12", "nv21"):
        y, u, v = np.moveaxis(yuv(rgb), -1, 0)
        first, second = (u, v) if encoding == "nv12" else (v, u)
        out = np.concatenate([y, np.stack([first[::2, ::2], second[::2, ::2]], axis=-1).reshape(-1, WIDTH)])
    else:
        name = encoding.removesuffix("8").removesuffix("16")
        alpha = np.full((HEIGHT, WIDTH, 1), 7, np.uint8)
        out = {
            "rgb": rgb,
            "bgr": rgb[..., ::-1],
            "rgba": np.concatenate([rgb, alpha], axis=-1),
            "bgra": np.concatenate([rgb[..., ::-1], alpha], axis=-1),
        }.get({"8UC3": "bgr", "16UC3": "bgr", "8UC4": "bgra", "16UC4": "bgra"}.get(encoding, name), rgb[..., 1])
    return out.astype(np.uint16) * 257 if "16" in encoding else out


def raw(rows: np.ndarray, encoding: str, padding: int = 0, *, big: bool = False) -> RawImage:
    kind = rows.dtype.newbyteorder(">" if big else "<")
    data = [row.astype(kind).tobytes() for row in rows]
    filled = b"".join(row + b"\xee" * padding for row in data[:-1]) + data[-1]  # the last one without its padding
    height = HEIGHT if encoding in ("nv12", "nv21") else len(rows)
    return RawImage(filled, encoding, rows.shape[1], height, len(data[0]) + padding, big)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_picture_comes_back(encoding: str, padding: int, big: bool) -> None:
    read = to_rgb(raw(packed(picture(), encoding), encoding, padding, big=big))
    gray = encoding in ("mono8", "mono16", "8UC1", "16UC1")
    expected = picture()[..., 1:2].repeat(3, axis=-1) if gray else picture()
    assert read.shape == (HEIGHT, WIDTH, 3) and read.dtype == np.uint8 and read.flags["C_CONTIGUOUS"]
    off = np.abs(read.astype(int) - expected)
    inside = cv2.erode(np.ones((HEIGHT // 2, WIDTH // 2), np.uint8), np.ones((5, 5)), borderValue=0).astype(bool)
    whole = np.tile(inside, (2, 2)) if "bayer" in encoding else np.ones((HEIGHT, WIDTH), bool)
    assert off[whole].max() <= (3 if encoding[:2] in ("yu", "uy", "nv") else 0)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "rgb16", "bayer_rggb16"])
def test_cameras_that_use_fewer_than_16_bits(encoding: str, bits: int) -> None:
    rows = (packed(picture(), encoding) >> (16 - bits)).astype(np.uint16)
    rows[0, 0] = (1 << bits) - 1
    image = raw(rows, encoding)
    assert bits_seen(image) == bits
    read = to_rgb(image, bits)[HEIGHT // 2 + 4 :, WIDTH // 2 + 4 :]
    assert np.abs(read.astype(int) - 128).max() <= 1
    assert to_rgb(image).mean() <= read.mean()


def test_eight_bits_are_rounded_and_what_is_beyond_is_white() -> None:
    values = np.array([[0, 8, 9, 4095, 4096, 65535]], np.uint16)
    assert to_8_bits(values, 12).tolist() == [[0, 0, 1, 255, 255, 255]]
    assert to_8_bits(np.array([[0, 128, 129, 65535]], np.uint16)).tolist() == [[0, 0, 1, 255]]
    assert bits_seen(raw(packed(picture(), "mono8"), "mono8")) == 8
    for bits in (7, 17):
        with pytest.raises(BadInputError, match="8 to 16"):
            to_8_bits(values, bits)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array("B", data)])
def test_any_memory_is_read(kind: type) -> None:
    image = raw(packed(picture(), "rgb8"), "rgb8")
    read = to_rgb(RawImage(kind(bytes(image.data)), "rgb8", WIDTH, HEIGHT, image.step_bytes))
    np.testing.assert_array_equal(read, picture())


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (RawImage(b"", "rgb9", 4, 4, 12), "unknown image encoding 'rgb9'; supported: rgb8, .*remedy"),
        (RawImage(b"", "mono8", 0, 4, 0), "empty"),
        (RawImage(b"", "mono8", 4, 0, 4), "empty"),
        (RawImage(bytes(40), "yuv422_yuy2", 5, 4, 10), "even width"),
        (RawImage(bytes(40), "nv12", 4, 5, 4), "even width .and height"),
        (RawImage(bytes(40), "bayer_rggb16", 2, 4, 4), "at least 3x3 px"),
        (RawImage(bytes(40), "rgb16", 2, 2, 6), "2 px of rgb16 take 12 bytes"),
        (RawImage(bytes(23), "nv12", 4, 4, 4), "take 24 bytes, got 23"),
        (RawImage(bytes(10), "mono8", 4, 3, 2**31), "truncated"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(image: RawImage, said: str) -> None:
    for use in (require_convertible, to_rgb, bits_seen):
        with pytest.raises(BadInputError, match=said):
            use(image)
