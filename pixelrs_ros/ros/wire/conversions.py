"""Between ROS messages and the package's own values. Fills messages that it is handed; knows no node."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from pixelrs_ros import encodings
from pixelrs_ros.encodings import RawImage, UsedBits
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.mask_codes import runs_of
from pixelrs_ros.msg import (
    Explanation,
    GroundedPhrase,
    Instruction,
    Pointing,
    Segment,
    Segmentation,
    StageLatency,
    TrackedSegment,
    TurnImage,
    TurnPoints,
)
from pixelrs_ros.ros.wire import compressed
from pixelrs_ros.status_codes import STATUS_CODES
from pixelrs_ros.text.naming import Name, name_of
from pixelrs_ros.types import DEFAULT_SESSION_ID, Frame, Point, Reply, Utterance, check_stamp, mask_box

_NS_PER_S = 1_000_000_000
FULL = "full"  # of MASK_ENCODINGS
MASK_ENCODINGS: dict[str, int] = {FULL: Segment.FULL, "cropped": Segment.CROPPED, "runs": Segment.RUNS}


def stamp_to_ns(stamp: Time) -> int:
    """Nanoseconds of a ROS time."""
    return stamp.sec * _NS_PER_S + stamp.nanosec


def ns_to_stamp(nanoseconds: int) -> Time:
    """ROS time of a number of nanoseconds."""
    return Time(sec=nanoseconds // _NS_PER_S, nanosec=nanoseconds % _NS_PER_S)


def check_image(message: Image) -> None:
    """Find out, without converting it, whether an image message can be converted.

    Raises:
        BadInputError: See `encodings.require_convertible`.
    """
    encodings.require_convertible(_raw(message))


def image_to_rgb(message: Image | CompressedImage, bits: UsedBits | None = None) -> np.ndarray:
    """Convert an image message of any encoding in `encodings.ENCODINGS`, or a compressed one.

    Nothing bounds the size of a compressed one here: look at its header first (`compressed.inspect_message`).

    Args:
        message: The image.
        bits: How many of 16 the camera uses, so that the same scene keeps its brightness from frame to frame. None: as
            many as this image uses.

    Returns:
        (H, W, 3) uint8 RGB, contiguous, its own memory.

    Raises:
        BadInputError: See `check_image`; for a compressed image also `compressed.decode`.
    """
    if isinstance(message, CompressedImage):
        pixels, encoding = compressed.decode(message)
        height_px, width_px = pixels.shape[:2]
        raw = RawImage(pixels.data, encoding, width_px, height_px, pixels.strides[0], sys.byteorder == "big")
    else:
        raw = _raw(message)
    return encodings.to_rgb(raw, (bits or UsedBits()).of(raw))


def frame_from_image(message: Image | CompressedImage, stamp_ns: int, bits: UsedBits | None = None) -> Frame:
    """The frame of an image message, with the stamp that it was buffered under.

    Raises:
        BadInputError: See `image_to_rgb`.
    """
    return Frame(image=image_to_rgb(message, bits), stamp_ns=stamp_ns, frame_id=message.header.frame_id)


def image_size_of_info(message: CameraInfo) -> tuple[int, int]:
    """Width and height in px of the image that a camera info is of, with its region of interest and binning."""
    roi = message.roi
    width_px, height_px = roi.width or message.width, roi.height or message.height
    return width_px // max(message.binning_x, 1), height_px // max(message.binning_y, 1)


def _raw(message: Image) -> RawImage:
    return RawImage(
        message.data, message.encoding, message.width, message.height, message.step, bool(message.is_bigendian)
    )


def bytes_of(pixels: np.ndarray) -> array[int]:
    """An array's memory, as messages want it."""
    # rclpy takes an array.array as it is; any other sequence is copied element by element.
    data: array[int] = array("B")
    data.frombytes(np.ascontiguousarray(pixels).tobytes())
    return data


