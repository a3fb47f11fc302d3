"""How a fleet is summed up, and that the document says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from pixelrs_ros.benchmark.fleet import SCENARIOS, jain, markdown, summed_up
from pixelrs_ros.documents import tables

ROOT = Path(__file__).resolve().parents[2]


def test_fairness_is_one_for_equals_and_falls_to_one_of_n() -> None:
    assert jain([5, 5, 5, 5]) == 1.0 and jain([7]) == 1.0 and jain([0, 0]) == 1.0
    assert jain([8, 0, 0, 0]) == 0.25
    assert 0.25 < jain([8, 4, 4, 4]) < 1.0


def test_turns_of_all_dialogues_count_together() -> None:
    row = summed_up([[100.0, 300.0], [200.0]], 2.0, [800.04, 900.0])
    assert row == {
        "turns": [2, 1],
        "turns_per_s": 1.5,
        "turn_ms": {"median": 200.0, "p95": 290.0, "n": 3},
        "jain": 0.9,
        "resident_mb": [800.0, 900.0],
    }
    assert summed_up([[], []], 2.0, [1.0])["turn_ms"] is None


def test_the_table_has_a_column_for_a_gpu_where_there_is_one() -> None:
    row = {"scenario": "robots", "count": 2, **summed_up([[100.0], []], 2.0, [800.0, 900.0]), "device_mb": None}
    made = {"command": "pixelrs bench-fleet", "device": "a CPU", "cpus": 2, "load average before": 3.0}
    table = markdown({"made with": made, "seconds": 2.0, "rows": [row]})
    assert f"| {SCENARIOS['robots']} | 2 | 0.50 | 100 | 100 | 0.50 | 1700 |\n" in table
    assert "GPU" not in table and "load average before 3, a busy machine" in table
    table = markdown({"made with": made, "seconds": 2.0, "rows": [{**row, "device_mb": 1234.0, "turn_ms": None}]})
    assert (
        "| nan | nan | 0.50 | 1700 | 1234 |\n" in table and " GPU [MB] |\n|---|---|---|---|---|---|---|---|\n" in table
    )


def test_the_document_has_the_table_of_the_file() -> None:
    measured = json.loads((ROOT / "benchmarks" / "fleet.json").read_text())
    (table,) = tables(ROOT, "bench:fleet").values()
    assert table.rstrip() == markdown(measured)
    assert {(row["scenario"], row["count"]) for row in measured["rows"]} == {
        (scenario, count) for scenario in SCENARIOS for count in (1, 2, 4)
    }
