"""A client that also chooses what the simulated camera sees."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

from pixelrs_ros.client import NoAnswerError
from pixelrs_ros.ros.tools.robot_client import RobotClient


class SceneClient(RobotClient):
    """Talks to the perception node and to the simulated camera.

    Args:
        node: Talks for the client; None: a node of its own.
        camera: Name of the simulated camera's node.
        **kwargs: Further arguments of `RobotClient`.
    """

    def __init__(self, node: Node | None = None, *, camera: str = "sim_camera", **kwargs: Any) -> None:
        super().__init__(node, **kwargs)
        self._camera = AsyncParameterClient(self.node, camera)

    def look(self, scene_seed: int, camera_seed: int, timeout_s: float) -> None:
        """Show the camera a scene and wait until its images show it, also to the perception node.

        Raises:
            NoAnswerError: The camera does not answer, or sends no images, in time.
        """
        self.wait(self._camera.services_are_ready, timeout_s, "no simulated camera answered")
        seeds = {"scene_seed": scene_seed, "camera_seed": camera_seed}
        change = self._camera.set_parameters_atomically(
            [Parameter(name, Parameter.Type.INTEGER, seed) for name, seed in seeds.items()]
        )
        self.wait(change.done, timeout_s, "the simulated camera did not change its view")
        response = change.result()
        assert response is not None
        if not response.result.successful:
            raise NoAnswerError(f"the simulated camera refused scene {scene_seed}: {response.result.reason}")
        # The images are large and arrive later than anything else: an instruction could overtake them.
        self.wait_for_image(self.now_ns(), timeout_s, f"the perception node saw no image of scene {scene_seed}")
