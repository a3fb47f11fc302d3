"""A client that also knows from the diagnostics whether images reach the perception node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from pixelrs_ros.client import PixelrsClient
from pixelrs_ros.ros.perception.health import IMAGE_AGE
from pixelrs_ros.ros.wire import conversions

_DIAGNOSTICS_ROUNDING_NS = 20_000_000  # they give the age in hundredths of a second


class RobotClient(PixelrsClient):
    """Waits for images to reach the perception node, besides what `PixelrsClient` does.

    Args:
        node: Talks for the client; None: a node of its own.
        perception: Name of the perception node.
        **kwargs: Further arguments of `PixelrsClient`.
    """

    def __init__(self, node: Node | None = None, *, perception: str = "perception", **kwargs: Any) -> None:
        super().__init__(node, perception=perception, **kwargs)
        namespace = self.node.get_namespace().rstrip("/")
        self._camera_status = f"{namespace}/{perception}: camera"
        self._newest_image_ns = 0
        self.subscribe(DiagnosticArray, "/diagnostics", self._on_diagnostics)

    def wait_for_robot(self, timeout_s: float, *, alive: Callable[[], bool] = lambda: True) -> None:
        """Wait until the perception node is active and images reach it. Arguments and errors: `wait_until_ready`."""
        self.wait_until_ready(timeout_s, alive=alive)
        self.wait_for_image(1, timeout_s, "no image reached the perception node", alive=alive)

    def wait_for_image(
        self, stamp_ns: int, timeout_s: float, complaint: str, *, alive: Callable[[], bool] = lambda: True
    ) -> None:
        """Wait until an image captured at a time or later has reached the perception node.

        Args:
            stamp_ns: The time, nanoseconds on the node's clock.
            timeout_s: How long to wait.
            complaint: Begins the message of the error.
            alive: Asked again and again; the wait ends when it returns False.

        Raises:
            NoAnswerError: No such image comes in time, or the node is not alive.
        """
        self.wait(lambda: self._newest_image_ns >= stamp_ns, timeout_s, complaint, alive=alive)

    def now_ns(self) -> int:
        """Present time on the node's clock, late enough for the rounding of the ages in the diagnostics."""
        return int(self.node.get_clock().now().nanoseconds) + _DIAGNOSTICS_ROUNDING_NS

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == self._camera_status:
                age_s = {pair.key: pair.value for pair in status.values}[IMAGE_AGE]
                if age_s and status.level != DiagnosticStatus.ERROR:
                    sent_ns = conversions.stamp_to_ns(message.header.stamp)
                    self._newest_image_ns = sent_ns - round(float(age_s) * 1e9)
