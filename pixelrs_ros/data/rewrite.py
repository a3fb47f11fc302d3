"""Writes a data set of any format as a PRIST folder; memory does not grow with the data set."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.json_files import stream_list
from pixelrs_ros.data.readers.entries import UNCOUNTED, Entry, Reader
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
        DataError: The data set has an error, or the folder holds something, or two pictures or masks would have the
            same name in it.
        OutputError: A file cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out}: is not empty; remedy: a new folder")
    folders = [out / name for name in ("images", "masks")]
    for each in folders:
        make_folder(each)
    try:
        return {split: _write_split(reader, split, out, on_progress) for split in splits}
    except BaseException:  # half a data set is of no use, and the next try wants an empty folder
        for each in folders:
            shutil.rmtree(each, ignore_errors=True)
        for split in splits:
            prist.split_path(out, split).unlink(missing_ok=True)
        raise


def _write_split(reader: Reader, split: str, out: Path, on_progress: Callable[[], None]) -> tuple[int, int]:
    """How many dialogues were written, and left out."""
    written = left_out = 0
    with writing(prist.split_path(out, split)) as file:
        for entry, record in _records(reader, split):
            if not entry.labels and entry.dialogue.meta is None:
                left_out += 1
                continue
            if reader.form == PristReader.form:
                _copy(entry, reader.folder, out)
            else:
                record["img_id"] = _write(entry, out)
            file.write(f"{',' if written else '['}\n{json.dumps(record, ensure_ascii=False)}")
            written += 1
            on_progress()
        file.write("\n]\n" if written else "[]\n")
    return written, left_out


def _records(reader: Reader, split: str) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Each dialogue with its record; of a PRIST folder that is what stands there, with keys that nobody here knows."""
    if reader.form == PristReader.form:
        # None is left out in between: what is malformed is refused.
        yield from zip(reader.entries(split), stream_list(prist.split_path(reader.folder, split)), strict=True)
    else:
        for entry in reader.entries(split):
            yield entry, entry.dialogue.to_record()


def _copy(entry: Entry, folder: Path, out: Path) -> None:
    """Copies picture and annotation as they are."""
    name = entry.dialogue.img_id
    for source, target in (
        (entry.picture, prist.image_path(out, name)),
        (prist.mask_path(folder, name), prist.mask_path(out, name)),
    ):
        if not target.exists():
            _copy_file(entry, source, target)


def _copy_file(entry: Entry, source: Path, target: Path) -> None:
    if not source.is_file():
        raise DataError(f"{entry.where}: {source}: no file of this name")
    shutil.copyfile(source, target)


def _write(entry: Entry, out: Path) -> str:
    """Copies the picture, outlines the masks that are not there yet, and gives the picture's new name."""
    name = _flat(entry.dialogue.img_id)
    picture, path = prist.image_path(out, name), prist.mask_path(out, name)
    if not picture.exists():
        _copy_file(entry, entry.picture, picture)
    elif not filecmp.cmp(entry.picture, picture, shallow=False):
        raise DataError(f"{entry.where}: {entry.picture}: another picture is {name} too; remedy: rename one")
    known = labelme.read(path) if path.exists() else None
    drawn: Mapping[str, np.ndarray] = known.masks() if known else {}
    new: dict[tuple[str, int], np.ndarray] = {}
    for label, mask in entry.masks().items():
        if label not in drawn and mask.any() and not (known and label == UNCOUNTED):
            new[label, 0] = mask
        elif label in drawn and not np.array_equal(drawn[label], mask):
            raise DataError(
                f"{entry.where}: {label!r} is another mask here than in a dialogue before; remedy: a folder for each "
                "split, with --split"
            )
    if new:
        annotation = labelme.annotate(f"../images/{name}", new)
        shapes = (*(known.shapes if known else ()), *annotation.shapes)
        write_file(path, labelme.to_json(replace(annotation, shapes=shapes)))
    return name


def _flat(img_id: str) -> str:
    """A file name for a picture of some subfolder; its ending is kept, and also stands before it.

    Two pictures that differ only in their ending would otherwise share a file of masks.
    """
    path = PurePosixPath(img_id)
    stem = "_".join((*path.parts[:-1], path.stem)).strip("._/")
    return f"{stem}_{path.suffix.lstrip('.')}{path.suffix}"
