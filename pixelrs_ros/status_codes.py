"""How a turn's status, and the verdict on it, stand in messages."""

from __future__ import annotations

from pixelrs_ros.msg import Segmentation
from pixelrs_ros.srv import MarkTurn
from pixelrs_ros.types import Status, Verdict

STATUS_CODES: dict[Status, int] = {
    Status.GROUNDED: Segmentation.GROUNDED,
    Status.ANSWERED: Segmentation.ANSWERED,
    Status.NOT_FOUND: Segmentation.NOT_FOUND,
    Status.CLARIFY: Segmentation.NEEDS_CLARIFICATION,
    Status.BAD_INPUT: Segmentation.BAD_INPUT,
    Status.INTERNAL_ERROR: Segmentation.INTERNAL_ERROR,
    Status.NO_FRAME: Segmentation.NO_FRAME,
    Status.REJECTED: Segmentation.REJECTED,
    Status.CANCELLED: Segmentation.CANCELLED,
    Status.NOT_UNDERSTOOD: Segmentation.NOT_UNDERSTOOD,
}
STATUSES: dict[int, Status] = {code: status for status, code in STATUS_CODES.items()}
VERDICTS: dict[int, Verdict] = {MarkTurn.Request.GOOD: Verdict.GOOD, MarkTurn.Request.BAD: Verdict.BAD}
VERDICT_CODES: dict[Verdict | None, int] = {verdict: code for code, verdict in VERDICTS.items()}
