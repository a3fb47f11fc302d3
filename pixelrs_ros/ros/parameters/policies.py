"""What may be chosen for the parameters `busy_policy` and `frame_policy`. Imports no ROS."""

from __future__ import annotations

import enum


class BusyPolicy(str, enum.Enum):
    """What becomes of an instruction while a turn of its dialogue runs or waits."""

    REJECT = "reject"  # it is refused
    QUEUE = "queue"  # it waits behind the other
    PREEMPT = "preempt"  # it takes the other's place


class FramePolicy(str, enum.Enum):
    """Which image a turn looks at."""

    PER_TURN = "per_turn"  # that of its own moment
    PIN_FIRST = "pin_first"  # that of the dialogue's first turn, or of the turn that asked for this policy
    LATEST = "latest"  # the newest, whatever the instruction's stamp
