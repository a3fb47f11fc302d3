"""The benchmark over DDS: who is measured, by which clock, and that what cannot be measured is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import rclpy
import torch
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from spinning import spinning
from std_msgs.msg import Header

from pixelrs_ros.benchmark.engines import DIALOGUE, Network, random_network
from pixelrs_ros.benchmark.measure import picture
from pixelrs_ros.engine.background import default_num_threads
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.session import Session
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.parameters.table import SPECS, NodeParameters
from pixelrs_ros.ros.perception import node
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.tools import bench
from pixelrs_ros.ros.wire import conversions


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network("debug", "cpu")


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def _ros() -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.shutdown()


def parameters(**changed: Any) -> NodeParameters:
    values = {name: spec.default for name, spec in SPECS.items()} | changed
    return NodeParameters(**values)


@contextmanager
def running(*nodes: Node) -> Iterator[None]:
    """Runs nodes in a thread, as if they were another process."""
    executor = SingleThreadedExecutor()
    for member in nodes:
        executor.add_node(member)
    with spinning(executor):
        yield
    for member in nodes:
        member.destroy_node()


@contextmanager
def robot(make: Callable[[NodeParameters], Session], storage_dir: Path) -> Iterator[None]:
    # As patient as can be: a turn that waited for a younger image would not be answered in time.
    values = {"max_frame_age_s": 3600.0, "max_frame_wait_s": 60.0, "storage_dir": str(storage_dir)}
    perception = PerceptionNode(
        make, namespace="robot", parameter_overrides=[Parameter(name, value=value) for name, value in values.items()]
    )
    assert perception.autostart()
    try:
        with running(perception):
            yield
    finally:
        perception.close()


@pytest.mark.parametrize("way", bench.FACTORIES)
@pytest.mark.parametrize(("given", "expected"), [(0, default_num_threads()), (2, 2), (1, 1)])
def test_both_ways_have_the_threads_that_a_node_would_have(
    way: str, given: int, expected: int, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "shipped_network", lambda checkpoint, device: network)
    engine = bench.FACTORIES[way](parameters(num_threads=given, store_dialogues=False)).engine
    assert isinstance(engine, Engine)
    assert engine.num_threads == expected


@pytest.mark.usefixtures("_ros")
@pytest.mark.parametrize("way", bench.FACTORIES)
def test_a_dialogue_is_timed_from_the_stamp_of_each_instruction(
    way: str, network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "shipped_network", lambda checkpoint, device: network)
    monkeypatch.setattr(bench, "_TURN_TIMEOUT_S", 30.0)
    sessions: list[Session] = []

    def make(values: NodeParameters) -> Session:
        sessions.append(bench.FACTORIES[way](values))
        return sessions[0]

    with robot(make, tmp_path):
        player = bench.Player("robot")
        player.wait_for_robot()
        turns = [player.dialogue(number) for number in range(2)][1]
        player.destroy()
    assert [turn.text for turn in sessions[0].turns("dialogue 1")] == [text for text, _ in DIALOGUE]
    assert [turn.answer for turn in sessions[0].turns("dialogue 1")] == [answer for _, answer in DIALOGUE]
    for turn in turns:
        stages = {"queue", "convert", "encode", "prefill", "generate", "masks", "total"}
        assert stages <= turn.keys()
        assert turn["total"] < turn["to the whole answer"]
        assert turn.get("to the first mask", 0.0) <= turn["to the whole answer"]
    assert (turns[3]["encode"] == 0) == (way == "pixelrs")
    assert any(tmp_path.iterdir()) == (way == "pixelrs"), "the package stores its turns, the published code does not"


@pytest.mark.usefixtures("_ros")
def test_a_robot_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_START_TIMEOUT_S", 0.1)
    player = bench.Player("nobody")
    with pytest.raises(PixelrsError, match=r"/nobody did not answer in 0\.1 s"):
        player.wait_for_robot()
    player.destroy()


class _Scripted:
    """Stands for a player whose n-th dialogue takes 10 n + t ms to the mask and the answer of its turn t."""

    def dialogue(self, number: int) -> list[dict[str, float]]:
        return [{"to the whole answer": 10.0 * number + turn, "encode": 1.0} for turn in range(len(DIALOGUE))]


def test_the_first_dialogue_is_the_cold_one_and_the_others_are_summed_up() -> None:
    played = bench.play({"pixelrs": _Scripted()}, repeats=3)  # type: ignore[dict-item]
    assert played["cold"]["pixelrs"]["fourth"]["to the whole answer"] == 3.0
    warm = played["warm"]["pixelrs"]
    assert warm["first"]["to the whole answer"] == {"median": 20.0, "p95": 29.0, "n": 3}
    assert warm["fourth"]["to the whole answer"]["median"] == 23.0


@pytest.mark.usefixtures("_ros")
def test_transport_is_timed_by_the_stamps_of_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_TRANSPORT_IMAGES", 8)
    late_ns, receiver, sender = 50_000_000, Node("receiver"), Node("sender")
    publisher = sender.create_publisher(Image, "transport", qos_profile_sensor_data)
    message = conversions.fill_image(Image(), Header(), picture(0), "rgb8")

    def publish() -> None:
        message.header.stamp = conversions.ns_to_stamp(sender.get_clock().now().nanoseconds - late_ns)
        publisher.publish(message)

    sender.create_timer(0.01, publish)
    with running(sender):
        times = bench.transport(receiver)
    receiver.destroy_node()
    assert times["n"] >= 3
    assert 50 <= times["median"] <= times["p95"]


@pytest.mark.usefixtures("_ros")
def test_no_image_from_the_other_process_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_TURN_TIMEOUT_S", 0.1)
    with pytest.raises(PixelrsError, match="no image came"):
        bench.transport(Node("receiver"))


def test_the_conversion_of_a_turn_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    convert = conversions.frame_from_image

    def slowly(*args: Any) -> Any:
        time.sleep(0.02)
        return convert(*args)

    fast = bench.conversion()
    monkeypatch.setattr(conversions, "frame_from_image", slowly)
    slow = bench.conversion()
    assert fast["n"] == slow["n"] == bench._CONVERSIONS - 5
    assert slow["median"] >= 20.0 and slow["median"] > fast["median"]


def test_each_process_is_the_one_that_its_arguments_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def main(*, session_factory: Any) -> int:
        made.append(session_factory)
        return 0

    monkeypatch.setattr(node, "main", main)
    monkeypatch.setattr(bench, "send_images", lambda: made.append("images"))
    for name in ("__ns:=/pixelrs", "__ns:=/published", "__node:=sender"):
        assert bench.main(["--ros-args", "-r", name]) == 0
    assert made == [bench.forced_session, bench.published_session, "images"]


def test_both_nodes_get_what_the_command_line_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[dict[str, object], int]] = []

    def measure(values: dict[str, object], repeats: int) -> dict[str, Any]:
        seen.append((values, repeats))
        return {"warm": {}}

    monkeypatch.setattr(bench, "measure", measure)
    path = tmp_path / "ros.json"
    assert bench.main(["--json", str(path), "--threads", "3", "--precision", "bf16", "--repeats", "2"]) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == {"warm": {}}
    ((values, repeats),) = seen
    assert values == {
        "checkpoint": "nano",
        "device": "cpu",
        "backend": "torch",
        "precision": "bf16",
        "num_threads": 3,
    }
    assert values.keys() <= SPECS.keys() and repeats == 2


def test_a_failure_is_said_and_leaves_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: Any) -> dict[str, Any]:
        raise PixelrsError("the perception node did not answer")

    monkeypatch.setattr(bench, "measure", fail)
    assert bench.main(["--json", str(tmp_path / "ros.json")]) == 1
    assert capsys.readouterr().err == "bench: the perception node did not answer\n"
    assert not (tmp_path / "ros.json").exists()
