import pytest

from pixelrs_ros.evaluation.referents import Referent, Vocabulary, referent_of, words

VOCABULARY = Vocabulary(
    colors=frozenset({"red", "blue"}),
    kinds=frozenset({"mug", "bowl", "spoon"}),
    parts=frozenset({"handle", "bowl", "body"}),
)


def referent(colors: str, kinds: str, parts: str = "") -> Referent:
    return Referent(frozenset(colors.split()), frozenset(kinds.split()), frozenset(parts.split()))


@pytest.mark.parametrize(
    ("phrases", "expected"),
    [
        (["the red mug"], referent("red", "mug")),
        (["The Handle of the red mug,"], referent("red", "mug", "handle")),
        (["the red mug's handle"], referent("red", "mug", "handle")),
        (["the bowl of the blue spoon"], referent("blue", "spoon", "bowl")),
        (["the blue bowl"], referent("blue", "bowl")),
        (["the body of the blue bowl"], referent("blue", "bowl", "body")),
        (["the red handle of the mug"], referent("red", "mug", "handle")),
        (["the red mug", "the blue mug"], referent("red blue", "mug")),
        (["the redness of mugs"], referent("", "")),
        ([], referent("", "")),
    ],
)
def test_what_a_phrase_names(phrases: list[str], expected: Referent) -> None:
    assert referent_of(phrases, VOCABULARY) == expected


def test_object_and_part_are_told_apart() -> None:
    truth = referent("red", "mug", "handle")
    whole = referent_of(["the red mug"], VOCABULARY)
    assert whole.same_object(truth) and not whole.same_part(truth)
    other = referent_of(["the handle of the blue mug"], VOCABULARY)
    assert not other.same_object(truth) and other.same_part(truth)
    listing = referent_of(["the handle of the red mug or the blue mug"], VOCABULARY)
    assert not listing.same_object(truth)


def test_words_drop_case_punctuation_and_articles() -> None:
    assert words("The text 'СССР', on a coin.") == ("text", "ссср", "on", "coin")
