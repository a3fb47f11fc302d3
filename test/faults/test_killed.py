"""`kill -9` in the middle of a turn."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fault_bench import START_S, Caller
from pixelrs_ros.msg import Segmentation

from pixelrs_ros.ros.tools.processes import Processes

FAILED = (Segmentation.INTERNAL_ERROR, Segmentation.BAD_INPUT, Segmentation.REJECTED)
KILLS = 1


@pytest.fixture
def start(processes: Processes, outside: Caller, tmp_path: Any) -> Any:
    """Starts a robot with the shipped network and a store, and waits until it listens."""

    def awake() -> bool:
        return {pair.key: pair.value for pair in outside.diagnostics["dialogue"].values}.get("state") == "active"

    def start(name: str) -> None:
        parameters = {"checkpoint": "nano", "num_threads": "1", "autostart": "true", "storage_dir": tmp_path / "store"}
        given = [word for key, value in parameters.items() for word in ("-p", f"{key}:={value}")]
        processes.start(name, "pixelrs_ros.ros.perception.node", *given)
        outside.diagnostics.clear()  # of the life before, which the graph knows for a while yet
        outside.until(lambda: outside.diagnostics["storage"].level == DiagnosticStatus.OK and awake(), name, START_S)

    return start


@pytest.mark.fault(
    "`kill -9` in the middle of a turn, and a new start",
    "the dialogue goes on after its last answered turn; the turn that was cut off is not in it",
    cases=KILLS,
)
def test_a_dialogue_goes_on_after_a_kill(processes: Processes, outside: Caller, start: Any) -> None:
    said: list[str] = []
    for life in range(KILLS):
        start(f"life {life}")
        assert outside.dialogue() == said
        outside.show()
        result = outside.say(f"I am thirsty, {life}.")
        assert (result.status not in FAILED, result.turn) == (True, life), result.message
        said.append(f"I am thirsty, {life}.")
        heard = threading.Event()
        cut_off = outside.send("The blue one.", on_text=lambda _, heard=heard: heard.set())
        outside.until(heard.is_set, "the turn to be under way")
        processes.kill(f"life {life}")
        assert processes.wait(f"life {life}", START_S) == -signal.SIGKILL
        assert not outside.has_answer(cut_off)
    start("last life")
    assert outside.dialogue() == said
