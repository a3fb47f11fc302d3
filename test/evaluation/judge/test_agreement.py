"""Cohen's kappa, win rates and position bias, against values that were worked out by hand."""

from __future__ import annotations

import pytest

from pixelrs_ros.evaluation.judge.agreement import Agreement, Duel, Side, agreement, summarize_duels


def test_kappa_is_what_the_textbook_gives() -> None:
    # 50 items: 20 both 1, 5 and 10 apart, 15 both 2. Observed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4.
    ones = [1] * 25 + [2] * 25
    others = [1] * 20 + [2] * 5 + [1] * 10 + [2] * 15
    found = agreement(dict(enumerate(ones)), dict(enumerate(others)))
    assert found.items == 50 and found.same == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4) and found.weighted == pytest.approx(0.4)


def test_weighted_kappa_forgives_neighbors() -> None:
    near = agreement(dict(enumerate([1, 2, 4, 5])), dict(enumerate([2, 1, 5, 4])))
    assert near.kappa is not None and near.kappa < 0
    assert near.weighted is not None and near.weighted > 0.7


def test_only_items_that_both_rated_count() -> None:
    assert agreement({"a": 1, "b": 2}, {"b": 2, "c": 5, "a": 1}) == Agreement(2, 1.0, 1.0, 1.0)
    assert agreement({"a": 1}, {"b": 1}) == Agreement(0, None, None, None)


def test_kappa_is_undefined_where_both_always_say_the_same() -> None:
    assert agreement({"a": 3, "b": 3}, {"a": 3, "b": 3}) == Agreement(2, 1.0, None, None)


def test_words_have_no_weighted_kappa() -> None:
    found = agreement({0: "first", 1: "tie"}, {0: "first", 1: "second"})
    assert found.same == 0.5 and found.kappa is not None and found.weighted is None


@pytest.mark.parametrize(
    ("straight", "swapped", "outcome", "consistent"),
    [
        ("first", "second", "win", True),
        ("second", "first", "loss", True),
        ("tie", "tie", "tie", True),
        ("first", "first", "tie", False),
        ("second", "second", "tie", False),
        ("first", "tie", "tie", False),
    ],
)
def test_a_win_needs_both_orders(straight: Side, swapped: Side, outcome: str, consistent: bool) -> None:
    duel = Duel(straight, swapped, "a.jpg")
    assert (duel.outcome, duel.is_consistent) == (outcome, consistent)


def test_a_judge_that_likes_what_stands_first_is_found_out() -> None:
    found = summarize_duels([Duel("first", "first", f"{i}.jpg") for i in range(9)])
    assert (found.wins, found.losses, found.ties, found.win_rate) == (0, 0, 9, 0.5)
    assert (found.consistent, found.first_chosen) == (0.0, 1.0)
    assert found.orders.same == 0.0 and found.orders.kappa == 0.0


def test_a_judge_without_bias_shows_none() -> None:
    duels = [Duel("first", "second", f"{i}.jpg") for i in range(6)] + [Duel("second", "first", "b.jpg")] * 2
    found = summarize_duels([*duels, Duel("tie", "tie", "c.jpg")])
    assert (found.duels, found.wins, found.losses, found.ties) == (9, 6, 2, 1)
    assert found.win_rate == pytest.approx(6.5 / 9)
    assert found.interval is not None and 0.4 < found.interval[0] < 6.5 / 9 < found.interval[1] <= 1
    assert (found.consistent, found.first_chosen) == (1.0, 0.5)
    assert found.orders.kappa == 1.0


def test_no_duel_gives_no_number() -> None:
    found = summarize_duels([])
    assert (found.duels, found.win_rate, found.interval, found.first_chosen) == (0, None, None, None)
