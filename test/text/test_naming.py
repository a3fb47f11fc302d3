import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.text.naming import Name, name_of


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("the handle of the red mug", Name("mug", "handle", "red")),
        ("The red mug's handle", Name("mug", "handle", "red")),
        ("the black handle of the knife", Name("knife", "handle", "black")),
        ("that red mug there", Name("mug", "", "red")),
        ("the blue mug on the left", Name("mug", "", "blue")),
        ("the dark green bottle", Name("bottle", "", "green")),
        ("the water bottle", Name("water bottle", "", "")),
        ("the screwdriver", Name("screwdriver", "", "")),
        ("the red one", Name("", "", "red")),
        ("the one of red color", Name("", "", "red")),
        ("the lid of it", Name("", "lid", "")),
        ("this one", Name("", "", "")),
        ("the left one", Name("", "", "")),
        ("it", Name("", "", "")),
        ("", Name("", "", "")),
    ],
)
def test_a_phrase_is_taken_apart(phrase: str, expected: Name) -> None:
    assert name_of(phrase) == expected


@given(st.text())
def test_any_words_have_a_name_or_none(phrase: str) -> None:
    name = name_of(phrase)
    assert all(len(word) <= len(phrase.casefold()) for word in name)
