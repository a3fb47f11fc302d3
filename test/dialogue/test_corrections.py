"""Which words say that the answer before was wrong, in the voices of the simulator's people."""

from __future__ import annotations

import pytest

from pixelrs_ros.dialogue.corrections import corrects
from pixelrs_ros.types import Status, Turn


def answered(status: Status) -> Turn:
    return Turn(0, "the mug", "[OBJ]the red mug[SEG]", status)


@pytest.mark.parametrize(
    "text",
    [
        "No, not that.",
        "no no, the blue one",
        "Not that one, the one on the left",
        "That's the wrong one!",
        "that is not what I meant",
        "Wrong one",
        "I meant the handle",
        "Nope",
        "Oh no, I was talking about the pan.",
        "It isn’t the mug",
    ],
)
def test_words_that_correct(text: str) -> None:
    assert corrects(text, answered(Status.GROUNDED)) and corrects(text, answered(Status.NOT_FOUND))
    assert not corrects(text, answered(Status.CLARIFY)), "a question may be answered with no"
    assert not corrects(text, answered(Status.ANSWERED)) and not corrects(text, None)


@pytest.mark.parametrize(
    "text",
    [
        "No thanks",
        "no problem, and now the pan",
        "Now the handle",
        "the one that is not red",
        "Nothing else",
        "Note it",
    ],
)
def test_words_that_do_not(text: str) -> None:
    assert not corrects(text, answered(Status.GROUNDED))
