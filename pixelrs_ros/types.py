"""The values that travel between the robot, the dialogue and the network. Frozen, validated on construction."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pixelrs_ros.errors import BadInputError

DEFAULT_SESSION_ID = "default"
MAX_SESSION_ID_CHARACTERS = MAX_INSTRUCTION_ID_CHARACTERS = 256
MAX_NOTE_CHARACTERS = 2000
# What builtin_interfaces/Time can carry: 32 bits of seconds.
MIN_STAMP_NS, MAX_STAMP_NS = -(2**31) * 10**9, 2**31 * 10**9 - 1

Point = tuple[float, float]  # a place in a picture: px from its left and from its top edge
POINTING = "this one"  # what somebody says who points and says nothing


class Status(str, enum.Enum):
    """How a turn ended."""

    GROUNDED = "grounded"  # the answer holds at least one mask
    ANSWERED = "answered"  # words only: nothing had to be segmented
    NOT_FOUND = "not_found"  # what the user wants is not in the picture
    CLARIFY = "clarify"  # more than one thing fits: the answer is a question
    BAD_INPUT = "bad_input"  # the instruction or the image could not be used
    INTERNAL_ERROR = "internal_error"  # our fault; the message says what happened
    NO_FRAME = "no_frame"  # there is no image of the instruction's moment
    REJECTED = "rejected"  # not begun: busy, or too many instructions
    CANCELLED = "cancelled"  # begun and called off
    NOT_UNDERSTOOD = "not_understood"  # spoken words that the recognizer was not sure of; not acted on

    @property
    def answered(self) -> bool:
        """Whether the network answered; else a message says why not, and the dialogue is as it was."""
        return self in (Status.GROUNDED, Status.ANSWERED, Status.NOT_FOUND, Status.CLARIFY)


@dataclass(frozen=True)
class Frame:
    """One camera image.

    Attributes:
        image: (H, W, 3) uint8 RGB in [0, 255].
        stamp_ns: Capture time in nanoseconds since the epoch of the publisher's clock, as a message can carry it.
        frame_id: Coordinate frame of the camera.
    """

    image: np.ndarray
    stamp_ns: int = 0
    frame_id: str = ""

    def __post_init__(self) -> None:
        image = self.image
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            got = f"{getattr(image, 'dtype', type(image).__name__)} {getattr(image, 'shape', '')}"
            raise BadInputError(f"image must be an (H, W, 3) uint8 RGB array, got {got}")
        if image.shape[0] < 1 or image.shape[1] < 1:
            raise BadInputError(f"image is empty: height {image.shape[0]} px, width {image.shape[1]} px")
        if not is_unicode(self.frame_id):
            raise BadInputError("the image's frame_id is not text: it holds a lone surrogate; remedy: send UTF-8")
        check_stamp("the image's stamp", self.stamp_ns)


@dataclass(frozen=True)
class Utterance:
    """One instruction of the user.

    Attributes:
        text: What was said or typed; not empty after stripping white space.
        session_id: Which dialogue it belongs to; the empty string means the default session.
        stamp_ns: Start of the utterance, nanoseconds, same clock as the frames.
        source: Whether it was typed or spoken.
        confidence: How sure the speech recognizer is, in [0, 1]; 1 for typed text.
        replace_last: A correction or repetition: takes the place of the dialogue's last turn, where there is one.
        instruction_id: Names the instruction; empty: nothing does.
        number: That its turn has been given within the dialogue; None: the smallest one that is free.
        point: Where in the picture the user points; None: nowhere.
    """

    text: str
    session_id: str = DEFAULT_SESSION_ID
    stamp_ns: int = 0
    source: Literal["typed", "spoken"] = "typed"
    confidence: float = 1.0
    replace_last: bool = False
    instruction_id: str = ""
    number: int | None = None
    point: Point | None = None

    def __post_init__(self) -> None:
        if not self.session_id:
            object.__setattr__(self, "session_id", DEFAULT_SESSION_ID)
        check_session_id(self.session_id)
        check_instruction_id(self.instruction_id)
        if not self.text.strip():
            raise BadInputError("the instruction is empty")
        if self.point is not None:
            object.__setattr__(self, "point", tuple(map(float, self.point)))
        if not is_unicode(self.text):
            raise BadInputError("the instruction is not text: it holds a lone surrogate; remedy: send UTF-8")
        if not 0.0 <= self.confidence <= 1.0:
            raise BadInputError(f"confidence must lie in [0, 1], got {self.confidence}")
        check_stamp("the instruction's stamp", self.stamp_ns)

    def check_points_into(self, frame: Frame) -> None:
        """Find out whether what is pointed at lies in a picture.

        Raises:
            BadInputError: It does not.
        """
        if self.point is not None:
            height_px, width_px = frame.image.shape[:2]
            x, y = self.point
            if not (0 <= x < width_px and 0 <= y < height_px):  # NaN is neither
                raise BadInputError(
                    f"pointing at ({x:g}, {y:g}) px lies outside of the image of {width_px}x{height_px} px"
                )


def check_session_id(session_id: str) -> None:
    """Find out whether a dialogue may be called so.

    Raises:
        BadInputError: The id is too long or not text.
    """
    _check_name("session_id", session_id, MAX_SESSION_ID_CHARACTERS)


def check_instruction_id(instruction_id: str) -> None:
    """Find out whether an instruction may be called so.

    Raises:
        BadInputError: The id is too long or not text.
    """
    _check_name("instruction_id", instruction_id, MAX_INSTRUCTION_ID_CHARACTERS)


def _check_name(what: str, name: str, max_characters: int) -> None:
    if len(name) > max_characters:
        raise BadInputError(f"the {what} has {len(name)} characters, at most {max_characters} are accepted")
    if not is_unicode(name):
        raise BadInputError(f"the {what} is not text: it holds a lone surrogate; remedy: send UTF-8")


def check_stamp(what: str, stamp_ns: int) -> None:
    """Find out whether a time can be carried by a message.

    Raises:
        BadInputError: It cannot; the message begins with `what` it is of.
    """
    if not MIN_STAMP_NS <= stamp_ns <= MAX_STAMP_NS:
        raise BadInputError(f"{what} is {stamp_ns} ns, beyond 32 bits of seconds; remedy: keep nanosec below 10^9")


def is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8; bytes that a terminal could not decode leave surrogates behind."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Tightest box around an (H, W) bool mask: (x0, y0, x1, y1) in px, half open; all zero when the mask is empty."""
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if columns.size == 0:
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


