"""What others published of their networks on data that is at hand too, to stand beside what was measured here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.readers.reasonseg import ReasonSegReader
from pixelrs_ros.evaluation.samples import Samples

NOTE = "published: as their authors measured it with their own code; those weights were not run by us"
_PRIST, _REASONSEG = "PRIST", "ReasonSeg"
_PICTURE_OF_PRIST = re.compile(r"[0-9a-f]{16}\.jpg")  # Open Images' names, which TextCaps kept
_LABELS = {"c_iou": "cIoU", "g_iou": "gIoU"}


@dataclass(frozen=True)
class Figures:
    """Of one data set.

    Attributes:
        split: That they are of.
        metric: As a condition's scores name it.
        percent: By network.
    """

    split: str
    metric: str
    percent: Mapping[str, float]


FIGURES = {
    _PRIST: Figures("test", "c_iou", {"MIRAS": 14.72, "LISA, fine-tuned": 11.23}),
    _REASONSEG: Figures(
        "val", "g_iou", {"LISA-7B": 52.9, "LISA++": 64.2, "Seg-Zero-7B": 62.6, "VisionReasoner-7B": 66.3}
    ),
}


@dataclass(frozen=True)
class Comparison:
    """Figures of one data set, ours first.

    Attributes:
        title: The data, its split and what is compared, in percent.
        ours: By checkpoint and condition, with the number of dialogues; None: nothing was to be shown.
        published: By network.
    """

    title: str
    ours: tuple[tuple[str, float | None, int], ...]
    published: Mapping[str, float]


def data_set_of(samples: Samples) -> str | None:
    """Which published data set dialogues are from, as far as their form shows it; None for any other."""
    if samples.form == ReasonSegReader.form:
        return _REASONSEG
    if samples.form != PristReader.form or any(sample.has_statuses for sample in samples.all):
        return None  # the simulator's write more than PRIST does
    return _PRIST if all(_PICTURE_OF_PRIST.fullmatch(sample.img_id) for sample in samples.all) else None


def comparisons(reports: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    """What can be compared, each report by its first condition.

    Args:
        reports: What `evaluate` returns, each with its "checkpoint".
    """
    found = []
    for name, figures in FIGURES.items():
        ours = tuple(
            _ours(report, figures.metric)
            for report in reports
            if (report.get("data_set"), report["split"]) == (name, figures.split)
        )
        if ours:
            title = f"{name}, {figures.split}: {_LABELS[figures.metric]} in percent"
            found.append(Comparison(title, ours, figures.percent))
    return found


def _ours(report: Mapping[str, Any], metric: str) -> tuple[str, float | None, int]:
    condition, scores = next(iter(report["conditions"].items()))
    value = scores[metric]
    return f"{report['checkpoint']}, {condition}", None if value is None else 100 * value, report["dialogues"]
