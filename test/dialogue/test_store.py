from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.dialogue.store import DialogueStore
from pixelrs_ros.types import Reply, Status

ANSWER = Reply(Status.ANSWERED, "Yes.", answer=" Yes.")
OPERATIONS = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=40)


@pytest.mark.parametrize("bounds", [(0, 1), (1, 0), (-1, 5)])
def test_bounds_below_one_are_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DialogueStore(*bounds)


def test_a_turn_keeps_words_answer_and_status() -> None:
    store = DialogueStore(2, 2)
    turn = store.append("a", "Is it red?", Reply(Status.CLARIFY, "Which?", answer="[ASK] Which?"))
    assert store.turns("a") == (turn,)
    assert (turn.index, turn.text, turn.answer, turn.status) == (0, "Is it red?", "[ASK] Which?", Status.CLARIFY)
    assert store.turns("b") == () and store.next_index("b") == 0


def test_the_longest_silent_session_goes_first() -> None:
    store = DialogueStore(2, 5)
    for session in ("a", "b", "a", "c"):
        store.append(session, "?", ANSWER)
    assert store.session_ids() == ("a", "c")
    assert store.next_index("b") == 0 and store.turns("b") == ()


def test_the_oldest_turn_goes_first_and_numbers_run_on() -> None:
    store = DialogueStore(1, 2)
    for text in ("one", "two", "three"):
        store.append("a", text, ANSWER)
    assert [(turn.index, turn.text) for turn in store.turns("a")] == [(1, "two"), (2, "three")]
    assert store.next_index("a") == 3
    assert store.reset("a") == 2 and store.reset("a") == 0
    assert store.next_index("a") == 0 and store.session_ids() == ()


@given(OPERATIONS, st.integers(1, 3), st.integers(1, 3))
def test_any_order_of_turns_and_resets(operations: list[tuple[str, bool]], max_sessions: int, max_turns: int) -> None:
    store = DialogueStore(max_sessions, max_turns)
    expected: OrderedDict[str, list[int]] = OrderedDict()
    for session, is_reset in operations:
        if is_reset:
            assert store.reset(session) == len(expected.pop(session, [])[-max_turns:])
        else:
            expected.setdefault(session, []).append(len(expected.get(session, [])))
            expected.move_to_end(session)
            if len(expected) > max_sessions:
                expected.popitem(last=False)
            store.append(session, "?", ANSWER)
        assert store.session_ids() == tuple(expected)
        for name in "abcd":
            assert [turn.index for turn in store.turns(name)] == expected.get(name, [])[-max_turns:]
            assert store.next_index(name) == len(expected.get(name, []))


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(0, 300))
def test_as_many_of_the_newest_turns_as_fit(lengths: list[int], budget: int) -> None:
    kept = turns_that_fit(lengths, budget)
    assert sum(lengths[len(lengths) - kept :]) <= budget
    assert kept == len(lengths) or sum(lengths[len(lengths) - kept - 1 :]) > budget


def test_a_turn_that_does_not_fit_hides_the_older_ones() -> None:
    assert turns_that_fit([1, 9, 2], budget=10) == 1
    assert turns_that_fit([1, 8, 2], budget=10) == 2
    assert turns_that_fit([], budget=0) == 0
