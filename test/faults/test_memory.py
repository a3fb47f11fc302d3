"""The GPU's memory is used up."""

from __future__ import annotations

import pytest
import torch
from fault_bench import Caller, QuickEngine
from pixelrs_ros.msg import Segmentation


@pytest.mark.fault(
    "out of GPU memory (simulated), at the image and at the answer",
    "`INTERNAL_ERROR` that names the parameters to lower; the caches are emptied; the same instruction works again",
)
@pytest.mark.parametrize("hook", ["before_encode", "before_answer"])
def test_a_turn_without_memory_fails_alone(engine: QuickEngine, caller: Caller, hook: str) -> None:
    encoded: list[object] = []
    engine.before_encode = encoded.append
    kept = caller.show()
    caller.say("one")
    caller.show(caller.image(255 - caller.pixels))

    def fail(_: object) -> None:
        setattr(engine, hook, encoded.append if hook == "before_encode" else print)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    setattr(engine, hook, fail)
    failed = caller.say("two")
    assert failed.status == Segmentation.INTERNAL_ERROR
    assert "CUDA out of memory" in failed.message and "lower max_cached_frames" in failed.message
    assert caller.dialogue() == ["one"], "the dialogue is as it was"
    encoded.clear()
    assert caller.say("two").status == Segmentation.ANSWERED
    assert caller.say("three", stamp_ns=caller.stamp_of(kept)).header == kept.header
    assert len(encoded) == 2, "no picture was kept"
    assert caller.dialogue() == ["one", "two", "three"]
