"""Messages that no well-behaved node would send, and bytes that are no messages, over DDS."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from fault_bench import Caller
from fuzz import MESSAGE_BYTES, message
from pixelrs_ros.msg import Instruction, Segmentation
from rclpy.serialization import serialize_message

NUM_MESSAGES, NUM_BROKEN = 300, 100


@pytest.mark.fault(
    "fuzzed `Instruction` and `Image` messages over DDS",
    "each instruction gets exactly one result with a valid status; the node lives and no dialogue is lost",
    cases=NUM_MESSAGES,
)
def test_each_instruction_gets_one_result(caller: Caller, fuzz_seed: int) -> None:
    rng = random.Random(fuzz_seed)
    sent: dict[int, str] = {}
    for place in range(NUM_MESSAGES):
        made = message(rng.randbytes(MESSAGE_BYTES))
        if not isinstance(made, Instruction):
            caller.images.publish(made)
            continue
        fields = {name: getattr(made, name) for name in ("source", "frame_policy", "confidence", "replace_last")}
        stamp_ns = caller.send(made.text, made.session_id, stamp_ns=10**18 + place, **fields)
        sent[stamp_ns] = made.session_id or "default"
        if len(sent) % 8 == 0:  # a flood is another test
            caller.wait_for(*sent)
    results = caller.wait_for(*sent)
    assert [result.session_id for result in results] == list(sent.values())
    statuses = Counter(result.status for result in results)
    assert set(statuses) <= set(range(Segmentation.GROUNDED, Segmentation.NOT_UNDERSTOOD + 1)) - {
        Segmentation.INTERNAL_ERROR
    }
    shown = caller.show()
    assert caller.say("mask", "kept", stamp_ns=caller.stamp_of(shown)).status == Segmentation.GROUNDED
    assert caller.dialogue("kept") == ["mask"]


@pytest.mark.fault(
    "bytes that are no message, on the topics of images and instructions", "they are dropped", cases=2 * NUM_BROKEN
)
def test_bytes_that_are_no_message_are_dropped(caller: Caller, fuzz_seed: int) -> None:
    rng = random.Random(fuzz_seed)
    instructions = caller.create_publisher(Instruction, "instruction", 10)
    caller.until(lambda: instructions.get_subscription_count() > 0, "a listener")
    whole = {
        caller.images: serialize_message(caller.image()),
        instructions: serialize_message(Instruction(text="mask", session_id="broken")),
    }
    for _ in range(NUM_BROKEN):
        for publisher, serialized in whole.items():
            length = rng.randrange(4, min(len(serialized), 200))
            publisher.publish(serialized[:4] + rng.randbytes(length))
    shown = caller.show()
    assert caller.say("mask", stamp_ns=caller.stamp_of(shown)).status == Segmentation.GROUNDED
