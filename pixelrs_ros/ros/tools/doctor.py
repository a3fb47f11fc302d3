"""The checks of `pixelrs doctor` that need ROS. Nothing of ROS is imported before a check: there may be none.

Run as a module by `pixelrs_ros.doctor.findings.examine`.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from pixelrs_ros.doctor.findings import Check, Finding, Subject, fail, ok, serve, warn

SOURCE = "source /opt/ros/<distro>/setup.bash and the workspace's install/local_setup.bash, or use scripts/env.sh"
BUILD = "make setup, or colcon build --packages-select pixelrs_ros; then source install/local_setup.bash"
ROUND_TRIP_S = 5.0
MAX_DOMAIN, FIRST_EPHEMERAL, LAST_EPHEMERAL = 232, 102, 214  # of Linux's default range of ports
RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
_DISCOVERY = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_STATIC_PEERS", "ROS_LOCALHOST_ONLY", "ROS_DISCOVERY_SERVER",
    "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE", "CYCLONEDDS_URI", "ZENOH_ROUTER_CONFIG_URI",
)  # fmt: skip


def present(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether anything of ROS is here; without, commands that need none still work."""
    return bool(environment.get("ROS_DISTRO") or environment.get("AMENT_PREFIX_PATH")) or _has("rclpy")


