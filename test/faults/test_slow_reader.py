"""A subscriber that asked for every message and reads none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fault_bench import Caller
from pixelrs_ros.msg import Segmentation

NUM_TURNS = 60
TOPICS = ("segmentation", "explanation", "mask", "overlay")
READER = """
import rclpy
from pixelrs_ros.msg import Explanation, Segmentation
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node("slow_reader")
types = {"segmentation": Segmentation, "explanation": Explanation, "mask": Image, "overlay": Image}
for topic, type_ in types.items():
    node.create_subscription(type_, topic, lambda message: None, 1)
rclpy.spin(node)
"""


@pytest.fixture
def reader(caller: Caller) -> Iterator[subprocess.Popen[bytes]]:
    """In a process of its own, known to the node."""
    before = {topic: caller.count_subscribers(topic) for topic in TOPICS}
    process = subprocess.Popen([sys.executable, "-c", READER])
    try:
        caller.until(
            lambda: all(caller.count_subscribers(t) == before[t] + 1 for t in TOPICS), "the reader to be known"
        )
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.fault(
    "a subscriber of every output, reliable and of depth 1, that never reads (its process is stopped)",
    "turns go on for everybody else; nothing waits for it",
    cases=NUM_TURNS,
)
def test_nobody_waits_for_a_process_that_is_stopped(caller: Caller, reader: subprocess.Popen[bytes]) -> None:
    shown = caller.show()
    assert caller.say("mask", stamp_ns=caller.stamp_of(shown)).status == Segmentation.GROUNDED
    os.kill(reader.pid, signal.SIGSTOP)
    for _ in range(NUM_TURNS):
        result = caller.say("mask", stamp_ns=caller.stamp_of(shown))
        assert result.status == Segmentation.GROUNDED
        stages = {stage.stage: stage.milliseconds for stage in result.latencies}
        assert stages["queue"] < 1000
    os.kill(reader.pid, signal.SIGCONT)
    assert caller.say("mask", stamp_ns=caller.stamp_of(shown)).status == Segmentation.GROUNDED
