"""Who has the last word about a launched node's parameters: the command line, then the file. Imports no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pixelrs_ros.ros.parameters.table import SPECS

FileT = TypeVar("FileT")
NOT_GIVEN = ""  # value of a launch argument that is not given on the command line: the parameter file decides
# Launch arguments that set the parameter of the same name.
ARGUMENTS = {
    "image_transport": "How the images are sent; compressed subscribes to `<image>/compressed`.",
    "depth_transport": "How the depth images are sent; compressedDepth subscribes to `<depth>/compressedDepth`.",
    "autostart": "Configure and activate the node at once; false leaves that to a lifecycle manager.",
}


def choices(name: str) -> list[str]:
    """What a launch argument accepts."""
    return [NOT_GIVEN, *(SPECS[name].choices or ("true", "false"))]


def layers(defaults: FileT, params_file: FileT, given: Mapping[str, str]) -> list[FileT | dict[str, str | bool]]:
    """Parameters in the order in which ROS takes them, of which the later ones overrule the earlier ones.

    Args:
        defaults: `config/launch.yaml`. A file, since launch_ros would write a dict under the node's full name, and ROS
            would put what is given in its place, before the parameter file.
        params_file: The parameter file.
        given: The launch arguments of `ARGUMENTS`, `NOT_GIVEN` among them.
    """
    values: dict[str, str | bool] = {}
    for name, text in given.items():
        if text != NOT_GIVEN:
            values[name] = text == "true" if isinstance(SPECS[name].default, bool) else text
    return [defaults, params_file, *([values] if values else [])]
