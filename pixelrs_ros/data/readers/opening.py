"""The formats by name, and which of them a folder is in."""

from __future__ import annotations

from pathlib import Path

from pixelrs_ros.data.readers.coco import CocoReader, ReferReader
from pixelrs_ros.data.readers.converseg import ConverSegReader
from pixelrs_ros.data.readers.entries import Reader
from pixelrs_ros.data.readers.llava import LlavaReader
from pixelrs_ros.data.readers.prist import PristReader
from pixelrs_ros.data.readers.reasonseg import ReasonSegReader
from pixelrs_ros.data.readers.regiondial import RegionDialReader
from pixelrs_ros.errors import DataError

READERS: dict[str, type[Reader]] = {
    reader.form: reader
    for reader in (
        PristReader,
        ReferReader,
        ReasonSegReader,
        RegionDialReader,
        ConverSegReader,
        LlavaReader,
        CocoReader,
    )
}


def require_split(reader: Reader, split: str) -> None:
    """Find out whether a data set has a split.

    Raises:
        DataError: It has not; the message names those that it has.
    """
    if split not in (there := reader.splits()):
        known = f"there are {', '.join(there)}" if there else f"it has none of the format {reader.form}"
        raise DataError(f"{reader.folder}: there is no split {split!r}; {known}")


def open_data(folder: Path, form: str | None = None, pictures: Path | None = None) -> Reader:
    """A data set's reader.

    Args:
        folder: The data set.
        form: One of `READERS`; None finds out.
        pictures: Folder of the pictures, where they do not lie where the format has them.

    Raises:
        DataError: It is no folder, of no known format or of more than one, or there is no such format.
    """
    if not folder.is_dir():
        what = "is a file; remedy: give the folder it lies in" if folder.is_file() else "there is no such folder"
        raise DataError(f"{folder}: {what}")
    if form is not None:
        if form not in READERS:
            raise DataError(f"there is no format {form!r}; known are {', '.join(READERS)}")
        return READERS[form](folder, pictures)
    found = [name for name, reader in READERS.items() if reader.recognizes(folder)]
    if len(found) == 1:
        return READERS[found[0]](folder, pictures)
    if found:
        raise DataError(f"{folder}: looks like {' and '.join(found)}; remedy: say which with --format")
    known = "".join(f"\n  {name}: {(reader.__doc__ or '').splitlines()[0]}" for name, reader in READERS.items())
    raise DataError(f"{folder}: of no known format; remedy: give it the files of one, or --format.{known}")
