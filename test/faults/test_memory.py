"""The GPU's memory is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from pixelrs_ros.msg import Segmentation

if TYPE_CHECKING:
    from test.faults.conftest import QuickEngine, Tester


@pytest.mark.fault(
    "out of GPU memory (simulated), at the image and at the answer",
    "`INTERNAL_ERROR` that names the parameters to lower; the caches are emptied; the same instruction works again",
)
@pytest.mark.parametrize("hook", ["before_encode", "before_answer"])
def test_a_turn_without_memory_fails_alone(engine: QuickEngine, tester: Tester, hook: str) -> None:
    encoded: list[object] = []
    engine.before_encode = encoded.append
    kept = tester.show()
    tester.say("one")
    tester.show(tester.image(255 - tester.pixels))

    def fail(_: object) -> None:
        setattr(engine, hook, encoded.append if hook == "before_encode" else print)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    setattr(engine, hook, fail)
    failed = tester.say("two")
    assert failed.status == Segmentation.INTERNAL_ERROR
    assert "CUDA out of memory" in failed.message and "lower max_cached_frames" in failed.message
    assert tester.dialogue() == ["one"], "the dialogue is as it was"
    encoded.clear()
    assert tester.say("two").status == Segmentation.ANSWERED
    assert tester.say("three", stamp_ns=tester.stamp_of(kept)).header == kept.header
    assert len(encoded) == 2, "no picture was kept"
    assert tester.dialogue() == ["one", "two", "three"]
