"""A simulation that is reset: its clock jumps backwards."""

from __future__ import annotations

from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fault_bench import Caller
from pixelrs_ros.msg import Segmentation
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from pixelrs_ros.ros.wire import conversions

S = 1_000_000_000


class Simulation:
    """The clock of a simulator."""

    def __init__(self, node: Any, caller: Caller) -> None:
        self._node, self._tester = node, caller
        self._clock = caller.create_publisher(Clock, "/clock", QoSProfile(depth=1))

    def set(self, now_ns: int) -> int:
        """Publish a time until the node has it."""
        message = Clock(clock=conversions.ns_to_stamp(now_ns))

        def taken() -> bool:
            self._clock.publish(message)
            return bool(self._node.get_clock().now().nanoseconds == now_ns)

        self._tester.until(taken, f"the time to be {now_ns} ns")
        return now_ns


@pytest.mark.fault(
    "clock jumps backwards (a simulation is reset)",
    "images from before the jump are forgotten: `NO_FRAME` until the first new one, then the dialogue goes on",
)
@pytest.mark.parametrize("stamped", [True, False], ids=["stamped", "stamp of 0"])
def test_images_of_a_time_that_is_no_more_are_forgotten(host: Any, stamped: bool) -> None:
    with host(use_sim_time=True) as (node, caller):
        simulation = Simulation(node, caller)
        for begin_ns in (1000 * S, 5 * S, 2 * S):
            now_ns = simulation.set(begin_ns)
            lost = caller.say("in vain", stamp_ns=now_ns if stamped else 0)
            assert lost.status == Segmentation.NO_FRAME, lost.message
            shown = caller.show(caller.image(stamp_ns=now_ns + S // 2))
            now_ns = simulation.set(now_ns + S)
            found = caller.say("mask", stamp_ns=now_ns if stamped else 0)
            assert (found.status, found.header) == (Segmentation.GROUNDED, shown.header)
            caller.until(lambda: caller.diagnostics["camera"].level == DiagnosticStatus.OK, "the camera to be well")
        assert caller.dialogue() == ["mask"] * 3
