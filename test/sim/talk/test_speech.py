import random
import re
from collections import Counter

import pytest

from pixelrs_ros.sim.talk.speech import at_an_end, bare, is_imperative, mistype, terse, with_filler


def edits(before: str, after: str) -> int:
    """Edit distance in which swapping two neighbors counts as one (Damerau 1964, optimal string alignment)."""
    rows = [[i + j if not i * j else 0 for j in range(len(after) + 1)] for i in range(len(before) + 1)]
    for i in range(1, len(before) + 1):
        for j in range(1, len(after) + 1):
            same = before[i - 1] == after[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and before[i - 1] == after[j - 2] and before[i - 2] == after[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


def test_a_slip_is_one_edit_in_one_long_known_word() -> None:
    known = frozenset(["hand", "me", "the", "yellow", "screwdriver", "please", "yelow"])
    rng = random.Random(0)
    changes: Counter[int] = Counter()
    for _ in range(500):
        slipped = mistype("hand me the Yellow screwdriver, please", known, rng)
        before, after = (re.findall(r"\w+", words) for words in ("hand me the Yellow screwdriver, please", slipped))
        wrong = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert len(wrong) <= 1
        for old, new in wrong:
            assert edits(old, new) == 1 and len(old) >= 5 and old[0] == new[0]
            assert new.lower() not in known
            changes[len(new) - len(old)] += 1
    assert set(changes) == {-1, 0, 1}
    assert mistype("hand me the mug", known, rng) == "hand me the mug", "its words are too short"
    assert mistype("hand me the trumpet", known, rng) == "hand me the trumpet", "it slips in known words only"


@pytest.mark.parametrize(
    ("words", "short"),
    [
        ("I'd like the red mug", "red mug"),
        ("could you help me cut the bread?", "cut bread?"),
        ("can you hand me the one on the left?", "hand me one on left?"),
        ("the one on the left", "on left"),
        ("can you help me?", "can you help me?"),
        ("I haven't had water", "I haven't had water"),
        ("is there a spoon?", "is there spoon?"),
        ("then another one", "then another one"),
    ],
)
def test_terse_people_leave_away_what_does_not_matter(words: str, short: str) -> None:
    assert terse(words) == short


def test_fillers_remarks_and_missing_marks_leave_the_words() -> None:
    rng = random.Random(2)
    words = "no, the red one: it's mine!"
    for _ in range(100):
        filled = with_filler(words, "uh", rng)
        assert re.sub(r"[^\w' ]", "", filled).split().count("uh") == 1
        assert [word for word in re.findall(r"[\w']+", filled) if word != "uh"] == re.findall(r"[\w']+", words)
        assert filled == filled.strip() and " ," not in filled
    assert bare(words) == "no the red one its mine"
    assert at_an_end("where is it?", "I guess", first=False) == "where is it? I guess"
    assert at_an_end("take it", "I guess", first=False) == "take it, I guess"
    assert at_an_end("take it", "I guess", first=True) == "I guess, take it"


def test_only_plain_orders_take_a_courtesy() -> None:
    assert is_imperative("hand me the red one")
    for words in ("can you hand me it?", "the red one", "handle of it", "show me exactly: it", "now take it"):
        assert not is_imperative(words), words
