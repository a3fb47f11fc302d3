"""What lies over the live picture, and how often it is encoded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pixelrs_ros.msg import Segment, Segmentation, TrackedSegment, Tracking
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.mask_codes import runs_of
from pixelrs_ros.overlay import color_of
from pixelrs_ros.ros.console import layers
from pixelrs_ros.ros.console.layers import MaskLayers, Pace, encode_jpeg, encode_masks, picture_of
from pixelrs_ros.ros.wire import conversions


def a_segment(mask: np.ndarray, kind: type = Segment, phrase: str = "the mug") -> Segment | TrackedSegment:
    message = kind(phrase=phrase, mask_encoding=Segment.RUNS, image_height=mask.shape[0], image_width=mask.shape[1])
    message.runs = [int(run) for run in runs_of(mask)]
    message.box.width = int(mask.any())
    return message


def a_mask(*, filled: bool = True, size_px: tuple[int, int] = (40, 60)) -> np.ndarray:
    mask = np.zeros(size_px, np.bool_)
    mask[10:30, 10:30] = filled
    return mask


def rgba(png: bytes) -> np.ndarray:
    """(H, W, 4) of a PNG, as a browser sees it."""
    seen = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert seen is not None
    return cv2.cvtColor(seen, cv2.COLOR_BGRA2RGBA)


def test_masks_are_painted_in_the_colors_of_their_phrases_and_the_rest_is_clear() -> None:
    other = np.zeros((40, 60), np.bool_)
    other[5:35, 40:55] = True
    seen = rgba(encode_masks([a_segment(a_mask()), a_segment(a_mask(filled=False)), a_segment(other)]))
    assert tuple(seen[20, 20, :3]) == color_of(0) and tuple(seen[20, 47, :3]) == color_of(2)
    assert 0 < seen[20, 20, 3] < 255 == seen[10, 15, 3], "filled lightly, within an outline"
    assert not seen[0, :, 3].any() and not seen[:, 35, 3].any()


def test_nothing_is_sent_where_nothing_is_seen() -> None:
    assert encode_masks([]) == encode_masks([a_segment(a_mask(filled=False))]) == b""
    with pytest.raises(BadInputError, match="differ in size"):
        encode_masks([a_segment(a_mask()), a_segment(a_mask(size_px=(50, 60)))])


def test_what_cannot_be_shown_is_an_error() -> None:
    with pytest.raises(BadInputError, match="unheard-of"):
        picture_of(Image(encoding="unheard-of", height=1, width=1, step=1, data=[0]), 1, max_width_px=64, quality=80)


def test_masks_follow_their_turn_and_no_other() -> None:
    known = MaskLayers()
    assert known.content("a") == (0, b"") and known.phrases("a") == ()
    found = Segmentation(session_id="a", instruction_id="i2", segments=[a_segment(a_mask())])
    known.on_segmentation(found)
    version, png = known.content("a")
    assert png and known.phrases("a") == ("the mug",)
    late = Tracking(session_id="a", instruction_id="i1", segments=[a_segment(a_mask(), TrackedSegment, "the pot")])
    known.on_tracking(late)
    assert known.content("a") == (version, png) and known.phrases("a") == ("the mug",)
    lost = a_segment(a_mask(filled=False), TrackedSegment)
    known.on_tracking(Tracking(session_id="a", instruction_id="i2", segments=[lost]))
    assert known.content("a") == (version + 1, b"") and known.phrases("a") == ()
    assert known.content("b") == (0, b"")


def test_masks_that_nothing_confirms_disappear(monkeypatch: pytest.MonkeyPatch) -> None:
    known = MaskLayers()
    known.on_segmentation(Segmentation(session_id="a", instruction_id="i", segments=[a_segment(a_mask())]))
    now_s = layers.time.monotonic()
    monkeypatch.setattr(layers.time, "monotonic", lambda: now_s + layers.FRESH_S + 1.0)
    assert known.content("a") == (0, b"") and known.phrases("a") == ()


def test_a_reset_dialogue_marks_nothing() -> None:
    known = MaskLayers()
    known.forget("a")
    known.on_segmentation(Segmentation(session_id="a", instruction_id="i", segments=[a_segment(a_mask())]))
    known.forget("a")
    assert known.content("a")[1] == b"" and known.phrases("a") == ()


def a_picture(width_px: int) -> np.ndarray:
    return np.full((30, width_px, 3), (200, 40, 40), np.uint8)


def decoded(jpeg: bytes) -> np.ndarray:
    seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    return cv2.cvtColor(seen, cv2.COLOR_BGR2RGB)


def test_wide_pictures_are_made_smaller() -> None:
    message = conversions.fill_image(Image(), Header(), a_picture(200), "rgb8")
    for limit_px, size_px in ((400, (30, 200)), (100, (15, 100))):
        seen = decoded(picture_of(message, 1, max_width_px=limit_px, quality=90).jpeg)
        assert seen.shape[:2] == size_px and np.abs(seen[5, 5].astype(int) - (200, 40, 40)).max() < 8


def test_a_small_jpeg_stays_as_it_is() -> None:
    jpeg = encode_jpeg(a_picture(200), 70)
    message = CompressedImage(format="rgb8; jpeg compressed bgr8", data=jpeg)
    assert picture_of(message, 1, max_width_px=200, quality=90).jpeg == jpeg
    assert decoded(picture_of(message, 1, max_width_px=100, quality=90).jpeg).shape == (15, 100, 3)


@pytest.mark.parametrize(("camera_hz", "passed"), [(10, 20), (29, 58), (60, 60), (200, 60)])
def test_a_fast_camera_is_slowed_down_and_no_other(camera_hz: int, passed: int) -> None:
    pace = Pace(30.0)
    jitter_s = np.random.default_rng(0).uniform(0.0, 0.03, 2 * camera_hz)
    times_s = np.sort(np.arange(2 * camera_hz) / camera_hz + jitter_s)
    assert passed <= sum(pace.lets_pass(float(time_s)) for time_s in times_s) <= passed + 3
