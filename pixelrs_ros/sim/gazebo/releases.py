"""What differs between the releases of Gazebo; docs/gazebo.md says where each fact is from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        ros: The ROS 2 distribution that it belongs to.
        library: What the file names of its systems begin with.
        namespace: What the class names of its systems begin with.
        command: What starts it; a world follows.
        own_lens: Whether its RGB-D camera reports the lens that it has. One that does not reports what the world says.
        frame_element: The element of a sensor that names its messages' frame; empty where `<optical_frame_id>` does.
    """

    ros: str
    library: str
    namespace: str
    command: tuple[str, ...]
    own_lens: bool
    frame_element: str = ""

    def system(self, name: str) -> tuple[str, str]:
        """File and class name of a system such as `scene-broadcaster`."""
        words = "".join(word.capitalize() for word in name.split("-"))
        return f"{self.library}-{name}-system", f"{self.namespace}::systems::{words}"


RELEASES: dict[str, Release] = {
    "fortress": Release(
        ros="humble",
        library="ignition-gazebo",
        namespace="ignition::gazebo",
        command=("ign", "gazebo"),
        own_lens=False,
        frame_element="ignition_frame_id",
    ),
    "harmonic": Release(
        ros="jazzy",
        library="gz-sim",
        namespace="gz::sim",
        command=("gz", "sim"),
        own_lens=True,
    ),
    "ionic": Release(
        ros="kilted",
        library="gz-sim",
        namespace="gz::sim",
        command=("gz", "sim"),
        own_lens=True,
    ),
}


def release_of(ros: str) -> str:
    """The release that belongs to a ROS 2 distribution; of any other one, Harmonic."""
    return next((name for name, release in RELEASES.items() if release.ros == ros), "harmonic")
