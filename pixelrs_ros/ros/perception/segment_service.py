"""The service `~/segment`: one question about one given image, outside of any dialogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import Instruction
from pixelrs_ros.ros.perception.intake import Intake, inactive_answer
from pixelrs_ros.ros.queueing.frame_buffer import BoundFrame, BufferedFrame, Stream
from pixelrs_ros.ros.queueing.turn_request import Job
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.executor_bridge import Courier
from pixelrs_ros.srv import SegmentImage

SESSION_ID = "~segment"  # stands in the answers, which are of no dialogue; its calls share one place in the queue


class SegmentService:
    """Serves the service on a node. Nothing of it is published or remembered.

    Args:
        node: Serves the service.
        courier: Of the node.
        intake: Gives what takes instructions, None while the node is not active.
    """

    def __init__(self, node: Node, courier: Courier, intake: Callable[[], Intake | None]) -> None:
        self._courier = courier
        self._intake = intake
        # A callback that waits holds its group, and this one waits for a whole turn: the group lets others in.
        group = ReentrantCallbackGroup()
        node.create_service(SegmentImage, "~/segment", self._on_request, callback_group=group)

    async def _on_request(
        self, request: SegmentImage.Request, response: SegmentImage.Response
    ) -> SegmentImage.Response:
        """Queue a turn and wait for its end; the executor does other things meanwhile."""
        answer: Any = Future()  # of a segmentation and an explanation; as rclpy types it, awaiting one may give None
        job = job_of(request)
        job.on_end = lambda segmentation, explanation: self._courier.send(answer, (segmentation, explanation))
        intake = self._intake()
        if intake is None:
            response.segmentation, response.explanation = inactive_answer(job)
            return response
        intake.take(job)
        response.segmentation, response.explanation = await answer
        return response


def job_of(request: SegmentImage.Request) -> Job:
    """The turn of a request; a bad image is its image's error."""
    header = request.image.header
    stamp_ns = conversions.stamp_to_ns(header.stamp)
    bound = BoundFrame(_frame(request.image, stamp_ns, _problem_with(request.image)))
    # They were given together, so their stamps do not matter.
    if request.depth.data:
        bound.offer(Stream.DEPTH, _frame(request.depth, stamp_ns))
    if request.camera_info.width:
        size_px = conversions.image_size_of_info(request.camera_info)
        frame_id = request.camera_info.header.frame_id
        bound.offer(Stream.INFO, BufferedFrame(request.camera_info, stamp_ns, "", frame_id, size_px))
    instruction = Instruction(header=header, session_id=SESSION_ID, text=request.text, confidence=1.0)
    return Job(instruction, stamp_ns, bound=bound, one_shot=True)


def _frame(image: Image, stamp_ns: int, error: str = "") -> BufferedFrame[Any]:
    return BufferedFrame(image, stamp_ns, error, image.header.frame_id, (image.width, image.height))


def _problem_with(image: Image) -> str:
    try:
        conversions.check_image(image)
    except BadInputError as error:
        return str(error)
    return ""
