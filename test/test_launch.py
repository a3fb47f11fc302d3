"""What the launch files start, and who has the last word about a parameter: the command line, then the file."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import rclpy
import yaml
from fault_bench import Caller
from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.node import Node

pytest.importorskip("launch_ros", reason="ROS 2 from wheels brings no launch; test/ros/parameters/test_layers.py does")

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 90.0
NUMBERS = itertools.count()
# What `ros2 launch` does, without ros2cli.
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
arguments = [argument.split(":=") for argument in sys.argv[2:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription([IncludeLaunchDescription(sys.argv[1], launch_arguments=arguments)])
)
sys.exit(service.run())
"""


@contextmanager
def launched(name: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", LAUNCH, str(ROOT / "launch" / name), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=DEADLINE_S)


def parameters_of(namespace: str, *names: str, node_name: str = "perception") -> list[Any]:
    """The values of a launched node's parameters, switches and texts."""
    rclpy.init()
    node = Node("tester", namespace=namespace)
    client: Client[Any, Any] = node.create_client(GetParameters, f"{node_name}/get_parameters")
    ends_s = time.monotonic() + DEADLINE_S
    try:
        while not client.service_is_ready():
            assert time.monotonic() < ends_s, "the node does not come up"
            rclpy.spin_once(node, timeout_sec=0.1)
        future = client.call_async(GetParameters.Request(names=list(names)))
        rclpy.spin_until_future_complete(node, future, timeout_sec=DEADLINE_S)
        response = future.result()
        assert response is not None, "the node does not answer"
        return [value.bool_value if value.type == 1 else value.string_value for value in response.values]
    finally:
        node.destroy_node()
        rclpy.shutdown()


@pytest.mark.parametrize(
    ("in_file", "given", "expected"),
    [
        ({"image_transport": "compressed", "autostart": False}, (), ["compressed", "raw", False]),
        (
            {"image_transport": "compressed", "depth_transport": "compressedDepth", "autostart": False},
            ("image_transport:=raw",),
            ["raw", "compressedDepth", False],
        ),
        (
            {"autostart": True},
            ("autostart:=false", "depth_transport:=compressedDepth"),
            ["raw", "compressedDepth", False],
        ),
        ({"store_dialogues": False}, (), ["raw", "raw", True]),
    ],
    ids=["the file wins", "unless it is given", "also whether to start", "which it does where nothing is said"],
)
def test_the_file_decides_what_the_command_line_leaves_open(
    tmp_path: Path, in_file: dict[str, Any], given: tuple[str, ...], expected: list[Any]
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"/**/perception": {"ros__parameters": in_file}}), encoding="utf-8")
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    with launched("pixelrs.launch.py", f"params_file:={path}", f"namespace:={namespace}", *given):
        assert parameters_of(namespace, "image_transport", "depth_transport", "autostart") == expected


def test_the_planner_of_grasps_takes_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    mine = {"ros__parameters": {"session_id": "mine"}}
    path.write_text(yaml.safe_dump({"/**/grasp_planner": mine}), encoding="utf-8")
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    given = (f"params_file:={path}", f"namespace:={namespace}", "grasps:=true", "autostart:=false")
    with launched("pixelrs.launch.py", *given):
        assert parameters_of(namespace, "session_id", node_name="grasp_planner") == ["mine"]


def test_a_profile_gives_way_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": {"device": "cpu"}}}), encoding="utf-8")
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    given = (f"params_file:={path}", f"namespace:={namespace}", "profile:=jetson_orin", "autostart:=false")
    with launched("pixelrs.launch.py", *given):
        assert parameters_of(namespace, "device", "precision") == ["cpu", "fp16"]