def fill_image(message: Image, header: Header, pixels: np.ndarray, encoding: str) -> Image:
    """Fill an image message.

    Args:
        message: Filled and returned.
        header: Copied by reference into the message.
        pixels: (H, W) or (H, W, C) of the encoding's type: uint8 for rgb8 and mono8, float32 for 32FC1.
        encoding: Name from sensor_msgs/image_encodings.
    """
    message.header = header
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.is_bigendian = int(sys.byteorder == "big")
    message.step = pixels.nbytes // max(pixels.shape[0], 1)
    message.data = bytes_of(pixels)
    return message


def fill_mask(message: Image, header: Header, mask: np.ndarray) -> Image:
    """Fill a mono8 image with a mask: 255 inside, 0 outside. `mask` is (H, W) bool."""
    return fill_image(message, header, mask.astype(np.uint8) * np.uint8(255), "mono8")


def mask_from_image(message: Image) -> np.ndarray:
    """(H, W) bool of a mono8 mask message: everything that is not 0.

    Raises:
        BadInputError: The message is not a whole mono8 image.
    """
    if message.encoding != "mono8":
        raise BadInputError(f"a mask is mono8, got {message.encoding!r}")
    return np.asarray(image_to_rgb(message)[:, :, 0] > 0)


def check_instruction_stamp(stamp: Time) -> None:
    """Find out whether an instruction's stamp is a time.

    Raises:
        BadInputError: It is not.
    """
    if stamp.nanosec >= _NS_PER_S:
        raise BadInputError(f"the instruction's stamp has {stamp.nanosec} nanoseconds; remedy: keep nanosec below 10^9")
    check_stamp("the instruction's stamp", stamp_to_ns(stamp))


def utterance_from_instruction(message: Instruction, stamp_ns: int, number: int | None = None) -> Utterance:
    """What the user said.

    Args:
        message: The instruction.
        stamp_ns: Start of the utterance.
        number: Its turn's number.

    Raises:
        BadInputError: The text is empty, the source is unknown, the confidence lies outside [0, 1], or the user points
            at several places.
    """
    if message.source not in (Instruction.TYPED, Instruction.SPOKEN):
        raise BadInputError(f"source must be TYPED (0) or SPOKEN (1), got {message.source}")
    return Utterance(
        text=message.text,
        session_id=message.session_id,
        stamp_ns=stamp_ns,
        source="spoken" if message.source == Instruction.SPOKEN else "typed",
        confidence=message.confidence,
        replace_last=message.replace_last,
        instruction_id=message.instruction_id,
        number=number,
        point=point_of(message.pointing),
    )


def point_of(pointing: Sequence[Pointing]) -> Point | None:
    """Where the user points; None: nowhere.

    Raises:
        BadInputError: At several places.
    """
    if len(pointing) > 1:
        raise BadInputError(f"pointing has {len(pointing)} places, at most one is accepted")
    return (float(pointing[0].x), float(pointing[0].y)) if pointing else None


def pointing_of(point: Point | None, header: Header) -> list[Pointing]:
    """A place in the image with that header, as messages have it; none: nowhere."""
    return [] if point is None else [Pointing(header=header, x=float(point[0]), y=float(point[1]))]


def fill_mask_and_box(
    message: Segment | TrackedSegment, header: Header, mask: np.ndarray, encoding: str = FULL
) -> None:
    """Fill the mask of one target, (H, W) bool, in one of `MASK_ENCODINGS`, and the tightest box around it."""
    x0_px, y0_px, x1_px, y1_px = mask_box(mask)
    message.box.x_offset, message.box.y_offset = x0_px, y0_px
    message.box.width, message.box.height = x1_px - x0_px, y1_px - y0_px
    message.image_height, message.image_width = mask.shape
    message.mask_encoding = MASK_ENCODINGS[encoding]
    if message.mask_encoding == Segment.RUNS:
        message.runs = array("I", runs_of(mask).tobytes())
        message.mask.header = header
    elif message.mask_encoding == Segment.CROPPED:
        fill_mask(message.mask, header, mask[y0_px:y1_px, x0_px:x1_px])
    else:
        fill_mask(message.mask, header, mask)