def environment(subject: Subject, variables: Mapping[str, str] = os.environ) -> Finding:
    """ROS_DISTRO and AMENT_PREFIX_PATH."""
    if not present(variables):
        return _without_ros()
    prefixes = [Path(prefix) for prefix in variables.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    text = f"ROS_DISTRO {variables.get('ROS_DISTRO') or 'not set (ROS from wheels)'}"
    text += f", AMENT_PREFIX_PATH {' '.join(map(str, prefixes)) or 'not set'}"
    if not prefixes:
        return fail(text, SOURCE)
    gone = [str(prefix) for prefix in prefixes if not prefix.is_dir()]
    if gone:
        return warn(f"{text}; missing: {' '.join(gone)}", f"open a new terminal, then {SOURCE}")
    return ok(text)


def rclpy_module(subject: Subject) -> Finding:
    """Whether rclpy can be imported, and from where."""
    if not present():
        return _without_ros()
    try:
        import rclpy
        from rclpy.impl.implementation_singleton import rclpy_implementation  # noqa: F401  the compiled part
    except (ImportError, OSError) as error:
        remedy = f"{SOURCE}; rclpy is compiled for one Python (Humble 3.10, Jazzy and Kilted 3.12): use that one"
        return fail(f"rclpy cannot be imported: {error}", remedy)
    return ok(f"{_version('ros-rclpy', 'rclpy')} from {Path(rclpy.__file__).parent}")


def messages(subject: Subject) -> Finding:
    """Whether the package's messages are built and their type support loads."""
    if not present():
        return _without_ros()
    try:
        import pixelrs_ros.msg
        from pixelrs_ros.msg import Instruction
    except ImportError as error:
        return fail(f"the messages are not built or not sourced: {error}", BUILD)
    try:
        Instruction.__class__.__import_type_support__()
    except Exception as error:  # rosidl has its own kinds for this
        return fail(f"the messages' type support does not load: {error}", f"{SOURCE}; else build anew: {BUILD}")
    return ok(f"pixelrs_ros.msg from {Path(pixelrs_ros.msg.__file__).parent}")


def rmw(subject: Subject, variables: Mapping[str, str] = os.environ) -> Finding:
    """Which RMW implementation is asked for, and whether that one loads; rcl ends the process where it does not."""
    if not _has("rclpy"):
        return _without_ros()
    wanted, prefixes = variables.get("RMW_IMPLEMENTATION"), variables.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    places = [Path(prefix) / "share/ament_index/resource_index/rmw_typesupport" for prefix in prefixes]
    found = sorted({file.name for place in places for file in place.glob("rmw_*_cpp")})
    if wanted and wanted not in found:
        remedy = f"install {wanted} (apt: ros-<distro>-{wanted.replace('_', '-')}) or unset RMW_IMPLEMENTATION"
        return fail(f"RMW_IMPLEMENTATION is {wanted}, installed: {', '.join(found) or 'none'}", remedy)
    from rclpy.utilities import get_rmw_implementation_identifier

    loaded = get_rmw_implementation_identifier()
    if wanted and wanted != loaded:
        return fail(f"RMW_IMPLEMENTATION is {wanted}, loaded was {loaded}", f"install {wanted} or unset the variable")
    return ok(f"{loaded} loads; RMW_IMPLEMENTATION {wanted or 'not set'}")


def discovery(subject: Subject, variables: Mapping[str, str] = os.environ) -> Finding:
    """ROS_DOMAIN_ID and what decides whom a node finds."""
    if not present(variables):
        return _without_ros()
    domain = variables.get("ROS_DOMAIN_ID", "")
    settings = [f"{name}={variables[name]}" for name in _DISCOVERY if variables.get(name)]
    text = ", ".join([f"ROS_DOMAIN_ID {domain or 'not set (0)'}", *settings])
    if domain and not (domain.isascii() and domain.isdecimal() and int(domain) <= MAX_DOMAIN):
        return fail(text, f"set ROS_DOMAIN_ID to a whole number from 0 to {MAX_DOMAIN}; up to 101 is safe")
    searched = variables.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    if searched and searched not in RANGES:
        return fail(text, f"set ROS_AUTOMATIC_DISCOVERY_RANGE to one of {', '.join(RANGES)}")
    if domain and FIRST_EPHEMERAL <= int(domain) <= LAST_EPHEMERAL:
        return warn(
            text, "domains from 102 to 214 use ports that Linux gives to outgoing connections: choose up to 101"
        )
    if searched == "OFF":
        return warn(text, "no other node will be found: unset ROS_AUTOMATIC_DISCOVERY_RANGE")
    missing = [name for name in _DISCOVERY if name.endswith("PROFILES_FILE") and _absent(variables.get(name))]
    if missing:
        return warn(text, f"{' and '.join(missing)} names a file that is not there")
    return ok(text)


def dds(subject: Subject) -> Finding:
    """One of our messages from one node to another and back."""
    if not _has("rclpy"):
        return _without_ros()
    try:
        took_ms = round_trip_ms(ROUND_TRIP_S)
    except ImportError as error:
        return fail(f"not tried: {error}", "see the lines about rclpy and the messages")
    if took_ms is None:
        return fail(f"no answer between two nodes of one process within {ROUND_TRIP_S:g} s",
                    "allow UDP (also multicast) on the loopback interface in the firewall, make room in /dev/shm, "
                    "check the discovery settings above; with rmw_zenoh_cpp start rmw_zenohd first")  # fmt: skip
    return ok(f"an Instruction went to another node and back in {took_ms:.1f} ms")


def bridge(subject: Subject) -> Finding:
    """A small picture through cv_bridge, both ways, and through the node's own conversion."""
    if not _has("sensor_msgs"):
        return _without_ros()
    import cv2
    import numpy as np

    versions = f"cv_bridge {_version('cv-bridge', 'cv_bridge')}, numpy {np.__version__}, OpenCV {cv2.__version__}"
    remedy = 'pip install "numpy<2.3" "opencv-python-headless<5" (an apt cv_bridge: the numpy of apt, numpy<2)'
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    try:
        from cv_bridge import CvBridge

        message = CvBridge().cv2_to_imgmsg(picture, encoding="rgb8")
        there_and_back = CvBridge().imgmsg_to_cv2(message, desired_encoding="rgb8")
    except Exception as error:  # whatever a mismatch of compiled modules makes of it
        return fail(f"{versions}: {type(error).__name__}: {error}", remedy)
    if not np.array_equal(there_and_back, picture):
        return fail(f"{versions}: the pixels change on the way", remedy)
    from pixelrs_ros.ros.wire.conversions import image_to_rgb

    if not np.array_equal(image_to_rgb(message), picture):
        return fail(f"{versions}: the node's conversion changes the pixels", remedy)
    return ok(f"{versions} convert both ways")


def round_trip_ms(limit_s: float) -> float | None:
    """Send an instruction to another node, which sends it back.

    Each node has a context, so a participant of its own: they find each other as two processes do.

    Args:
        limit_s: Seconds to wait, discovery included.

    Returns:
        Milliseconds of the way there and back; None if it took too long.
    """
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor

    from pixelrs_ros.msg import Instruction

    contexts = [Context(), Context()]
    for context in contexts:
        rclpy.init(context=context)
    topic = f"pixelrs_doctor_{os.getpid()}"
    came: list[Instruction] = []
    near, far = (rclpy.create_node(f"{topic}_{side}", context=contexts[side == "far"]) for side in ("near", "far"))
    executors = [SingleThreadedExecutor(context=context) for context in contexts]
    try:
        echo = far.create_publisher(Instruction, f"{topic}_back", 10)
        far.create_subscription(Instruction, topic, echo.publish, 10)
        asking = near.create_publisher(Instruction, topic, 10)
        near.create_subscription(Instruction, f"{topic}_back", came.append, 10)
        for executor, node in zip(executors, (near, far), strict=True):
            executor.add_node(node)
        ends, sent = time.monotonic() + limit_s, 0.0
        while time.monotonic() < ends:
            # Both ways are known before anything is sent: what is sent earlier is lost.
            if not sent and asking.get_subscription_count() and echo.get_subscription_count():
                sent = time.monotonic()
                asking.publish(Instruction(session_id="doctor", text="Where is the mug? Où est la tasse ?"))
            for executor in executors:
                executor.spin_once(timeout_sec=0.002)
            if came:
                return (time.monotonic() - sent) * 1000 if came[0].text.endswith("tasse ?") else None
        return None
    finally:
        for node in (near, far):
            node.destroy_node()
        for context in contexts:
            rclpy.shutdown(context=context)


def _without_ros() -> Finding:
    return warn("skipped: there is no ROS here", f"on a robot: {SOURCE}; without ROS, all but the nodes works")


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # barred from being imported
        return False


def _absent(file: str | None) -> bool:
    return bool(file) and not Path(str(file)).is_file()


def _version(*names: str) -> str:
    """The version of the first of these packages that has one; one from apt has none."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "(version unknown)"


CHECKS: dict[str, Check] = {
    "ROS environment": environment,
    "rclpy": rclpy_module,
    "messages": messages,
    "RMW": rmw,
    "discovery": discovery,
    "DDS": dds,
    "cv_bridge": bridge,
}

if __name__ == "__main__":
    serve(CHECKS)
