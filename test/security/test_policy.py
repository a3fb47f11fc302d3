"""The SROS 2 policy names what the running node has, no less and no more."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
from node_bench import Echo
from rclpy.action import get_action_client_names_and_types_by_node, get_action_server_names_and_types_by_node
from rclpy.node import Node
from rclpy.parameter import Parameter

from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.perception.node import PerceptionNode
from pixelrs_ros.ros.planner.node import GraspPlanner
from pixelrs_ros.ros.recording.recorder import Recorder
from pixelrs_ros.ros.speech.node import SpeechNode

ROOT = Path(__file__).resolve().parents[2]
POLICY = ElementTree.parse(ROOT / "security" / "policy.xml").getroot()
KINDS = {"topics": ("publish", "subscribe"), "services": ("reply", "request"), "actions": ("execute", "call")}
# What the node has only where its parameters ask for it.
DETECTIONS = {"/detections_2d", "/detections_3d", "/label_info"}  # where vision_msgs is installed
OPTIONAL = {"/clock", "/image/compressed", "/depth/compressedDepth", "/tf", "/tf_static", *DETECTIONS}
# Of the others: what they have only now and then, and the other one of two ways in which pictures come.
NOW_AND_THEN = {
    "console": {"/clock", "/image", "/image/compressed", "/tracking", "/turn_points"},  # while somebody looks
    "grasp_planner": {"/clock"},
    "recorder": {"/clock", "/image/compressed", "/depth/compressedDepth"},
    "speech": {"/clock", "/explanation"},  # where it speaks the answers
}
OTHERS: dict[str, Callable[[], Node]] = {
    "console": ConsoleNode, "grasp_planner": GraspPlanner, "recorder": Recorder, "speech": SpeechNode
}  # fmt: skip
SPEAKERS = ("operator", "console")  # of the user, who may also make the robot forget
Rights = dict[str, set[str]]


def rights(profile: ElementTree.Element) -> Rights:
    """Full names by what is allowed: publish, subscribe, reply, request, execute, call."""
    node = profile.attrib["ns"].rstrip("/") + "/" + profile.attrib["node"]
    found: Rights = {right: set() for pair in KINDS.values() for right in pair}
    for group in profile:
        for right, qualifier in group.attrib.items():
            assert qualifier == "ALLOW" and right in KINDS[group.tag]
            for entry in group:
                name = (entry.text or "").replace("~", node, 1)
                name = name if name.startswith("/") else f"{profile.attrib['ns'].rstrip('/')}/{name}"
                assert name not in found[right], f"{name} twice"
                found[right].add(name)
    return found


PROFILES = {profile.attrib["node"]: rights(profile) for profile in POLICY.iter("profile")}


def in_graph(node: Node) -> Rights:
    """What a node has in the graph."""
    me = (node.get_name(), node.get_namespace())
    names = {
        "publish": node.get_publisher_names_and_types_by_node(*me),
        "subscribe": node.get_subscriber_names_and_types_by_node(*me),
        "reply": node.get_service_names_and_types_by_node(*me),
        "request": node.get_client_names_and_types_by_node(*me),
        "execute": get_action_server_names_and_types_by_node(node, *me),
        "call": get_action_client_names_and_types_by_node(node, *me),
    }
    # An action's own topics and services come with the right to execute it.
    return {right: {name for name, _ in found if "/_action/" not in name} for right, found in names.items()}


@pytest.fixture(scope="module")
def live() -> Iterator[Rights]:
    """What the active node has in the graph."""
    rclpy.init()
    values = {"store_dialogues": False, "depth_topics": ["depth"], "camera_info_topics": ["camera_info"]}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = PerceptionNode(session_factory=lambda _: Echo(), parameter_overrides=overrides)
    assert node.autostart()
    yield in_graph(node)
    node.close()
    node.destroy_node()
    rclpy.shutdown()


@pytest.mark.parametrize("right", ["publish", "subscribe", "reply", "request", "execute", "call"])
def test_the_node_has_what_it_may_and_may_what_it_has(live: Rights, right: str) -> None:
    allowed = PROFILES["perception"][right]
    assert live[right] - allowed == set(), "security/policy.xml lacks it"
    assert allowed - live[right] <= OPTIONAL, "security/policy.xml allows what the node does not have"


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_node_has_what_it_may_and_may_what_it_has(name: str) -> None:
    node = OTHERS[name]()
    assert node.get_name() == name
    found = in_graph(node)
    node.destroy_node()
    for right, names in found.items():
        assert names - PROFILES[name][right] == set(), f"security/policy.xml does not let it {right} them"
        extra = PROFILES[name][right] - names
        assert extra <= NOW_AND_THEN[name], f"it cannot {right} what security/policy.xml allows"


def test_the_policy_is_of_the_published_form() -> None:
    assert (POLICY.tag, POLICY.attrib, [child.tag for child in POLICY]) == (
        "policy",
        {"version": "0.2.0"},
        ["enclaves"],
    )
    for enclave in POLICY[0]:
        assert enclave.tag == "enclave" and re.fullmatch(r"/pixelrs/\w+", enclave.attrib["path"])
        (profiles,) = enclave
        assert profiles.tag == "profiles" and {profile.tag for profile in profiles} == {"profile"}
        for profile in profiles:
            assert set(profile.attrib) == {"ns", "node"}
            for group in profile:
                assert {entry.tag for entry in group} == {group.tag[:-1]}


def test_what_one_may_say_another_may_hear() -> None:
    """A name that only one side has is a slip of the pen, or an end that ROS itself provides."""
    own = PROFILES["perception"]
    others = [profile for node, profile in PROFILES.items() if node != "perception"]
    for mine, theirs in (("subscribe", "publish"), ("publish", "subscribe"), ("execute", "call")):
        answered = set().union(*(profile[theirs] for profile in others))
        assert own[mine] - answered <= {"/clock", "/rosout", "/parameter_events"}
    requested = set().union(*(profile["request"] for profile in others))
    assert requested <= own["reply"]
    assert own["reply"] - requested == {"/perception/get_type_description"}


def test_only_the_manager_changes_state_and_only_operators_speak() -> None:
    for node, profile in PROFILES.items():
        sensitive = {
            name
            for name in profile["request"]
            if re.search(r"/(change_state|set_parameters\w*|swap_checkpoint)$", name)
        }
        assert bool(sensitive) == (node == "manager")
        speaks = bool({"/instruction", "/instruction_text"} & profile["publish"])
        assert speaks == (node in (*SPEAKERS, "speech", "grasp_planner"))
        assert ("/image" in profile["publish"]) == (node == "camera")
        assert ("/perception/reset_dialogue" in profile["request"]) == (node in (*SPEAKERS, "grasp_planner"))


def test_a_node_that_cannot_be_secured_does_not_start_in_the_open(tmp_path: Path) -> None:
    secured = {
        "ROS_SECURITY_ENABLE": "true",
        "ROS_SECURITY_STRATEGY": "Enforce",
        "ROS_SECURITY_KEYSTORE": str(tmp_path),
    }
    command = [
        sys.executable,
        "-m",
        "pixelrs_ros.ros.perception.node",
        "--ros-args",
        "--enclave",
        "/pixelrs/perception",
    ]
    ended = subprocess.run(command, env={**os.environ, **secured}, capture_output=True, text=True, timeout=180)
    assert ended.returncode != 0
    assert ended.stderr.startswith("ROS cannot be started: ") and "/pixelrs/perception" in ended.stderr
    assert "Traceback" not in ended.stderr
