"""Several dialogues with real nodes at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.tools.fleet import Fleet, runs
from pixelrs_ros.ros.tools.processes import Processes, isolate
from pixelrs_ros.ros.wire.ros_context import ros


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    isolate()
    with Processes(tmp_path / "logs") as started, ros([]):
        yield started


def test_each_camera_has_a_dialogue_and_every_dialogue_its_turns(processes: Processes) -> None:
    with Fleet(processes, {"checkpoint": "nano", "device": "cpu"}) as fleet:
        measured = dict(runs("cameras", [1, 2], 4.0, fleet))
        assert [len(measured[count]["turns"]) for count in (1, 2)] == [1, 2]
        assert all(measured[2]["turns"]) and not measured[2]["failed"]
        assert measured[2]["turn_ms"]["n"] == sum(measured[2]["turns"])
        assert measured[2]["resident_mb"][0] > 100 and 0.5 <= measured[2]["jain"] <= 1
        (robot,) = fleet.robots
    assert processes.exit_status(robot.namespace) == 0


def test_a_node_that_ends_is_told_of(processes: Processes) -> None:
    with Fleet(processes, {"checkpoint": "/nowhere", "device": "cpu"}) as fleet, pytest.raises(PixelrsError):
        fleet.add("robot")
