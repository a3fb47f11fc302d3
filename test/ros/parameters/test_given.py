"""A parameter that a node does not have is not passed over in silence."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pixelrs_ros.ros.parameters.given import misspelled

KNOWN = ("checkpoint", "max_frame_age_s", "use_sim_time")
MEANT = "there is no parameter 'checkpiont': did you mean 'checkpoint'?"
NOTHING = "there is no parameter 'color': it changes nothing"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"/**/perception": {"checkpiont": "mine", "color": "red", "max_frame_age_s": 1.0}}, [MEANT, NOTHING]),
        ({"perception": {"checkpiont": "mine"}, "/robot1/perception": {"checkpiont": "mine"}}, [MEANT]),
        ({"/**": {"checkpiont": "mine", "color": "of another node"}}, [MEANT]),
        ({"/**/speech": {"checkpiont": "mine"}, "/robot/*": {"color": "of another node"}}, []),
        ({"/**": {"use_sim_time": True, "qos_overrides": {"/image": {"subscription": {"depth": 1}}}}}, []),
        (
            {"/**/perception": {"color": {"of": {"mask": 1}}}},
            ["there is no parameter 'color.of.mask': it changes nothing"],
        ),
    ],
    ids=["of the node", "told once", "of all, like one of ours", "of others", "of ROS", "nested"],
)
def test_a_file(tmp_path: Path, content: dict[str, Any], expected: list[str]) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({key: {"ros__parameters": value} for key, value in content.items()}))
    assert misspelled(["node", "--ros-args", "--params-file", str(path)], "perception", KNOWN) == expected


def test_names_below_a_namespace_and_empty_files(tmp_path: Path) -> None:
    path, empty = tmp_path / "params.yaml", tmp_path / "empty.yaml"
    path.write_text("robot1:\n  perception:\n    ros__parameters:\n      checkpiont: mine\n")
    empty.write_text("/**:\n  ros__parameters:\n")
    arguments = ["node", "--ros-args", "--params-file", str(empty), "--params-file", str(path)]
    assert misspelled(arguments, "perception", KNOWN) == [MEANT]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--ros-args -p checkpiont:=mine -p checkpoint:=mine", [MEANT]),
        ("--ros-args --param perception:color:=red -p speech:checkpiont:=mine", [NOTHING]),
        ("-p color:=red --ros-args -r image:=/image -- -p color:=red", []),
    ],
)
def test_a_command_line(arguments: str, expected: list[str]) -> None:
    assert misspelled(["node", *arguments.split()], "perception", KNOWN) == expected


def test_a_node_says_so_when_it_starts() -> None:
    program = (
        "import rclpy\nfrom rclpy.node import Node\nfrom pixelrs_ros.ros.parameters.declaration import declare\n"
        "rclpy.init()\ndeclare(Node('perception'))"
    )
    command = [sys.executable, "-c", program, "--ros-args", "-p", "checkpiont:=mine", "-p", "use_sim_time:=true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.count("[WARN]") == 1 and MEANT in done.stderr, done.stderr
