"""Picture files: upright whatever their EXIF orientation, and refused where decoders would make up what is missing."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pixelrs_ros import pictures
from pixelrs_ros.errors import BadInputError

ORIENTATION = 0x112  # EXIF's tag
# What a camera stores so that each orientation shows the upright picture (EXIF 2.3, 4.6.4 A).
STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright.swapaxes(0, 1), 2),
    8: lambda upright: np.rot90(upright, -1),
}


def scene(height_px: int = 48, width_px: int = 64) -> np.ndarray:
    """Each quarter in a color of its own."""
    picture = np.full((height_px, width_px, 3), 40, np.uint8)
    picture[: height_px // 2, : width_px // 2] = (220, 30, 30)
    picture[: height_px // 2, width_px // 2 :] = (30, 200, 30)
    picture[height_px // 2 :, : width_px // 2] = (30, 30, 210)
    return picture


def textured(height_px: int = 480, width_px: int = 640) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return np.asarray(cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), np.empty(0), 0, 255, cv2.NORM_MINMAX))


def stored(upright: np.ndarray, orientation: int, form: str) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    file = io.BytesIO()
    if form == "TIFF":
        image.save(file, form, tiffinfo={ORIENTATION: orientation})
    else:
        exif = image.getexif()
        exif[ORIENTATION] = orientation
        image.save(file, form, exif=exif, quality=95)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_is_read_as_a_viewer_shows_it(orientation: int, form: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(stored(scene(), orientation, form))
    read = pictures.read_picture(tmp_path / "a").astype(int)
    assert read.shape == (48, 64, 3)
    assert np.median(np.abs(read - scene())) < 10


def jpeg(picture: np.ndarray, *flags: int) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90, *flags])[1])


KINDS = {
    "baseline": (),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": (cv2.IMWRITE_JPEG_RST_INTERVAL, 40),
    "dense restarts": (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    "full color": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    "odd sampling": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
}
SHAPES = [(480, 640), (97, 131), (1, 1), (8, 8), (33, 1000)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_whole_jpegs_are_taken(kind: str, shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), 128, np.uint8)
    for picture in (textured(*shape), flat, textured(*shape)[..., 0], flat[..., 0]):
        data = jpeg(picture, *KINDS[kind])
        for padded in (data, data + bytes(3000)):  # some cameras fill their last packet up with zeros
            pictures.require_whole(padded)
            assert pictures.decode_picture(padded).shape == (*shape, 3)


def cut(data: bytes) -> bytes:
    """A tenth of the file, with an end marker."""
    return data[: len(data) // 10] + b"\xff\xd9"


def without_the_middle(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[: middle - 4096] + data[middle + 4096 :]


def without_the_end(data: bytes) -> bytes:
    return data[:-402] + b"\xff\xd9"


def without_an_end_marker(data: bytes) -> bytes:
    return data[:-2]


DAMAGES = [cut, without_the_middle, without_the_end, without_an_end_marker]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_jpegs_are_refused(kind: str, damage: object, tmp_path: Path) -> None:
    assert callable(damage)
    data = damage(jpeg(textured(), *KINDS[kind]))
    for read in (pictures.require_whole, pictures.decode_picture):
        with pytest.raises(BadInputError, match=r"damaged|truncated"):
            read(data)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(BadInputError, match=r"a\.jpg: the image is (damaged|truncated)"):
        pictures.read_picture(tmp_path / "a.jpg")


def test_a_picture_with_a_dark_end_is_not_taken_for_a_damaged_one() -> None:
    picture = textured()
    picture[200:] = 0
    pictures.require_whole(jpeg(picture))
    with pytest.raises(BadInputError, match="damaged"):
        pictures.require_whole(without_the_middle(jpeg(picture)))


def test_a_second_picture_behind_the_first_is_none_of_our_business() -> None:
    whole = jpeg(textured())
    pictures.require_whole(whole + jpeg(textured(30, 40)))
    with pytest.raises(BadInputError, match="damaged"):
        pictures.require_whole(cut(whole) + whole)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_damaged_pngs_are_refused(place: float) -> None:
    data = bytes(cv2.imencode(".png", textured(100, 120))[1])
    pictures.require_whole(data)
    at = int(len(data) * place)
    flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
    for damaged in (data[:at], data[:at] + data[at + 500 :], flipped, data[:at] + data[-12:]):
        with pytest.raises(BadInputError, match=r"damaged|truncated"):
            pictures.decode_picture(damaged)


def test_a_header_costs_little_however_it_is_filled_up() -> None:
    data = jpeg(textured(30, 40))
    padded = data[:2] + b"\xff" * 100 + data[2:]
    assert (pictures.read_header(padded).width_px, pictures.read_header(padded).height_px) == (40, 30)
    filled = data[:2] + b"\xff" * 8_000_000 + data[2:]
    many = data[:2] + b"\xff\xfe\x00\x02" * 2_000_000 + data[2:]
    bare = data[:2] + b"\xff\x01" * 4_000_000 + data[2:]
    for nasty in (filled, many, bare):
        began_s = time.process_time()
        with pytest.raises(BadInputError, match="without a frame header"):
            pictures.read_header(nasty)
        assert time.process_time() - began_s < 0.05


def test_large_color_profiles_are_jumped_over() -> None:
    data = jpeg(textured(30, 40))
    profile = b"\xff\xe2" + struct.pack(">H", 60_000) + bytes(59_998)
    assert pictures.read_header(data[:2] + 5 * profile + data[2:]).width_px == 40
    assert pictures.decode_picture(data[:2] + 5 * profile + data[2:]).shape == (30, 40, 3)


def png(width_px: int, height_px: int, bits: int, color: int) -> bytes:
    """Only what stands before the pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width_px, height_px, bits, color, 0, 0, 0)
    return pictures.PNG_SIGNATURE + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_the_decoded_bytes_are_bounded_and_not_only_the_pixels() -> None:
    pictures.require_small(pictures.read_header(png(7000, 7000, 8, 6)), 50.0)
    pictures.require_small(pictures.read_header(png(4000, 4000, 16, 6)), 50.0)
    with pytest.raises(BadInputError, match="8 bytes a pixel would decode to 392 MB, more than 200 MB"):
        pictures.require_small(pictures.read_header(png(7000, 7000, 16, 6)), 50.0)
    with pytest.raises(BadInputError, match="more than 50 megapixels"):
        pictures.require_small(pictures.read_header(png(8000, 7000, 1, 0)), 50.0)


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xd8\xff", pictures.PNG_SIGNATURE, b"GIF89a" + bytes(20)])
def test_what_is_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        pictures.decode_picture(data)
    with pytest.raises(BadInputError):
        pictures.read_header(data)
    (tmp_path / "a.jpg").write_bytes(data)
    for name in ("a.jpg", "missing.jpg", ".", "x\0"):
        with pytest.raises(BadInputError):
            pictures.read_picture(tmp_path / name)


