from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.dialogue.store import DialogueStore, DialogueSummary
from pixelrs_ros.types import Status, Turn

OPERATIONS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(("say", "replace", "reset"))), max_size=40)


def a_turn(index: int, text: str = "?") -> Turn:
    return Turn(index, text, " yes.", Status.ANSWERED)


@pytest.mark.parametrize("bounds", [(0, 1), (1, 0), (-1, 5)])
def test_bounds_below_one_are_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        DialogueStore(*bounds)


def test_a_turn_comes_next_or_takes_the_last_ones_place() -> None:
    store = DialogueStore(2, 2)
    store.put("a", a_turn(0, "the mug"))
    store.put("a", a_turn(1, "the pin"))
    store.put("a", a_turn(2, "the pan"), replace_last=True)
    assert store.turns("a") == (a_turn(0, "the mug"), a_turn(2, "the pan"))
    assert store.next_index("a") == 3
    store.put("b", a_turn(4), replace_last=True)
    assert store.turns("b") == (a_turn(4),), "there was none whose place it could take"


def test_no_number_is_used_twice() -> None:
    number = 3
    store = DialogueStore(2, 2)
    store.put("a", a_turn(number))
    for index in (0, number):
        for replace_last in (False, True):
            with pytest.raises(ValueError, match=f"expected turn 4 or a later one, got turn {index}"):
                store.put("a", a_turn(index), replace_last=replace_last)
    assert store.skip_to("a", 7) and store.next_index("a") == 7
    assert not store.skip_to("a", 5) and store.next_index("a") == 7
    assert not store.skip_to("b", 5) and store.session_ids() == ("a",), "a dialogue does not begin with a failure"


def test_the_longest_silent_session_goes_first() -> None:
    store = DialogueStore(2, 5)
    gone = [store.put(session, a_turn(store.next_index(session))) for session in ("a", "b", "a", "c")]
    assert gone == [(), (), (), ("b",)]
    assert store.session_ids() == ("a", "c")
    assert store.next_index("b") == 0 and store.turns("b") == ()


def test_the_oldest_turn_goes_first_and_numbers_run_on() -> None:
    store = DialogueStore(1, 2)
    for index in range(3):
        store.put("a", a_turn(index))
    assert store.turns("a") == (a_turn(1), a_turn(2))
    assert store.next_index("a") == 3
    assert store.reset("a") == 2 and store.reset("a") == 0
    assert store.next_index("a") == 0 and store.session_ids() == ()


def test_a_summary_says_how_long_a_session_has_been_silent() -> None:
    now_s = [100.0]
    store = DialogueStore(3, 2, clock=lambda: now_s[0])
    store.put("a", a_turn(0))
    now_s[0] = 110.0
    store.put("b", a_turn(0))
    store.restore("c", [a_turn(index) for index in range(4, 8)], 8, idle_s=50.0)
    now_s[0] = 111.0
    assert store.summaries() == (
        DialogueSummary("a", 1, 1, 11.0),
        DialogueSummary("b", 1, 1, 1.0),
        DialogueSummary("c", 2, 8, 51.0),
    )
    assert store.turns("c") == (a_turn(6), a_turn(7))


@given(OPERATIONS, st.integers(1, 3), st.integers(1, 3))
def test_any_order_of_turns_and_resets(operations: list[tuple[str, str]], max_sessions: int, max_turns: int) -> None:
    store = DialogueStore(max_sessions, max_turns)
    expected: OrderedDict[str, list[Turn]] = OrderedDict()
    for number, (session, operation) in enumerate(operations):
        if operation == "reset":
            assert store.reset(session) == len(expected.pop(session, [])[-max_turns:])
        else:
            turns = expected.setdefault(session, [])
            index = turns[-1].index + 1 if turns else 0
            if operation == "replace" and turns:
                turns.pop()
            turns.append(a_turn(index, f"number {number}"))
            expected.move_to_end(session)
            if len(expected) > max_sessions:
                expected.popitem(last=False)
            store.put(session, turns[-1], replace_last=operation == "replace")
        assert store.session_ids() == tuple(expected)
        for name in "abcd":
            assert list(store.turns(name)) == expected.get(name, [])[-max_turns:]
            assert store.next_index(name) == (expected[name][-1].index + 1 if name in expected else 0)


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(0, 300))
def test_as_many_of_the_newest_turns_as_fit(lengths: list[int], budget: int) -> None:
    kept = turns_that_fit(lengths, budget)
    assert sum(lengths[len(lengths) - kept :]) <= budget
    assert kept == len(lengths) or sum(lengths[len(lengths) - kept - 1 :]) > budget


def test_a_turn_that_does_not_fit_hides_the_older_ones() -> None:
    assert turns_that_fit([1, 9, 2], budget=10) == 1
    assert turns_that_fit([1, 8, 2], budget=10) == 2
    assert turns_that_fit([], budget=0) == 0


def test_new_bounds_hold_at_once() -> None:
    store = DialogueStore(3, 3)
    for session_id in "abc":
        for index in range(3):
            store.put(session_id, a_turn(index))
    assert store.resize(2, 1) == ("a",)
    assert store.turns("b") == (a_turn(2),) and store.next_index("b") == 3
    assert store.resize(5, 2) == ()
    store.put("b", a_turn(3))
    assert store.turns("b") == (a_turn(2), a_turn(3))
    with pytest.raises(ValueError, match="at least 1"):
        store.resize(0, 1)
