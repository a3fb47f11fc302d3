"""What an evaluation keeps of one dialogue, and how a data set's records are summed up."""

from __future__ import annotations

import base64
import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.evaluation.calibration import Calibration, calibrate
from pixelrs_ros.evaluation.metrics import (
    MaskScore,
    MaskSummary,
    bootstrap_interval,
    confusion,
    precision_recall,
    summarize,
)
from pixelrs_ros.evaluation.referents import WordScore
from pixelrs_ros.types import Status

_WORDS = ("referent_right", "object_right", "part_right")
SHOWN_PX = 256
RIGHT_IOU = 0.5  # a mask above it shows what was meant
_NAMED = 5  # of the turns without an answer


@dataclass(frozen=True)
class Record:
    """One dialogue under one condition, or as a baseline answers it.

    Attributes:
        condition: Its name, or the baseline's.
        dialogue: Its place in the split's file, from 0.
        img_id: Its image.
        focus: The label of its target.
        mask: The last turn's masks together against the target's.
        masked: Whether the last answer had a mask at all.
        said: The answers in words.
        phrases: The grounded phrases of the last one.
        words: Whether those name the target.
        is_part: Whether the target is a part; None where the data does not say.
        kind: The kind of the last turn; None where the data does not say.
        views: What the picture is like, as far as the data says.
        hard: What makes the dialogue's language hard.
        score: The last answer's published mask score, the mean where it has several masks; None where it has none.
        quality: What the mask decoder alone estimated of it; None where there is no mask.
        certainty: Probability of its words; None where there is no mask.
        statuses: (true, given) of the turns that were played; empty where the data does not say.
        failures: Why a turn got no answer, one of each turn that was played; empty where it got one.
        answer_s: Seconds of each answer, without the encoding of the image.
        encode_s: Seconds of that encoding.
        has_target: Whether the last turn should show something; where not, its masks are not scored.
        pair: Number of the dialogue's pair, if it has one.
        second: Whether a mask of the last answer covers a second object; None where that is not known.
        content: For each turn that is answered in words alone, whether it says what the data says.
        target: What kind of thing the target is; None where the data does not say.
        area: Share of the picture that the target covers, in [0, 1]; None where there is no target.
        visible: Share of the target that other things leave to be seen; None where the data does not say.
        shown: What `encode_shown` makes of the last turn's masks; empty for baselines.
    """

    condition: str
    dialogue: int
    img_id: str
    focus: str
    mask: MaskScore
    masked: bool
    said: tuple[str, ...]
    phrases: tuple[str, ...]
    words: WordScore
    is_part: bool | None = None
    kind: str | None = None
    views: tuple[str, ...] = ()
    hard: tuple[str, ...] = ()
    score: float | None = None
    quality: float | None = None
    certainty: float | None = None
    statuses: tuple[tuple[str, str], ...] = ()
    failures: tuple[str, ...] = ()
    answer_s: tuple[float, ...] = ()
    encode_s: float | None = None
    has_target: bool = True
    pair: int | None = None
    second: bool | None = None
    content: tuple[bool | None, ...] = ()
    target: str | None = None
    area: float | None = None
    visible: float | None = None
    shown: str = ""

    @property
    def right(self) -> bool:
        """Whether the last turn ended as it should, and showed what it should."""
        ended = not self.statuses or self.statuses[-1][0] == self.statuses[-1][1]
        ended &= not any(self.failures[-1:])
        return ended and (not self.has_target or self.mask.iou > RIGHT_IOU)

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types, with its IoU."""
        return {**dataclasses.asdict(self), "iou": round(self.mask.iou, 4)}


def encode_shown(mask: np.ndarray) -> str:
    """A mask for a report to draw: a PNG in base64, smaller where its longest side is above `SHOWN_PX`.

    Args:
        mask: (H, W) bool.
    """
    scale = min(1.0, SHOWN_PX / max(mask.shape))
    small = cv2.resize(mask.astype(np.uint8) * 255, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".png", np.where(small > 127, 255, 0).astype(np.uint8), [cv2.IMWRITE_PNG_BILEVEL, 1])[1]
    return base64.b64encode(data.tobytes()).decode()


def summarize_condition(records: Sequence[Record]) -> dict[str, Any]:
    """Sum up the records of one condition, at least one; JSON types, rates in [0, 1], times in seconds.

    Returns:
        The mask scores and word rates of all dialogues with the 95 % interval of gIoU ("g_iou_95"), the same for
        "objects", "parts", "by_kind", "by_view" and "by_hard" where the data tells them apart (a dialogue stands in
        the row of everything that is hard in it, else in "nothing"), "status", "calibration" of the mask score,
        "seconds", "unanswered" (turns without an answer, and why the first of them have none), "right" (how many
        dialogues end right), "pairs" (of which both are right), "one_object" (share of
        answers whose masks keep to one object each) and "content" (of answers in words).
    """
    shown = [record for record in records if record.has_target]
    summary = _scores(records)
    summary["g_iou_95"] = (
        list(bootstrap_interval([record.mask.iou for record in shown], [record.img_id for record in shown]))
        if shown
        else None
    )
    summary["right"] = float(np.mean([record.right for record in records]))
    summary["pairs"] = _pairs(records)
    summary["one_object"] = _share([not record.second for record in records if record.second is not None])
    summary["content"] = _share([right for record in records for right in record.content if right is not None])
    for name, wanted in (("objects", False), ("parts", True)):
        chosen = [record for record in shown if record.is_part is wanted]
        if chosen:
            summary[name] = _scores(chosen)
    by_kind: dict[str, list[Record]] = defaultdict(list)
    by_view: dict[str, list[Record]] = defaultdict(list)
    by_hard: dict[str, list[Record]] = defaultdict(list)
    tells_hard = any(record.hard for record in records)
    for record in records:
        if record.kind is not None:
            by_kind[record.kind].append(record)
        for view in record.views:
            by_view[view].append(record)
        for name in (record.hard or ("nothing",)) if tells_hard else ():
            by_hard[name].append(record)
    for key, groups in (("by_kind", by_kind), ("by_view", by_view), ("by_hard", by_hard)):
        summary[key] = {
            name: {**_scores(chosen), "status": _status_summary(chosen)} for name, chosen in sorted(groups.items())
        }
    summary["status"] = _status_summary(records)
    calibration = calibration_of(records)
    summary["calibration"] = dataclasses.asdict(calibration) if calibration else None
    summary["seconds"] = _seconds_summary(records)
    summary["unanswered"] = _unanswered(records)
    return summary


def _unanswered(records: Sequence[Record]) -> dict[str, Any]:
    failed = [f"dialogue {record.dialogue}: {why}" for record in records for why in record.failures if why]
    return {"turns": len(failed), "first": failed[:_NAMED]}


def _share(rights: Sequence[bool]) -> float | None:
    return float(np.mean(rights)) if rights else None


def _pairs(records: Sequence[Record]) -> dict[str, Any] | None:
    """How many pairs of the same words on different scenes are both right; None where there are no pairs."""
    pairs: dict[int, list[bool]] = defaultdict(list)
    for record in records:
        if record.pair is not None:
            pairs[record.pair].append(record.right)
    return (
        {"count": len(pairs), "both_right": float(np.mean([all(each) for each in pairs.values()]))} if pairs else None
    )


def _scores(records: Sequence[Record]) -> dict[str, Any]:
    """Masks and words of the dialogues that should show something; where none should, their fields are None."""
    counted, records = len(records), [record for record in records if record.has_target]
    if not records:
        names = [field.name for field in dataclasses.fields(MaskSummary)]
        return {**dict.fromkeys((*names, "no_mask", *_WORDS)), "count": counted, "shown": 0}
    scores = dataclasses.asdict(summarize([record.mask for record in records]))
    scores |= {"count": counted, "shown": len(records)}
    scores["no_mask"] = float(np.mean([not record.masked for record in records]))
    for name in _WORDS:
        known = [right for record in records if (right := getattr(record.words, name)) is not None]
        scores[name] = float(np.mean(known)) if known else None
    return scores


def _status_summary(records: Sequence[Record]) -> dict[str, Any] | None:
    pairs = [pair for record in records for pair in record.statuses]
    if not pairs:
        return None
    table = confusion(pairs)
    summary: dict[str, Any] = {
        "turns": len(pairs),
        "accuracy": float(np.mean([true == given for true, given in pairs])),
        "confusion": table,
    }
    for status in (Status.NOT_FOUND, Status.CLARIFY):
        precision, recall = precision_recall(table, status.value)
        summary[status.value] = {"precision": precision, "recall": recall}
    return summary


def calibration_of(records: Sequence[Record]) -> Calibration | None:
    """How far the published scores are from the IoUs, over the last answers that hold a mask; None without one."""
    scored = [
        (record.score, record.mask.iou if record.has_target else 0.0)
        for record in records
        if record.masked and record.score is not None
    ]
    return calibrate([score for score, _ in scored], [iou for _, iou in scored])


def _seconds_summary(records: Sequence[Record]) -> dict[str, float] | None:
    """Times of a turn; its image's encoding is added to every turn, as on a robot, whose every turn has a new frame."""
    turns = [
        seconds + record.encode_s for record in records if record.encode_s is not None for seconds in record.answer_s
    ]
    if not turns:
        return None
    encodings = [record.encode_s for record in records if record.encode_s is not None]
    return {
        "turn_median": float(np.median(turns)),
        "turn_p95": float(np.percentile(turns, 95)),
        "encode_median": float(np.median(encodings)),
    }
