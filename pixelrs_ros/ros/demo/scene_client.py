"""A client that also chooses what the simulated camera sees."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.srv import SetParametersAtomically
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter

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
        # Humble has no parameter client yet.
        service = f"{camera}/set_parameters_atomically"
        self._camera: Client[Any, Any] = self.node.create_client(SetParametersAtomically, service)

    def look(self, scene_seed: int, camera_seed: int, timeout_s: float) -> None:
        """Show the camera a scene and wait until its images show it, also to the perception node.

        Raises:
            NoAnswerError: The camera does not answer, or sends no images, in time.
        """
        self.wait(self._camera.service_is_ready, timeout_s, "no simulated camera answered")
        seeds = {"scene_seed": scene_seed, "camera_seed": camera_seed}
        parameters = [Parameter(name, value=seed).to_parameter_msg() for name, seed in seeds.items()]
        change = self._camera.call_async(SetParametersAtomically.Request(parameters=parameters))
        self.wait(change.done, timeout_s, "the simulated camera did not change its view")
        response = change.result()
        assert response is not None
        if not response.result.successful:
            raise NoAnswerError(f"the simulated camera refused scene {scene_seed}: {response.result.reason}")
        # The images are large and arrive later than anything else: an instruction could overtake them.
        self.wait_for_image(self.now_ns(), timeout_s, f"the perception node saw no image of scene {scene_seed}")
