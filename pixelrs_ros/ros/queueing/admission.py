"""What the parameters say about which instructions become turns, in the terms of the queue and of the rate limiter."""

from __future__ import annotations

from dataclasses import replace

from pixelrs_ros.ros.parameters.policies import BusyPolicy
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.queueing.rate_limiter import RateLimit
from pixelrs_ros.ros.queueing.rejection import Rejection, RejectionKind
from pixelrs_ros.ros.queueing.turn_request import TurnRequest
from pixelrs_ros.ros.queueing.worker import Bounds

PREEMPTED = "preempted by a newer instruction of this dialogue (parameter 'busy_policy')"
DEACTIVATED = "the node was deactivated before this turn: send it again"


def bounds_for(request: TurnRequest, values: NodeParameters) -> Bounds:
    """What the queue takes. One-shot requests are independent of each other, so none of them preempts another."""
    bounds = Bounds(BusyPolicy(values.busy_policy), values.max_waiting, values.max_sessions)
    return replace(bounds, policy=BusyPolicy.QUEUE) if request.one_shot else bounds


def rate_limit(values: NodeParameters) -> RateLimit:
    """What one dialogue may send."""
    return RateLimit(values.max_instructions_per_s, values.instruction_burst, values.max_tracked_sessions)


def rejection(kind: RejectionKind, values: NodeParameters) -> Rejection:
    """Why the queue does not take an instruction, with the parameter and the remedy."""
    messages = {
        RejectionKind.BUSY: (
            "a turn of this dialogue runs or waits (parameter 'busy_policy' is reject): send it again after its end, "
            "or set busy_policy to queue or preempt"
        ),
        RejectionKind.QUEUE_FULL: (
            f"{values.max_waiting} instructions of this dialogue wait already (parameter 'max_waiting'): send it again "
            "later"
        ),
        RejectionKind.TOO_MANY_FLOWS: (
            f"instructions of {values.max_sessions} dialogues wait already (parameter 'max_sessions'): send it again "
            "later"
        ),
    }
    return Rejection(kind, messages.get(kind, DEACTIVATED))
