"""Compressed images: what comes back is what went in, and what is no image is called so without being decoded."""

import struct
import time
import zlib
from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.pictures import PictureHeader
from pixelrs_ros.ros.wire import compressed, conversions
from pixelrs_ros.ros.wire.image_outputs import compress_color, compress_mask

MAX_MEGAPIXELS = 1.0
# Smooth, so that JPEG keeps it nearly, and different in each channel.
RGB = np.stack([*np.meshgrid(np.arange(40), np.arange(24), indexing="xy"), np.full((24, 40), 90)], axis=-1)
RGB = (RGB * np.array([5, 9, 1])).astype(np.uint8)
DEPTH_MM = np.arange(24 * 40, dtype=np.uint16).reshape(24, 40) * 7


def decompress(sent: CompressedImage, max_megapixels: float) -> Image:
    return conversions.fill_image(Image(), sent.header, *compressed.decode(sent, max_megapixels))


def decompress_depth(sent: CompressedImage, max_megapixels: float) -> Image:
    return conversions.fill_image(Image(), sent.header, *compressed.decode_depth(sent, max_megapixels))


def encode(pixels: np.ndarray, suffix: str = ".png", *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, pixels, list(options))[1])


def message(data: bytes, image_format: str = "") -> CompressedImage:
    filled = CompressedImage(header=Header(frame_id="camera"), format=image_format)
    filled.data = array("B", data)
    return filled


def pixels_of(image: Image) -> np.ndarray:
    channels = {"rgb8": 3, "mono8": 1, "bayer_rggb8": 1, "bayer_rggb16": 1, "mono16": 1, "16UC1": 1, "32FC1": 1}[
        image.encoding
    ]
    dtype = {"mono16": np.uint16, "bayer_rggb16": np.uint16, "16UC1": np.uint16, "32FC1": np.float32}.get(
        image.encoding, np.uint8
    )
    pixels = np.frombuffer(image.data, dtype).reshape(image.height, image.width, channels)
    return pixels[:, :, 0] if channels == 1 else pixels


PNG, JPEG = encode(RGB[:, :, ::-1]), encode(RGB[:, :, ::-1], ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98)


@pytest.mark.parametrize("image_format", ["png", "", "rgb8; png compressed bgr8"])
def test_png_comes_back_as_it_was(image_format: str) -> None:
    image = decompress(message(PNG, image_format), MAX_MEGAPIXELS)
    assert (image.encoding, image.header.frame_id) == ("rgb8", "camera")
    np.testing.assert_array_equal(pixels_of(image), RGB)


@pytest.mark.parametrize(
    "image_format",
    [
        "jpeg",
        "jpg",
        "rgb8; jpeg compressed bgr8",
        "bgr8; jpeg compressed bgr8",
        "rgb8; jpeg compressed rgb8",
        "rgb8; jpeg compressed ",
    ],
)
def test_jpeg_comes_back_nearly_as_it_was(image_format: str) -> None:
    image = decompress(message(JPEG, image_format), MAX_MEGAPIXELS)
    assert np.abs(pixels_of(image).astype(int) - RGB).mean() < 2.0


def test_channels_that_the_sender_says_were_not_swapped_are_not_swapped_here() -> None:
    image = decompress(message(encode(RGB), "rgb8; png compressed rgb8"), MAX_MEGAPIXELS)
    np.testing.assert_array_equal(pixels_of(image), RGB)


@pytest.mark.parametrize(
    ("pixels", "image_format", "encoding"),
    [
        (RGB[:, :, 0], "mono8; png compressed ", "mono8"),
        (RGB[:, :, 0], "bayer_rggb8; png compressed ", "bayer_rggb8"),
        (DEPTH_MM, "mono16; png compressed ", "mono16"),
        (DEPTH_MM, "bayer_rggb16; png compressed ", "bayer_rggb16"),
    ],
)
def test_one_channel_keeps_its_meaning(pixels: np.ndarray, image_format: str, encoding: str) -> None:
    image = decompress(message(encode(pixels), image_format), MAX_MEGAPIXELS)
    assert image.encoding == encoding
    np.testing.assert_array_equal(pixels_of(image), pixels)
    assert conversions.image_to_rgb(image).shape == (24, 40, 3)


def test_16_bit_colors_and_transparency_become_8_bit_colors() -> None:
    wide = RGB[:, :, ::-1].astype(np.uint16) * 257
    wide[0, 0] = 65535
    alpha = np.dstack([RGB[:, :, ::-1], np.full((24, 40), 7, np.uint8)])
    for pixels in (wide, alpha):
        rgb = conversions.image_to_rgb(message(encode(pixels)))
        np.testing.assert_array_equal(rgb[1:], RGB[1:])


