"""Turns as they are put together from messages that come in any order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from pixelrs_ros.msg import (
    Explanation,
    Geometry,
    GroundedPhrase,
    Instruction,
    Segment,
    Segmentation,
    StageLatency,
    Turn,
    TurnImage,
)
from pixelrs_ros.srv import MarkTurn

from pixelrs_ros.ros.console import transcript as transcripts
from pixelrs_ros.ros.console.transcript import Transcript
from pixelrs_ros.ros.wire.conversions import ns_to_stamp
from pixelrs_ros.types import Status, Verdict


def names(number: int = 0, session_id: str = "default") -> dict[str, Any]:
    """What every message of a turn carries."""
    stamp = ns_to_stamp(100 + number)
    return {"session_id": session_id, "instruction_id": f"i{number}", "turn": number, "instruction_stamp": stamp}


def said(text: str, number: int = 0, instruction_id: str = "", session_id: str = "") -> Instruction:
    message = Instruction(text=text, instruction_id=instruction_id, session_id=session_id)
    message.header.stamp = ns_to_stamp(100 + number)
    return message


def answered(
    text: str, number: int = 0, status: int = Segmentation.ANSWERED, session_id: str = "default"
) -> Explanation:
    return Explanation(text=text, is_final=True, status=status, **names(number, session_id))


def a_mask() -> Segment:
    place, half_turn = Point(x=0.1, y=0.2, z=0.9), Quaternion(z=1.0, w=0.0)
    geometry = Geometry(
        status=Geometry.MEASURED, centroid=place, box_pose=Pose(position=place, orientation=half_turn),
        box_size=Vector3(x=0.2, y=0.1, z=0.05),
    )  # fmt: skip
    return Segment(phrase="the mug", score=0.5, geometry=geometry)


def test_what_several_topics_say_of_a_turn_is_one_turn_in_whatever_order_they_come() -> None:
    phrases = [GroundedPhrase(start=0, end=7, segment=0)]
    calls = [
        lambda known: known.on_instruction(said("the mug", instruction_id="i0")),
        lambda known: known.on_explanation(
            Explanation(text="The mug.", is_final=True, status=Segmentation.GROUNDED, phrases=phrases, **names())
        ),
        lambda known: known.on_segmentation(
            Segmentation(segments=[a_mask()], latencies=[StageLatency(stage="total", milliseconds=5.0)], **names())
        ),
        lambda known: known.add_picture(TurnImage(**names()), b"jpeg"),
    ]
    found = set()
    for order in itertools.permutations(calls):
        known = Transcript()
        for call in order:
            call(known)
        (turn,) = known.turns("default")
        assert known.picture(turn.key) == b"jpeg"
        assert (turn.said, turn.answer, turn.status, turn.number) == ("the mug", "The mug.", Status.GROUNDED, 0)
        assert turn.latency_ms == {"total": 5.0} and turn.has_picture
        found.add((turn.phrases, turn.targets))
    assert len(found) == 1


def test_a_targets_box_is_turned_and_placed() -> None:
    known = Transcript()
    known.on_segmentation(Segmentation(segments=[a_mask()], **names()))
    (target,) = known.turns("default")[0].targets
    assert target.centroid_m == (0.1, 0.2, 0.9) and target.size_m == (0.2, 0.1, 0.05)
    first, last = target.corners_m[0], target.corners_m[-1]  # turned by 180 degrees about z
    assert first == pytest.approx((0.2, 0.25, 0.875)) and last == pytest.approx((0.0, 0.15, 0.925))
    for corner, bit in itertools.product(range(8), (1, 2, 4)):
        one, other = target.corners_m[corner], target.corners_m[corner ^ bit]
        assert sum(abs(a - b) > 1e-9 for a, b in zip(one, other, strict=True)) == 1, "an edge along one axis"


def test_an_answer_grows() -> None:
    known = Transcript()
    for text in ("Here", "Here is"):
        known.on_explanation(Explanation(text=text, **names()))
        (turn,) = known.turns("default")
        assert (turn.answer, turn.status) == (text, None)


def test_spoken_words_without_a_name_are_known_by_their_stamp() -> None:
    known = Transcript()
    known.on_instruction(said("the pot", number=3))
    assert known.turns("default") == []
    known.on_explanation(answered("There.", number=3))
    assert [turn.said for turn in known.turns("default")] == ["the pot"]


def test_what_the_node_remembers_joins_what_was_heard() -> None:
    known = Transcript()
    known.on_explanation(answered("Third.", number=2))
    known.load(
        "default",
        [
            Turn(index=0, instruction_id="i0", text="one", answer="[OBJ]The mug[SEG].", status=Segmentation.GROUNDED),
            Turn(index=1, text="two", answer="Which one?[ASK]", status=Segmentation.NEEDS_CLARIFICATION),
            Turn(index=2, instruction_id="i2", text="three", answer="Third.", status=Segmentation.ANSWERED),
        ],
    )
    turns = known.turns("default")
    assert [turn.said for turn in turns] == ["one", "two", "three"]
    assert [turn.answer for turn in turns] == ["The mug.", "Which one?", "Third."]
    assert [(phrase.start, phrase.end) for phrase in turns[0].phrases] == [(0, 7)]
    before = known.version
    known.load(
        "default", [Turn(index=1, text="two", answer="Which one?[ASK]", status=Segmentation.NEEDS_CLARIFICATION)]
    )
    assert known.version == before and len(known.turns("default")) == 3


def test_what_nobody_can_answer_is_lost_until_it_is_answered_all_the_same() -> None:
    known = Transcript()
    for number in range(2):
        known.on_instruction(said("x", number, instruction_id=f"i{number}"))
    known.on_explanation(answered("Done.", 0))
    version = known.version
    known.lose_open()
    assert [turn.is_lost for turn in known.turns("default")] == [False, True] and known.version > version
    known.on_explanation(Explanation(text="He", **names(1)))
    assert not any(turn.is_lost for turn in known.turns("default"))


def test_dialogues_are_apart_and_forgotten_one_by_one() -> None:
    known = Transcript()
    known.on_explanation(answered("a", session_id="a"))
    known.on_explanation(answered("b", session_id="b"))
    known.add_picture(TurnImage(**names(session_id="a")), b"jpeg")
    key = known.turns("a")[0].key
    known.forget("a")
    assert known.turns("a") == [] and known.picture(key) is None
    assert [turn.answer for turn in known.turns("b")] == ["b"]


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAX_TURNS", 3)
    monkeypatch.setattr(transcripts, "MAX_PICTURES", 2)
    known = Transcript()
    for number in range(5):
        known.on_instruction(said("x", number))
        known.add_picture(TurnImage(**names(number)), b"jpeg")
    turns = known.turns("default")
    assert [turn.number for turn in turns] == [2, 3, 4]
    assert [known.picture(turn.key) for turn in turns] == [None, b"jpeg", b"jpeg"]


def test_a_mark_is_loaded_changed_and_taken_back() -> None:
    known = Transcript()
    known.load(
        "default", [Turn(index=0, instruction_id="i0", status=Segmentation.GROUNDED, verdict=MarkTurn.Request.BAD)]
    )
    assert [turn.verdict for turn in known.turns("default")] == [Verdict.BAD]
    for verdict in (Verdict.GOOD, None):
        version = known.version
        known.on_mark("default", "i0", verdict)
        assert [turn.verdict for turn in known.turns("default")] == [verdict] and known.version > version
