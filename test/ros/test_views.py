"""What RViz and Foxglove are told to show is what the node publishes, with the type and the quality that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from node_bench import Echo
from rclpy.parameter import Parameter

from pixelrs_ros.ros.perception.node import PerceptionNode

CONFIG = Path(__file__).resolve().parents[2] / "config"
RVIZ = yaml.safe_load((CONFIG / "pixelrs.rviz").read_text(encoding="utf-8"))
FOXGLOVE = json.loads((CONFIG / "foxglove.json").read_text(encoding="utf-8"))
TYPES = {
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "rviz_default_plugins/PointCloud2": "sensor_msgs/msg/PointCloud2",
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
}


@pytest.fixture(scope="module")
def graph() -> Iterator[dict[str, list[str]]]:
    """Types of the topics of an active node, its inputs too."""
    rclpy.init()
    values = {"store_dialogues": False, "depth_topics": ["depth"], "camera_info_topics": ["camera_info"]}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = PerceptionNode(session_factory=lambda _: Echo(), parameter_overrides=overrides)
    assert node.autostart()
    yield dict(node.get_topic_names_and_types())
    node.close()
    node.destroy_node()
    rclpy.shutdown()


def test_every_display_of_rviz_has_its_topic_in_that_type(graph: dict[str, list[str]]) -> None:
    shown = [display for display in RVIZ["Visualization Manager"]["Displays"] if "Topic" in display]
    assert {display["Topic"]["Value"] for display in shown} >= {"overlay", "target_points", "markers"}
    for display in shown:
        topic = display["Topic"]
        assert not topic["Value"].startswith("/"), "a robot's namespace goes before it"
        assert graph[f"/{topic['Value']}"] == [TYPES[display["Class"]]]
        is_camera = topic["Value"] == "image"
        assert topic["Reliability Policy"] == ("Best Effort" if is_camera else "Reliable")


def test_every_panel_of_foxglove_has_its_topic(graph: dict[str, list[str]]) -> None:
    named = set(re.findall(r'"(/[a-z_]+)', json.dumps(FOXGLOVE["configById"])))
    assert named - graph.keys() == set()
    assert named >= {"/overlay", "/target_points", "/markers", "/explanation", "/diagnostics", "/instruction_text"}
    published = FOXGLOVE["configById"]["Publish!instruction"]
    assert graph[published["topicName"]] == [published["datatype"]] and "data" in json.loads(published["value"])


def test_the_layout_of_foxglove_places_every_panel_once() -> None:
    def leaves(node: Any) -> list[str]:
        return [node] if isinstance(node, str) else leaves(node["first"]) + leaves(node["second"])

    assert sorted(leaves(FOXGLOVE["layout"])) == sorted(FOXGLOVE["configById"])
