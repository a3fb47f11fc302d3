"""The scorer: IoU against label images that come over DDS, on a topic and in the report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rclpy
from pixelrs_ros.msg import Explanation, Instruction, Segmentation
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Float32, Header, String

from pixelrs_ros.errors import DataError
from pixelrs_ros.ros.demo.operator import END_OF_PLAY, PLAYED
from pixelrs_ros.ros.demo.scorer import Scorer
from pixelrs_ros.ros.demo.script import PlayedTurn
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.sim.gazebo.labels import CameraPlace, Label, WorldTruth
from pixelrs_ros.sim.talk.turns import Target
from pixelrs_ros.types import GroundedPhrase, Reply, Segment, Status

TRUTH = WorldTruth(
    3,
    CameraPlace("camera", (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),
    (Label(1, 1, "body", "red mug"), Label(2, 1, "handle", "red mug"), Label(3, 2, "body", "blue box")),
)
LABELS = np.zeros((48, 64), np.uint8)
LABELS[10:30, 10:30] = 1
LABELS[15:25, 30:34] = 2
LABELS[10:30, 40:60] = 3
MUG, HANDLE, BOX = np.isin(LABELS, (1, 2)), LABELS == 2, LABELS == 3
HALF_BOX = BOX & (np.arange(64) < 50)
SECOND_NS = 1_000_000_000
DEADLINE_S = 20.0


class Around(Node):
    """The simulator's cameras, the perception node and the operator, as far as the scorer hears of them."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__("around")
        self._executor = SingleThreadedExecutor()
        for node in (self, scorer):
            self._executor.add_node(node)
        reliable = QoSProfile(depth=100)
        self.image = self.create_publisher(Image, "image", reliable)
        self.labels = self.create_publisher(Image, "labels_map", reliable)
        self.instruction = self.create_publisher(Instruction, "instruction", reliable)
        self.segmentation = self.create_publisher(Segmentation, "segmentation", reliable)
        self.explanation = self.create_publisher(Explanation, "explanation", reliable)
        self.scored: list[dict[str, object]] = []
        self.ious: list[float] = []
        self.create_subscription(String, "scored_turns", self._on_scored, PLAYED)
        self.create_subscription(Float32, "iou", self._on_iou, reliable)
        heard = (self.image, self.labels, self.instruction, self.segmentation, self.explanation)
        self.until(lambda: all(publisher.get_subscription_count() for publisher in heard))

    def _on_scored(self, message: String) -> None:
        self.scored.append(json.loads(message.data))

    def _on_iou(self, message: Float32) -> None:
        self.ious.append(message.data)

    def until(self, condition: object) -> None:
        assert callable(condition)
        clock = self.get_clock()
        ends = clock.now().nanoseconds + DEADLINE_S * 1e9
        while not condition():
            assert clock.now().nanoseconds < ends, "waited in vain"
            self._executor.spin_once(timeout_sec=0.05)

    def see(self, stamp_ns: int, picture: np.ndarray) -> None:
        header = Header(frame_id="camera", stamp=conversions.ns_to_stamp(stamp_ns))
        color = np.full((*picture.shape[:2], 3), 90, np.uint8)
        self.image.publish(conversions.fill_image(Image(), header, color, "rgb8"))
        self.labels.publish(conversions.fill_image(Image(), header, picture, "rgb8"))

    def answer(self, stamp_ns: int, seen_ns: int, *masks: np.ndarray, text: str = "Give me that.") -> None:
        instruction = Instruction(text=text, session_id="dialogue_1", instruction_id=f"i{stamp_ns}")
        instruction.header.stamp = conversions.ns_to_stamp(stamp_ns)
        self.instruction.publish(instruction)
        header = Header(frame_id="camera", stamp=conversions.ns_to_stamp(seen_ns))
        segments = tuple(Segment("it", mask, 0.9) for mask in masks)
        phrases = tuple(GroundedPhrase(0, 2, index) for index in range(len(masks)))
        status = Status.GROUNDED if masks else Status.ANSWERED
        reply = Reply(status, "it is", "[OBJ] it[SEG] is", segments, phrases, {"total": 12.0})
        self.segmentation.publish(conversions.fill_segmentation(Segmentation(), header, instruction, 0, reply, "runs"))
        self.explanation.publish(conversions.fill_explanation(Explanation(), header, instruction, 0, reply))


