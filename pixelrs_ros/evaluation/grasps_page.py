"""The report on grasps: one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.evaluation.grasps import LIFTED, Trial
from pixelrs_ros.evaluation.page import template
from pixelrs_ros.files import write_file

_WIDTH_PX = 300


class Page:
    """Collects trials with their pictures made small."""

    def __init__(self) -> None:
        self._trials: list[tuple[str, dict[str, Any]]] = []

    def add(self, trial: Trial) -> None:
        """Keep what the page shows of a trial."""
        numbers = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in trial.numbers.items())
        about = f"scene {trial.case.seed}, mask IoU {trial.iou:.2f}{', ' if numbers else ''}{numbers}"
        shown = {"words": trial.case.words, "about": about, "pictures": [_jpeg(each) for each in trial.pictures]}
        self._trials.append((f"{trial.masks}, {trial.case.by}: {trial.outcome}", shown))

    def write(self, path: Path, command: str, rows: Sequence[dict[str, Any]]) -> None:
        """Write the page: what failed first.

        Raises:
            OutputError: It cannot be written.
        """
        titles = sorted({title for title, _ in self._trials}, key=lambda title: (title.endswith(f" {LIFTED}"), title))
        groups = [(title, [shown for name, shown in self._trials if name == title]) for title in titles]
        write_file(path, template("grasps.html").render(command=command, rows=rows, groups=groups))


def _jpeg(picture: np.ndarray) -> str:
    height = round(picture.shape[0] * _WIDTH_PX / picture.shape[1])
    small = cv2.resize(picture, (_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return base64.b64encode(data.tobytes()).decode()
