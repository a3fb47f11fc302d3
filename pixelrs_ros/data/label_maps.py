"""Semantic segmentation as label maps (ADE20K, COCO-Stuff, Cityscapes …): a PNG of class numbers for each image."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from pixelrs_ros.data.examples import Region, RegionSource, plain
from pixelrs_ros.data.json_files import load_json, visible
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.pictures import decode_as_stored

_SUFFIXES = (".jpg", ".jpeg", ".png")


class LabelMapSource(RegionSource):
    """Images and label maps of the same relative path but for the suffix; a region is a class."""

    def __init__(self, images: Path, label_maps: Path, names: Path, first_value: int, max_regions: int) -> None:
        """Match the files of the two folders.

        Args:
            images: Folder of JPEG or PNG images.
            label_maps: Folder of single-channel 8- or 16-bit PNGs.
            names: The classes in the order of their values, as lines of text or as a JSON list; commas or semicolons
                separate names that mean the same.
            first_value: Value of the first class; values outside the list are unlabeled.
            max_regions: At most so many classes in one dialogue.

        Raises:
            DataError: A folder or file is missing, or an image has no label map.
        """
        self._names = {first_value + index: _synonyms(line) for index, line in enumerate(_read_lines(names))}
        paths = [path for path in visible(images, "**/*") if path.suffix.lower() in _SUFFIXES]
        self._maps = [label_maps / path.relative_to(images).with_suffix(".png") for path in paths]
        missing = [str(path) for path in self._maps if not path.is_file()]
        if missing:
            raise DataError(f"{len(missing)} images of {images} have no label map, first {missing[0]}")
        super().__init__(paths, max_regions)

    def regions(self, index: int) -> list[Region]:
        """See `RegionSource.regions`."""
        try:
            values = decode_as_stored(self._maps[index].read_bytes())
        except (BadInputError, OSError) as error:
            raise DataError(f"{self._maps[index]}: cannot be read: {error}") from error
        if values.ndim != 2:
            raise DataError(f"{self._maps[index]}: must be a PNG with one channel of class numbers")
        shown = [int(value) for value in np.unique(values) if int(value) in self._names]
        return [Region(self._names[value], partial(np.equal, values, value)) for value in shown]


def _read_lines(path: Path) -> list[str]:
    if path.suffix == ".json":
        lines = load_json(path)
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from error
    if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines):
        raise DataError(f"{path}: must list one class a line, none empty")
    return lines


def _synonyms(line: str) -> tuple[str, ...]:
    return tuple(plain(name) for name in line.replace(";", ",").split(",") if name.strip())
