import tracemalloc
from array import array

import cv2
import numpy as np
import pytest
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from pixelrs_ros.encodings import ENCODINGS, UsedBits
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import GroundedPhrase, Reply, Segment, Status

RGB = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
GRAY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
# One color everywhere, so that interpolation between the pixels of a Bayer pattern changes nothing.
FLAT = np.full((6, 8, 3), (200, 100, 30), dtype=np.uint8)


def image(pixels: np.ndarray, encoding: str) -> Image:
    return conversions.fill_image(Image(), Header(frame_id="camera"), pixels, encoding)


def bayer(pattern: str) -> np.ndarray:
    """FLAT as a sensor sees it whose first two rows start with the pattern's letters."""
    mosaic = np.empty(FLAT.shape[:2], dtype=np.uint8)
    for place, letter in enumerate(pattern):
        row, column = divmod(place, 2)
        mosaic[row::2, column::2] = FLAT[row::2, column::2, "rgb".index(letter)]
    return mosaic


COLOR = [
    ("rgb8", RGB),
    ("bgr8", RGB[:, :, ::-1]),
    ("rgba8", np.dstack([RGB, np.full(RGB.shape[:2], 7, np.uint8)])),
    ("bgra8", np.dstack([RGB[:, :, ::-1], np.full(RGB.shape[:2], 7, np.uint8)])),
]


