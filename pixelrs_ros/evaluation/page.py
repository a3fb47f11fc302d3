"""A report as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.data.readers.entries import Entry
from pixelrs_ros.data.readers.opening import open_data
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.evaluation.published import NOTE, comparisons
from pixelrs_ros.evaluation.results import (
    Case,
    Results,
    choose_cases,
    paired_difference,
    read_cases,
    read_results,
)
from pixelrs_ros.evaluation.tables import unanswered_lines
from pixelrs_ros.files import write_file
from pixelrs_ros.pictures import decode_as_stored, read_picture

WIDTH_PX = 360
_TRUTH, _SHOWN = (40, 200, 60), (230, 40, 160)  # RGB of outlines


def write_report(out: Path, files: Sequence[Path]) -> list[str]:
    """Write the page about some evaluations.

    Args:
        out: The page.
        files: What `pixelrs evaluate --json FILE` wrote; those after the first are compared with it.

    Returns:
        The comparisons, a line each.

    Raises:
        DataError: A file is not that.
        OutputError: The page cannot be written.
    """
    from pixelrs_ros.evaluation.drawings import draw

    page = template("page.html")
    read = [read_results(path) for path in files]
    every = [results for _, found in read for results in found]
    _tell_apart(files, [found for _, found in read])
    compared = _compare([found for _, found in read])
    content = page.render(
        title=", ".join(path.name for path in files),
        overview=[_overview(results) for results in every],
        tables=_tables(every),
        drawing=draw(every),
        compared=compared,
        published=comparisons([results.head for results in every]),
        note=NOTE,
        unanswered=[line for results in every for line in unanswered_lines(results.head)],
        cases=[
            (results.name, _cases(path, place, folder, results))
            for path, (folder, found) in zip(files, read, strict=True)
            for place, results in enumerate(found)
        ],
    )
    write_file(out, content)
    return [row["line"] for row in compared]


def _tell_apart(files: Sequence[Path], read: Sequence[Sequence[Results]]) -> None:
    """Results that would have the same name, as two folders called "checkpoint" give them, get their file's."""
    every = {(results.name, path) for path, found in zip(files, read, strict=True) for results in found}
    names = Counter(name for name, _ in every)
    for path, found in zip(files, read, strict=True):
        for results in found:
            if names[results.name] > 1:  # of another file
                results.checkpoint = results.head["checkpoint"] = f"{results.checkpoint} ({path})"


def template(name: str) -> Any:
    """A page of this folder, to be filled by Jinja."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("pixelrs_ros.evaluation", "")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template(name)


def _overview(results: Results) -> dict[str, Any]:
    row = results.head["conditions"][results.condition]
    seconds, calibration = row.get("seconds") or {}, row.get("calibration") or {}
    return {
        "name": results.name,
        "condition": results.condition,
        "dialogues": results.head["dialogues"],
        "g_iou": row["g_iou"],
        "interval": row["g_iou_95"],
        "c_iou": row["c_iou"],
        "boundary_iou": row["boundary_iou"],
        "right": row["right"],
        "error": calibration.get("expected_error"),
        "turn_s": seconds.get("turn_median"),
        "turn_p95_s": seconds.get("turn_p95"),
        "memory_mb": results.head.get("peak_memory_mb"),
    }


def _tables(every: Sequence[Results]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(table for results in every for table in results.groups))
    return [
        {
            "name": name,
            "rows": [
                (results.name, row, group) for results in every for row, group in sorted(results.groups[name].items())
            ],
        }
        for name in names
    ]


def _compare(files: Sequence[Sequence[Results]]) -> list[dict[str, Any]]:
    rows = []
    for others in files[1:]:
        for second in others:
            for first in files[0]:
                found = paired_difference(first, second) if first.split == second.split else None
                if found is None:
                    continue
                count, mean, low, high = found
                verdict = "better" if low > 0 else "worse" if high < 0 else "not told apart"
                line = (
                    f"{second.name} against {first.name}: gIoU {mean:+.4f} [{low:+.4f}, {high:+.4f}] over {count} "
                    f"dialogues: {verdict}"
                )
                rows.append({"line": line, "verdict": verdict})
    return rows


def _cases(path: Path, place: int, folder: Path, results: Results) -> dict[str, list[dict[str, Any]]]:
    chosen = choose_cases(results)
    wanted = {index for indices in chosen.values() for index in indices}
    cases = read_cases(path, place, results.condition, wanted)
    entries = _entries(folder, results, wanted)
    return {
        name: [_case(index, cases[index], entries.get(index)) for index in indices] for name, indices in chosen.items()
    }


def _entries(folder: Path, results: Results, wanted: set[int]) -> dict[int, Entry]:
    """The dialogues of the data; none where it is not there any more, or is not as it was."""
    pictures = results.head.get("pictures")
    found = {}
    try:
        reader = open_data(folder, results.head.get("format"), Path(pictures) if pictures else None)
        for index, entry in enumerate(reader.entries(results.split)):
            if index in wanted:
                found[index] = entry
            if len(found) == len(wanted):
                break
    except DataError:
        return {}
    return found


def _case(index: int, case: Case, entry: Entry | None) -> dict[str, Any]:
    asked = [turn.user for turn in entry.dialogue.turns][-len(case.said) :] if entry else [""] * len(case.said)
    return {
        "index": index,
        "iou": case.iou,
        "focus": case.focus,
        "turns": list(zip(asked, case.said, strict=False)),
        "picture": _picture(case, entry) if entry else "",
    }


def _picture(case: Case, entry: Entry) -> str:
    """The picture with the outlines of the truth and of what was shown, as a JPEG in base64; empty without it."""
    try:
        picture, masks = read_picture(entry.picture), entry.masks()
        truths = [masks[label.casefold()] for label in entry.labels]
        shown = decode_as_stored(base64.b64decode(case.shown)) if case.shown else None
    except (BadInputError, DataError, KeyError):
        return ""
    height, width = picture.shape[:2]
    if any(mask.shape != (height, width) for mask in truths):
        return ""
    size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    truth = np.zeros((height, width), np.uint8)
    for drawn in truths:
        truth |= drawn.astype(np.uint8)
    for mask, color in ((truth, _TRUTH), (shown, _SHOWN)):
        if mask is not None:
            fitted = cv2.resize((mask > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            outlines, _ = cv2.findContours(fitted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(small, outlines, -1, color, 2)
    data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return base64.b64encode(data.tobytes()).decode()
