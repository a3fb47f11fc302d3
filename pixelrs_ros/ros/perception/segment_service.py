"""The service `~/segment`: one question about one given image, outside of any dialogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image

from pixelrs_ros.encodings import UsedBits
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.msg import Instruction, Pointing
from pixelrs_ros.ros.perception.intake import Intake, inactive_answer
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, BufferedFrame, Stream
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.executor_bridge import ExecutorBridge
from pixelrs_ros.srv import SegmentImage

SESSION_ID = "~segment"  # named in the answers, which belong to no dialogue; its calls share one flow of the queue


class SegmentService:
    """Serves the service on a node. Nothing of it is published or remembered.

    Args:
        node: Serves the service.
        bridge: Completes futures in the node's executor.
        intake: Gives what takes instructions, None while the node is not active.
        image_bits: Gives how many of 16 bits an image uses; 0: as many as it uses itself.
    """

    def __init__(
        self, node: Node, bridge: ExecutorBridge, intake: Callable[[], Intake | None], image_bits: Callable[[], int]
    ) -> None:
        self._bridge = bridge
        self._intake = intake
        self._image_bits = image_bits
        # A callback that waits holds its group, and this one waits for a whole turn: the group lets others in.
        group = ReentrantCallbackGroup()
        node.create_service(SegmentImage, "~/segment", self._on_request, callback_group=group)

    async def _on_request(
        self, request: SegmentImage.Request, response: SegmentImage.Response
    ) -> SegmentImage.Response:
        """Queue a turn and wait for its end; the executor does other things meanwhile."""
        answer: Any = Future()  # of a segmentation and an explanation; as rclpy types it, awaiting one may give None
        turn_request = turn_request_of(request, self._image_bits())
        turn_request.on_end = lambda segmentation, explanation: self._bridge.complete(
            answer, (segmentation, explanation)
        )
        intake = self._intake()
        if intake is None:
            response.segmentation, response.explanation = inactive_answer(turn_request)
            return response
        intake.take(turn_request)
        response.segmentation, response.explanation = await answer
        return response


def turn_request_of(request: SegmentImage.Request, image_bits: int = 0) -> TurnRequest:
    """The turn of a request; a bad image is its image's error. `image_bits` as for `SegmentService`."""
    header = request.image.header
    stamp_ns = conversions.stamp_to_ns(header.stamp)
    # Other requests' images may be of other cameras, so that nothing is learned from one for the next.
    bits = UsedBits(image_bits)
    bound = BoundFrame(_frame(request.image, stamp_ns, _problem_with(request.image), bits))
    # They were given together, so their stamps do not matter.
    if request.depth.data:
        bound.offer(Stream.DEPTH, _frame(request.depth, stamp_ns))
    if request.camera_info.width:
        size_px = conversions.image_size_of_info(request.camera_info)
        frame_id = request.camera_info.header.frame_id
        bound.offer(Stream.INFO, BufferedFrame(request.camera_info, stamp_ns, None, frame_id, size_px))
    instruction = Instruction(header=header, session_id=SESSION_ID, text=request.text, confidence=1.0)
    instruction.instruction_id = request.instruction_id
    instruction.pointing = [Pointing(x=each.x, y=each.y) for each in request.pointing]
    return TurnRequest(instruction, stamp_ns, bound=bound, one_shot=True)


def _frame(
    image: Image, stamp_ns: int, error: BadInputError | None = None, bits: UsedBits | None = None
) -> BufferedFrame[Any]:
    size_px = (image.width, image.height)
    return BufferedFrame(image, stamp_ns, error, image.header.frame_id, size_px, bits=bits)


def _problem_with(image: Image) -> BadInputError | None:
    try:
        conversions.check_image(image)
    except BadInputError as error:
        return error
    return None
