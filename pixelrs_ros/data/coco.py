"""COCO's annotation format: instances and parts (COCO, LVIS, PACO …), and RefCOCO's referring expressions."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from pixelrs_ros.data.examples import Region, RegionSource, plain
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.data.labelme import ShapeError
from pixelrs_ros.errors import DataError


class CocoSource(RegionSource):
    """Categories of a COCO annotation file; the region of a category is the union of its instances in an image."""

    def __init__(self, annotations: Path, images: Path, max_regions: int) -> None:
        """Read the annotation file.

        Raises:
            DataError: It is missing or malformed, or labels nothing.
        """
        self._file = CocoFile(annotations)
        grouped: dict[Any, dict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for annotation in self._file.annotations.values():
            grouped[annotation["image_id"]][annotation["category_id"]].append(annotation)
        self._grouped = list(grouped.values())
        super().__init__([self._file.image_path(images, image) for image in grouped], max_regions)

    def regions(self, index: int) -> list[Region]:
        """See `RegionSource.regions`."""
        return [
            Region((self._file.categories[category],), partial(self._file.mask, found))
            for category, found in self._grouped[index].items()
        ]


class ReferringSource(RegionSource):
    """RefCOCO, RefCOCO+, RefCOCOg (`refs(...).p` or the same list as JSON, beside `instances.json`) and gRefCOCO."""

    def __init__(self, refs: Path, instances: Path, images: Path, split: str, max_regions: int) -> None:
        """Read both files.

        Args:
            refs: List of `{"image_id", "ann_id", "split", "sentences": [{"sent": …}]}`; `ann_id` may be a list.
            instances: Annotations in COCO's format.
            images: Folder of the images.
            split: Which of the list is taken, such as "train".
            max_regions: At most so many expressions in one dialogue.

        Raises:
            DataError: A file is missing or malformed, or has nothing of that split.
        """
        self._file = CocoFile(instances)
        grouped: dict[Any, list[Region]] = defaultdict(list)
        for index, ref in enumerate(read_refs(refs)):
            try:
                if ref["split"] == split:
                    ids = ref["ann_id"] if isinstance(ref["ann_id"], list) else [ref["ann_id"]]
                    names = tuple(plain(sentence["sent"]) for sentence in ref["sentences"])
                    targets = [self._file.annotations[i] for i in ids if i != -1]  # -1: nothing is meant
                    if names and targets:
                        grouped[ref["image_id"]].append(Region(names, partial(self._file.mask, targets)))
            except (KeyError, TypeError) as error:
                raise DataError(f"{refs}: reference {index} is malformed: {type(error).__name__} {error}") from error
        self._grouped = list(grouped.values())
        super().__init__([self._file.image_path(images, image) for image in grouped], max_regions)

    def regions(self, index: int) -> list[Region]:
        """See `RegionSource.regions`."""
        return self._grouped[index]


class CocoFile:
    """A COCO annotation file: `images`, `annotations` with polygons or run lengths, `categories`."""

    def __init__(self, path: Path) -> None:
        content = load_json(path)
        self.path = path
        try:
            self.images = {image["id"]: image for image in content["images"]}
            self.categories = {one["id"]: category_name(one["name"]) for one in content["categories"]}
            self.annotations = {one["id"]: one for one in content["annotations"] if one["segmentation"]}
            self.unmasked = [one["id"] for one in content["annotations"] if not one["segmentation"]]
            for one in self.annotations.values():
                if one["image_id"] not in self.images or one["category_id"] not in self.categories:
                    raise DataError(f"{path}: annotation {one['id']} is of an image or a category that is not listed")
        except (KeyError, TypeError) as error:
            raise DataError(f"{path} is not in COCO's format: {type(error).__name__} {error}") from error

    def image_path(self, folder: Path, image_id: Any) -> Path:
        """Where an image is: by `file_name`, or as the end of `coco_url` says (LVIS)."""
        try:
            image = self.images[image_id]
            return folder / (image.get("file_name") or "/".join(image["coco_url"].split("/")[-2:]))
        except KeyError as error:
            raise DataError(f"{self.path}: no image {image_id!r} with a file_name or a coco_url") from error

    def mask(self, annotations: Sequence[dict[str, Any]]) -> np.ndarray:
        """(H, W) bool union of annotations of one image.

        Raises:
            DataError: A segmentation is neither polygons nor run lengths.
        """
        image = self.images[annotations[0]["image_id"]]
        height, width = int(image["height"]), int(image["width"])
        union = np.zeros((height, width), bool)
        for annotation in annotations:
            kept = annotation["segmentation"]
            if isinstance(kept, list) and not all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in kept):
                raise ShapeError(
                    f"{self.path}: segmentation of annotation {annotation['id']}: a polygon has at least three points"
                )
            try:
                # Polygons and plain run lengths are compressed first; a text is compressed already.
                compressed = isinstance(kept, dict) and isinstance(kept["counts"], str)
                encoded = kept if compressed else rle.frPyObjects(kept, height, width)
                mask = rle.decode(rle.merge(encoded) if isinstance(encoded, list) else encoded)
                union |= mask.astype(bool)
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(f"{self.path}: segmentation of annotation {annotation['id']}: {error}") from error
        return union


def category_name(name: str) -> str:
    """Words for a category: "trash_can:handle" (PACO) is "handle of the trash can"."""
    whole, _, part = plain(name).replace("_", " ").partition(":")
    return f"{part} of the {whole}" if part else whole


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, texts and numbers, and refuses anything that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds a {module}.{name}, not plain lists and dictionaries only")


def read_refs(path: Path) -> list[dict[str, Any]]:
    """REFER's list of references, as it is pickled or as JSON.

    A pickle that holds anything but lists, dictionaries, texts and numbers is refused: nothing in it is ever run.

    Raises:
        DataError: It cannot be read, or is no such list.
    """
    if path.suffix == ".json":
        refs = load_json(path)
    else:
        try:
            with path.open("rb") as file:
                refs = _PlainUnpickler(file, encoding="latin-1").load()  # written by Python 2
        except (OSError, pickle.UnpicklingError, EOFError, ValueError, IndexError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(refs, list):
        raise DataError(f"{path}: expected a list of references, got {type(refs).__name__}")
    return refs