@pytest.mark.parametrize("transitions", ["node", "launch"])
def test_a_node_that_died_comes_back_with_its_dialogue(tmp_path: Path, transitions: str) -> None:
    path = tmp_path / "params.yaml"
    values = {"storage_dir": str(tmp_path / "store"), "num_threads": 1}
    path.write_text(yaml.safe_dump({"/**/perception": {"ros__parameters": values}}), encoding="utf-8")
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    given = (f"params_file:={path}", f"namespace:={namespace}", f"transitions:={transitions}")
    with launched("pixelrs.launch.py", *given) as process:
        rclpy.init()
        try:
            with heard(namespace) as caller:
                shown = caller.show()
                caller.say("What is this?", stamp_ns=caller.stamp_of(shown))
                said = caller.dialogue()
                assert said == ["What is this?"]
                (first,) = psutil.Process(process.pid).children()
                first.kill()
                caller.until(lambda: _pids(process) - {first.pid} != set(), "a new node", DEADLINE_S)
            # Another one, which has never heard of the dead node: DDS buries that only after a while.
            with heard(namespace) as caller:
                assert caller.dialogue() == said
        finally:
            rclpy.shutdown()


def test_events_of_launch_leave_a_node_that_cannot_be_configured_to_whoever_mends_it(tmp_path: Path) -> None:
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    given = (f"namespace:={namespace}", "transitions:=launch", "autostart:=true", "checkpoint:=/nowhere")
    with launched("pixelrs.launch.py", *given) as process:
        assert parameters_of(namespace, "autostart") == [False], "one of the two does it, not both"
        too_late = threading.Timer(DEADLINE_S, process.kill)
        too_late.start()
        said = ""
        while "Failed to make transition 'TRANSITION_CONFIGURE'" not in said:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"it has ended, or says nothing of it:\n{said}"
            said += line
        too_late.cancel()
        assert "cannot load checkpoint '/nowhere'" in said
        assert process.poll() is None


@contextmanager
def heard(namespace: str) -> Iterator[Caller]:
    """A caller that the node listens to."""
    caller = Caller(namespace)
    try:
        caller.wait_until_active(timeout_s=DEADLINE_S)
        yield caller
    finally:
        caller.destroy_node()


def _pids(process: subprocess.Popen[str]) -> set[int]:
    return {child.pid for child in psutil.Process(process.pid).children() if child.status() != psutil.STATUS_ZOMBIE}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("pixelrs.launch.py", "image_transport:=theora", "theora"),
        ("pixelrs.launch.py", "params_file:=/nowhere.yaml", "'params_file': there is no file '/nowhere.yaml'"),
        ("pixelrs.launch.py", "speech_params_file:=/nowhere.yaml", "'speech_params_file': there is no file"),
        ("pixelrs.launch.py", "console_params_file:=/nowhere.yaml", "'console_params_file': there is no file"),
        ("sim.launch.py", "gazebo:=citadel", "citadel"),
        ("sim.launch.py", "seed:=-1", "'seed' is a whole number from 0, got '-1'"),
        ("sim.launch.py", "params_file:=/nowhere.yaml", "'params_file': there is no file '/nowhere.yaml'"),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(gazebo: Path, name: str, given: str, said: str) -> None:
    with launched(name, given) as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 1
        assert said in output and "process started" not in output


def test_without_respawn_the_launch_ends_with_its_node_for_a_supervisor_and_the_others_come_back(
    tmp_path: Path,
) -> None:
    namespace = f"launched_{os.getpid()}_{next(NUMBERS)}"
    given = (f"namespace:={namespace}", "respawn:=false", "autostart:=false", "grasps:=true")
    with launched("pixelrs.launch.py", *given) as process:
        for name, comes_back in (("grasp_planner", True), ("perception", False)):
            found = _child(process, name)
            found.kill()
            found.wait(DEADLINE_S)
            if comes_back:
                assert _child(process, name).pid != found.pid
        process.communicate(timeout=DEADLINE_S)  # it ends, though the planner goes on