def track_id(instruction_id: str, segment: int) -> str:
    """The name of a turn's target in everything that is said of it."""
    return f"{instruction_id}/{segment}"


def fill_segmentation(
    message: Segmentation, header: Header, instruction: Instruction, turn: int, reply: Reply, encoding: str = FULL
) -> Segmentation:
    """Fill the masks of a turn.

    Args:
        message: Filled and returned.
        header: The header of the image that was segmented.
        instruction: The instruction that it answers.
        turn: Number within its dialogue.
        reply: What the network gave back.
        encoding: How the masks are sent, one of `MASK_ENCODINGS`.
    """
    _fill_ids(message, header, instruction, turn)
    message.status = STATUS_CODES[reply.status]
    message.message = reply.message
    message.novelty = reply.novelty
    message.segments = []
    names = [name_of(segment.phrase) for segment in reply.segments]
    for index, (segment, name) in enumerate(zip(reply.segments, names, strict=True)):
        filled = Segment(phrase=segment.phrase, score=float(segment.score), parent=_parent(name, names))
        filled.label, filled.part, filled.color = name
        filled.track_id = track_id(instruction.instruction_id, index)
        fill_mask_and_box(filled, header, segment.mask, encoding)
        message.segments.append(filled)
    message.latencies = [
        StageLatency(stage=stage, milliseconds=float(value)) for stage, value in reply.latency_ms.items()
    ]
    return message


def fill_explanation(
    message: Explanation, header: Header, instruction: Instruction, turn: int, reply: Reply
) -> Explanation:
    """Fill the final words of a turn; where the turn failed, they say why. Arguments as in `fill_segmentation`."""
    _fill_ids(message, header, instruction, turn)
    message.status = STATUS_CODES[reply.status]
    message.text = reply.text or reply.message
    message.phrases = [
        GroundedPhrase(start=phrase.start, end=phrase.end, segment=phrase.segment) for phrase in reply.phrases
    ]
    message.is_final = True
    return message


def fill_partial(message: Explanation, header: Header, instruction: Instruction, turn: int, text: str) -> Explanation:
    """Fill the words of a turn as far as they have been generated. Arguments as in `fill_segmentation`."""
    _fill_ids(message, header, instruction, turn)
    message.status = Segmentation.UNKNOWN
    message.text = text
    message.is_final = False
    return message


def diagnostic(
    node: str, part: str, message: str, values: Mapping[str, str] = MappingProxyType({}),
    level: bytes = DiagnosticStatus.OK,
) -> DiagnosticStatus:  # fmt: skip
    """What a node says of one of its parts on `/diagnostics`; `node` is its fully qualified name."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=f"{node}: {part}", hardware_id=node, level=level, message=message, values=pairs)


def fill_turn_image(message: TurnImage, header: Header, instruction: Instruction, turn: int, image: Image) -> TurnImage:
    """Fill a picture of a turn, which `image` holds. Other arguments as in `fill_segmentation`."""
    _fill_ids(message, header, instruction, turn)
    message.image = image
    return message


def fill_turn_points(
    message: TurnPoints, header: Header, instruction: Instruction, turn: int, points: PointCloud2
) -> TurnPoints:
    """Fill the points of a turn. Other arguments as in `fill_segmentation`."""
    _fill_ids(message, header, instruction, turn)
    message.points = points
    return message


def _parent(name: Name, names: list[Name]) -> int:
    """Index of the one whole thing that a part belongs to; -1 where there is none, or more than one."""
    wholes = [index for index, other in enumerate(names) if not other.part and other.label == name.label]
    if len(wholes) > 1:
        wholes = [index for index in wholes if names[index].color == name.color]
    return wholes[0] if name.part and name.label and len(wholes) == 1 else -1


def _fill_ids(
    message: Segmentation | Explanation | TurnImage | TurnPoints, header: Header, instruction: Instruction, turn: int
) -> None:
    message.header = header
    message.session_id = instruction.session_id or DEFAULT_SESSION_ID
    message.instruction_id = instruction.instruction_id
    message.turn = turn
    message.instruction_stamp = instruction.header.stamp
