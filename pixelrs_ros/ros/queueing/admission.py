"""What the parameters say about who may become a turn, in the terms of the queue and of the rate limiter."""

from __future__ import annotations

from dataclasses import replace

from pixelrs_ros.ros.parameters.values import NodeParameters
from pixelrs_ros.ros.queueing.rate_limiter import RateLimit
from pixelrs_ros.ros.queueing.turn_request import Job
from pixelrs_ros.ros.queueing.worker import Bounds, BusyPolicy, Refusal

PREEMPTED = "preempted by a newer instruction of this dialogue (parameter 'busy_policy')"
RATE_LIMITED = "rate limit"

# In a word or two, for the diagnostics.
KINDS = {
    Refusal.BUSY: "busy",
    Refusal.QUEUE_FULL: "queue full",
    Refusal.TOO_MANY_CUSTOMERS: "too many dialogues",
    Refusal.STOPPED: "deactivated",
}


def customer_of(job: Job) -> str | None:
    """Whose job it is: its dialogue's, or of all who ask a single question, who share a place in the queue."""
    return None if job.one_shot else job.session_id


def bounds_for(job: Job, values: NodeParameters) -> Bounds:
    """What the queue takes. Single questions do not belong together, so that none preempts another."""
    bounds = Bounds(BusyPolicy(values.busy_policy), values.max_waiting, values.max_sessions)
    return replace(bounds, policy=BusyPolicy.QUEUE) if job.one_shot else bounds


def rate_limit(values: NodeParameters) -> RateLimit:
    """What one dialogue may send."""
    return RateLimit(values.max_instructions_per_s, values.instruction_burst, values.max_tracked_sessions)


def explain(refusal: Refusal, values: NodeParameters) -> str:
    """Why an instruction is not taken, with the parameter and the remedy."""
    if refusal is Refusal.BUSY:
        return (
            "a turn of this dialogue runs or waits (parameter 'busy_policy' is reject): send it again after its end, "
            "or set busy_policy to queue or preempt"
        )
    if refusal is Refusal.QUEUE_FULL:
        return (
            f"{values.max_waiting} instructions of this dialogue wait already (parameter 'max_waiting'): send it again "
            "later"
        )
    if refusal is Refusal.TOO_MANY_CUSTOMERS:
        return (
            f"instructions of {values.max_sessions} dialogues wait already (parameter 'max_sessions'): send it again "
            "later"
        )
    return "the node was deactivated before this turn: send it again"