def _child(process: subprocess.Popen[str], name: str) -> psutil.Process:
    """The launched program of a name, as soon as it runs."""
    ends_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends_s:
        for child in psutil.Process(process.pid).children():
            with suppress(psutil.Error):
                if any(word.endswith(f"/pixelrs_ros/{name}") for word in child.cmdline()):
                    return child
        time.sleep(0.05)
    raise AssertionError(f"{name} does not come up")


def test_the_launched_demo_is_that_of_make_demo(tmp_path: Path) -> None:
    params = {"/**/operator": {"ros__parameters": {"dialogues": 1}}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    arguments = (f"out_dir:={tmp_path}/out", f"params_file:={tmp_path}/params.yaml", "namespace:=shown")
    with launched("demo.launch.py", *arguments) as process:
        output, _ = process.communicate(timeout=3 * DEADLINE_S)
    assert process.returncode == 0, output
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert (results["dialogues"], results["unanswered"]) == (1, 0)
    assert (tmp_path / "out" / "report.html").exists()


@pytest.fixture
def gazebo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Gazebo and the packages around it; the file that tells how each was started."""
    for decided in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS"):
        monkeypatch.delenv(decided, raising=False)
    monkeypatch.delenv("ROS_LOCALHOST_ONLY", raising=False)
    started, programs = tmp_path / "started.txt", tmp_path / "programs"
    stand_in = f'exec {sys.executable} {ROOT}/test/shared/gazebo_stand_in.py "$world"'
    waits = "trap 'exit 0' INT TERM; while :; do sleep 1; done"
    packages = {"ros_gz_bridge": "parameter_bridge", "tf2_ros": "static_transform_publisher", "rviz2": "rviz2"}
    scripts = {programs / f"lib/{package}/{name}": waits for package, name in packages.items()}
    scripts[programs / "lib/ros_gz_bridge/parameter_bridge"] = f"env >> {started}\n{waits}"
    scripts |= {programs / "bin/gz": stand_in, programs / "bin/ign": stand_in}
    for path, does in scripts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        said = f'echo "{path.name} $*" >> {started}\nfor word in "$@"; do world=$word; done\n'
        path.write_text(f"#!/bin/sh\n{said}{does}\n")
        path.chmod(0o755)
    for package in packages:
        marker = programs / "share/ament_index/resource_index/packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        (programs / "share" / package).mkdir()
    monkeypatch.setenv("PATH", f"{programs / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{programs}{os.pathsep}{os.environ['AMENT_PREFIX_PATH']}")
    return started


@pytest.mark.parametrize(("release", "command"), [("harmonic", "gz sim"), ("fortress", "ign gazebo")])
def test_the_simulation_is_played_and_scored(gazebo: Path, tmp_path: Path, release: str, command: str) -> None:
    params = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text())
    params["/**/operator"]["ros__parameters"]["dialogues"] = 1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    given = (f"out_dir:={tmp_path}/out", f"params_file:={tmp_path}/params.yaml", "seed:=910003", "play:=true")
    with launched("sim.launch.py", *given, "headless:=true", f"gazebo:={release}") as process:
        output, _ = process.communicate(timeout=3 * DEADLINE_S)
    assert process.returncode == 0, output
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert (results["dialogues"], results["unanswered"]) == (1, 0)
    started = gazebo.read_text()
    assert f"{command} -r -s --headless-rendering {tmp_path}/out/world/tabletop.sdf" in started
    assert "--child-frame-id camera_optical_frame" in started and "rviz2 -d" in started
    assert "_DEFAULT_PROFILES_FILE=" in started and "wire/fastdds.xml" in started  # else it loses images


@pytest.mark.skipif(bool(shutil.which("gz")), reason="Gazebo is installed here")
def test_half_a_simulation_is_not_started() -> None:
    with launched("sim.launch.py", "gazebo:=harmonic") as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert "not installed: the command 'gz' of Gazebo Harmonic" in output and "remedy: apt-get install" in output
    assert "process started" not in output and "Traceback" not in output
