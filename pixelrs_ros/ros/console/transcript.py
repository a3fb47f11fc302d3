"""The dialogues as they are heard on the topics and read back from the node. May be asked from any thread."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from pixelrs_ros.geometry.box import rotation_of
from pixelrs_ros.msg import Explanation, Geometry, Instruction, Segment, Segmentation, Turn
from pixelrs_ros.ros.console.views import TargetView, TurnView
from pixelrs_ros.ros.wire.conversions import stamp_to_ns
from pixelrs_ros.status_codes import STATUSES, VERDICTS
from pixelrs_ros.text.answer import parse
from pixelrs_ros.types import DEFAULT_SESSION_ID, GroundedPhrase, Verdict

MAX_TURNS = 1000  # of all dialogues together; the oldest are forgotten first, here and not on the robot
MAX_PICTURES = 200


class Transcript:
    """Puts together what several topics say of each turn.

    Attributes:
        version: Grows with every change.
    """

    def __init__(self) -> None:
        self.version = 0
        self._lock = threading.Lock()
        self._keys = itertools.count(1)
        self._turns: OrderedDict[tuple[str, str], TurnView] = OrderedDict()  # by dialogue and instruction
        self._said: OrderedDict[tuple[str, int], str] = OrderedDict()  # by dialogue and stamp
        self._pictures: OrderedDict[int, bytes] = OrderedDict()  # JPEG by key

    def turns(self, session_id: str) -> list[TurnView]:
        """The turns of a dialogue, oldest first."""
        with self._lock:
            found = [turn for (session, _), turn in self._turns.items() if session == session_id]
        return sorted(found, key=lambda turn: (turn.number is None, turn.number or 0, turn.key))

    def picture(self, key: int) -> bytes | None:
        """The picture of a turn with its masks, as JPEG."""
        with self._lock:
            return self._pictures.get(key)

    # What the topics say

    def on_instruction(self, message: Instruction) -> None:
        """The user has said something."""
        session_id = message.session_id or DEFAULT_SESSION_ID
        with self._lock:
            self._said[session_id, stamp_to_ns(message.header.stamp)] = said_in(message)
            while len(self._said) > MAX_TURNS:
                self._said.popitem(last=False)
        if message.instruction_id:
            self._change(session_id, message.instruction_id, said=said_in(message))

    def on_explanation(self, message: Explanation) -> TurnView:
        """The robot speaks, or has spoken; the turn as it is known now."""
        if not message.is_final:
            return self._hear(message, answer=message.text)
        phrases = tuple(GroundedPhrase(phrase.start, phrase.end, phrase.segment) for phrase in message.phrases)
        return self._hear(message, answer=message.text, phrases=phrases, status=STATUSES.get(message.status))

    def on_segmentation(self, message: Segmentation) -> None:
        """The masks of a turn are here."""
        latency_ms = {latency.stage: float(latency.milliseconds) for latency in message.latencies}
        self._hear(message, targets=tuple(map(_target, message.segments)), latency_ms=latency_ms)

    def add_picture(self, message: Any, jpeg: bytes) -> None:
        """Take the picture of a turn; `message` is the TurnImage that it came in."""
        key = self._hear(message, has_picture=True).key
        with self._lock:
            self._pictures[key] = jpeg
            while len(self._pictures) > MAX_PICTURES:
                self._pictures.popitem(last=False)

    # What the node remembers

    def load(self, session_id: str, turns: Iterable[Turn]) -> None:
        """Take the turns that the node remembers of a dialogue."""
        heard = {turn.instruction_id for turn in self.turns(session_id) if turn.status is not None}
        for turn in turns:
            name = turn.instruction_id or f"turn {turn.index}"  # those of earlier versions have none
            known: dict[str, Any] = {"said": said_in(turn), "number": turn.index, "verdict": VERDICTS.get(turn.verdict)}
            if name not in heard:
                answer = parse(turn.answer)
                known |= {"answer": answer.text, "phrases": answer.phrases, "status": STATUSES.get(turn.status)}
            self._change(session_id, name, **known)

    def on_mark(self, session_id: str, instruction_id: str, verdict: Verdict | None) -> None:
        """A turn has been marked, or its mark taken back."""
        self._change(session_id, instruction_id, verdict=verdict)

    def lose_open(self) -> None:
        """Nobody answers the turns any more that have not ended."""
        with self._lock:
            for name, turn in self._turns.items():
                if turn.status is None and not turn.is_lost:
                    self._turns[name] = replace(turn, is_lost=True)
                    self.version += 1

    def forget(self, session_id: str) -> None:
        """Drop a dialogue."""
        with self._lock:
            for name in [name for name in self._turns if name[0] == session_id]:
                self._pictures.pop(self._turns.pop(name).key, None)
            self.version += 1

    def _hear(self, message: Any, **known: Any) -> TurnView:
        """Note what a message says of the turn that it names."""
        with self._lock:
            said = self._said.get((message.session_id, stamp_to_ns(message.instruction_stamp)))
        if said is not None:
            known["said"] = said
        return self._change(message.session_id, message.instruction_id, number=message.turn, is_lost=False, **known)

    def _change(self, session_id: str, instruction_id: str, **known: Any) -> TurnView:
        name = session_id, instruction_id
        with self._lock:
            before = self._turns.get(name) or TurnView(next(self._keys), session_id, instruction_id)
            after = replace(before, **known)
            if after != self._turns.get(name):
                self._turns[name] = after
                self.version += 1
            while len(self._turns) > MAX_TURNS:
                _, oldest = self._turns.popitem(last=False)
                self._pictures.pop(oldest.key, None)
        return after


def said_in(message: Instruction | Turn) -> str:
    """The user's words, and whether they came with a place that was pointed at."""
    return f"{message.text} (pointing)" if message.pointing else str(message.text)


def _target(segment: Segment) -> TargetView:
    target = TargetView(segment.phrase, float(segment.score))
    geometry = segment.geometry
    if geometry.status != Geometry.MEASURED:
        return target
    center, size, pose = geometry.centroid, geometry.box_size, geometry.box_pose
    size_m, turned = np.array([size.x, size.y, size.z]), pose.orientation
    signs = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    corners_m = signs * size_m @ rotation_of((turned.x, turned.y, turned.z, turned.w)).T
    corners_m += (pose.position.x, pose.position.y, pose.position.z)
    return replace(
        target,
        centroid_m=(center.x, center.y, center.z),
        size_m=(size.x, size.y, size.z),
        corners_m=tuple((float(x), float(y), float(z)) for x, y, z in corners_m),
    )
