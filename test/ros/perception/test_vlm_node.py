"""The node with a vision-language model and SAM 2 behind it, over real topics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from node_bench import Bench, Echo
from pixelrs_ros.msg import Segmentation
from tiny_vlm import force, write_vlm

from pixelrs_ros.engine.session import Session
from pixelrs_ros.engine.vlm.engine import VlmEngine
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.perception.session_factory import open_session

ANSWERS = (
    'the red mug is here.", "ask": false, "objects": [{"phrase": "the red mug", "bbox_2d": [100, 100, 900, 900]}]}',
    'x", "ask": false, "objects": "nonsense"}',
    'which one?", "ask": true, "objects": []}',
    'half a character: \\ud83d."}',
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    folder = write_vlm(tmp_path / "vlm")
    rclpy.init()

    def opened(values: NodeParameters) -> Session:
        session = open_session(values)
        assert isinstance(session.engine, VlmEngine)
        force(session.engine, ANSWERS)
        return session

    bench = Bench(Echo(), session_factory=opened, checkpoint=str(folder), store_dialogues=False)
    bench.activate()
    yield bench
    bench.close()
    rclpy.shutdown()


def test_words_masks_questions_and_nonsense_come_out_as_from_miras(bench: Bench) -> None:
    for count, text in enumerate(("the red mug", "nonsense", "the mug", "and now?"), start=1):
        stamp = bench.now_ns()
        bench.show(stamp, value=count)
        bench.send(text, stamp)
        bench.answers(count)
    first, second, third, fourth = bench.segmentations
    assert first.status in (Segmentation.GROUNDED, Segmentation.NOT_FOUND)  # SAM's random weights may cut nothing
    assert [segment.phrase for segment in first.segments] == ["the red mug"]
    assert first.header.frame_id == "frame 1"
    assert second.status == Segmentation.INTERNAL_ERROR
    assert "nonsense" in second.message
    assert not second.segments
    assert third.status == Segmentation.NEEDS_CLARIFICATION
    assert np.isclose(third.novelty, 0.0)
    assert fourth.status == Segmentation.ANSWERED
