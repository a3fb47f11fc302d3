"""What words fit, on a table set by hand."""

from __future__ import annotations

import pytest

from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.talk.refer import Expression, fits


def thing(number: int, kind: str, color: str, x: float, y: float, *, side: float = 60.0, twin: int = 1) -> Element:
    half = side / 2
    box = (int(x - half), int(y - half), int(x + half), int(y + half))
    return Element(number, kind, color, (x, y), int(side * side), box, {}, twin)


# From above, far things at the top:      blue book
#                          red mug   knife   red mug (twin, big)      green ball
RED = thing(1, "mug", "red", 100, 300)
KNIFE = thing(2, "knife", "black", 200, 310)
TWIN = thing(3, "mug", "red", 300, 305, side=90, twin=2)
BALL = thing(4, "ball", "green", 520, 300, side=40)
BOOK = thing(5, "book", "blue", 310, 150, side=70)
TABLE = (RED, KNIFE, TWIN, BALL, BOOK)


def E(form: str, kind: str = "", color: str = "", value: str = "", *refs: Element) -> Expression:  # noqa: N802
    return Expression(form, kind, color, value, refs)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (E("kind", "mug"), (RED, TWIN)),
        (E("kind", "lamp"), ()),
        (E("color", color="blue"), (BOOK,)),
        (E("color_kind", "mug", "red"), (RED, TWIN)),
        (E("color_kind", "mug", "blue"), ()),
        (E("not_color", color="red"), (KNIFE, BALL, BOOK)),
        (E("not_color", color="white"), None),
        (E("not_kind", "mug"), (KNIFE, BALL, BOOK)),
        (E("group", value="cutlery"), (KNIFE,)),
        (E("group", value="tool"), None),  # is a knife one?
        (E("left"), (RED,)),
        (E("right"), (BALL,)),
        (E("far"), (BOOK,)),
        (E("near"), None),  # all but one stand in a row
        (E("left.kind", "mug"), (RED,)),
        (E("left.kind", "lamp"), ()),
        (E("left.kind", "ball"), None),  # there is but one
        (E("big.kind", "mug"), (TWIN,)),
        (E("small"), (BALL,)),
        (E("big"), (TWIN,)),
        (E("middle"), None),  # of five
        (E("middle.kind", "lamp"), ()),
        (E("from_left", value="1"), None),  # two stand above one another
        (E("from_left.kind", "mug", value="1"), (TWIN,)),
        (E("from_right.kind", "mug", value="1"), (RED,)),
        (E("from_left.kind", "mug", value="2"), ()),
        (E("next_to", "mug", "", "", KNIFE), (RED, TWIN)),
        (E("next_to", "book", "", "", KNIFE), None),  # neither near nor far
        (E("next_to", "ball", "", "", KNIFE), ()),
        (E("left_of", "mug", "", "", KNIFE), (RED,)),
        (E("right_of", "mug", "", "", KNIFE), (TWIN,)),
        (E("behind", "book", "", "", TWIN), (BOOK,)),
        (E("in_front_of", "knife", "", "", BOOK), (KNIFE,)),
        (E("in_front_of", "mug", "", "", BOOK), None),  # one of them stands aside
        (E("between", "knife", "", "", RED, TWIN), (KNIFE,)),
        (E("between", "", "", "", KNIFE, RED), None),  # no room between them
        (E("all.kind", "mug"), (RED, TWIN)),
        (E("all.color", color="green"), (BALL,)),
        (E("both.kind", "mug"), (RED, TWIN)),
    ],
    ids=lambda value: f"{value.form}-{value.kind}{value.color}{value.value}" if isinstance(value, Expression) else "",
)
def test_what_fits(expression: Expression, expected: tuple[Element, ...] | None) -> None:
    assert fits(expression, TABLE) == expected


def test_three_in_a_row_have_a_middle_and_order() -> None:
    row = (RED, KNIFE, BALL)
    assert fits(E("middle"), row) == (KNIFE,)
    assert fits(E("from_left", value="2"), row) == (BALL,) and fits(E("from_right", value="2"), row) == (RED,)
    assert fits(E("from_left", value="3"), row) == ()


def test_what_a_wish_needs_is_what_fits_it() -> None:
    assert fits(E("wish", value="drink"), TABLE) == (RED, TWIN)
    assert fits(E("wish", value="drink"), (KNIFE, BALL)) == ()
