"""Two perception processes of one name."""

from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fault_bench import START_S, Caller

from pixelrs_ros.ros.tools.processes import Processes

# The graph knows nodes that other tests have killed for a while yet: these are called otherwise.
NODE = ("pixelrs_ros.ros.perception.node", "-r", "__ns:=/alone")


@pytest.mark.fault(
    "two nodes with one name",
    "both say so on `/diagnostics` (ERROR) and in the log, with the remedy, until one is gone",
)
def test_two_nodes_with_one_name_say_so(processes: Processes, outside: Caller) -> None:
    def level() -> bytes:
        assert not processes.ended()
        return bytes(outside.diagnostics["name"].level)

    processes.start("one", *NODE)
    outside.until(lambda: outside.diagnostics["name"].message == "unique", "the first", START_S)
    assert level() == DiagnosticStatus.OK
    processes.start("two", *NODE)
    outside.until(lambda: level() == DiagnosticStatus.ERROR, "a complaint", START_S)
    complaint = "2 nodes are called /alone/perception"
    assert complaint in outside.diagnostics["name"].message
    outside.until(
        lambda: all("2 nodes are called /alone/perception" in processes.log_tail(name) for name in ("one", "two")),
        "the logs",
    )
    processes.interrupt("two")
    assert processes.wait("two", START_S) == 0
    outside.until(lambda: outside.diagnostics["name"].level == DiagnosticStatus.OK, "peace")
    assert processes.stop() == {"one": 0, "two": 0}
