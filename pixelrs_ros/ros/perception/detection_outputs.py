"""The publishers of vision_msgs, where that package is installed: `detections_2d`, `detections_3d` and `label_info`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header

from pixelrs_ros.ros.wire import qos
from pixelrs_ros.ros.wire.image_outputs import is_wanted, send
from pixelrs_ros.ros.wire.targets import Target

# Whoever comes later still learns the numbers.
_KEPT = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# vision_msgs numbers classes with 16 bits; names beyond those stay without a number.
_MAX_CLASSES = 2**16


class DetectionOutputs:
    """Publishes a turn's targets as vision_msgs has them; publishes nothing, and costs nothing, where it is missing.

    Args:
        node: Whose publishers these are; they publish while it is active.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._context: Context = node.context
        self._classes: list[str] = []
        self.publishers: tuple[LifecyclePublisher[Any], ...] = ()
        if find_spec("vision_msgs") is None:
            return
        from vision_msgs.msg import Detection2DArray, Detection3DArray, LabelInfo

        self._flat = qos.advertise_managed(node, Detection2DArray, "detections_2d")
        self._spatial = qos.advertise_managed(node, Detection3DArray, "detections_3d")
        self._labels = qos.advertise_managed(node, LabelInfo, "label_info", _KEPT)
        self.publishers = (self._flat, self._spatial, self._labels)

    def publish(self, header: Header, targets: Callable[[], Sequence[Target]]) -> None:
        """Publish the targets of a turn, none of them too: the ones before are then gone.

        Args:
            header: The image's.
            targets: Gives them; not called where nobody would receive them.
        """
        if not any(map(is_wanted, self.publishers)):
            return
        from vision_msgs.msg import Detection2DArray, Detection3DArray, LabelInfo

        from pixelrs_ros.ros.wire import detections

        found = targets()
        new = [name for name in dict.fromkeys(one.class_name for one in found) if name not in self._classes]
        if new:
            self._classes = [*self._classes, *new][:_MAX_CLASSES]
            send(self._context, self._labels, detections.fill_label_info(LabelInfo(), header, self._classes))
        if is_wanted(self._flat):
            send(self._context, self._flat, detections.fill_detections_2d(Detection2DArray(), header, found))
        if is_wanted(self._spatial):
            send(self._context, self._spatial, detections.fill_detections_3d(Detection3DArray(), header, found))