@pytest.mark.parametrize(("data", "codec"), [(PNG, "png"), (JPEG, "jpeg")])
def test_the_size_is_known_without_decoding(data: bytes, codec: str) -> None:
    assert compressed.inspect_message(message(data), MAX_MEGAPIXELS) == PictureHeader(codec, 40, 24, 3)
    progressive = encode(RGB, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert compressed.inspect_message(message(progressive), MAX_MEGAPIXELS) == PictureHeader("jpeg", 40, 24, 3)


def test_the_size_of_a_jpeg_is_not_that_of_the_thumbnail_it_carries() -> None:
    thumbnail = encode(RGB[:8, :8], ".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    found = compressed.inspect_message(message(JPEG[:2] + segment + JPEG[2:]), MAX_MEGAPIXELS)
    assert found == PictureHeader("jpeg", 40, 24, 3)


@pytest.mark.parametrize("data", [PNG, JPEG])
def test_cut_anywhere_it_is_truncated(data: bytes) -> None:
    for length in range(8, len(data), 7):
        with pytest.raises(BadInputError, match="truncated"):
            decompress(message(data[:length]), MAX_MEGAPIXELS)


def test_a_jpeg_of_which_something_is_missing_is_bad_input() -> None:
    large = cv2.resize(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8), (640, 480))
    whole = encode(large, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90)
    tenth = whole[: len(whole) // 10] + b"\xff\xd9"
    middle = whole[: len(whole) // 2] + whole[len(whole) // 2 + 8192 :]
    assert len(whole) > 20_000 and conversions.image_to_rgb(message(whole)).shape == (480, 640, 3)
    for data in (tenth, middle):
        compressed.inspect_message(message(data), MAX_MEGAPIXELS)
        with pytest.raises(BadInputError, match="damaged"):
            conversions.image_to_rgb(message(data))


def test_a_header_behind_megabytes_of_fill_bytes_is_given_up_soon() -> None:
    data = message(JPEG[:2] + b"\xff" * 8_000_000 + JPEG[2:])
    started_s = time.process_time()
    with pytest.raises(BadInputError, match="65536 bytes"):
        compressed.inspect_message(data, MAX_MEGAPIXELS)
    assert time.process_time() - started_s < 0.1


def test_a_small_file_that_decodes_to_many_bytes_is_refused_by_its_header() -> None:
    wide = message(encode(np.zeros((900, 1000, 4), np.uint16)))
    assert len(wide.data) < 50_000
    with pytest.raises(BadInputError, match=r"8 bytes a pixel .* 'max_image_megapixels'"):
        compressed.inspect_message(wide, MAX_MEGAPIXELS)
    compressed.inspect_message(wide, 2 * MAX_MEGAPIXELS)


def test_a_jpeg_that_is_filled_up_with_zeros_is_whole() -> None:
    image = decompress(message(JPEG + bytes(100)), MAX_MEGAPIXELS)
    assert (image.width, image.height) == (40, 24)


@pytest.mark.parametrize("data", [b"", b"\xff", b"GIF89a" + bytes(50), b"not an image at all", bytes(1000)])
def test_what_is_no_image_is_called_so(data: bytes) -> None:
    with pytest.raises(BadInputError, match="neither JPEG nor PNG"):
        compressed.inspect_message(message(data), MAX_MEGAPIXELS)


def test_damage_inside_is_found_when_it_is_decoded() -> None:
    damaged = bytearray(PNG)
    damaged[len(PNG) // 2] ^= 0xFF
    compressed.inspect_message(message(bytes(damaged)), MAX_MEGAPIXELS)
    with pytest.raises(BadInputError, match="damaged"):
        decompress(message(bytes(damaged)), MAX_MEGAPIXELS)


def bomb(width_px: int, height_px: int) -> bytes:
    """A PNG of a few hundred bytes that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size_px", [(60_000, 60_000), (1_000_001, 1), (0x7FFFFFFF, 0x7FFFFFFF)])
def test_a_decompression_bomb_is_refused_by_its_header(
    size_px: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    for call in (compressed.inspect_message, decompress):
        with pytest.raises(BadInputError, match="'max_image_megapixels'"):
            call(message(bomb(*size_px)), MAX_MEGAPIXELS)
    with pytest.raises(BadInputError, match="'max_image_megapixels'"):
        decompress_depth(message(bytes(12) + bomb(*size_px), "16UC1; compressedDepth png"), MAX_MEGAPIXELS)


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(BadInputError, match="empty"):
        compressed.inspect_message(message(bomb(0, 5)), MAX_MEGAPIXELS)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda data: JPEG[:2] + data),
                 st.tuples(st.integers(0, len(JPEG) - 1), st.binary(min_size=1, max_size=9)).map(
                     lambda change: JPEG[: change[0]] + change[1] + JPEG[change[0] + len(change[1]) :]),
                 st.tuples(st.integers(0, len(PNG) - 1), st.binary(min_size=1, max_size=9)).map(
                     lambda change: PNG[: change[0]] + change[1] + PNG[change[0] + len(change[1]) :])))  # fmt: skip
def test_whatever_the_bytes_are_they_give_an_image_or_a_clear_error(data: bytes) -> None:
    try:
        image = decompress(message(data), MAX_MEGAPIXELS)
    except BadInputError as error:
        assert "image" in str(error)
    else:
        conversions.check_image(image)


def depth_message(data: bytes, image_format: str, scale: float = 0.0, offset: float = 0.0) -> CompressedImage:
    return message(struct.pack("<iff", 0, scale, offset) + data, image_format)


@pytest.mark.parametrize(
    "image_format", ["16UC1; compressedDepth png", "16UC1; compressedDepth", "mono16; compressedDepth png"]
)
def test_millimeters_come_back_as_they_were(image_format: str) -> None:
    image = decompress_depth(depth_message(encode(DEPTH_MM), image_format), MAX_MEGAPIXELS)
    assert (image.encoding, image.header.frame_id) == ("16UC1", "camera")
    np.testing.assert_array_equal(pixels_of(image), DEPTH_MM)


def test_meters_come_back_within_their_quantization_and_no_depth_as_nan() -> None:
    depth_m = np.linspace(0.3, 9.0, 24 * 40, dtype=np.float32).reshape(24, 40)
    depth_m[3, 4] = np.nan
    # As compressed_depth_image_transport defines it, with depth_max 10 m and depth_quantization 100.
    scale = 100.0 * 101.0
    offset = 1.0 - scale / 10.0
    quantized = np.where(np.isnan(depth_m), 0, np.rint(scale / depth_m + offset)).astype(np.uint16)
    sent = depth_message(encode(quantized), "32FC1; compressedDepth png", scale, offset)
    image = decompress_depth(sent, MAX_MEGAPIXELS)
    assert image.encoding == "32FC1"
    received_m = pixels_of(image)
    assert np.isnan(received_m[3, 4]) and np.isnan(received_m).sum() == 1
    step_m = depth_m**2 / scale
    assert (np.abs(received_m - depth_m) <= 0.51 * step_m + 1e-5)[~np.isnan(depth_m)].all()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (depth_message(encode(DEPTH_MM), "16UC1; compressedDepth rvl"), "supported"),
        (depth_message(encode(DEPTH_MM), "jpeg"), "supported"),
        (message(b"\0" * 5, "16UC1; compressedDepth png"), "truncated"),
        (depth_message(encode(DEPTH_MM)[:-30], "16UC1; compressedDepth png"), "truncated"),
        (depth_message(b"nothing", "16UC1; compressedDepth png"), "neither JPEG nor PNG"),
        (depth_message(PNG, "16UC1; compressedDepth png"), "16-bit gray"),
        (depth_message(encode(DEPTH_MM.astype(np.uint8)), "16UC1; compressedDepth png"), "16-bit gray"),
    ],
)
def test_what_is_no_compressed_depth_is_called_so(sent: CompressedImage, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        decompress_depth(sent, MAX_MEGAPIXELS)


def test_numbers_that_make_no_sense_give_no_depth_instead_of_nonsense() -> None:
    for scale, offset in ((float("nan"), 0.0), (0.0, 0.0), (-5.0, 0.0), (1.0, float("inf"))):
        sent = depth_message(encode(DEPTH_MM), "32FC1; compressedDepth png", scale, offset)
        assert np.isnan(pixels_of(decompress_depth(sent, MAX_MEGAPIXELS))).all()


def test_what_is_sent_can_be_read_by_anybody() -> None:
    mask = np.zeros((24, 40), np.bool_)
    mask[3:9, 5:20] = True
    header = Header(frame_id="camera")
    sent = compress_mask(CompressedImage(), header, mask)
    assert (sent.format, sent.header) == ("mono8; png compressed mono8", header)
    pixels = cv2.imdecode(np.frombuffer(sent.data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pixels, mask * np.uint8(255))
    sizes = {}
    for quality in (10, 95):
        sent = compress_color(CompressedImage(), header, RGB, quality)
        assert sent.format == "rgb8; jpeg compressed bgr8"
        sizes[quality] = len(sent.data)
    assert sizes[10] < sizes[95]
    assert np.abs(pixels_of(decompress(sent, MAX_MEGAPIXELS)).astype(int) - RGB).mean() < 2.0
