"""A folder of dialogues in PRIST's own form: `<split>.json`, `images/<img_id>`, `masks/<stem of img_id>.json`.

What `pixelrs generate` writes carries a `meta` object besides; what others write need not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pixelrs_ros.data import labelme
from pixelrs_ros.data.json_files import stream_list
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.files import write_file
from pixelrs_ros.pictures import read_picture
from pixelrs_ros.types import Point, Status

SEG = "[SEG]"


@dataclass(frozen=True)
class PristTurn:
    """One exchange: what the human says, what the answer should be, with `[SEG]` for each mask.

    Attributes:
        user: The human's words.
        answer: What the answer should be.
        point: Where in the image the human points; None: nowhere, as always in PRIST itself.
    """

    user: str
    answer: str
    point: Point | None = None


@dataclass(frozen=True)
class PristMeta:
    """What the simulator knows beyond PRIST.

    Attributes:
        scene_seed: The scene.
        kinds: Sort of each turn, "wish", "place", "part", ….
        statuses: How each turn ends.
        targets: Labels of each answer's masks.
        candidates: Labels of the objects between which each "which one?" leaves the choice; empty for other answers.
        kind: What the object is that the dialogue ends on.
        color: That object's color.
        part: Its part that is the target, or None for all of it.
        sensor: Whether the picture shows a camera's faults; None where the data does not say.
        visible: Share of the target, in [0, 1], that other objects leave to be seen; None where the data does not say.
        hard: What makes the language hard, "typo", "unheard_wish", …; empty also where the data does not say.
        pair: Number that two dialogues share whose words are the same and whose scenes differ; None for all others.
    """

    scene_seed: int
    kinds: tuple[str, ...]
    statuses: tuple[Status, ...]
    targets: tuple[tuple[str, ...], ...]
    candidates: tuple[tuple[str, ...], ...]
    kind: str
    color: str
    part: str | None
    sensor: bool | None = None
    visible: float | None = None
    hard: tuple[str, ...] = ()
    pair: int | None = None


@dataclass(frozen=True)
class PristDialogue:
    """One dialogue about one image.

    Attributes:
        img_id: File name of the image.
        turns: At least one; the last answer's `[SEG]` is the target.
        focus: Label of the target in the image's masks; compared without case. Empty where the last answer shows
            nothing, as only data with `meta` may have it.
        meta: Only in data from the simulator.
    """

    img_id: str
    turns: tuple[PristTurn, ...]
    focus: str
    meta: PristMeta | None = None

    def to_record(self) -> dict[str, Any]:
        """The dialogue as PRIST's JSON has it."""
        said = [utterance for turn in self.turns for utterance in _pair(turn)]
        record: dict[str, Any] = {"img_id": self.img_id, "dialogue": said, "focus": self.focus}
        if (meta := self.meta) is not None:
            record["meta"] = {
                "scene_seed": meta.scene_seed,
                "kinds": list(meta.kinds),
                "statuses": [status.value for status in meta.statuses],
                "targets": [list(labels) for labels in meta.targets],
                "candidates": [list(labels) for labels in meta.candidates],
                "target": {"kind": meta.kind, "color": meta.color, "part": meta.part},
            }
            optional = {"sensor": meta.sensor, "visible": meta.visible, "pair": meta.pair}
            record["meta"] |= {key: value for key, value in optional.items() if value is not None}
            if meta.hard:
                record["meta"]["hard"] = list(meta.hard)
        return record


def _pair(turn: PristTurn) -> tuple[dict[str, Any], dict[str, Any]]:
    pointing = {} if turn.point is None else {"point": list(turn.point)}
    return {"from": "human", "value": turn.user, **pointing}, {"from": "gpt", "value": turn.answer}


def split_path(folder: Path, split: str) -> Path:
    """Where a split's dialogues are.

    Raises:
        DataError: No split can be called so: its file would be hidden, or lie in another folder.
    """
    if not split or split.startswith(".") or Path(split).name != split or "\\" in split:
        raise DataError(f"no split can be called {split!r}; remedy: a plain name, such as train")
    return folder / f"{split}.json"


def image_path(folder: Path, img_id: str) -> Path:
    """Where an image is."""
    return folder / "images" / img_id


def mask_path(folder: Path, img_id: str) -> Path:
    """Where an image's masks are."""
    return folder / "masks" / f"{Path(img_id).stem}.json"


def records_to_json(records: Sequence[dict[str, Any]]) -> str:
    """Dialogues as a JSON list, one a line."""
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    return f"[\n{lines}\n]\n"


