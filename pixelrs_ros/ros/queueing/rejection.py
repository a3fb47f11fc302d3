"""Why an instruction is not let in. Imports no ROS."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RejectionKind(enum.Enum):
    """The kind of reason; the values stand in the diagnostics."""

    BUSY = "busy"  # something of the same flow runs or waits
    QUEUE_FULL = "queue full"  # too much of the same flow waits
    TOO_MANY_FLOWS = "too many dialogues"  # too many flows have something that waits
    STOPPED = "deactivated"  # nothing is taken any more
    RATE_LIMITED = "rate limit"  # more a second than allowed


@dataclass(frozen=True)
class Rejection:
    """One instruction's rejection.

    Attributes:
        kind: The kind of reason.
        message: The reason, with the parameter and the remedy.
    """

    kind: RejectionKind
    message: str
