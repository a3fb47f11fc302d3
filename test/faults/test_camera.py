"""What a camera does to a node in the middle of a dialogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fault_bench import Caller, QuickEngine
from pixelrs_ros.msg import Segmentation

from pixelrs_ros.ros.wire import conversions

S = 1_000_000_000
RNG = np.random.default_rng(0)
CHANNELS = {"rgb8": 3, "bgra8": 4, "mono8": 1, "bayer_rggb8": 1}
VIEWS = [
    (480, 640, "rgb8"), (2160, 3840, "bgra8"), (1, 1, "mono8"), (7, 1280, "bayer_rggb8"), (2160, 3840, "rgb8"),
    (480, 640, "bgra8"),
]  # fmt: skip


@pytest.mark.fault(
    "camera silent in the middle of a dialogue, and back",
    "`NO_FRAME`, a warning on `/diagnostics`; the dialogue goes on with the first new image",
)
def test_a_silent_camera_is_told_and_a_new_image_mends_it(host: Any) -> None:
    with host(max_frame_age_s=0.5) as (_, caller):
        assert caller.say("too early").status == Segmentation.NO_FRAME
        expected = []
        for text in ("one", "two", "three"):
            shown_ns = caller.stamp_of(caller.show())
            assert caller.say(text, stamp_ns=shown_ns).status == Segmentation.ANSWERED
            expected.append(text)
            caller.until(lambda since_ns=shown_ns: caller.now_ns() - since_ns > S // 2, "the image to be old")
            refused = caller.say("in vain")
            assert refused.status == Segmentation.NO_FRAME
            assert "the camera has stopped" in caller.words(refused)
            caller.until(lambda: caller.diagnostics["camera"].level == DiagnosticStatus.WARN, "a warning")
        assert caller.dialogue() == expected


@pytest.mark.fault(
    "camera changes resolution and encoding in the middle of a dialogue, 4K included",
    "each mask has the size and header of its own image",
    cases=len(VIEWS),
)
def test_masks_follow_the_size_of_each_image(caller: Caller) -> None:
    for height_px, width_px, encoding in VIEWS:
        pixels = RNG.integers(0, 256, (height_px, width_px, CHANNELS[encoding]), np.uint8)
        shown = caller.show(caller.image(pixels, encoding))
        result = caller.say("mask", stamp_ns=caller.stamp_of(shown))
        assert result.header == shown.header
        (segment,) = result.segments
        assert (segment.mask.height, segment.mask.width) == (height_px, width_px)
        mask = conversions.mask_from_image(segment.mask)
        assert mask[: height_px // 2].all() and not mask[height_px // 2 :].any()
    assert caller.dialogue() == ["mask"] * len(VIEWS)


@pytest.mark.fault("camera changes resolution and encoding in the middle of a dialogue, 4K included", "", cases=3)
def test_the_network_itself_takes_any_size(engine: QuickEngine) -> None:
    for height_px, width_px in ((1, 1), (3, 4000), (2160, 3840)):
        image = RNG.integers(0, 256, (height_px, width_px, 3), np.uint8)
        encoded = super(type(engine), engine).encode(image)
        assert (encoded.height_px, encoded.width_px) == (height_px, width_px)
        assert encoded.sam_embedding.isfinite().all()
