"""A robot's masks to be corrected in labelme, and taken back.

People draw in `labelme/<picture>.json`, one file for each picture, with the labels that the robot's answers had. What
they leave as it is comes back pixel by pixel, though they see outlines with fewer points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.from_bag import DIALOGUES_FILE, remembered
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.data.polygons import Polygon, mask_to_polygons, polygons_to_mask
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.record import DIALOGUE_FILE, focus_of, prist_record, with_union, write_masks
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder, write_file
from pixelrs_ros.text.tokenizer import OBJ, SEG
from pixelrs_ros.types import Status, Turn, Verdict

FOLDER = "labelme"
_TOLERANCE_PX = 1.0  # between the outline that people see and the mask's own
_LEAST_IOU = 0.98  # below it a small thing is outlined exactly


@dataclass(frozen=True)
class Taken:
    """What came back, in pictures.

    Attributes:
        unchanged: As the robot left them.
        corrected: With other masks.
        drawn: Where the robot had shown nothing.
        emptied: Without any mask, so that no dialogue ends on them any more.
        still_wrong: Of the unchanged ones those whose turn was marked as wrong; no dialogue ends on them.
        examples: Dialogues that end on a mask now.
    """

    unchanged: int
    corrected: int
    drawn: int
    emptied: int
    still_wrong: int
    examples: int


@dataclass(frozen=True)
class _Labeled:
    """A turn, its picture, and the labels that the robot gave."""

    turn: Turn
    replaces_last: bool
    img_id: str | None
    labels: tuple[str, ...]
    is_wrong: bool = False  # somebody has marked it so


def write_labelme(folder: Path) -> int:
    """Write labelme's files of the pictures that have none yet.

    Args:
        folder: As `pixelrs data from-bag` and the service `~/export_dialogue` write it.

    Returns:
        How many were written. Pictures on which the robot showed nothing get none: labelme makes it when people draw.

    Raises:
        DataError: It is no such folder, or something in it is malformed.
        OutputError: A file cannot be written.
    """
    dialogues = _read(folder)  # before anything is made in a folder of another kind, or of a name that was mistyped
    make_folder(folder / FOLDER)
    written = 0
    for dialogue in dialogues:
        for labeled in dialogue:
            if labeled.img_id is None or not labeled.labels or _path(folder, labeled.img_id).exists():
                continue
            masks = prist.read_masks(folder, labeled.img_id)
            shapes = tuple(
                labelme.Shape(label, outline)
                for label in labeled.labels
                for outline in _outlines(masks[label.casefold()])
            )
            height_px, width_px = masks[labeled.labels[0].casefold()].shape
            annotation = labelme.Annotation(height_px, width_px, f"../images/{labeled.img_id}", shapes)
            write_file(_path(folder, labeled.img_id), labelme.to_json(annotation))
            written += 1
    return written


def take_back(folder: Path, split: str | None = None) -> Taken:
    """Write the masks and dialogues of a folder anew, with what people have drawn.

    Where they changed the labels, these become the answer's words, since the robot's name something else.

    Args:
        folder: See `write_labelme`.
        split: The list of dialogues; None: the only one.

    Raises:
        DataError: A file is malformed, drawn for a picture of another size, or uses a label for several things.
        OutputError: A file cannot be written.
    """
    name = _split(folder, split)
    counts = {"unchanged": 0, "corrected": 0, "drawn": 0, "emptied": 0, "still_wrong": 0}
    records: list[dict[str, Any]] = []
    new: list[tuple[str, Mapping[tuple[str, int], np.ndarray]]] = []
    dialogues = _read(folder)
    beginning = _beginning(labeled.turn.answer for dialogue in dialogues for labeled in dialogue)
    for dialogue in dialogues:
        for count, labeled in enumerate(dialogue, 1):
            if labeled.img_id is None:
                continue
            masks, what = _drawn(folder, labeled)
            if what:
                counts[what] += 1
            new.append((labeled.img_id, masks))
            still_wrong = labeled.is_wrong and what == "unchanged"
            counts["still_wrong"] += still_wrong
            if masks and not still_wrong:
                before = [(each.turn, each.replaces_last) for each in dialogue[: count - 1]]
                turn = _answered(labeled, [label for label, _ in masks], beginning)
                turns = remembered([*before, (turn, labeled.replaces_last)])
                records.append(prist_record(labeled.img_id, turns, focus_of(masks)))
    for img_id, masks in new:  # only now, so that an error leaves everything as it was
        write_masks(folder, img_id, masks, private=False)
        if not masks:
            prist.mask_path(folder, img_id).unlink(missing_ok=True)
    prist.write_records(prist.split_path(folder, name), records)
    return Taken(**counts, examples=len(records))


def _drawn(folder: Path, labeled: _Labeled) -> tuple[Mapping[tuple[str, int], np.ndarray], str]:
    """The masks of a picture by (label, place), all together last; and what happened to them, empty: nothing could."""
    assert labeled.img_id is not None
    before: Mapping[str, np.ndarray] = prist.read_masks(folder, labeled.img_id) if _has_masks(folder, labeled) else {}
    was = {
        label.casefold(): (label, before[label.casefold()]) for label in labeled.labels if label.casefold() in before
    }
    path = _path(folder, labeled.img_id)
    if not path.exists():
        return with_union(was.values()), "unchanged" if was else ""
    annotation = labelme.read(path)
    size = prist.read_image(folder, labeled.img_id).shape[:2]
    if (annotation.height_px, annotation.width_px) != size:
        found = (annotation.height_px, annotation.width_px)
        raise DataError(f"{path}: drawn on a picture of {found} px, {labeled.img_id} has {size} px")
    masks = annotation.masks()
    names: dict[str, str] = {label.casefold(): label for label in labeled.labels}
    for shape in annotation.shapes:
        if not shape.is_hole:
            masks.require(shape.label)
            names.setdefault(shape.label.casefold(), shape.label.strip() or shape.label)
    now = {}
    for key, label in names.items():
        if key in masks and masks[key].any():
            kept = key in was and _is_untouched(annotation, key, was[key][1])
            now[key] = (label, was[key][1] if kept else masks[key])
    if not now:
        return {}, "emptied" if labeled.labels else ""
    same = now.keys() == was.keys() and all((now[key][1] == was[key][1]).all() for key in now)
    return with_union(now.values()), "unchanged" if same else "corrected" if labeled.labels else "drawn"


def _is_untouched(annotation: labelme.Annotation, label: str, mask: np.ndarray) -> bool:
    if any(shape.is_hole for shape in annotation.shapes):
        return False
    drawn = [shape.points for shape in annotation.shapes if shape.label.casefold() == label]
    return drawn == _outlines(mask)


def _beginning(answers: Iterable[str]) -> str:
    """What the robot says most often before it names a thing, so that examples are worded as it words its answers."""
    said = Counter(answer.partition(OBJ)[0] for answer in answers if OBJ in answer)
    return said.most_common(1)[0][0] if said else ""


def _answered(labeled: _Labeled, labels: Sequence[str], beginning: str) -> Turn:
    """The turn with an answer that names what is shown; of several labels the last one is that of all together."""
    single = labels[:-1] if len(labels) > 1 else labels
    if {label.casefold() for label in single} == {label.casefold() for label in labeled.labels}:
        return labeled.turn
    answer = " and ".join(f"{OBJ}{label}{SEG}" for label in single)
    return replace(labeled.turn, answer=f"{beginning}{answer}.", status=Status.GROUNDED)


def _outlines(mask: np.ndarray) -> list[Polygon]:
    """Outlines with few enough points to be moved by hand, as close to the mask as these may be."""
    exact = mask_to_polygons(mask)
    simple: list[Polygon] = []
    for outline in exact:
        points = cv2.approxPolyDP(np.asarray(outline, np.float32)[:, None], _TOLERANCE_PX, closed=True)[:, 0]
        if len(points) < 3:
            return exact
        simple.append([(float(x), float(y)) for x, y in points])
    filled = polygons_to_mask(simple, *mask.shape)
    return simple if (filled & mask).sum() >= _LEAST_IOU * (filled | mask).sum() else exact


def _path(folder: Path, img_id: str) -> Path:
    return folder / FOLDER / f"{Path(img_id).stem}.json"


def _has_masks(folder: Path, labeled: _Labeled) -> bool:
    return labeled.img_id is not None and prist.mask_path(folder, labeled.img_id).is_file()


def _split(folder: Path, split: str | None) -> str:
    there = PristReader(folder).splits()
    if split is None and len(there) != 1:
        raise DataError(f"{folder}: has the splits {', '.join(there) or 'none'}; remedy: one of them with --split")
    if split is not None and split not in there:
        raise DataError(f"{folder}: there is no split {split!r}; there are {', '.join(there) or 'none'}")
    return split or there[0]


def _read(folder: Path) -> list[list[_Labeled]]:
    """The turns of every dialogue, as they were."""
    several, one = folder / DIALOGUES_FILE, folder / DIALOGUE_FILE
    if not several.is_file() and not one.is_file():
        raise DataError(
            f"{folder}: there is neither {DIALOGUES_FILE} of `pixelrs data from-bag` or `from-store` nor "
            f"{DIALOGUE_FILE} of ~/export_dialogue; remedy for other PRIST folders: labelme {folder}/images "
            f"--output {folder}/masks"
        )
    path = several if several.is_file() else one
    content = load_json(path)
    try:
        return [
            [_labeled(turn) for turn in dialogue["turns"]]
            for dialogue in (content if isinstance(content, list) else [content])
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: malformed: {type(error).__name__} {error}") from error


def _labeled(turn: Mapping[str, Any]) -> _Labeled:
    labels = {str(mask["label"]).casefold(): str(mask["label"]) for mask in reversed(turn["masks"])}
    said = Turn(
        int(turn["index"]),
        str(turn["text"]),
        str(turn["answer"]),
        Status(turn["status"]),
        int(turn["instruction_stamp_ns"]),
        int(turn["image_stamp_ns"]),
        str(turn["frame_id"]),
        str(turn["instruction_id"]),
        None if turn.get("point") is None else (float(turn["point"][0]), float(turn["point"][1])),
    )
    return _Labeled(
        said,
        bool(turn.get("replaces_last")),
        turn["img_id"],
        tuple(reversed(labels.values())),
        turn.get("verdict") == Verdict.BAD.value,
    )
