"""What those have in common who hear the operator's turns and the robot's answers, and score one by the other."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String

from pixelrs_ros.client import RELIABLE
from pixelrs_ros.errors import DataError, OutputError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.msg import Explanation, Segmentation
from pixelrs_ros.ros.demo.operator import END_OF_PLAY, PLAYED
from pixelrs_ros.ros.demo.script import PlayedTurn
from pixelrs_ros.ros.demo.turn_results import TurnResult
from pixelrs_ros.ros.wire.conversions import stamp_to_ns
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.status_codes import STATUSES
from pixelrs_ros.types import GroundedPhrase


class Listener(Node, ABC):
    """Keeps what was played and answered, by the instruction's stamp.

    Args:
        name: The node's.
        out_dir: Default of the parameter.
        **kwargs: Arguments of `Node`.

    Attributes:
        out_dir: Folder of report.html and results.json.
        played: The turns that the operator has announced on `played_turns`.
        segmentations: The masks, each complete.
        explanations: The words, each complete.
        ended: Whether the operator has.
        finished: Done when nothing more is waited for.
    """

    def __init__(self, name: str, out_dir: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        text = ParameterDescriptor(description="Folder of report.html and results.json.", read_only=True)
        self.out_dir = Path(self.declare_parameter("out_dir", out_dir, text).value)
        seconds = ParameterDescriptor(
            description="How long to wait for missing answers after the operator has ended.",
            read_only=True,
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=3600.0)],
        )
        self._grace_s = float(self.declare_parameter("grace_s", 5.0, seconds).value)
        self.played: dict[int, PlayedTurn] = {}
        self.segmentations: dict[int, Segmentation] = {}
        self.explanations: dict[int, Explanation] = {}
        self.ended = False
        self.finished: Future[None] = Future()

    def hear(self) -> None:
        """Begin to hear the turns and answers; last, since what is subscribed to before is taken before."""
        self.announcements = self.create_subscription(String, "played_turns", self._on_played, PLAYED)
        self.create_subscription(Segmentation, "segmentation", self._on_segmentation, RELIABLE)
        self.create_subscription(Explanation, "explanation", self._on_explanation, RELIABLE)

    @abstractmethod
    def on_news(self) -> None:
        """Called when something of the above has come, or the operator has ended; calls `finish` in the end."""

    @abstractmethod
    def write(self) -> int:
        """Write the report and the results; 0 when they are not as they should be.

        Raises:
            OutputError: A file cannot be written.
        """

    def finish(self) -> None:
        """Wait for nothing more."""
        if not self.finished.done():
            self.finished.set_result(None)

    def _on_played(self, message: String) -> None:
        if message.data == END_OF_PLAY:
            self.ended = True
            self.create_timer(self._grace_s, self.finish)
        else:
            turn = PlayedTurn.from_json(message.data)
            self.played[turn.stamp_ns] = turn
        self.on_news()

    def _on_segmentation(self, message: Segmentation) -> None:
        self.segmentations[stamp_to_ns(message.instruction_stamp)] = message
        self.on_news()

    def _on_explanation(self, message: Explanation) -> None:
        if message.is_final:
            self.explanations[stamp_to_ns(message.instruction_stamp)] = message
            self.on_news()


def answered(
    turn: PlayedTurn,
    image: np.ndarray,
    truth: np.ndarray | None,
    segmentation: Segmentation,
    explanation: Explanation,
) -> TurnResult:
    """A turn with what was answered; see `TurnResult`."""
    return TurnResult(
        played=turn,
        image=image,
        truth=truth,
        status=STATUSES[segmentation.status].value,
        explanation=explanation.text,
        phrases=tuple(GroundedPhrase(item.start, item.end, item.segment) for item in explanation.phrases),
        masks=tuple(mask_of(segment) for segment in segmentation.segments),
        latency_ms={latency.stage: latency.milliseconds for latency in segmentation.latencies},
    )


def listen(name: str, make: Callable[[], Listener], args: list[str] | None) -> int:
    """Listen until the operator has ended, then write the report; when it is interrupted, of what came so far.

    Args:
        name: Of the program, for messages.
        make: Makes the node; may raise DataError.
        args: Command line, None for that of the process.

    Returns:
        1 when the node cannot be made, the report cannot be written, or is not as it should be.
    """
    good = 0
    with ros(args):
        try:
            node = make()
        except DataError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            return 1
        try:
            spin(node, until=node.finished.done)
        finally:
            try:
                good = node.write()
            except OutputError as error:
                print(f"{name}: {error}", file=sys.stderr, flush=True)
            node.destroy_node()
    return 0 if good else 1
