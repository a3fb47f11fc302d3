"""A picture that the network does not know its way about: said in the answer, the diagnostics and, once, the log."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation
from rcl_interfaces.msg import Log

from pixelrs_ros.types import Reply

OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
SHOWN = ((5, OK), (17, WARN), (23, WARN), (10, OK))  # brightness, and what the diagnostics make of it


class Novel(Echo):
    """Finds its pictures as novel as their brightness says, in tenths."""

    def say(self, utterance: Any, frame: Any, *rest: Any, **more: Any) -> Reply:
        reply = super().say(utterance, frame, *rest, **more)
        return replace(reply, novelty=float(frame.image[0, 0, 0]) / 10)


def test_it_is_said_with_each_answer_and_logged_once() -> None:
    rclpy.init()
    bench = Bench(Novel())
    logged: list[Log] = []
    bench.caller.create_subscription(Log, "/rosout", logged.append, 1000)
    bench.until(lambda: bench.caller.count_publishers("/rosout") >= 2)
    bench.activate()
    try:
        for count, (brightness, level) in enumerate(SHOWN, start=1):
            bench.show(bench.now_ns(), value=brightness)
            bench.send("what", bench.now_ns())
            bench.answers(count)
            answer = bench.segmentations[-1]
            assert answer.status == Segmentation.ANSWERED
            assert answer.novelty == pytest.approx(brightness / 10)
            bench.until(partial(_said, bench, count))
            assert bench.diagnostics["dialogue"].level == level
        values = {pair.key: pair.value for pair in bench.diagnostics["dialogue"].values}
        assert values["turns about unlikely images"] == "2"
        bench.until(lambda: sum("->" in log.msg for log in logged) == 4)
        assert any("it has seen: nothing but its own words" in log.msg for log in logged), "told when it is loaded"
        warnings = [log.msg for log in logged if "unlike those" in log.msg]
        assert len(warnings) == 1 and "novelty 1.7" in warnings[0]
    finally:
        bench.close()
        rclpy.shutdown()


def _said(bench: Bench, turns: int) -> bool:
    """Whether the diagnostics know of so many turns."""
    values = bench.diagnostics["dialogue"].values if "dialogue" in bench.diagnostics else []
    return any((pair.key, pair.value) == ("turns answered", str(turns)) for pair in values)
