"""Every parameter of the console, once: type, default, meaning and what it accepts. All are read at its start."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rclpy.node import Node

from pixelrs_ros.ros.parameters import checks
from pixelrs_ros.ros.parameters.declaration import read_all
from pixelrs_ros.ros.parameters.spec import Change, Spec, parameter

AT_START = Change.AT_START
RAW, COMPRESSED = "raw", "compressed"


@dataclass(frozen=True)
class ConsoleParameters:
    """The values in force. Each field is one parameter of the console."""

    host: str = parameter(
        "127.0.0.1",
        "Address that the page is served on; with any but one of this machine alone, the page asks for a token.",
        AT_START,
    )
    port: int = parameter(8080, "Port that the page is served on; 0: any that is free.", AT_START, low=0, high=65535)
    perception: str = parameter("perception", "Name of the perception node.", AT_START, check=checks.node_name)
    image_transport: str = parameter(
        RAW, "How the live picture comes: raw: `image`; compressed: `image/compressed`.", AT_START,
        choices=(RAW, COMPRESSED),
    )  # fmt: skip
    rate_hz: float = parameter(30.0, "Live pictures a second, at most.", AT_START, low=0.1, high=120.0)
    max_width_px: int = parameter(1280, "Wider pictures are made smaller for the page.", AT_START, low=64, high=8192)
    jpeg_quality: int = parameter(80, "Of the pictures that are sent to the page.", AT_START, low=1, high=100)


CONSOLE_SPECS: dict[str, Spec] = {field.name: field.metadata["spec"] for field in fields(ConsoleParameters)}


def read(node: Node) -> ConsoleParameters:
    """Declare the parameters on a node, and what it was started with.

    Raises:
        ConfigError: A value is impossible; the message names the parameter.
    """
    return ConsoleParameters(**read_all(node, CONSOLE_SPECS))
