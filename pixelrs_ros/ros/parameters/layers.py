"""Who has the last word about a launched node's parameters: the command line, the file, the profile. Imports no ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pixelrs_ros.errors import ConfigError
from pixelrs_ros.ros.parameters.table import SPECS

FileT = TypeVar("FileT")
NOT_GIVEN = ""  # value of a launch argument that is not given on the command line: the parameter file decides
# Kinds of machines, in config/profiles.
PROFILES = ("nano_cpu", "jetson_orin", "desktop_gpu")
# Launch arguments that set the parameter of the same name.
ARGUMENTS = {
    "checkpoint": "The network: a folder, or a name.",
    "device": "Where it runs: cpu, cuda or cuda:N.",
    "image_transport": "How the images are sent; compressed subscribes to `<image>/compressed`.",
    "depth_transport": "How the depth images are sent; compressedDepth subscribes to `<depth>/compressedDepth`.",
    "target_frame": "Frame of TF, such as base_link, in which targets are given too; needs tf2_ros.",
    "autostart": "Configure and activate the node at once; false leaves that to a lifecycle manager.",
}


def choices(name: str) -> list[str] | None:
    """What a launch argument accepts; None: any text."""
    spec = SPECS[name]
    accepted = ("true", "false") if isinstance(spec.default, bool) else spec.choices
    return [NOT_GIVEN, *accepted] if accepted else None


def layers(files: Sequence[FileT], given: Mapping[str, str]) -> list[FileT | dict[str, str | bool]]:
    """Parameters in the order in which ROS takes them, of which the later ones overrule the earlier ones.

    Args:
        files: Parameter files: `config/launch.yaml`, a profile, the user's. The first is a file, too, since launch_ros
            would write a dict under the node's full name, and ROS would put what is given in its place, before the
            others.
        given: The launch arguments of `ARGUMENTS`, `NOT_GIVEN` among them.
    """
    values: dict[str, str | bool] = {}
    for name, text in given.items():
        if text != NOT_GIVEN:
            values[name] = text == "true" if isinstance(SPECS[name].default, bool) else text
    return [*files, *([values] if values else [])]


def require_file(argument: str, path: str) -> None:
    """Refuse what launch_ros would pass over with a warning: a robot would run, and not as its file says.

    Args:
        argument: Name of the launch argument.
        path: The parameter file that it names, or `NOT_GIVEN`.

    Raises:
        ConfigError: There is no such file.
    """
    if path != NOT_GIVEN and not Path(path).is_file():
        remedy = "; write $HOME for ~, which shells leave as it is after :=" if path.startswith("~") else ""
        raise ConfigError(f"launch argument {argument!r}: there is no file {path!r}{remedy}")