@dataclass(frozen=True)
class Segment:
    """One mask and the words it belongs to.

    Attributes:
        phrase: The words of the answer that the mask grounds.
        mask: (H, W) bool at the size of the input image.
        score: The network's own estimate of the mask's IoU, calibrated, in [0, 1].
        quality: What the mask decoder alone estimates, in [0, 1]: whether the mask is well cut, whatever it shows.
        certainty: Probability of the words that name the target, in [0, 1].
    """

    phrase: str
    mask: np.ndarray
    score: float
    quality: float = 1.0
    certainty: float = 1.0

    def __post_init__(self) -> None:
        if self.mask.dtype != np.bool_ or self.mask.ndim != 2:
            raise ValueError(f"mask must be (H, W) bool, got {self.mask.dtype} {self.mask.shape}")
        for name in ("score", "quality", "certainty"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1) in px, half open; all zero when the mask is empty."""
        return mask_box(self.mask)


@dataclass(frozen=True)
class GroundedPhrase:
    """Characters [start, end) of the reply's text belong to segment number `segment`."""

    start: int
    end: int
    segment: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end or self.segment < 0:
            raise ValueError(f"not a character range of a segment: {self}")


@dataclass(frozen=True)
class Reply:
    """What one turn gives back.

    Attributes:
        status: How the turn ended.
        text: The explanation, free of special tokens.
        answer: The same answer as the network wrote it, with its `[OBJ]`, `[SEG]` and status tokens; this is what the
            dialogue's history keeps.
        segments: The masks, in the order of their phrases.
        phrases: Character ranges of `text`, one a segment.
        latency_ms: Milliseconds by stage ("encode", "prefill", "generate", "masks", "total").
        message: What went wrong, for every status from `BAD_INPUT` on; else empty.
        novelty: How far the picture is from those that the network was trained on: up to 1 for 99 of 100 pictures like
            them, more for others, whose scores are lowered; 0: not known.
    """

    status: Status
    text: str
    answer: str = ""
    segments: tuple[Segment, ...] = ()
    phrases: tuple[GroundedPhrase, ...] = ()
    latency_ms: dict[str, float] = field(default_factory=dict)
    message: str = ""
    novelty: float = 0.0

    def __post_init__(self) -> None:
        for phrase in self.phrases:
            if phrase.end > len(self.text) or phrase.segment >= len(self.segments):
                raise ValueError(f"{phrase} reaches beyond the text or the {len(self.segments)} segments")

    @property
    def is_unlikely(self) -> bool:
        """Whether the picture is unlike those that the network was trained on, so that its answer means little."""
        return self.novelty > 1.0

    def union_mask(self, height_px: int, width_px: int) -> np.ndarray:
        """(H, W) bool: pixels that lie in any of the masks; none when there is no mask."""
        union = np.zeros((height_px, width_px), dtype=np.bool_)
        for segment in self.segments:
            union |= segment.mask
        return union


def unlikely(reply: Reply) -> str:
    """What is said of a turn whose picture is unlike those that the network was trained on."""
    measure = f"novelty {reply.novelty:.1f}, usual is up to 1"
    return f"the image is unlike those that the checkpoint was trained on ({measure}): its answers mean little"


class Verdict(str, enum.Enum):
    """What somebody says of a turn."""

    GOOD = "good"  # what was shown is what was meant
    BAD = "bad"  # it is not


@dataclass(frozen=True)
class Mark:
    """Somebody's verdict on a turn.

    Attributes:
        verdict: Whether it was right.
        note: What was said of it; may be empty.

    Raises:
        BadInputError: The note is too long or not text.
    """

    verdict: Verdict
    note: str = ""

    def __post_init__(self) -> None:
        _check_name("note", self.note, MAX_NOTE_CHARACTERS)


@dataclass(frozen=True)
class Turn:
    """One past exchange of a dialogue.

    Attributes:
        index: Number within the dialogue, from 0; those of turns that failed or were corrected are missing.
        text: The user's words.
        answer: The network's answer with its special tokens.
        status: How it ended.
        instruction_stamp_ns: Start of the utterance, nanoseconds.
        image_stamp_ns: Capture time of the image that it was about, nanoseconds.
        frame_id: Coordinate frame of that image.
        instruction_id: Names the instruction; empty: nothing does.
        point: Where in that image the user pointed; None: nowhere.
    """

    index: int
    text: str
    answer: str
    status: Status
    instruction_stamp_ns: int = 0
    image_stamp_ns: int = 0
    frame_id: str = ""
    instruction_id: str = ""
    point: Point | None = None
