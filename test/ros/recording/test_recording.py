"""Recorded over DDS, and said again to another node: real processes, the shipped network, the same masks."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from pixelrs_ros.msg import Instruction, Segmentation
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image

from pixelrs_ros.data.bag_turns import read_dialogues
from pixelrs_ros.data.bag_writing import BagWriter
from pixelrs_ros.data.bags import Bag
from pixelrs_ros.data.from_bag import write_from_bag
from pixelrs_ros.ros.demo.scene_client import SceneClient
from pixelrs_ros.ros.tools.processes import Processes
from pixelrs_ros.ros.wire import conversions

NODE = "pixelrs_ros.ros.perception.node"
CAMERA = "pixelrs_ros.ros.demo.sim_camera"
TIMEOUT_S = 120.0
SCENES = (910000, 910002)
# With the words of the demo, which the shipped network answers with masks, words alone and "not found".
FIRST = ("Just the brush closest to us, please.", "And what color is it?")
SECOND = ("i would like the bowl that is just behind the white malley, please.", "The yellow spoon.")
Said = dict[str, list[tuple[str, str, list[np.ndarray]]]]


def pixelrs(*arguments: str, timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pixelrs_ros.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, shipped: str
) -> Iterator[tuple[Processes, SceneClient, Path, Said]]:
    """A node that still runs, a recording of two dialogues with it, and what it answered."""
    folder = tmp_path_factory.mktemp("world")
    bag = folder / "bag"
    with Processes(folder / "logs") as processes:
        active = ("-p", "autostart:=true", "-p", "store_dialogues:=false")
        processes.start("perception", NODE, "-r", "image:=/camera/color", *active)
        processes.start("sim_camera", CAMERA, "-r", "image:=/camera/color")
        command = ["record", "/rosout", "--out", str(bag), "--image", "/camera/color"]
        recorder = subprocess.Popen(
            [sys.executable, "-m", "pixelrs_ros.cli", *command], stdout=subprocess.PIPE, text=True
        )
        assert recorder.stdout is not None and "recording / to" in recorder.stdout.readline()
        rclpy.init()
        client = SceneClient(name="user")
        try:
            client.wait_for_robot(TIMEOUT_S, alive=lambda: not processes.ended())
            said: Said = {"by topic": [], "by action": []}
            client.look(SCENES[0], 0, TIMEOUT_S)
            for text in FIRST:
                answer = client.say(text, session_id="by topic", timeout_s=TIMEOUT_S)
                said["by topic"].append((text, answer.text, answer.masks))
            client.look(SCENES[1], 0, TIMEOUT_S)
            for text in SECOND:
                answer = client.ground(text, session_id="by action", timeout_s=TIMEOUT_S)
                said["by action"].append((text, answer.text, answer.masks))
            recorder.send_signal(signal.SIGINT)
            assert recorder.wait(TIMEOUT_S) == 0
            assert f"{bag}: " in recorder.stdout.read()
            yield processes, client, bag, said
        finally:
            recorder.kill()
            client.destroy()
            rclpy.shutdown()


def test_everything_was_recorded_that_the_node_heard_and_said(
    world: tuple[Processes, SceneClient, Path, Said], tmp_path: Path
) -> None:
    _, _, bag, said = world
    with Bag(bag) as read:
        robot = read.robot()
        assert robot.camera == {"image": "/camera/color", "depth": "/depth", "camera_info": "/camera_info"}
        own = {"instruction", "segmentation", "partial_segmentation", "explanation", "target_points", "markers"}
        others = {"diagnostics", "rosout", "perception/transition_event", "tracking"}
        assert {f"/{name}" for name in own | others} <= read.topics.keys()
        dialogues, failed = read_dialogues(read, robot)
        assert not failed and all(dialogue.from_start for dialogue in dialogues)
        assert [dialogue.session_id for dialogue in dialogues] == list(said)
        for dialogue in dialogues:
            for turn, (text, answer, masks) in zip(dialogue.turns, said[dialogue.session_id], strict=True):
                assert (turn.turn.text, turn.text, len(turn.masks)) == (text, answer, len(masks))
                for mask, other in zip(turn.masks, masks, strict=True):
                    np.testing.assert_array_equal(mask.mask(), other)
    assert any(masks for turns in said.values() for _, _, masks in turns)
    assert write_from_bag(bag, tmp_path / "prist").without_picture == 0
    metadata = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    offered = {
        one["topic_metadata"]["name"]: {qos["reliability"] for qos in one["topic_metadata"]["offered_qos_profiles"]}
        for one in metadata["topics_with_message_count"]
    }
    assert offered["/camera/color"] == {"best_effort"}
    assert offered["/segmentation"] == offered["/explanation"] == {"reliable"}


def test_replaying_gives_the_same_masks_bit_for_bit(world: tuple[Processes, SceneClient, Path, Said]) -> None:
    processes, _, bag, _ = world
    run = pixelrs("replay", str(bag), "--check")
    assert run.returncode == 1 and "another camera" in run.stderr and "remedy: stop it" in run.stderr
    processes.interrupt("sim_camera")
    assert processes.wait("sim_camera", TIMEOUT_S) == 0
    run = pixelrs("replay", str(bag), "--check")  # to the node that was recorded
    assert run.returncode == 0, run.stdout + run.stderr
    assert "4 of 4 turns are the same" in run.stdout
    processes.interrupt("perception")
    assert processes.wait("perception", TIMEOUT_S) == 0
    processes.start("again", NODE, "-p", "autostart:=true", "-p", "store_dialogues:=false", "-r", "__ns:=/again")
    forged = bag.parent / "forged"
    forge(bag, forged)
    run = pixelrs("replay", str(forged), "--check", "--to", "/again/")  # to another one, elsewhere
    assert run.returncode == 1 and run.stdout.count("differs") == 1 and "other masks, IoU 0.9" in run.stdout
    assert "3 of 4 turns are the same" in run.stdout and "1 of 4 turns differ" in run.stderr
    played(bag)


def forge(bag: Path, out: Path) -> None:
    """The same recording with one pixel of one mask turned."""
    turned = 0
    with Bag(bag) as read, BagWriter(out, read.noted) as writer:
        for logged in read.messages(*read.topics):
            data = logged.data
            if logged.topic == "/segmentation":
                message = deserialize_message(data, Segmentation)
                if message.segments and not turned:
                    message.segments[0].mask.data[0] ^= 255
                    turned += 1
                    data = serialize_message(message)
            writer.write(logged.topic, logged.kind, logged.time_ns, data)
    assert turned == 1


def played(bag: Path) -> None:
    """As it was recorded, four times as fast, all images and instructions reach who listens."""
    node = rclpy.create_node("listener", namespace="/again")
    executor = rclpy.executors.SingleThreadedExecutor()
    executor.add_node(node)
    images: list[Image] = []
    instructions: list[Instruction] = []
    node.create_subscription(Image, "image", images.append, 1000)
    node.create_subscription(Instruction, "instruction", instructions.append, 1000)
    command = [sys.executable, "-m", "pixelrs_ros.cli", "replay", str(bag), "--rate", "4", "--to", "again"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as player:
        deadline_s = time.monotonic() + TIMEOUT_S
        while player.poll() is None or len(instructions) < 4:
            assert time.monotonic() < deadline_s, f"only {[one.text for one in instructions]} arrived"
            executor.spin_once(timeout_sec=0.1)
        assert player.stdout is not None and "messages played" in player.stdout.read()
    assert player.returncode == 0
    assert sorted(one.text for one in instructions) == sorted((*FIRST, *SECOND))
    stamps = [conversions.stamp_to_ns(one.header.stamp) for one in images]
    assert stamps == sorted(stamps) and len(set(stamps)) == len(stamps) > 10
    assert abs(stamps[-1] - node.get_clock().now().nanoseconds) < 60e9
    node.destroy_node()


def test_a_replay_without_a_node_says_so(world: tuple[Processes, SceneClient, Path, Said]) -> None:
    for how in (("--check",), ()):
        run = pixelrs("replay", str(world[2]), "--to", "nobody", "--timeout", "0.5", *how)
        assert run.returncode == 1 and "no perception node in /nobody listens to `instruction` in 0.5 s" in run.stderr
