"""Masks in every encoding come back as they were, and segments say what their phrases name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pixelrs_ros.msg import Instruction, Segment, Segmentation, TrackedSegment
from pycocotools import mask as coco
from std_msgs.msg import Header

from pixelrs_ros import types
from pixelrs_ros.client import mask_of
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.mask_codes import CROPPED, FULL, RUNS, runs_of
from pixelrs_ros.ros.wire import conversions
from pixelrs_ros.types import Reply, Status

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@pytest.mark.parametrize("message_type", [Segment, TrackedSegment])
@given(mask=MASKS, encoding=st.sampled_from(sorted(conversions.MASK_ENCODINGS)))
def test_a_mask_comes_back_as_it_was(message_type: type, mask: np.ndarray, encoding: str) -> None:
    message = message_type()
    conversions.fill_mask_and_box(message, Header(frame_id="camera"), mask, encoding)
    assert (mask_of(message) == mask).all() and mask_of(message).shape == mask.shape
    assert message.mask.header.frame_id == "camera"


@given(MASKS)
def test_runs_are_those_of_coco(mask: np.ndarray) -> None:
    counts = runs_of(mask).tolist()
    encoded = coco.frPyObjects({"size": list(mask.shape), "counts": counts}, *mask.shape)
    assert (coco.decode(encoded).astype(bool) == mask).all()


def test_cropped_and_run_length_coded_masks_are_small() -> None:
    mask = np.zeros((480, 640), np.bool_)
    mask[100:140, 200:230] = True
    sizes = {}
    for encoding in conversions.MASK_ENCODINGS:
        message = Segment()
        conversions.fill_mask_and_box(message, Header(), mask, encoding)
        sizes[encoding] = len(message.mask.data) + 4 * len(message.runs)
    assert sizes == {"full": 307_200, "cropped": 1200, "runs": 4 * (2 * 30 + 1)}


def test_a_mask_that_contradicts_itself_is_refused() -> None:
    mask = np.eye(4, dtype=np.bool_)
    for encoding, break_it in (
        ("runs", lambda message: setattr(message, "image_width", 5)),
        ("cropped", lambda message: setattr(message, "image_width", 3)),
        ("cropped", lambda message: setattr(message.box, "width", 3)),
        ("full", lambda message: setattr(message.mask, "encoding", "rgb8")),
        ("full", lambda message: setattr(message.mask, "height", 5)),
        ("full", lambda message: setattr(message, "mask_encoding", 9)),
    ):
        message = Segment()
        conversions.fill_mask_and_box(message, Header(), mask, encoding)
        break_it(message)
        with pytest.raises(BadInputError):
            mask_of(message)


def test_segments_say_what_their_phrases_name() -> None:
    phrases = ("the red mug", "the handle of the red mug", "this one", "the lid of the pan", "the blade of the knife")
    mask = np.ones((2, 2), np.bool_)
    reply = Reply(Status.GROUNDED, "", segments=tuple(types.Segment(phrase, mask, 0.5) for phrase in phrases))
    instruction = Instruction(instruction_id="mine")
    message = conversions.fill_segmentation(Segmentation(), Header(), instruction, 3, reply)
    assert [(one.label, one.part, one.color, one.parent) for one in message.segments] == [
        ("mug", "", "red", -1),
        ("mug", "handle", "red", 0),
        ("", "", "", -1),
        ("pan", "lid", "", -1),
        ("knife", "blade", "", -1),
    ]
    assert [one.track_id for one in message.segments] == [f"mine/{index}" for index in range(5)]


def test_a_part_of_one_of_several_things_belongs_to_that_of_its_color() -> None:
    phrases = ("the blue mug", "the red mug", "the handle of the red mug", "the handle of the mug")
    mask = np.ones((2, 2), np.bool_)
    reply = Reply(Status.GROUNDED, "", segments=tuple(types.Segment(phrase, mask, 0.5) for phrase in phrases))
    message = conversions.fill_segmentation(Segmentation(), Header(), Instruction(), 0, reply)
    assert [one.parent for one in message.segments] == [-1, -1, 1, -1]


def test_statuses_start_with_unknown() -> None:
    assert Segmentation().status == Segmentation.UNKNOWN == 0
    codes = conversions.STATUS_CODES
    assert len(set(codes.values())) == len(codes) == len(Status) and Segmentation.UNKNOWN not in codes.values()


def test_codes_are_the_messages_constants() -> None:
    assert (FULL, CROPPED, RUNS) == (Segment.FULL, Segment.CROPPED, Segment.RUNS)
