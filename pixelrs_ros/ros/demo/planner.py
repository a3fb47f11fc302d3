"""Stands where a robot's planner would: takes the masks and explanations, and scores them against the truth."""

from __future__ import annotations

import sys
from pathlib import Path

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String

from pixelrs_ros.client import RELIABLE
from pixelrs_ros.errors import OutputError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.msg import Explanation, Segmentation
from pixelrs_ros.ros.demo.operator import END_OF_PLAY, PLAYED
from pixelrs_ros.ros.demo.report import write_report
from pixelrs_ros.ros.demo.script import PlayedTurn, render_view, truth
from pixelrs_ros.ros.demo.turn_results import TurnResult, write_results
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.ros.wire.ros_context import ros, spin
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.status_codes import STATUSES
from pixelrs_ros.types import GroundedPhrase


class Planner(Node):
    """Collects the turns that the operator announces on `played_turns` and the answers to them."""

    def __init__(self) -> None:
        super().__init__("planner")
        out_dir = ParameterDescriptor(description="Folder of report.html and results.json.", read_only=True)
        self.out_dir = Path(self.declare_parameter("out_dir", "out/demo", out_dir).value)
        seconds = ParameterDescriptor(
            description="How long to wait for missing answers after the operator has ended.",
            read_only=True,
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=3600.0)],
        )
        self._grace_s = float(self.declare_parameter("grace_s", 5.0, seconds).value)
        self._played: list[PlayedTurn] = []
        self._segmentations: dict[int, Segmentation] = {}
        self._explanations: dict[int, Explanation] = {}
        self._ended = False
        self.finished: Future[None] = Future()
        self.create_subscription(String, "played_turns", self._on_played, PLAYED)
        self.create_subscription(Segmentation, "segmentation", self._on_segmentation, RELIABLE)
        self.create_subscription(Explanation, "explanation", self._on_explanation, RELIABLE)

    def write(self) -> bool:
        """Write the report and the results; whether every turn was answered and a mask came.

        Raises:
            OutputError: A file cannot be written.
        """
        results = self.results()
        summary = write_results(self.out_dir / "results.json", results)
        write_report(self.out_dir / "report.html", results)
        print(f"planner: wrote {self.out_dir / 'report.html'}", flush=True)
        return bool(results and summary["masks"] and not summary["unanswered"])

    def results(self) -> list[TurnResult]:
        """Every announced turn, scored; draws the scenes anew to know the truth."""
        views: dict[tuple[int, int], View] = {}
        with Renderer() as renderer:
            for turn in self._played:
                seeds = (turn.scene_seed, turn.camera_seed)
                if seeds not in views:
                    views[seeds] = render_view(renderer, *seeds)
        return [self._result(turn, views[turn.scene_seed, turn.camera_seed]) for turn in self._played]

    def _result(self, turn: PlayedTurn, view: View) -> TurnResult:
        segmentation = self._segmentations.get(turn.stamp_ns)
        explanation = self._explanations.get(turn.stamp_ns)
        right = truth(view, turn)
        if segmentation is None or explanation is None:
            return TurnResult(turn, view.image, right)
        return TurnResult(
            played=turn,
            image=view.image,
            truth=right,
            status=STATUSES[segmentation.status].value,
            explanation=explanation.text,
            phrases=tuple(GroundedPhrase(item.start, item.end, item.segment) for item in explanation.phrases),
            masks=tuple(mask_of(segment) for segment in segmentation.segments),
            latency_ms={latency.stage: latency.milliseconds for latency in segmentation.latencies},
        )

    def _on_played(self, message: String) -> None:
        if message.data != END_OF_PLAY:
            self._played.append(PlayedTurn.from_json(message.data))
            return
        self._ended = True
        self.create_timer(self._grace_s, self._finish)
        self._finish_if_complete()

    def _on_segmentation(self, message: Segmentation) -> None:
        self._segmentations[conversions.stamp_to_ns(message.instruction_stamp)] = message
        self._finish_if_complete()

    def _on_explanation(self, message: Explanation) -> None:
        if message.is_final:
            self._explanations[conversions.stamp_to_ns(message.instruction_stamp)] = message
            self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        stamps = {turn.stamp_ns for turn in self._played}
        if self._ended and stamps <= self._segmentations.keys() and stamps <= self._explanations.keys():
            self._finish()

    def _finish(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


def main(args: list[str] | None = None) -> int:
    """Listen until the operator has ended, then write the report.

    Returns:
        1 when an answer or every mask is missing, or the report cannot be written.

    When it is interrupted, the report holds what came so far.
    """
    complete = False
    with ros(args):
        node = Planner()
        try:
            spin(node, until=node.finished.done)
        finally:
            try:
                complete = node.write()
            except OutputError as error:
                print(f"planner: {error}", file=sys.stderr, flush=True)
            node.destroy_node()
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