@pytest.mark.parametrize("told", ["jpeg", "rgb8; jpeg compressed bgr8", "rgb8; jpeg compressed rgb8", "", "bgr8; jpg"])
def test_a_jpeg_has_its_own_colors_whatever_the_message_tells(told: str) -> None:
    pixels, encoding = pictures.decode_camera_image(jpeg(scene()[..., ::-1]), told)
    assert encoding == "rgb8" and np.median(np.abs(pixels.astype(int) - scene())) < 10


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("told", "swapped"),
    [("png", False), ("rgb8; png compressed bgr8", False), ("rgb8; png compressed rgb8", True), ("", False)],
)
def test_a_png_is_taken_as_the_message_tells(told: str, swapped: bool, bits: int) -> None:
    picture = scene() if bits == 8 else scene().astype(np.uint16) * 257
    for channels in (picture, np.concatenate([picture, picture[..., :1]], axis=-1)):
        stored_pixels = channels if swapped else channels[..., [2, 1, 0, 3][: channels.shape[2]]]
        data = bytes(cv2.imencode(".png", stored_pixels)[1])
        pixels, encoding = pictures.decode_camera_image(data, told)
        assert encoding == f"rgb{bits}" and (pixels == picture).all()


@pytest.mark.parametrize(
    ("told", "bits", "encoding"),
    [
        ("mono8; png compressed", 8, "mono8"),
        ("mono16; png compressed", 16, "mono16"),
        ("bayer_rggb8; png compressed", 8, "bayer_rggb8"),
        ("bayer_rggb16; png compressed", 16, "bayer_rggb16"),
        ("bayer_rggb8; png compressed", 16, "mono16"),
    ],
)
def test_gray_is_gray_or_the_pattern_of_a_camera(told: str, bits: int, encoding: str) -> None:
    gray = scene()[..., 0] if bits == 8 else scene()[..., 0].astype(np.uint16) * 3
    pixels, found = pictures.decode_camera_image(bytes(cv2.imencode(".png", gray)[1]), told)
    assert found == encoding and (pixels == gray).all()


def test_a_camera_image_is_not_turned_and_is_bounded() -> None:
    turned = stored(scene(), 6, "JPEG")
    assert pictures.decode_camera_image(turned, "jpeg")[0].shape == (64, 48, 3), "depth and camera_info are not either"
    with pytest.raises(BadInputError, match=r"more than 0\.001 megapixels"):
        pictures.decode_camera_image(turned, "jpeg", 0.001)
    with pytest.raises(BadInputError, match="more than 200 MB"):
        pictures.decode_as_stored(png(7000, 7000, 16, 6), 50.0)
    with pytest.raises(BadInputError, match="damaged"):
        pictures.decode_camera_image(cut(jpeg(textured())), "jpeg")
