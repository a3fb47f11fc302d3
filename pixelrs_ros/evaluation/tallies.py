"""Sums up records one after another, without keeping them."""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pixelrs_ros.evaluation.calibration import Calibration, calibrate
from pixelrs_ros.evaluation.metrics import (
    MaskSummary,
    MaskSums,
    bootstrap_interval,
    confusion,
    precision_recall,
)
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.types import Status

_WORDS = ("referent_right", "object_right", "part_right")
_NAMED = 5  # of the turns without an answer
NOTHING_HARD = "nothing"


@dataclass
class Share:
    """How many of those that are known are right."""

    right: int = 0
    known: int = 0

    def add(self, right: bool | None) -> None:
        """Count one; None: not known."""
        if right is not None:
            self.right += right
            self.known += 1

    @property
    def value(self) -> float | None:
        """In [0, 1]; None where nothing is known."""
        return self.right / self.known if self.known else None


@dataclass
class GroupTally:
    """Masks, words and statuses of some dialogues."""

    count: int = 0
    masks: MaskSums = field(default_factory=MaskSums)
    no_mask: Share = field(default_factory=Share)
    words: dict[str, Share] = field(default_factory=lambda: {name: Share() for name in _WORDS})
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.count += 1
        self.statuses.update(record.statuses)
        if record.has_target:
            self.masks.add(record.mask)
            self.no_mask.add(not record.masked)
            for name, share in self.words.items():
                share.add(getattr(record.words, name))

    def scores(self) -> dict[str, Any]:
        """Masks and words of the dialogues that should show something; where none should, their fields are None."""
        shown = self.masks.count
        names = [one.name for one in dataclasses.fields(MaskSummary)]
        masks = dataclasses.asdict(self.masks.summary()) if shown else dict.fromkeys(names)
        words = {name: share.value for name, share in self.words.items()}
        return {**masks, "count": self.count, "shown": shown, "no_mask": self.no_mask.value, **words}

    def status(self) -> dict[str, Any] | None:
        """How the turns ended; None where the data does not say how they should."""
        if not self.statuses:
            return None
        table = confusion(self.statuses)
        turns = self.statuses.total()
        right = sum(count for (true, given), count in self.statuses.items() if true == given)
        summary: dict[str, Any] = {"turns": turns, "accuracy": right / turns, "confusion": table}
        for status in (Status.NOT_FOUND, Status.CLARIFY):
            precision, recall = precision_recall(table, status.value)
            summary[status.value] = {"precision": precision, "recall": recall}
        return summary


class Tally:
    """The records of one condition; some dozen bytes of each are kept."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._all = GroupTally()
        self._groups: dict[str, dict[str, GroupTally]] = defaultdict(lambda: defaultdict(GroupTally))
        self._iou, self._image = array("d"), array("q")
        self._scored = array("d"), array("d")
        self._turns, self._encodings = array("d"), array("d")
        self._right, self._one_object, self._content = Share(), Share(), Share()
        self._pairs: dict[int, bool] = {}
        self._unanswered = 0
        self._first: list[tuple[int, int, str]] = []  # a heap of the last of the first, negated
        self._tells_hard = False
        for record in records:
            self.add(record)

    @property
    def count(self) -> int:
        """How many records were added."""
        return self._all.count

    def add(self, record: Record) -> None:
        """Count a record."""
        self._all.add(record)
        for table, names in _rows(record).items():
            for name in names:
                self._groups[table][name].add(record)
        self._tells_hard |= bool(record.hard)
        self._right.add(record.right)
        self._one_object.add(None if record.second is None else not record.second)
        for right in record.content:
            self._content.add(right)
        if record.has_target:
            self._iou.append(record.mask.iou)
            self._image.append(_number(record.img_id))
        if (pair := scored(record)) is not None:
            for values, value in zip(self._scored, pair, strict=True):
                values.append(value)
        if record.encode_s is not None:
            self._encodings.append(record.encode_s)
            self._turns.extend(seconds + record.encode_s for seconds in record.answer_s)
        if record.pair is not None:
            self._pairs[record.pair] = self._pairs.get(record.pair, True) and record.right
        for turn, why in enumerate(record.failures):
            if why:
                self._unanswered += 1
                heapq.heappush(self._first, (-record.dialogue, -turn, f"dialogue {record.dialogue}: {why}"))
                if len(self._first) > _NAMED:
                    heapq.heappop(self._first)

    def summary(self) -> dict[str, Any]:
        """JSON types, rates in [0, 1], times in seconds.

        Returns:
            The mask scores and word rates of all dialogues with the 95 % interval of gIoU ("g_iou_95"), the same for
            "objects", "parts", "by_kind", "by_view" and "by_hard" where the data tells them apart (a dialogue stands in
            the row of everything that is hard in it, else in `NOTHING_HARD`), "status", "calibration" of the mask
            score, "seconds", "unanswered" (turns without an answer, and why the first of them have none), "right" (how
            many dialogues end right), "pairs" (of which both are right), "one_object" (share of answers whose masks
            keep to one object each) and "content" (of answers in words).
        """
        summary = self._all.scores()
        summary["g_iou_95"] = list(bootstrap_interval(self._iou, self._image)) if self._iou else None
        summary["right"] = self._right.value
        both = Share(sum(self._pairs.values()), len(self._pairs))
        summary["pairs"] = {"count": both.known, "both_right": both.value} if self._pairs else None
        summary["one_object"] = self._one_object.value
        summary["content"] = self._content.value
        summary |= {name: group.scores() for name, group in self._groups["what"].items()}
        for key in ("by_kind", "by_view", "by_hard"):
            groups = self._groups[key] if key != "by_hard" or self._tells_hard else {}
            summary[key] = {
                name: {**group.scores(), "status": group.status()} for name, group in sorted(groups.items())
            }
        summary["status"] = self._all.status()
        calibration = calibrate(*self._scored)
        summary["calibration"] = dataclasses.asdict(calibration) if calibration else None
        summary["seconds"] = self._seconds()
        first = [why for *_, why in sorted(self._first, reverse=True)]
        summary["unanswered"] = {"turns": self._unanswered, "first": first}
        return summary

    def _seconds(self) -> dict[str, float] | None:
        """Of a turn; its image's encoding is added to every turn, as on a robot, whose every turn has a new frame."""
        if not self._turns:
            return None
        return {
            "turn_median": float(np.median(self._turns)),
            "turn_p95": float(np.percentile(self._turns, 95)),
            "encode_median": float(np.median(self._encodings)),
        }


def calibration_of(records: Iterable[Record]) -> Calibration | None:
    """How far the published scores are from the IoUs, over the last answers that hold a mask; None without one."""
    pairs = array("d")
    for record in records:
        pairs.extend(scored(record) or ())
    return calibrate(pairs[::2], pairs[1::2])


def scored(record: Record) -> tuple[float, float] | None:
    """The published score of an answer's mask, and the IoU that it reached; None where there is no mask."""
    if not record.masked or record.score is None:
        return None
    return record.score, record.mask.iou if record.has_target else 0.0


def _rows(record: Record) -> dict[str, tuple[str, ...]]:
    """In which rows of which table a record stands."""
    what = {True: ("parts",), False: ("objects",), None: ()}[record.is_part if record.has_target else None]
    return {
        "what": what,
        "by_kind": () if record.kind is None else (record.kind,),
        "by_view": record.views,
        "by_hard": record.hard or (NOTHING_HARD,),
    }


def _number(name: str) -> int:
    """Of an image, instead of its name, which takes more memory."""
    return int.from_bytes(
        hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True
    )
