"""The turns of a recording: what the user said, what the robot answered, and the image that it was about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pixelrs_ros import encodings, pictures
from pixelrs_ros.data.bags import COMPRESSED_IMAGE, Bag, Logged, RobotTopics
from pixelrs_ros.dialogue.evidence import StoredMask
from pixelrs_ros.encodings import RawImage, UsedBits
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.text.answer import marked
from pixelrs_ros.types import DEFAULT_SESSION_ID, GroundedPhrase, Point, Segment, Status, Turn

# Constants of the message in the recording, whose numbers another version may have had.
_STATUSES = {status.name: status for status in Status} | {"NEEDS_CLARIFICATION": Status.CLARIFY}
_NAMELESS_NS = 1_000_000_000  # how far a recorder's clock may be from the node's, to match words that have no name
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class BagTurn:
    """One turn that was answered.

    Attributes:
        session_id: Its dialogue.
        turn: Its words, status and stamps; the answer with the network's markers, as the dialogue keeps it.
        text: The answer as it was published.
        masks: In the order of the answer's phrases.
        instruction: The recorded message, or None where the words came as a bare text.
    """

    session_id: str
    turn: Turn
    text: str
    masks: tuple[StoredMask, ...]
    instruction: Any = field(compare=False)

    @property
    def replaces_last(self) -> bool:
        """Whether it took the place of the turn before."""
        return self.instruction is not None and bool(self.instruction.replace_last)


@dataclass(frozen=True)
class BagDialogue:
    """The answered turns of one dialogue, in their order.

    Attributes:
        session_id: Its name.
        turns: Those of which the words are known.
        from_start: Whether it begins in the recording, and none of its answered turns is missing.
    """

    session_id: str
    turns: tuple[BagTurn, ...]
    from_start: bool


@dataclass(frozen=True)
class _Said:
    """An instruction: by what its answer may be found, and the words."""

    session_id: str
    instruction_id: str
    stamp_ns: int
    time_ns: int
    text: str
    message: Any


def read_dialogues(bag: Bag, robot: RobotTopics) -> tuple[list[BagDialogue], dict[Status, int]]:
    """The dialogues with one robot, in the order in which they began.

    Returns:
        Them, and how many turns ended in another way than with an answer.

    Raises:
        DataError: Nothing was answered, or the recording is damaged.
    """
    said, ended, words = _read(bag, robot)
    failed: dict[Status, int] = {}
    dialogues: list[list[tuple[Any, BagTurn | None]]] = []
    current: dict[str, int] = {}  # place of each session's dialogue that goes on
    for answer in ended:
        status = _status(answer)
        session_id = answer.session_id
        if session_id not in current or _begins_anew(answer, [each for each, _ in dialogues[current[session_id]]]):
            current[session_id] = len(dialogues)
            dialogues.append([])
        turn = None
        if status.answered:
            turn = _turn(answer, status, words.get(answer.instruction_id), _take(said, answer))
        else:
            failed[status] = failed.get(status, 0) + 1
        dialogues[current[session_id]].append((answer, turn))
    found = [_dialogue(turns) for turns in dialogues]
    if not any(dialogue.turns for dialogue in found):
        told = ", ".join(f"{count} {status.value}" for status, count in failed.items())
        raise DataError(f"{bag.path}: no turn was answered whose words were recorded{f' ({told})' if told else ''}")
    return found, failed


def pictures_of(
    bag: Bag, topic: str, turns: Sequence[BagTurn], max_megapixels: float
) -> Iterator[tuple[int, np.ndarray]]:
    """The images that turns were about: place of a turn, and (H, W, 3) uint8 RGB. Those of lost images are missing.

    Raises:
        DataError: An image cannot be used; the message says why.
    """
    places: dict[int, list[int]] = {}
    for place, turn in enumerate(turns):
        places.setdefault(turn.turn.image_stamp_ns, []).append(place)
    bits = UsedBits()
    for message in bag.messages(topic):
        wanted = places.pop(message.stamp_ns, None)
        if wanted is not None:
            picture = _rgb(bag, message, bits, max_megapixels)
            yield from ((place, picture) for place in wanted)


def stamp_ns(stamp: Any) -> int:
    """Nanoseconds of a decoded time."""
    return int(stamp.sec) * _NS_PER_S + int(stamp.nanosec)


def _read(bag: Bag, robot: RobotTopics) -> tuple[list[_Said], list[Any], dict[str, Any]]:
    said: list[_Said] = []
    ended: list[Any] = []
    words: dict[str, Any] = {}
    text, instruction = robot.own("instruction_text"), robot.own("instruction")
    segmentation, explanation = robot.own("segmentation"), robot.own("explanation")
    for logged in bag.messages(instruction, text, segmentation, explanation):
        message = bag.decode(logged)
        if logged.topic == segmentation:
            ended.append(message)
        elif logged.topic == explanation:
            if message.is_final:
                words[message.instruction_id] = message
        elif logged.topic == text:
            said.append(_Said(DEFAULT_SESSION_ID, "", 0, logged.time_ns, message.data, None))
        else:
            session_id, stamp = message.session_id or DEFAULT_SESSION_ID, stamp_ns(message.header.stamp)
            said.append(_Said(session_id, message.instruction_id, stamp, logged.time_ns, message.text, message))
    if not ended:
        raise DataError(f"{bag.path}: there are no answers: nothing on {segmentation}")
    return said, ended, words


def _begins_anew(answer: Any, before: Sequence[Any]) -> bool:
    """Whether the dialogue was reset: no turn number is used twice, and a refusal may come before an earlier answer."""
    moment = stamp_ns(answer.instruction_stamp)
    return any(each.turn >= answer.turn and stamp_ns(each.instruction_stamp) < moment for each in before)


def _take(said: list[_Said], answer: Any) -> _Said | None:
    """The instruction that an answer is to, taken off the list; None where it cannot be known."""
    stamp = stamp_ns(answer.instruction_stamp)
    of_session = [one for one in said if one.session_id == answer.session_id]
    named = (one for one in of_session if one.instruction_id == answer.instruction_id)
    stamped = (one for one in of_session if not one.instruction_id and one.stamp_ns == stamp)
    near = (one for one in of_session if not one.stamp_ns and abs(one.time_ns - stamp) < _NAMELESS_NS)
    found = next(named, None) or next(stamped, None)
    found = found or min(near, key=lambda one: abs(one.time_ns - stamp), default=None)
    if found is not None:
        said.remove(found)
    return found


def _status(answer: Any) -> Status:
    for name, status in _STATUSES.items():
        if getattr(answer, name, None) == answer.status:
            return status
    return Status.INTERNAL_ERROR


def _turn(answer: Any, status: Status, words: Any, said: _Said | None) -> BagTurn | None:
    """None where the user's words or the robot's were not recorded."""
    if words is None or said is None:
        return None
    phrases = tuple(GroundedPhrase(phrase.start, phrase.end, phrase.segment) for phrase in words.phrases)
    turn = Turn(
        int(answer.turn),
        said.text,
        marked(words.text, phrases, status),
        status,
        stamp_ns(answer.instruction_stamp),
        stamp_ns(answer.header.stamp),
        answer.header.frame_id,
        answer.instruction_id,
        _point_of(said.message),
    )
    try:
        masks = tuple(
            StoredMask.of(Segment(segment.phrase, mask_of(segment), min(1.0, max(0.0, float(segment.score)))))
            for segment in answer.segments
        )
    except BadInputError as error:
        raise DataError(f"turn {answer.turn} of dialogue {answer.session_id!r}: {error}") from error
    return BagTurn(answer.session_id, turn, words.text, masks, said.message)


def _point_of(instruction: Any) -> Point | None:
    """Where the user pointed; recordings of earlier versions say nothing of it."""
    for place in getattr(instruction, "pointing", ()):
        return float(place.x), float(place.y)
    return None


def _dialogue(turns: Sequence[tuple[Any, BagTurn | None]]) -> BagDialogue:
    turns = sorted(turns, key=lambda one: one[0].turn)
    numbers = [int(answer.turn) for answer, _ in turns]
    known = tuple(turn for _, turn in turns if turn is not None)
    answered = sum(_status(answer).answered for answer, _ in turns)
    whole = numbers == list(range(len(numbers))) and len(known) == answered
    return BagDialogue(turns[0][0].session_id, known, whole)


def _rgb(bag: Bag, message: Logged, bits: UsedBits, max_megapixels: float) -> np.ndarray:
    image = bag.decode(message)
    try:
        if message.kind == COMPRESSED_IMAGE:
            pixels, encoding = pictures.decode_camera_image(memoryview(image.data), image.format, max_megapixels)
            height_px, width_px = pixels.shape[:2]
            raw = RawImage(pixels.data, encoding, width_px, height_px, pixels.strides[0])
        else:
            data = memoryview(image.data)
            raw = RawImage(data, image.encoding, image.width, image.height, image.step, bool(image.is_bigendian))
        return encodings.to_rgb(raw, bits.of(raw))
    except BadInputError as error:
        raise DataError(f"{bag.path}: an image on {message.topic}: {error}") from error