@pytest.mark.parametrize(("encoding", "pixels"), COLOR)
def test_color_encodings_give_the_same_rgb(encoding: str, pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(conversions.image_to_rgb(image(pixels, encoding)), RGB)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_gives_back_the_color(pattern: str) -> None:
    np.testing.assert_array_equal(conversions.image_to_rgb(image(bayer(pattern), f"bayer_{pattern}8")), FLAT)


def test_gray_is_repeated_in_three_channels() -> None:
    np.testing.assert_array_equal(conversions.image_to_rgb(image(GRAY, "mono8")), np.dstack([GRAY] * 3))


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
@pytest.mark.parametrize("big_endian", [False, True])
def test_16_bit_gray_is_scaled_to_8(encoding: str, big_endian: bool) -> None:
    wide = GRAY.astype(np.uint16) * 257
    message = image(wide, encoding)
    message.is_bigendian = int(big_endian)
    message.data = array("B", wide.astype(">u2" if big_endian else "<u2").tobytes())
    np.testing.assert_array_equal(conversions.image_to_rgb(message), np.dstack([GRAY] * 3))


@pytest.mark.parametrize("last_row_is_padded", [True, False])
def test_padding_at_the_end_of_rows_is_skipped(last_row_is_padded: bool) -> None:
    message = image(RGB, "rgb8")
    padded = np.pad(RGB.reshape(6, 24), ((0, 0), (0, 5)), constant_values=99)
    message.step = 29
    message.data = array("B", padded.tobytes()[: None if last_row_is_padded else -5])
    np.testing.assert_array_equal(conversions.image_to_rgb(message), RGB)


def test_a_camera_of_12_bits_in_16_is_not_black_and_keeps_its_brightness() -> None:
    bits = UsedBits()
    bright, dark = (image(np.array([[2048, top]], np.uint16), "mono16") for top in (4095, 2049))
    for message in (bright, dark, bright):
        assert conversions.image_to_rgb(message, bits)[0, 0].tolist() == [128] * 3
    assert conversions.image_to_rgb(dark, UsedBits(16))[0, 0].tolist() == [8] * 3
    assert conversions.frame_from_image(bright, 0, UsedBits(14)).image[0, 1].tolist() == [64] * 3


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_that_cameras_send_is_read(encoding: str) -> None:
    message = Image(height=4, width=6, encoding=encoding, step=6 * 8)
    message.data = array("B", bytes([255] * (48 * 6)))
    rgb = conversions.image_to_rgb(message)
    assert (rgb.shape, rgb.dtype) == ((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoding": "nv99"}, "unknown image encoding 'nv99'"),
        ({"encoding": ""}, "unknown image encoding ''"),
        ({"height": 0}, "empty: width 8 px, height 0 px"),
        ({"width": 0}, "empty: width 0 px, height 6 px"),
        ({"step": 23}, "step is 23 bytes, but 8 px of rgb8 take 24"),
        ({"data": array("B", bytes(143))}, "take 144 bytes, got 143"),
        ({"data": array("B")}, "got 0"),
        ({"width": 2**31, "step": 2**31 * 3 % 2**32}, "step"),
    ],
)
def test_a_bad_image_is_refused_with_a_reason(changes: dict[str, object], words: str) -> None:
    message = image(RGB, "rgb8")
    for name, value in changes.items():
        setattr(message, name, value)
    with pytest.raises(BadInputError, match=words):
        conversions.image_to_rgb(message)


def test_a_bayer_image_needs_a_neighborhood() -> None:
    with pytest.raises(BadInputError, match="at least 3x3"):
        conversions.check_image(image(np.zeros((2, 2), np.uint8), "bayer_rggb8"))


def test_the_frame_does_not_share_memory_with_the_message() -> None:
    message = image(RGB, "rgb8")
    frame = conversions.frame_from_image(message, stamp_ns=5)
    message.data[0] ^= 255
    assert (frame.image == RGB).all()
    assert (frame.stamp_ns, frame.frame_id) == (5, "camera")


def test_stamps_go_there_and_back() -> None:
    assert conversions.stamp_to_ns(conversions.ns_to_stamp(1_700_000_000_123_456_789)) == 1_700_000_000_123_456_789


def test_masks_go_there_and_back() -> None:
    mask = RGB[:, :, 0] > 100
    message = conversions.fill_mask(Image(), Header(), mask)
    assert message.encoding == "mono8"
    assert set(message.data) == {0, 255}
    np.testing.assert_array_equal(conversions.mask_from_image(message), mask)


def test_an_instruction_becomes_an_utterance() -> None:
    message = Instruction(text="the mug", source=Instruction.SPOKEN, confidence=0.5)
    utterance = conversions.utterance_from_instruction(message, stamp_ns=9)
    assert (utterance.session_id, utterance.source, utterance.stamp_ns) == ("default", "spoken", 9)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Instruction(text=" \n"), "empty"),
        (Instruction(text="hello", source=7), "source"),
        (Instruction(text="hello", confidence=1.5), "confidence"),
        (Instruction(text="hello", confidence=float("nan")), "confidence"),
    ],
)
def test_a_bad_instruction_is_refused(message: Instruction, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        conversions.utterance_from_instruction(message, stamp_ns=0)


def test_a_reply_fills_both_messages() -> None:
    mask = np.zeros((6, 8), dtype=np.bool_)
    mask[1:3, 2:7] = True
    reply = Reply(
        status=Status.GROUNDED,
        text="the mug, here",
        segments=(Segment("the mug", mask, 0.75),),
        phrases=(GroundedPhrase(0, 7, 0),),
        latency_ms={"encode": 1.5, "total": 2.0},
    )
    header, instruction = Header(frame_id="camera"), Instruction(session_id="kitchen")
    instruction.header.stamp.sec = 12
    segmentation = conversions.fill_segmentation(Segmentation(), header, instruction, 3, reply)
    explanation = conversions.fill_explanation(Explanation(), header, instruction, 3, reply)
    for message in (segmentation, explanation):
        assert (message.header.frame_id, message.session_id, message.turn) == ("camera", "kitchen", 3)
        assert (message.instruction_stamp.sec, message.status) == (12, Segmentation.GROUNDED)
    (segment,) = segmentation.segments
    assert (segment.box.x_offset, segment.box.y_offset, segment.box.width, segment.box.height) == (2, 1, 5, 2)
    assert (segment.phrase, segment.score, segment.mask.header.frame_id) == ("the mug", 0.75, "camera")
    assert [(item.stage, item.milliseconds) for item in segmentation.latencies] == [("encode", 1.5), ("total", 2.0)]
    (phrase,) = explanation.phrases
    assert explanation.text[phrase.start : phrase.end] == segment.phrase
    assert explanation.is_final


def test_the_explanation_of_a_failure_says_why() -> None:
    reply = Reply(status=Status.BAD_INPUT, text="", message="the instruction is empty")
    explanation = conversions.fill_explanation(Explanation(), Header(), Instruction(), 0, reply)
    assert (explanation.text, explanation.session_id) == ("the instruction is empty", "default")


def test_a_step_that_lies_takes_no_memory() -> None:
    message = Image(height=1, width=2, encoding="mono8", step=2**32 - 1, data=array("B", [1, 2]))
    tracemalloc.start()
    rgb = conversions.image_to_rgb(message)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rgb[0, :, 0].tolist() == [1, 2]
    assert peak_bytes < 1_000_000
