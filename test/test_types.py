from typing import Any

import numpy as np
import pytest

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.types import (
    DEFAULT_SESSION_ID,
    MAX_STAMP_NS,
    MIN_STAMP_NS,
    Frame,
    GroundedPhrase,
    Reply,
    Segment,
    Status,
    Utterance,
)

MASK = np.zeros((4, 6), bool)


@pytest.mark.parametrize(
    ("image", "named"),
    [
        (np.zeros((4, 6), np.uint8), r"\(4, 6\)"),
        (np.zeros((4, 6, 4), np.uint8), r"\(4, 6, 4\)"),
        (np.zeros((4, 6, 3), np.float32), "float32"),
        (np.zeros((0, 6, 3), np.uint8), "height 0 px"),
        (np.zeros((4, 0, 3), np.uint8), "width 0 px"),
        ([[[0, 0, 0]]], "list"),
    ],
)
def test_a_frame_refuses_what_is_no_picture(image: Any, named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        Frame(image)


def test_a_frame_takes_views() -> None:
    assert Frame(np.zeros((4, 6, 3), np.uint8)[::-1, :, ::-1]).stamp_ns == 0


def test_the_empty_session_is_the_default_one() -> None:
    assert Utterance("the mug", session_id="").session_id == DEFAULT_SESSION_ID
    assert Utterance("the mug", session_id="kitchen").session_id == "kitchen"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n\t\u3000"}, "empty"),
        ({"text": "mug \udcff"}, "UTF-8"),
        ({"text": "mug", "confidence": 1.1}, "confidence.*1.1"),
        ({"text": "mug", "confidence": float("nan")}, "confidence.*nan"),
    ],
)
def test_an_utterance_refuses_what_cannot_be_understood(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        Utterance(**arguments)


def test_the_box_of_a_mask_is_half_open() -> None:
    mask = MASK.copy()
    mask[1:3, 2:5] = True
    mask[3, 4] = True
    assert Segment("mug", mask, 0.5).box == (2, 1, 5, 4)
    assert Segment("mug", MASK, 0.0).box == (0, 0, 0, 0)
    assert Segment("mug", ~MASK, 1.0).box == (0, 0, 6, 4)


@pytest.mark.parametrize(("mask", "score"), [(MASK.astype(np.uint8), 0.5), (MASK[0], 0.5), (MASK, 1.01), (MASK, -0.1)])
def test_a_segment_refuses_other_masks_and_scores(mask: np.ndarray, score: float) -> None:
    with pytest.raises(ValueError, match=r"mask must|score must"):
        Segment("mug", mask, score)


@pytest.mark.parametrize(("start", "end", "segment"), [(-1, 2, 0), (3, 2, 0), (0, 1, -1)])
def test_a_phrase_refuses_ranges_that_are_none(start: int, end: int, segment: int) -> None:
    with pytest.raises(ValueError, match="character range"):
        GroundedPhrase(start, end, segment)


def test_phrases_stay_inside_the_reply() -> None:
    segment = Segment("mug", MASK, 0.5)
    assert Reply(Status.GROUNDED, "mug", segments=(segment,), phrases=(GroundedPhrase(0, 3, 0),)).text == "mug"
    for phrase in (GroundedPhrase(0, 4, 0), GroundedPhrase(0, 3, 1)):
        with pytest.raises(ValueError, match="beyond"):
            Reply(Status.GROUNDED, "mug", segments=(segment,), phrases=(phrase,))


@pytest.mark.parametrize("stamp_ns", [MAX_STAMP_NS + 1, MIN_STAMP_NS - 1, 2147483647 * 10**9 + 4294967295])
def test_a_stamp_that_no_message_can_carry_is_refused_at_the_door(stamp_ns: int) -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    for make in (
        lambda: Utterance("the mug", stamp_ns=stamp_ns),
        lambda: Frame(image, stamp_ns),
    ):
        with pytest.raises(BadInputError, match=r"stamp is .* beyond 32 bits of seconds; remedy"):
            make()
    for fine in (MAX_STAMP_NS, MIN_STAMP_NS, 0):
        assert Utterance("the mug", stamp_ns=fine).stamp_ns == Frame(image, fine).stamp_ns
