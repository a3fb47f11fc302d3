"""Rows of the store of dialogues as values: SQLite does not look at types and ranges, this does.

Every function raises `BadValueError` for a value that no column of a whole store holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pixelrs_ros.dialogue.evidence import MAX_SIDE_PX, StoredMask
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.types import MAX_STAMP_NS, MIN_STAMP_NS, Mark, Point, Status, Turn, Verdict

_MAX_INDEX = 2**32 - 1  # what a message can carry


@dataclass(frozen=True)
class StoredDialogue:
    """A dialogue as it is on disk.

    Attributes:
        session_id: Its name.
        num_turns: How many turns are stored.
        next_index: The number of its next turn.
        active_ns: When its last turn ended, nanoseconds of the computer's clock since the epoch.
    """

    session_id: str
    num_turns: int
    next_index: int
    active_ns: int


class BadValueError(ValueError):
    """A value that no column of a whole store holds: SQLite does not look at types and ranges."""


def text_of(name: str, value: object) -> str:
    """A column of text, checked."""
    if not isinstance(value, str):
        raise BadValueError(f"{name} must be a text, got {value!r}")
    return value


def number_of(value: object) -> int:
    """A turn's number, checked."""
    return _whole("number", value, _MAX_INDEX)


def _whole(name: str, value: object, high: int) -> int:
    if type(value) is not int or not 0 <= value <= high:
        raise BadValueError(f"{name} must be a whole number of 0 to {high}, got {value!r}")
    return value


def bytes_of(name: str, value: object) -> bytes:
    """A column of bytes, checked."""
    if not isinstance(value, bytes):
        raise BadValueError(f"{name} must be bytes, got a {type(value).__name__}")
    return value


def _stamp_ns(name: str, value: object) -> int:
    """A time; one that no message can carry, which earlier versions let in, becomes the nearest that one can."""
    if type(value) is not int:
        raise BadValueError(f"{name} must be a whole number, got {value!r}")
    return min(max(value, MIN_STAMP_NS), MAX_STAMP_NS)


def dialogue_of(row: tuple[object, ...]) -> StoredDialogue:
    """A dialogue of (session_id, number of turns, next_turn, active_ns)."""
    session_id, count, next_turn, active_ns = row
    if type(active_ns) is not int:
        raise BadValueError(f"active_ns must be a whole number, got {active_ns!r}")
    return StoredDialogue(
        text_of("session_id", session_id),
        _whole("count", count, _MAX_INDEX),
        _whole("next_turn", next_turn, _MAX_INDEX),
        active_ns,
    )


def turn_of(row: tuple[object, ...]) -> Turn:
    """A turn of its columns: number, text, answer, status, both stamps, frame_id, instruction_id, point_x, point_y."""
    number, text, answer, status, instruction_ns, image_ns, frame_id, instruction_id, point_x, point_y = row
    try:
        known = Status(status)
    except ValueError as error:
        raise BadValueError(f"status must be one of {', '.join(Status)}, got {status!r}") from error
    return Turn(
        number_of(number),
        text_of("text", text),
        text_of("answer", answer),
        known,
        _stamp_ns("instruction_ns", instruction_ns),
        _stamp_ns("image_ns", image_ns),
        text_of("frame_id", frame_id),
        text_of("instruction_id", instruction_id),
        _point_of(point_x, point_y),
    )


def _point_of(x: object, y: object) -> Point | None:
    """A place in a picture, checked; neither number: none."""
    if x is None and y is None:
        return None
    if not (isinstance(x, float) and isinstance(y, float) and 0 <= x < MAX_SIDE_PX and 0 <= y < MAX_SIDE_PX):
        raise BadValueError(f"point_x and point_y must be numbers of 0 to {MAX_SIDE_PX}, got {x!r} and {y!r}")
    return x, y


def mask_of(row: tuple[object, ...]) -> StoredMask:
    """A mask of (phrase, score, height_px, width_px, bits)."""
    phrase, score, height_px, width_px, bits = row
    if not isinstance(score, float):
        raise BadValueError(f"score must be a number, got {score!r}")
    try:
        return StoredMask(
            text_of("phrase", phrase),
            score,
            _whole("height_px", height_px, MAX_SIDE_PX),
            _whole("width_px", width_px, MAX_SIDE_PX),
            bytes_of("bits", bits),
        )
    except ValueError as error:
        raise BadValueError(str(error)) from error


def mark_of(row: tuple[object, ...]) -> Mark:
    """A mark of (verdict, note)."""
    verdict, note = row
    try:
        return Mark(Verdict(verdict), text_of("note", note))
    except (ValueError, BadInputError) as error:
        raise BadValueError(str(error)) from error
