"""Writes a dialogue that a robot has had as a PRIST folder: its words, images and masks.

`dialogue.json` holds every turn as it was. `test.json` holds it in PRIST's form, for `pixelrs evaluate` and for
training: one dialogue for each turn that grounded something, up to that turn, about its image, ending on its masks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.dialogue.evidence import Evidence, StoredMask
from pixelrs_ros.dialogue.store_files import PARTIAL
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder, require_own_folder, write_file
from pixelrs_ros.text.answer import parse
from pixelrs_ros.types import Turn

SPLIT = "test"
DIALOGUE_FILE = "dialogue.json"
NAMELESS = "target"  # label of a mask that the answer has no words for

Recorded = Sequence[tuple[Turn, Evidence]]
WrittenT = TypeVar("WrittenT")


def write_dialogue(exports: Path, session_id: str, recorded: Recorded) -> tuple[Path, str]:
    """Write a dialogue into a new folder, for its owner's eyes only, which appears whole or not at all.

    Args:
        exports: Folder of such folders; made, for its owner's eyes only, if missing.
        session_id: Its name. Comes from outside: the folder is called by a digest of it and the time.
        recorded: Its turns, at least one, oldest first, each with what was stored of it.

    Returns:
        The folder, and what is not in it; empty when nothing is missing.

    Raises:
        DataError: The folder cannot be written, everybody may write there, it is a symbolic link, or a stored mask is
            damaged.
    """
    digest = hashlib.blake2b(session_id.encode(), digest_size=6).hexdigest()
    return write_export(exports, digest, lambda folder: _write(folder, session_id, recorded))


def write_export(exports: Path, name: str, write: Callable[[Path], WrittenT]) -> tuple[Path, WrittenT]:
    """Write a new folder, for its owner's eyes only, which appears whole or not at all.

    Args:
        exports: Folder of such folders; made, for its owner's eyes only, if missing.
        name: Ends the folder's name, after the time; of characters that every file system takes.
        write: Fills the folder that it is given, which has `images` and `masks`.

    Returns:
        The folder, and what `write` returned.

    Raises:
        DataError: The folder cannot be written, everybody may write there, it is a symbolic link, or a stored mask is
            damaged.
    """
    folder = exports / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{time.time_ns() % 10**9:09d}-{name}"
    partial = exports / f".{folder.name}{PARTIAL}"
    try:
        if exports.is_symlink():
            raise DataError(f"{exports} is a symbolic link, so that the dialogue would be written somewhere else")
        make_folder(exports, private=True)
        require_own_folder(exports)
        for part in ("images", "masks"):
            make_folder(partial / part, private=True)
        written = write(partial)
        partial.rename(folder)
    except DataError:
        raise
    except (OSError, ValueError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise DataError(f"{folder}: the dialogue cannot be written: {error}") from error
    return folder.absolute(), written


def _write(folder: Path, session_id: str, recorded: Recorded) -> str:
    turns: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for place, (turn, evidence) in enumerate(recorded):
        img_id = f"turn_{turn.index:06d}.jpg"
        has_picture = evidence.picture is not None
        if evidence.picture is not None:
            write_file(prist.image_path(folder, img_id), evidence.picture, private=True)
        masks = labeled(evidence.masks)
        write_masks(folder, img_id, masks, private=True)
        if masks and has_picture:
            records.append(prist_record(img_id, [turn for turn, _ in recorded[: place + 1]], focus_of(masks)))
        turns.append(as_it_was(turn, evidence.masks, img_id if has_picture else None))
    write_file(prist.split_path(folder, SPLIT), prist.records_to_json(records), private=True)
    whole = {"session_id": session_id, "turns": turns}
    write_file(folder / DIALOGUE_FILE, json.dumps(whole, ensure_ascii=False, indent=1) + "\n", private=True)
    lacking = sum(evidence.picture is None for _, evidence in recorded)
    return f"{lacking} of {len(recorded)} turns have no stored image" if lacking else ""


def write_masks(folder: Path, img_id: str, masks: Mapping[tuple[str, int], np.ndarray], *, private: bool) -> None:
    """Write the masks of a picture, (H, W) bool by (label, place); no file where there is none."""
    if masks:
        annotation = labelme.annotate(f"../images/{img_id}", masks)
        write_file(prist.mask_path(folder, img_id), labelme.to_json(annotation), private=private)


def labeled(masks: Sequence[StoredMask]) -> dict[tuple[str, int], np.ndarray]:
    """The masks that are not empty by (label, place), and after them all of them together where they are several.

    Masks of the same words are one target, whichever case they are written in.
    """
    return with_union((mask.phrase.strip() or NAMELESS, mask.mask()) for mask in masks)


def with_union(found: Iterable[tuple[str, np.ndarray]]) -> dict[tuple[str, int], np.ndarray]:
    """As `labeled`, of labels and masks."""
    by_label: dict[tuple[str, int], np.ndarray] = {}
    keys: dict[str, tuple[str, int]] = {}
    for place, (label, mask) in enumerate(found):
        if mask.any():
            key = keys.setdefault(label.casefold(), (label, place))
            by_label[key] = by_label[key] | mask if key in by_label else mask
    if len(by_label) > 1:
        last = max(place for _, place in by_label) + 1
        by_label[" and ".join(label for label, _ in by_label), last] = np.logical_or.reduce(list(by_label.values()))
    return by_label


def focus_of(masks: Mapping[tuple[str, int], np.ndarray]) -> str:
    """The label of all masks together."""
    return list(masks)[-1][0]


def prist_record(img_id: str, turns: Sequence[Turn], focus: str) -> dict[str, Any]:
    """A dialogue that ends on a mask; PRIST has one `[SEG]` in it, the last answer's."""
    *before, last = [(turn, parse(turn.answer)) for turn in turns]
    turn, answer = last
    end = max(phrase.end for phrase in answer.phrases) if answer.phrases else len(answer.text)
    said = [prist.PristTurn(past.text, told.text, past.point) for past, told in before if told.text]
    said.append(prist.PristTurn(turn.text, f"{answer.text[:end]} {prist.SEG}{answer.text[end:]}", turn.point))
    return prist.PristDialogue(img_id, tuple(said), focus).to_record()


def as_it_was(turn: Turn, masks: Sequence[StoredMask], img_id: str | None) -> dict[str, Any]:
    """All that is known of a turn, for JSON; no `img_id`: of its picture nothing is kept."""
    return {
        "index": turn.index,
        "instruction_id": turn.instruction_id,
        "text": turn.text,
        "answer": turn.answer,
        "status": turn.status.value,
        "instruction_stamp_ns": turn.instruction_stamp_ns,
        "image_stamp_ns": turn.image_stamp_ns,
        "frame_id": turn.frame_id,
        "point": turn.point,
        "img_id": img_id,
        "masks": [{"label": mask.phrase.strip() or NAMELESS, "score": mask.score} for mask in masks],
    }
