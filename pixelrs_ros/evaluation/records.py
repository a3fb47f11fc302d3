"""What an evaluation keeps of one dialogue."""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.evaluation.metrics import MaskScore
from pixelrs_ros.evaluation.referents import WordScore

SHOWN_PX = 256
RIGHT_IOU = 0.5  # a mask above it shows what was meant


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
