"""A small data set of dialogues and what checkpoints said in it, in the files that programs write. No pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelrs_ros.data import prist
from pixelrs_ros.evaluation.metrics import score_mask
from pixelrs_ros.evaluation.records import Record
from pixelrs_ros.evaluation.referents import WordScore
from pixelrs_ros.evaluation.tallies import Tally

TURNS = (
    prist.PristTurn("I want to drink something.", "Something warm or something cold?"),
    prist.PristTurn("Something warm.", "Then you mean [OBJ] the red mug [SEG]."),
)
PLAIN = ("Something warm or something cold?", "Then you mean the red mug.")
SHOWN = np.eye(4, dtype=bool)


def write_data(folder: Path, pictures: Sequence[str] = ("0.jpg", "1.jpg", "2.jpg"), split: str = "test") -> Path:
    """A PRIST folder with one dialogue a picture."""
    records = [prist.PristDialogue(img_id, TURNS, "Red mug").to_record() for img_id in pictures]
    prist.write_records(prist.split_path(folder, split), records)
    return folder


def write_said(
    path: Path,
    data: Path,
    said: Sequence[Sequence[str]],
    *,
    name: str = "nano",
    condition: str = "own history",
    data_set: str | None = None,
) -> Path:
    """What `pixelrs evaluate --json` writes of a checkpoint, with the row of a baseline."""
    pictures = [each["img_id"] for each in json.loads((data / "test.json").read_text())]
    found = [
        Record(
            condition=row, dialogue=index, img_id=img_id, focus="Red mug", mask=score_mask(SHOWN, SHOWN), masked=True,
            said=tuple(answers if row == condition else ("red mug",)), phrases=("red mug",), words=WordScore(True),
        )
        for row in (condition, "largest object")
        for index, (img_id, answers) in enumerate(zip(pictures, said, strict=True))
    ]  # fmt: skip
    rows = {
        row: Tally(each for each in found if each.condition == row).summary() for row in (condition, "largest object")
    }
    report = {
        "checkpoint": name, "split": "test", "format": "prist", "data_set": data_set, "pictures": None,
        "dialogues": len(said), "images": len(said), "peak_memory_mb": 1.0, "conditions": rows,
        "records": [each.to_json() for each in found],
    }  # fmt: skip
    path.write_text(json.dumps({"data": str(data), "reports": [report]}))
    return path
