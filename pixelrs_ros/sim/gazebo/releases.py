"""What differs between the releases of Gazebo; docs/gazebo.md says where each fact is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ReleaseName = Literal["fortress", "harmonic", "ionic"]
RELEASE_NAMES: tuple[ReleaseName, ...] = get_args(ReleaseName)


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        ros: The ROS 2 distribution that it belongs to.
        library: What the file names of its systems begin with.
        namespace: What the class names of its systems begin with.
        command: What starts it; a world follows.
        messages: What the names of its message types begin with.
        resource_path: The variable in which it looks for files besides a world's own folder.
        own_lens: Whether its RGB-D camera reports the lens that it has. One that does not reports what the world says.
    """

    ros: str
    library: str
    namespace: str
    command: tuple[str, ...]
    messages: str
    resource_path: str
    own_lens: bool

    def system(self, name: str) -> tuple[str, str]:
        """File and class name of a system such as `scene-broadcaster`."""
        words = "".join(word.capitalize() for word in name.split("-"))
        return f"{self.library}-{name}-system", f"{self.namespace}::systems::{words}"


RELEASES: dict[ReleaseName, Release] = {
    "fortress": Release(
        ros="humble",
        library="ignition-gazebo",
        namespace="ignition::gazebo",
        command=("ign", "gazebo"),
        messages="ignition.msgs",
        resource_path="IGN_GAZEBO_RESOURCE_PATH",
        own_lens=False,
    ),
    "harmonic": Release(
        ros="jazzy",
        library="gz-sim",
        namespace="gz::sim",
        command=("gz", "sim"),
        messages="gz.msgs",
        resource_path="GZ_SIM_RESOURCE_PATH",
        own_lens=True,
    ),
    "ionic": Release(
        ros="kilted",
        library="gz-sim",
        namespace="gz::sim",
        command=("gz", "sim"),
        messages="gz.msgs",
        resource_path="GZ_SIM_RESOURCE_PATH",
        own_lens=True,
    ),
}