@pytest.fixture
def scorer(tmp_path: Path) -> Iterator[Scorer]:
    TRUTH.write(tmp_path / "labels.json")
    rclpy.init()
    values = {"labels_file": str(tmp_path / "labels.json"), "out_dir": str(tmp_path / "out"), "grace_s": 0.1}
    node = Scorer(parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
    yield node
    node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def around(scorer: Scorer) -> Iterator[Around]:
    node = Around(scorer)
    yield node
    node.destroy_node()


def semantic(labels: np.ndarray = LABELS) -> np.ndarray:
    return np.repeat(labels[..., None], 3, axis=-1)


def test_a_mask_is_compared_with_what_it_is_most_like(around: Around, scorer: Scorer) -> None:
    around.see(SECOND_NS, semantic())
    for stamp_ns, masks in ((1, (HALF_BOX,)), (2, (MUG,)), (3, (HANDLE,)), (4, (MUG, BOX)), (5, ())):
        around.answer(stamp_ns, SECOND_NS, *masks)
        around.until(lambda count=stamp_ns: len(around.scored) == count)
    assert [entry["target"] for entry in around.scored] == [
        "blue box (closest)", "red mug (closest)", "handle of the red mug (closest)", "red mug (closest)", None,
    ]  # fmt: skip
    assert [entry["iou"] for entry in around.scored] == [0.5, 1.0, 1.0, pytest.approx(440 / 840, abs=1e-4), None]
    around.until(lambda: len(around.ious) == 4)
    assert scorer.write() == 5
    results = json.loads((scorer.out_dir / "results.json").read_text())
    assert results["turns"] == around.scored and results["turns"][0]["text"] == "Give me that."
    assert (scorer.out_dir / "report.html").read_text().count("data:image/jpeg") == 10


def test_an_announced_turn_is_compared_with_what_was_meant(around: Around, scorer: Scorer) -> None:
    played = around.create_publisher(String, "played_turns", PLAYED)
    around.until(lambda: played.get_subscription_count() and scorer.count_publishers("played_turns"))
    around.see(SECOND_NS, semantic())
    meant = PlayedTurn("dialogue_1", 0, 3, 0, "the mug", (Target(1),), ("red mug",), stamp_ns=1)
    around.answer(1, SECOND_NS, BOX)  # the answer is there before it is said what was meant
    played.publish(String(data=meant.to_json()))
    around.until(lambda: len(around.scored) == 1)
    assert (around.scored[0]["iou"], around.scored[0]["target"]) == (0.0, "red mug")
    played.publish(String(data=replace(meant, turn=1, stamp_ns=2).to_json()))  # never answered
    played.publish(String(data=END_OF_PLAY))
    around.until(scorer.finished.done)
    scorer.write()
    results = json.loads((scorer.out_dir / "results.json").read_text())
    assert [turn["status"] for turn in results["turns"]] == ["grounded", "unanswered"]
    assert results["mean_iou"] == 0.0


def test_the_label_image_is_that_of_the_answered_image_s_moment(around: Around) -> None:
    moved = np.roll(LABELS, 5, axis=1)
    around.answer(1, 2 * SECOND_NS, np.isin(moved, (1, 2)))  # before its label image, which may be late
    for second, labels in ((1, LABELS), (2, moved), (3, LABELS)):
        around.see(second * SECOND_NS + 7, semantic(labels))
    around.until(lambda: len(around.scored) == 1)
    assert around.scored[0]["iou"] == 1.0
    around.answer(2, 2 * SECOND_NS + SECOND_NS // 2, BOX)  # half a second away from both
    around.until(lambda: len(around.scored) == 2)
    assert around.scored[1]["iou"] is None and "no label image" in str(around.scored[1]["target"])


def test_a_colored_map_is_no_truth(around: Around) -> None:
    around.answer(1, SECOND_NS, MUG)
    colored = semantic()
    colored[LABELS > 0] = 12, 200, 77
    around.see(2 * SECOND_NS, colored)
    around.see(SECOND_NS, semantic())
    around.until(lambda: len(around.scored) == 1)
    assert around.scored[0]["iou"] == 1.0


def test_without_the_world_s_labels_it_does_not_start(tmp_path: Path) -> None:
    rclpy.init()
    try:
        with pytest.raises(DataError, match="pixelrs world"):
            Scorer(parameter_overrides=[Parameter("labels_file", value=str(tmp_path / "missing.json"))])
    finally:
        rclpy.shutdown()
