"""Scores the masks against a simulator's segmentation camera, and says so on topics and in a report."""

from __future__ import annotations

import json
import sys
import zlib
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Float32, String

from pixelrs_ros.client import RELIABLE
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.mask_codes import mask_of
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from pixelrs_ros.ros.demo.listener import Listener, answered, listen
from pixelrs_ros.ros.demo.operator import PLAYED
from pixelrs_ros.ros.demo.report import write_report
from pixelrs_ros.ros.demo.script import PlayedTurn
from pixelrs_ros.ros.demo.turn_results import TurnResult, write_results
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE, WorldTruth
from pixelrs_ros.sim.talk.turns import Target

_KEPT = 400  # pictures of the past, 40 s at 10 Hz
_JPEG_QUALITY = 90
_NO_LABELS = "not scored: no label image of its moment"
_UNHEARD = "…"  # said through an action or as bare text, which others do not hear


class Pictures:
    """The last pictures of a camera by their stamps, packed."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, bytes, tuple[int, ...]]] = deque(maxlen=_KEPT)

    def add(self, stamp_ns: int, pixels: np.ndarray) -> None:
        """Keep an (H, W) label image as it is, an (H, W, 3) picture as JPEG."""
        if pixels.ndim == 2:
            self._kept.append((stamp_ns, zlib.compress(pixels.tobytes(), 1), pixels.shape))
        else:
            _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            self._kept.append((stamp_ns, packed.tobytes(), pixels.shape))

    def reaches(self, stamp_ns: int) -> bool:
        """Whether a picture of this moment, or a later one, is there: none that is nearer will come."""
        return any(each[0] >= stamp_ns for each in self._kept)

    def nearest(self, stamp_ns: int, apart_ns: float) -> np.ndarray | None:
        """The picture whose stamp is nearest; None where none is as near as that."""
        found = min(self._kept, key=lambda each: abs(each[0] - stamp_ns), default=None)
        if found is None or abs(found[0] - stamp_ns) > apart_ns:
            return None
        _, packed, shape = found
        if len(shape) == 2:
            return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)
        picture = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return np.ascontiguousarray(picture[..., ::-1])


class Scorer(Listener):
    """Compares each turn's masks with the label image of the same moment.

    What should have been segmented is what the operator announces on `played_turns`. Of a turn that nobody announces it
    is not known; such a mask is compared with the thing or part that it is most like, which tells how well it fits, not
    whether it was meant.

    Args:
        **kwargs: Arguments of `rclpy.node.Node`.

    Raises:
        DataError: The labels cannot be read.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("scorer", "out/sim", **kwargs)
        text = ParameterDescriptor(description="What the labels mean, as `pixelrs world` wrote it.", read_only=True)
        self.truth = WorldTruth.read(Path(self.declare_parameter("labels_file", LABELS_FILE, text).value))
        seconds = ParameterDescriptor(
            description="How far a label image's stamp may be from that of the image which was segmented.",
            read_only=True,
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=60.0)],
        )
        self._apart_ns = 1e9 * float(self.declare_parameter("max_apart_s", 0.1, seconds).value)
        self._texts: dict[int, str] = {}
        self._results: dict[int, TurnResult] = {}
        self._images, self._labels = Pictures(), Pictures()
        self._complaint = ""
        self._iou = self.create_publisher(Float32, "iou", RELIABLE)
        self._scored = self.create_publisher(String, "scored_turns", PLAYED)
        self.create_subscription(Image, "image", self._on_image, qos_profile_sensor_data)
        self.create_subscription(Image, "labels_map", self._on_labels, qos_profile_sensor_data)
        self.create_subscription(Instruction, "instruction", self._on_instruction, RELIABLE)
        self.hear()

    def write(self) -> int:
        """Write the report and the results; how many turns are in them.

        Raises:
            OutputError: A file cannot be written.
        """
        unanswered = {
            stamp_ns: TurnResult(
                turn, self._picture(stamp_ns), self._meant(turn, self._labels.nearest(stamp_ns, np.inf))
            )
            for stamp_ns, turn in self.played.items()
        }
        results = [turn for _, turn in sorted((unanswered | self._results).items())]
        write_results(self.out_dir / "results.json", results)
        write_report(self.out_dir / "report.html", results)
        print(f"scorer: wrote {self.out_dir / 'report.html'}", flush=True)
        return len(results)

    def _on_image(self, message: Image) -> None:
        try:
            self._images.add(conversions.stamp_to_ns(message.header.stamp), conversions.image_to_rgb(message))
        except BadInputError as error:
            self._complain(str(error))

    def _on_labels(self, message: Image) -> None:
        try:
            labels = self.truth.label_image(conversions.image_to_rgb(message))
        except BadInputError as error:
            self._complain(str(error))
            return
        self._labels.add(conversions.stamp_to_ns(message.header.stamp), labels)
        self.on_news()

    def _complain(self, what: str) -> None:
        """Once, though the picture comes ten times a second."""
        if what != self._complaint:
            self.get_logger().error(what)
            self._complaint = what

    def _on_instruction(self, message: Instruction) -> None:
        self._texts[conversions.stamp_to_ns(message.header.stamp)] = message.text

    def on_news(self) -> None:
        """Score whatever is complete."""
        announced = bool(self.count_publishers(self.announcements.topic_name)) and not self.ended
        for stamp_ns in self.segmentations.keys() & self.explanations.keys():
            seen_ns = conversions.stamp_to_ns(self.segmentations[stamp_ns].header.stamp)
            if not self._labels.reaches(seen_ns) or (announced and stamp_ns not in self.played):
                continue
            segmentation, explanation = self.segmentations.pop(stamp_ns), self.explanations.pop(stamp_ns)
            result = self._result(stamp_ns, segmentation, explanation)
            self._results[stamp_ns] = result
            entry = result.to_dict()
            self._scored.publish(String(data=json.dumps(entry)))
            if result.iou is not None:
                self._iou.publish(Float32(data=result.iou))
            self.get_logger().info(f"{result.played.text!r}: IoU {entry['iou']} with {result.played.target}")
        if self.ended and self.played.keys() <= self._results.keys():
            self.finish()

    def _result(self, stamp_ns: int, segmentation: Segmentation, explanation: Explanation) -> TurnResult:
        seen_ns = conversions.stamp_to_ns(segmentation.header.stamp)
        masks = tuple(mask_of(segment) for segment in segmentation.segments)
        labels = self._labels.nearest(seen_ns, self._apart_ns)
        turn = self.played.get(stamp_ns) or self._overheard(stamp_ns, segmentation, masks, labels)
        if labels is None:
            self.get_logger().error(f"no label image within {self._apart_ns / 1e9:g} s of the image of {seen_ns} ns")
            turn = replace(turn, targets=(), labels=(_NO_LABELS,))
        return answered(turn, self._picture(seen_ns), self._meant(turn, labels), segmentation, explanation)

    def _meant(self, turn: PlayedTurn, labels: np.ndarray | None) -> np.ndarray | None:
        """(H, W) bool, all targets of a turn; None where there are none, or no labels."""
        if labels is None or not turn.targets:
            return None
        return np.logical_or.reduce([self.truth.mask(labels, each.object_id, each.part) for each in turn.targets])

    def _picture(self, stamp_ns: int) -> np.ndarray:
        """What the camera saw at about that time, for the report."""
        picture = self._images.nearest(stamp_ns, np.inf)
        return np.zeros((1, 1, 3), np.uint8) if picture is None else picture

    def _overheard(
        self, stamp_ns: int, segmentation: Segmentation, masks: tuple[np.ndarray, ...], labels: np.ndarray | None
    ) -> PlayedTurn:
        """A turn of a user who does not say what should come of it."""
        fitting = [mask for mask in masks if labels is not None and mask.shape == labels.shape]
        closest = None if labels is None or not fitting else self.truth.closest(labels, np.logical_or.reduce(fitting))
        turn = PlayedTurn(
            session_id=segmentation.session_id,
            turn=segmentation.turn,
            scene_seed=self.truth.seed,
            camera_seed=0,
            text=self._texts.get(stamp_ns, _UNHEARD),
            targets=(),
            labels=(),
            stamp_ns=stamp_ns,
        )
        if closest is None:
            return turn
        return replace(turn, targets=(Target(*closest),), labels=(f"{self.truth.name(*closest)} (closest)",))


def main(args: list[str] | None = None) -> int:
    """Score until the operator has ended or it is interrupted, then write the report.

    Returns:
        1 when there was nothing to score, or a file cannot be read or written.
    """
    return listen("scorer", Scorer, args)


if __name__ == "__main__":
    sys.exit(main())
