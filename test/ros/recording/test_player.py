"""When a recording may begin to play: not before everybody who listens has been found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.ros.recording.player import steady

FOR_S = 0.7


@given(st.lists(st.tuples(st.floats(0.05, 2.0), st.integers(0, 3)), max_size=12))
def test_steady_means_that_nothing_changed_for_a_while(seen: list[tuple[float, int]]) -> None:
    now_s, value = 0.0, 0
    is_steady = steady(lambda: value, FOR_S, lambda: now_s)
    last_change_s = 0.0
    for waited_s, found in seen:
        now_s += waited_s
        last_change_s = now_s if found != value else last_change_s
        value = found
        assert is_steady() == (now_s - last_change_s >= FOR_S)
    now_s = last_change_s + FOR_S + 1e-6
    assert is_steady()
