"""The checks that need ROS, with it, without it, and with broken pieces of it."""

from __future__ import annotations

from pathlib import Path

import cv_bridge
import numpy as np
import pytest

from pixelrs_ros.doctor.findings import Level, Subject, examine
from pixelrs_ros.doctor.memory import CACHED_SESSIONS, FRAME_CACHE_MB
from pixelrs_ros.ros.parameters.table import SPECS
from pixelrs_ros.ros.tools import doctor

MODULE = "pixelrs_ros.ros.tools.doctor"
SUBJECT = Subject()
BAR = "import sys\nfor name in {names}:\n    sys.modules[name] = None\n"


def bar(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    """In every Python that is started from here, these modules cannot be imported."""
    (folder / "sitecustomize.py").write_text(BAR.format(names=names))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")


def test_all_is_well_here() -> None:
    findings = examine(MODULE, SUBJECT, 120)
    assert list(findings) == list(doctor.CHECKS)
    assert {name: finding.text for name, finding in findings.items() if finding.level is not Level.OK} == {}
    assert "ms" in findings["DDS"].text and "cv_bridge 1.13" in findings["cv_bridge"].text


def test_without_ros_every_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bar(monkeypatch, tmp_path, "rclpy", "sensor_msgs")
    for name in ("ROS_DISTRO", "AMENT_PREFIX_PATH", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    findings = examine(MODULE, SUBJECT, 120)
    assert list(findings) == list(doctor.CHECKS)
    assert {finding.level for finding in findings.values()} == {Level.WARN}
    assert all(finding.text == "skipped: there is no ROS here" and finding.remedy for finding in findings.values())


def test_half_a_ros_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bar(monkeypatch, tmp_path, "rclpy", "pixelrs_ros.msg", "cv_bridge")
    findings = examine(MODULE, SUBJECT, 120)
    failed = {name for name, finding in findings.items() if finding.level is Level.FAIL}
    assert failed == {"rclpy", "messages", "cv_bridge"}
    assert "colcon build" in findings["messages"].remedy


def test_an_rmw_that_is_not_there_ends_no_check_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_nobody_cpp")
    findings = examine(MODULE, SUBJECT, 120)
    assert list(findings) == list(doctor.CHECKS)
    assert findings["RMW"].level is Level.FAIL and "ros-<distro>-rmw-nobody-cpp" in findings["RMW"].remedy
    assert findings["DDS"].level is Level.FAIL and "rmw_nobody_cpp" in findings["DDS"].text
    assert findings["ROS environment"].level is findings["cv_bridge"].level is Level.OK


@pytest.mark.parametrize(
    ("variables", "level", "said"),
    [
        ({}, "WARN", "no ROS"),
        ({"ROS_DISTRO": "jazzy"}, "FAIL", "jazzy"),
        ({"AMENT_PREFIX_PATH": "/"}, "OK", "not set"),
        ({"AMENT_PREFIX_PATH": "/:/gone/install"}, "WARN", "missing: /gone/install"),
    ],
)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], level: str, said: str) -> None:
    monkeypatch.setattr(doctor, "_has", lambda _: False)
    finding = doctor.environment(SUBJECT, variables)
    assert finding.level.value == level and said in finding.text and bool(finding.remedy) == (level != "OK")


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, "OK"),
        ({"ROS_DOMAIN_ID": "42", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, "OK"),
        ({"ROS_DOMAIN_ID": "150"}, "WARN"),
        ({"ROS_DOMAIN_ID": "233"}, "FAIL"),
        ({"ROS_DOMAIN_ID": "-1"}, "FAIL"),
        ({"ROS_DOMAIN_ID": "one"}, "FAIL"),
        ({"ROS_DOMAIN_ID": "²"}, "FAIL"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "WARN"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "HERE"}, "FAIL"),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/gone.xml"}, "WARN"),
    ],
)
def test_discovery(variables: dict[str, str], level: str) -> None:
    finding = doctor.discovery(SUBJECT, {"AMENT_PREFIX_PATH": "/", **variables})
    assert finding.level.value == level and bool(finding.remedy) == (level != "OK")
    assert all(value in finding.text for value in variables.values())


def test_two_nodes_that_cannot_meet_in_time() -> None:
    assert doctor.round_trip_ms(0.0) is None


def test_a_bridge_that_changes_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.bridge(SUBJECT).level is Level.OK
    monkeypatch.setattr(cv_bridge.CvBridge, "imgmsg_to_cv2", lambda *_, **__: np.zeros((4, 6, 3), np.uint8))
    finding = doctor.bridge(SUBJECT)
    assert finding.level is Level.FAIL and "numpy<2.3" in finding.remedy

    def refuse(*_: object, **__: object) -> None:
        raise ImportError("numpy.core.multiarray failed to import")

    monkeypatch.setattr(cv_bridge.CvBridge, "cv2_to_imgmsg", refuse)
    assert "numpy.core.multiarray failed to import" in doctor.bridge(SUBJECT).text


def test_memory_is_counted_with_the_nodes_defaults() -> None:
    assert SPECS["max_cached_sessions"].default == CACHED_SESSIONS
    assert SPECS["max_frame_cache_mb"].default == FRAME_CACHE_MB
