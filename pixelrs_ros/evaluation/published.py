"""What others published of their networks on data that is at hand too, to stand beside what was measured here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.readers.reasonseg import ReasonSegReader
from pixelrs_ros.evaluation.samples import Samples

NOTE = "published: as their authors measured it with their own code; those weights were not run by us"
PRIST, _REASONSEG = "PRIST", "ReasonSeg"
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


# In percent, of PRIST's test split. The paper itself was not at hand: these are as https://en.papernotes.org quotes
# them ("Pixel-Level Reasoning Segmentation via Multi-turn Conversations", ACL 2025). F1 is what precision and recall
# give, and OMG-LLaVA's gain by fine-tuning, 43 % in cIoU and 29 % in precision, is that of the paper's text.
PRIST_FIGURES: Mapping[str, Mapping[str, float]] = {
    "MIRAS": {
        "c_iou": 14.72, "precision": 24.22, "recall": 40.61, "f1": 30.34, "bleu": 8.51, "rouge_l": 30.82,
        "win_rate": 42.0,
    },
    "LISA, fine-tuned": {
        "c_iou": 11.23, "precision": 26.23, "recall": 29.22, "f1": 27.64, "bleu": 7.81, "rouge_l": 27.84,
    },
    "OMG-LLaVA, fine-tuned": {
        "c_iou": 13.84, "precision": 21.54, "recall": 49.31, "f1": 29.98, "bleu": 11.21, "rouge_l": 30.59,
    },
    "OMG-LLaVA": {
        "c_iou": 9.67, "precision": 16.67, "recall": 77.80, "f1": 27.46, "bleu": 8.70, "rouge_l": 23.47,
    },
    "GPT-4o": {
        "c_iou": 14.13, "precision": 17.35, "recall": 35.01, "f1": 23.18, "bleu": 4.30, "rouge_l": 26.35,
    },
}  # fmt: skip
PRIST_DIALOGUES, PRIST_PICTURES = 508, 169  # that they are of
FIGURES = {
    PRIST: Figures("test", "c_iou", {name: row["c_iou"] for name, row in PRIST_FIGURES.items()}),
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
    is_prist = samples.form == PristReader.form and not any(sample.has_statuses for sample in samples.all)
    return PRIST if is_prist and has_pictures_of_prist(sample.img_id for sample in samples.all) else None


def has_pictures_of_prist(names: Iterable[str]) -> bool:
    """Whether pictures may be PRIST's, by their files' names; the simulator writes PRIST's form too."""
    return all(_PICTURE_OF_PRIST.fullmatch(name) for name in names)


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