def write_records(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Writes dialogues; the file is whole or not there.

    Raises:
        OutputError: It cannot be written.
    """
    write_file(path, records_to_json(records))


def read_split(folder: Path, split: str) -> list[PristDialogue]:
    """Reads `<split>.json` of a PRIST folder, with or without `meta`.

    Raises:
        DataError: The file is missing or malformed; the message names it and the dialogue.
    """
    path = split_path(folder, split)
    return [to_dialogue(f"{path}: dialogue {index}", record) for index, record in enumerate(stream_list(path))]


def read_image(folder: Path, img_id: str) -> np.ndarray:
    """Reads an image as (H, W, 3) uint8 RGB, upright as its EXIF orientation says: labelme draws on what it shows so.

    Raises:
        DataError: The file is missing, empty, damaged or not an image.
    """
    try:
        return read_picture(image_path(folder, img_id))
    except BadInputError as error:
        raise DataError(str(error)) from error


def read_masks(folder: Path, img_id: str) -> labelme.Masks:
    """Reads an image's masks: (H, W) bool by case-folded label.

    Raises:
        DataError: The file is missing or malformed, or of another picture of the folder.
    """
    annotation = labelme.read(mask_path(folder, img_id))
    # Pictures of one stem share the file's name, and it says whose it is. A picture that has been renamed or converted
    # since is told by the other one's absence.
    named = annotation.image_name
    if named and named != img_id and image_path(folder, named).is_file():
        raise DataError(f"{annotation.path} is of {named}, not of {img_id}; remedy: give the pictures different names")
    return annotation.masks()


def to_dialogue(where: str, record: Any) -> PristDialogue:
    """A dialogue of what PRIST's JSON has; the inverse of `PristDialogue.to_record`.

    Args:
        where: The record, for messages.
        record: One of the list.

    Raises:
        DataError: It is malformed; the message names what is wrong.
    """
    if not isinstance(record, dict):
        raise DataError(f"{where} must be an object, got {type(record).__name__}")
    shows_nothing = record.get("focus") == "" and record.get("meta") is not None
    for key in ("img_id",) if shows_nothing else ("img_id", "focus"):
        if not isinstance(record.get(key), str) or not record[key].strip():
            raise DataError(f"{where}: {key} must be a text that is not empty, got {record.get(key)!r}")
    if PurePosixPath(record["img_id"]).name != record["img_id"] or "\\" in record["img_id"]:
        raise DataError(f"{where}: img_id must be a file name in images/, got {record['img_id']!r}")
    turns = read_turns(where, record, "dialogue")
    if not shows_nothing and SEG not in turns[-1].answer:
        raise DataError(f"{where}: the last answer must hold a {SEG}, got {turns[-1].answer!r}")
    meta = _meta(where, record["meta"], len(turns)) if record.get("meta") is not None else None
    return PristDialogue(record["img_id"], turns, record["focus"], meta)


def read_turns(
    where: str, record: dict[str, Any], key: str, clean: Callable[[str], str] = str
) -> tuple[PristTurn, ...]:
    """The exchanges that a record holds as `[{"from": "human", "value": …}, {"from": "gpt", "value": …}, …]`.

    Args:
        where: The record, for messages.
        record: A record of the JSON file.
        key: Where in it they stand.
        clean: Applied to every utterance, of which something must be left.

    Raises:
        DataError: They are not there or not in pairs, an utterance is empty, or a `point` is not two numbers.
    """
    said = record.get(key)
    if not isinstance(said, list) or not said or len(said) % 2:
        raise DataError(f"{where}: {key} must be a list of utterances in pairs of human and gpt")
    values, points = [], []
    for index, utterance in enumerate(said):
        speaker = ("human", "gpt")[index % 2]
        if not isinstance(utterance, dict) or utterance.get("from") != speaker:
            raise DataError(f"{where}: utterance {index} must be from {speaker!r}")
        value = utterance.get("value")
        if not isinstance(value, str) or not clean(value).strip():
            raise DataError(f"{where}: utterance {index} must have a value that is not empty, got {value!r}")
        values.append(clean(value))
        points.append(_point(f"{where}: utterance {index}", utterance.get("point")))
    return tuple(map(PristTurn, values[::2], values[1::2], points[::2]))


def _point(where: str, value: Any) -> Point | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(type(each) in (int, float) for each in value):
        raise DataError(f"{where}: point must be [x, y] in px, got {value!r}")
    return float(value[0]), float(value[1])


def _meta(where: str, meta: Any, count: int) -> PristMeta:
    try:
        target = meta["target"]
        read = PristMeta(
            scene_seed=int(meta["scene_seed"]),
            kinds=tuple(str(kind) for kind in meta["kinds"]),
            statuses=tuple(Status(status) for status in meta["statuses"]),
            targets=_labels(meta["targets"]),
            candidates=_labels(meta["candidates"]),
            kind=str(target["kind"]),
            color=str(target["color"]),
            part=None if target["part"] is None else str(target["part"]),
            sensor=None if meta.get("sensor") is None else bool(meta["sensor"]),
            visible=None if meta.get("visible") is None else float(meta["visible"]),
            hard=tuple(str(tag) for tag in meta.get("hard", ())),
            pair=None if meta.get("pair") is None else int(meta["pair"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}: meta is malformed: {type(error).__name__} {error}") from error
    if not len(read.kinds) == len(read.statuses) == len(read.targets) == len(read.candidates) == count:
        raise DataError(
            f"{where}: meta must have kinds, statuses, targets and candidates for each of the {count} turns"
        )
    return read


def _labels(value: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(label) for label in labels) for labels in value)
