"""Stands where a robot's planner would: takes the masks and explanations, and scores them against the truth."""

from __future__ import annotations

import sys

from pixelrs_ros.ros.demo.listener import Listener, answered, listen
from pixelrs_ros.ros.demo.report import write_report
from pixelrs_ros.ros.demo.script import PlayedTurn, render_view, truth
from pixelrs_ros.ros.demo.turn_results import TurnResult, write_results
from pixelrs_ros.sim.picture.render import Renderer, View


class Planner(Listener):
    """Collects the turns that the operator announces and the answers to them."""

    def __init__(self) -> None:
        super().__init__("planner", "out/demo")
        self.hear()

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
            for turn in self.played.values():
                seeds = (turn.scene_seed, turn.camera_seed)
                if seeds not in views:
                    views[seeds] = render_view(renderer, *seeds)
        return [self._result(turn, views[turn.scene_seed, turn.camera_seed]) for turn in self.played.values()]

    def on_news(self) -> None:
        """See `Listener.on_news`."""
        stamps = self.played.keys()
        if self.ended and stamps <= self.segmentations.keys() and stamps <= self.explanations.keys():
            self.finish()

    def _result(self, turn: PlayedTurn, view: View) -> TurnResult:
        segmentation = self.segmentations.get(turn.stamp_ns)
        explanation = self.explanations.get(turn.stamp_ns)
        right = truth(view, turn)
        if segmentation is None or explanation is None:
            return TurnResult(turn, view.image, right)
        return answered(turn, view.image, right, segmentation, explanation)


def main(args: list[str] | None = None) -> int:
    """Listen until the operator has ended, then write the report.

    Returns:
        1 when an answer or every mask is missing, or the report cannot be written.
    """
    return listen("planner", Planner, args)


if __name__ == "__main__":
    sys.exit(main())
