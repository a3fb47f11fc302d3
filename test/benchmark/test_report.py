from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixelrs_ros.benchmark import report
from pixelrs_ros.documents import tables


def value(median: float) -> dict[str, float]:
    return {"median": median, "p95": 2 * median, "n": 3}


def a_turn(mask: float, answer: float) -> dict[str, Any]:
    stages = {stage: value(answer / 10) for stage in report.STAGES}
    return {"to the first mask": value(mask), "to the whole answer": value(answer), **stages}


@pytest.fixture
def result() -> dict[str, Any]:
    turns = {
        "pixelrs": {"first": a_turn(50, 100), "fourth": a_turn(20, 40)},
        "published": {"first": a_turn(200, 200), "fourth": a_turn(100, 100)},
    }
    cold = {way: {turn: {"to the whole answer": 300.0} for turn in ("first", "fourth")} for way in turns}
    return {
        "made with": {
            "command": "pixelrs bench",
            "device": "a machine",
            "threads": 2,
            "torch": "2",
            "load average before": 0.1,
        },
        "backend": "torch",
        "bandwidth": {"floor [ms]": 2.0},
        "stages_ms": {"one token": value(3)},
        "turns_ms": turns,
        "memory": {"turns": 1000, "growth [%]": 0.5},
        "ros": {"warm": turns, "cold": cold, "conversion": value(1), "transport of an image": value(2)},
        "transport and conversion, share of a fourth turn [%]": 7.5,
    }


def test_ratios_are_those_of_medians(result: dict[str, Any]) -> None:
    assert report.ratios(result["turns_ms"]) == {
        "first turn, to the first mask": 4.0,
        "first turn, to the whole answer": 2.0,
        "fourth turn, to the first mask": 5.0,
        "fourth turn, to the whole answer": 2.5,
    }


def test_tables_hold_every_number_once(result: dict[str, Any]) -> None:
    rows = list(report.rows(result))
    assert len({what for what, _, _ in rows}) == len(rows) == 1 + 2 + 2 * 8 + 4
    assert ("one token", "3.0", "6.0") in rows
    assert "| fourth turn, to the first mask | 100 ms | 20 ms | 5.0 |" in report.ratios_markdown(result)
    claims = "\n".join(report.claims(result))
    assert "7.5 % of a fourth turn" in claims and "comes 20 ms before its end" in claims and "+0.50 %" in claims
    assert "3.0 ms, 1.5 times" in claims


def test_a_busy_machine_is_told(result: dict[str, Any]) -> None:
    assert "busy" not in report.circumstances_markdown(result)
    result["made with"]["load average before"] = 7.5
    assert "load average before 7.5, a busy machine" in report.circumstances_markdown(result)


def test_without_ros_the_numbers_of_one_process_stand_in(result: dict[str, Any]) -> None:
    del result["ros"]
    assert "| in one process, median |" in report.ratios_markdown(result)
    assert len(list(report.rows(result))) == 1 + 8


def test_the_documents_have_a_place_for_every_table() -> None:
    root = Path(__file__).parents[2]
    for name in ("ratios", "circumstances", "stages"):
        assert tables(root, f"bench:{name}"), name


def test_a_picture_is_drawn(result: dict[str, Any], tmp_path: Path) -> None:
    report.draw(result, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
