"""Turns a recording into a PRIST folder: its pictures, its dialogues, and the robot's own masks to be corrected.

`<split>.json` holds one dialogue for each turn that grounded something, as `data.record` does. `dialogues.json` holds
every turn, also those without a mask, which `pixelrs label` lets people draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelrs_ros.data import prist
from pixelrs_ros.data.bag_turns import BagDialogue, BagTurn, pictures_of, read_dialogues
from pixelrs_ros.data.bags import Bag
from pixelrs_ros.data.record import as_it_was, focus_of, labeled, prist_record, write_masks
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder, write_json, write_picture
from pixelrs_ros.types import Status, Turn

DIALOGUES_FILE = "dialogues.json"
DEFAULT_SPLIT = "train"
MAX_MEGAPIXELS = 100.0


@dataclass(frozen=True)
class Written:
    """What a recording gave.

    Attributes:
        dialogues: How many.
        turns: How many were answered.
        examples: How many of them ended on a mask, and are dialogues of the split.
        without_picture: How many are left out since their image was not recorded.
        failed: How many ended in another way than with an answer.
    """

    dialogues: int
    turns: int
    examples: int
    without_picture: int
    failed: dict[Status, int]


def write_from_bag(
    path: Path, out: Path, split: str = DEFAULT_SPLIT, namespace: str | None = None, image: str | None = None
) -> Written:
    """Write the folder.

    Args:
        path: The recording.
        out: A folder that is not there, or is empty.
        split: Name of the list of dialogues.
        namespace: Of the robot, where the recording has several.
        image: Topic of its images, where the recording does not say.

    Raises:
        DataError: The recording cannot be used, or the folder holds something.
        OutputError: A file cannot be written.
    """
    require_new(out, split)
    with Bag(path) as bag:
        robot = bag.robot(namespace, image)
        topic = robot.require_image(bag)
        dialogues, failed = read_dialogues(bag, robot)
        dialogues = [dialogue for dialogue in dialogues if dialogue.turns]
        every = [(place, turn) for place, dialogue in enumerate(dialogues) for turn in dialogue.turns]
        for name in ("images", "masks"):
            make_folder(out / name)
        seen: set[str] = set()
        for place, picture in pictures_of(bag, topic, [turn for _, turn in every], MAX_MEGAPIXELS):
            img_id = _img_id(*every[place])
            write_picture(prist.image_path(out, img_id), picture)
            seen.add(img_id)
    if not seen:
        raise DataError(f"{path}: none of the images that turns are about was recorded on {topic}")
    records: list[dict[str, Any]] = []
    for place, dialogue in enumerate(dialogues):
        records += _records(out, place, dialogue, seen)
    prist.write_records(prist.split_path(out, split), records)
    told = [_as_it_was(place, dialogue, seen) for place, dialogue in enumerate(dialogues)]
    write_json(out / DIALOGUES_FILE, told)
    return Written(len(dialogues), len(every), len(records), len(every) - len(seen), failed)


def require_new(out: Path, split: str) -> None:
    """Refuse a folder that holds something, and a split of an impossible name.

    Raises:
        DataError: It is one.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is not empty; remedy: a new folder")
    if prist.split_path(out, split).name == DIALOGUES_FILE:
        raise DataError(f"no split can be called {split!r}; remedy: a plain name, such as {DEFAULT_SPLIT}")


def remembered(turns: Sequence[tuple[Turn, bool]]) -> list[Turn]:
    """What a dialogue is at its last turn: without those in whose place others came.

    Args:
        turns: Each with whether it took the place of the one before.
    """
    kept: list[Turn] = []
    for turn, replaces_last in turns:
        if replaces_last and kept:
            kept.pop()
        kept.append(turn)
    return kept


def _img_id(place: int, turn: BagTurn) -> str:
    return f"dialogue_{place:04d}_turn_{turn.turn.index:04d}.png"  # a PNG: the network shall see the very same pixels


def _records(out: Path, place: int, dialogue: BagDialogue, seen: set[str]) -> list[dict[str, Any]]:
    records = []
    turns = [(turn.turn, turn.replaces_last) for turn in dialogue.turns]
    for count, turn in enumerate(dialogue.turns, 1):
        img_id, masks = _img_id(place, turn), labeled(turn.masks)
        if img_id in seen and masks:
            write_masks(out, img_id, masks, private=False)
            records.append(prist_record(img_id, remembered(turns[:count]), focus_of(masks)))
    return records


def _as_it_was(place: int, dialogue: BagDialogue, seen: set[str]) -> dict[str, Any]:
    turns = []
    for turn in dialogue.turns:
        img_id = _img_id(place, turn)
        told = as_it_was(turn.turn, turn.masks, img_id if img_id in seen else None)
        turns.append(told | {"replaces_last": turn.replaces_last})
    return {"session_id": dialogue.session_id, "turns": turns}
