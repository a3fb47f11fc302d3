"""The recorder alone: what ends it, what keeps it from beginning, and topics that only the graph knows."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from pixelrs_ros.msg import Instruction
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from pixelrs_ros.data.bags import Bag

TIMEOUT_S = 60.0
RECORD = (sys.executable, "-m", "pixelrs_ros.cli", "record")


@pytest.fixture
def node() -> Iterator[Node]:
    rclpy.init()
    node = rclpy.create_node("teller")
    yield node
    node.destroy_node()
    rclpy.shutdown()


def test_further_topics_are_recorded_as_their_publishers_offer_them(node: Node, tmp_path: Path) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    map_publisher = node.create_publisher(String, "/map", latched)
    map_publisher.publish(String(data="said before anybody listened"))
    instructions = node.create_publisher(Instruction, "instruction", 10)
    command = [*RECORD, "/map", "later", "/nowhere", "--out", str(tmp_path / "bag")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None and recorder.stdout.readline().startswith("recording / to ")
        later = node.create_publisher(String, "later", 10)
        while not (map_publisher.get_subscription_count() and later.get_subscription_count()):
            rclpy.spin_once(node, timeout_sec=0.05)
        while not instructions.get_subscription_count():
            rclpy.spin_once(node, timeout_sec=0.05)
        later.publish(String(data="said afterwards"))
        instructions.publish(Instruction(text="hello"))
        assert later.wait_for_all_acked() and instructions.wait_for_all_acked()
        recorder.send_signal(signal.SIGTERM)
        printed = recorder.stdout.read()
    assert recorder.returncode == 0, printed
    assert printed.endswith(f"       0 /nowhere: nothing came\n{tmp_path / 'bag'}: 3 messages\n")
    with Bag(tmp_path / "bag") as bag:
        heard = {message.topic: bag.decode(message) for message in bag.messages("/map", "/later", "/instruction")}
    assert {name: getattr(message, "data", "") or message.text for name, message in heard.items()} == {
        "/map": "said before anybody listened", "/later": "said afterwards", "/instruction": "hello",
    }  # fmt: skip


def test_a_recording_of_nothing_is_not_kept(tmp_path: Path) -> None:
    command = [*RECORD, "--namespace", "nobody", "--out", str(tmp_path / "bag")]
    for end in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as recorder:
            assert recorder.stdout is not None and recorder.stderr is not None
            assert recorder.stdout.readline().startswith("recording /nobody to ")
            recorder.send_signal(end)
            assert "pixelrs record: nothing came, and no recording was left" in recorder.stderr.read()
        assert recorder.returncode == 1 and not (tmp_path / "bag").exists()


def test_diagnostics_of_others_are_no_recording(node: Node, tmp_path: Path) -> None:
    reports = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
    command = [*RECORD, "--namespace", "mistyped", "--out", str(tmp_path / "bag")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None and recorder.stdout.readline() and recorder.stderr is not None
        while not reports.get_subscription_count():
            rclpy.spin_once(node, timeout_sec=0.05)
        reports.publish(DiagnosticArray())
        assert reports.wait_for_all_acked()
        recorder.send_signal(signal.SIGINT)
        assert "only /diagnostics came; remedy: the namespace" in recorder.stderr.read()
    assert recorder.returncode == 1


def record(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RECORD, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S)


def test_a_recording_that_cannot_begin_says_why(tmp_path: Path) -> None:
    run = record("--out", str(tmp_path))
    assert run.returncode == 1 and "there is something of this name already" in run.stderr
    for name in (("--namespace", "two words"), ("--image", "two words"), ("--depth", "/9")):
        run = record("--out", str(tmp_path / "bag"), *name)
        assert run.returncode == 1 and "a name is not what ROS takes: " in run.stderr, run.stderr
        assert not (tmp_path / "bag").exists()
