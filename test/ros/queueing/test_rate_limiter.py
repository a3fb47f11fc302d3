"""The token bucket against its definition, and its memory against floods."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.ros.queueing.rate_limiter import RateLimit, RateLimiter

PAUSES_S = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60)
RATES = st.floats(0.1, 50.0)
BURSTS = st.integers(1, 20)


@given(PAUSES_S, RATES, BURSTS)
def test_what_is_admitted_is_what_a_token_bucket_admits(pauses_s: list[float], per_s: float, burst: int) -> None:
    limiter, limit = RateLimiter(), RateLimit(per_s, burst, 8)
    tokens, now_s = float(burst), 100.0
    for pause_s in pauses_s:
        now_s += pause_s
        tokens = min(burst, tokens + pause_s * per_s)
        admitted = not limiter.admit("kitchen", now_s, limit)
        if abs(tokens - 1.0) > 1e-5:  # else rounding decides
            assert admitted == (tokens > 1.0)
        tokens -= admitted


@given(PAUSES_S, RATES, BURSTS)
def test_no_window_holds_more_than_the_burst_and_what_the_rate_brings(
    pauses_s: list[float], per_s: float, burst: int
) -> None:
    limiter, limit = RateLimiter(), RateLimit(per_s, burst, 8)
    now_s, admitted_s = 0.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        if not limiter.admit("kitchen", now_s, limit):
            admitted_s.append(now_s)
    for first, begin_s in enumerate(admitted_s):
        for last in range(first, len(admitted_s)):
            assert last - first + 1 <= burst + per_s * (admitted_s[last] - begin_s) + 1e-6


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(-5.0, 5.0)), max_size=200), st.integers(1, 8))
def test_the_table_is_bounded_whatever_comes_and_however_the_clock_jumps(
    calls: list[tuple[int, float]], max_sessions: int
) -> None:
    limiter, limit = RateLimiter(), RateLimit(2.0, 3, max_sessions)
    now_s = 0.0
    for session, step_s in calls:
        now_s += step_s
        limiter.admit(str(session), now_s, limit)
        assert len(limiter) <= max_sessions
    # Whatever was before, a pause mends it.
    assert not limiter.admit("late", now_s + 1000.0, limit)


def test_a_clock_that_jumps_back_costs_no_more_than_an_empty_bucket() -> None:
    limiter, limit = RateLimiter(), RateLimit(1.0, 2, 8)
    assert not limiter.admit("kitchen", 1000.0, limit)
    assert limiter.admit("kitchen", 10.0, limit), "as if the bucket were empty"
    assert not limiter.admit("kitchen", 11.0, limit)


def test_a_flood_of_dialogues_is_refused_and_those_that_speak_already_go_on() -> None:
    limiter, limit = RateLimiter(), RateLimit(1.0, 5, 3)
    assert not limiter.admit("ours", 0.0, limit)
    refusals = [limiter.admit(f"flood {number}", 0.1, limit) for number in range(10_000)]
    assert refusals[:2] == [None, None]
    assert all("'max_tracked_sessions'" in refusal.message for refusal in refusals[2:] if refusal)
    assert all(refusals[2:])
    assert not limiter.admit("ours", 0.2, limit)
    assert len(limiter) == 3
    assert not limiter.admit("new", 2.0, limit), "the flood's buckets have filled up and are forgotten"


def test_dialogues_do_not_spend_each_others_tokens() -> None:
    limiter, limit = RateLimiter(), RateLimit(1.0, 1, 8)
    assert not limiter.admit("a", 0.0, limit)
    rejection = limiter.admit("a", 0.0, limit)
    assert rejection is not None
    assert "'max_instructions_per_s', 'instruction_burst'" in rejection.message
    assert not limiter.admit("b", 0.0, limit)


def test_a_rate_of_zero_is_no_limit_and_keeps_no_track() -> None:
    limiter, limit = RateLimiter(), RateLimit(0.0, 0, 1)
    assert not any(limiter.admit(str(number), 0.0, limit) for number in range(1000))
    assert len(limiter) == 0


def test_a_new_limit_holds_at_the_next_instruction() -> None:
    limiter = RateLimiter()
    assert not any(limiter.admit("a", 0.0, RateLimit(1.0, 5, 8)) for _ in range(5))
    assert limiter.admit("a", 0.0, RateLimit(1.0, 5, 8))
    assert not limiter.admit("a", 0.0, RateLimit(1.0, 6, 8))
    for session in ("b", "c", "d"):
        assert not limiter.admit(session, 0.0, RateLimit(1.0, 5, 8))
    limiter.admit("e", 0.0, RateLimit(1.0, 5, 2))
    assert len(limiter) == 2


@pytest.mark.parametrize(("per_s", "depth"), [(0.1, 1), (1.0, 2), (20.0, 40)])
def test_without_a_burst_two_seconds_worth_may_come_at_once(per_s: float, depth: int) -> None:
    limiter, limit = RateLimiter(), RateLimit(per_s, 0, 8)
    assert sum(not limiter.admit("a", 0.0, limit) for _ in range(100)) == depth


def test_threads_together_get_no_more_than_one_would() -> None:
    limiter, limit = RateLimiter(), RateLimit(1.0, 50, 8)
    admitted: list[bool] = []

    def send() -> None:
        for _ in range(50):
            admitted.append(not limiter.admit("a", 0.0, limit))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 50
