"""Who has the last word about a parameter of a launched node: the command line, then the file."""

from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.declaration import declare, read
from pixelrs_ros.ros.parameters.layers import ARGUMENTS, NOT_GIVEN, PROFILES, choices, layers, require_file
from pixelrs_ros.ros.parameters.table import SPECS

CONFIG = Path(__file__).resolve().parents[3] / "config"
# Of a launched node where nobody says anything.
DEFAULT = {
    "checkpoint": "nano", "device": "cpu", "image_transport": "raw", "depth_transport": "raw", "target_frame": "",
    "autostart": True,
}  # fmt: skip
DEFAULTS, PROFILES_DIR = CONFIG / "launch.yaml", CONFIG / "profiles"


def started_with(tmp_path: Path, in_file: dict[str, Any], key: str = "/**/perception", **given: str) -> dict[str, Any]:
    """The values of the launch arguments' parameters, in a node that is started as launch_ros would start it."""
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({key: {"ros__parameters": in_file}}), encoding="utf-8")
    arguments = ["--ros-args"]
    for number, layer in enumerate(layers([DEFAULTS, file], dict.fromkeys(ARGUMENTS, NOT_GIVEN) | given)):
        path = layer
        if isinstance(layer, dict):  # launch_ros writes what is given as a dict to a file of its own
            path = tmp_path / f"layer_{number}.yaml"
            path.write_text(yaml.safe_dump({"/perception": {"ros__parameters": layer}}), encoding="utf-8")
        arguments += ["--params-file", str(path)]
    rclpy.init()
    node = Node("perception", cli_args=arguments)
    try:
        declare(node)
        values = read(node)
        return {name: getattr(values, name) for name in ARGUMENTS}
    finally:
        node.destroy_node()
        rclpy.shutdown()


def test_the_file_wins_over_the_defaults_of_the_launch_file(tmp_path: Path) -> None:
    in_file = {
        "checkpoint": "/mine", "device": "cuda", "image_transport": "compressed", "depth_transport": "compressedDepth",
        "target_frame": "base_link", "autostart": False,
    }  # fmt: skip
    assert started_with(tmp_path, in_file) == in_file


def test_a_file_may_name_all_nodes(tmp_path: Path) -> None:
    found = started_with(tmp_path, {"autostart": False, "image_transport": "compressed"}, key="/**")
    assert found == DEFAULT | {"image_transport": "compressed", "autostart": False}


def test_the_command_line_wins_over_the_file_and_leaves_the_rest(tmp_path: Path) -> None:
    in_file = {
        "image_transport": "compressed",
        "depth_transport": "compressedDepth",
        "device": "cuda",
        "autostart": True,
    }
    given = {"image_transport": "raw", "autostart": "false", "checkpoint": "/mine"}
    found = started_with(tmp_path, in_file, **given)
    assert found == DEFAULT | in_file | given | {"autostart": False}


def test_where_nobody_says_anything_the_node_starts_at_once(tmp_path: Path) -> None:
    found = started_with(tmp_path, {"store_dialogues": False})
    assert found == DEFAULT


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_accepts_what_its_parameter_accepts(name: str) -> None:
    expected = {
        "checkpoint": None, "device": None, "target_frame": None, "autostart": ["", "true", "false"],
        "image_transport": ["", "raw", "compressed"], "depth_transport": ["", "raw", "compressedDepth"],
    }  # fmt: skip
    assert choices(name) == expected[name]


def test_a_profile_stands_between_the_defaults_and_the_users_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump({"/**": {"ros__parameters": {"precision": "bf16"}}}), encoding="utf-8")
    rclpy.init()
    arguments = ["--ros-args"]
    for path in layers([DEFAULTS, PROFILES_DIR / "jetson_orin.yaml", mine], {}):
        arguments += ["--params-file", str(path)]
    node = Node("perception", cli_args=arguments)
    try:
        declare(node)
        values = read(node)
        assert (values.device, values.precision, values.autostart) == ("cuda", "bf16", True)
    finally:
        node.destroy_node()
        rclpy.shutdown()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_holds_nothing_but_parameters_that_the_node_accepts(profile: str) -> None:
    content = yaml.safe_load((PROFILES_DIR / f"{profile}.yaml").read_text(encoding="utf-8"))
    given = content["/**"]["ros__parameters"]
    assert given.keys() <= SPECS.keys() and given["checkpoint"] == "nano"
    rclpy.init()
    node = Node("perception", parameter_overrides=[Parameter(name, value=value) for name, value in given.items()])
    try:
        declare(node)
        assert all(getattr(read(node), name) == value for name, value in given.items())
    finally:
        node.destroy_node()
        rclpy.shutdown()


def test_every_profile_is_offered() -> None:
    assert sorted(path.stem for path in PROFILES_DIR.glob("*.yaml")) == sorted(PROFILES)


def test_a_file_that_is_not_there_is_refused_by_the_name_of_its_argument(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    require_file("params_file", str(tmp_path / "mine.yaml"))
    require_file("params_file", NOT_GIVEN)
    for path in (tmp_path / "nine.yaml", tmp_path):
        with pytest.raises(ConfigError, match=f"launch argument 'params_file': there is no file '{path}'$"):
            require_file("params_file", str(path))
    with pytest.raises(ConfigError, match=r"no file '~/mine.yaml'; write \$HOME for ~"):
        require_file("params_file", "~/mine.yaml")
