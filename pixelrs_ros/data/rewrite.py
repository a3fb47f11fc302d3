"""Writes a data set of any format as a PRIST folder; memory does not grow with the data set."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.readers.entries import Entry, Reader
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.errors import DataError
from pixelrs_ros.files import make_folder, write_file, writing


def write_prist(
    reader: Reader, splits: list[str], out: Path, on_progress: Callable[[], None] = lambda: None
) -> dict[str, tuple[int, int]]:
    """Write a data set as a PRIST folder.

    A PRIST folder's own records and annotations are kept as they are, so that nothing of them is lost. Of other formats
    the masks are outlined, which gives every pixel back.

    Args:
        reader: Of the data set.
        splits: Which of its splits.
        out: A folder that is not there, or is empty.
        on_progress: Called after each dialogue.

    Returns:
        By split, how many dialogues were written, and how many were left out since they end on no mask, for which
        PRIST has no place.

    Raises:
        DataError: The data set has an error, or the folder holds something.
        OutputError: A file cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out}: is not empty; remedy: a new folder")
    for name in ("images", "masks"):
        make_folder(out / name)
    done = {}
    for split in splits:
        written = left_out = 0
        with writing(prist.split_path(out, split)) as file:
            for entry in reader.entries(split):
                if not entry.labels and entry.dialogue.meta is None:
                    left_out += 1
                    continue
                record = _write_entry(entry, out, reader.folder if reader.form == PristReader.form else None)
                file.write(f"{',' if written else '['}\n{json.dumps(record, ensure_ascii=False)}")
                written += 1
                on_progress()
            file.write("\n]\n" if written else "[]\n")
        done[split] = (written, left_out)
    return done


def _write_entry(entry: Entry, out: Path, prist_folder: Path | None) -> dict[str, object]:
    record = entry.dialogue.to_record()
    name = entry.dialogue.img_id if prist_folder else _flat(entry.dialogue.img_id)
    record["img_id"] = name
    picture, masks = prist.image_path(out, name), prist.mask_path(out, name)
    if not entry.picture.is_file():
        raise DataError(f"{entry.where}: {entry.picture}: image is missing")
    if not picture.exists():
        shutil.copyfile(entry.picture, picture)
    if prist_folder:
        if not masks.exists():
            shutil.copyfile(prist.mask_path(prist_folder, name), masks)
    else:
        _add_masks(entry, masks, name)
    return record


def _add_masks(entry: Entry, path: Path, name: str) -> None:
    """Outlines the masks that the file does not have yet."""
    known = labelme.read(path).shapes if path.exists() else ()
    labels = {shape.label.casefold() for shape in known}
    new: dict[tuple[str, int], np.ndarray] = {
        (label, 0): mask for label, mask in entry.masks().items() if label not in labels and mask.any()
    }
    if new:
        annotation = labelme.annotate(f"../images/{name}", new)
        whole = labelme.Annotation(
            annotation.height_px, annotation.width_px, annotation.image_path, (*known, *annotation.shapes)
        )
        write_file(path, labelme.to_json(whole))


def _flat(img_id: str) -> str:
    """A file name for a picture of some subfolder; its ending is kept, and also stands before it.

    Two pictures that differ only in their ending would otherwise share a file of masks.
    """
    path = PurePosixPath(img_id)
    stem = "_".join((*path.parts[:-1], path.stem)).strip("._/")
    return f"{stem}_{path.suffix.lstrip('.').lower()}{path.suffix}"
