"""More instructions than anybody could answer."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from fault_bench import Caller, QuickEngine
from pixelrs_ros.msg import Segmentation

NUM_INSTRUCTIONS = 200
MOST_WAITING = 8 * 8  # max_waiting of each of max_sessions


@pytest.mark.fault(
    "200 instructions at once, of one dialogue and of 50, while a turn is being answered",
    "each gets exactly one result: those that may wait are answered in order, the others `REJECTED` at once",
    cases=NUM_INSTRUCTIONS,
)
@pytest.mark.parametrize("num_sessions", [1, 50])
def test_each_instruction_of_a_flood_gets_one_result(engine: QuickEngine, caller: Caller, num_sessions: int) -> None:
    begun, go = threading.Event(), threading.Event()
    heard: list[str] = []  # by the network, in this order

    def wait(text: str) -> None:
        heard.append(text)
        begun.set()
        assert go.wait(60)

    engine.before_answer = wait
    caller.show()
    first = caller.send("first")
    caller.until(begun.is_set, "the first turn")
    flood = [caller.send(f"{place}", f"{place % num_sessions}") for place in range(NUM_INSTRUCTIONS)]
    caller.until(lambda: sum(map(caller.has_answer, flood)) >= NUM_INSTRUCTIONS - MOST_WAITING, "refusals")
    assert not caller.has_answer(first), "none of them waited for the running turn"
    go.set()
    statuses = Counter(result.status for result in caller.wait_for(first, *flood))
    assert set(statuses) == {Segmentation.ANSWERED, Segmentation.REJECTED}
    assert statuses[Segmentation.ANSWERED] <= 1 + MOST_WAITING
    results = [caller.answer(stamp).segmentation for stamp in flood]
    answered = [place for place, result in enumerate(results) if result.status == Segmentation.ANSWERED]
    assert [caller.words(results[place]) for place in answered] == [f"{place}" for place in answered]
    assert heard[0] == "first" and sorted(map(int, heard[1:])) == answered
    for session in range(num_sessions):
        waited = [place for place in map(int, heard[1:]) if place % num_sessions == session]
        assert waited == sorted(waited), "a dialogue's in the order in which they were sent"
    caller.show()
    assert caller.say("afterwards", "new").status == Segmentation.ANSWERED
