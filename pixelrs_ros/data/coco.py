"""COCO's annotation format: instances and parts (COCO, LVIS, PACO …), and RefCOCO's referring expressions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pycocotools import mask as rle
from pydantic import BaseModel, Field, ValidationError

from pixelrs_ros.data.examples import Region, RegionSource, plain
from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.data.labelme import MAX_COORDINATE_PX, MAX_SIDE_PX, ShapeError
from pixelrs_ros.data.readers.entries import Fault, Problem, Tell, refuse, require_inside
from pixelrs_ros.data.refer import read_refs, to_reference
from pixelrs_ros.errors import DataError
from pixelrs_ros.settings import first_problem

_Id = int | str
_Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]


class _Image(BaseModel):
    id: _Id
    height: _Side
    width: _Side
    file_name: str | None = None
    coco_url: str | None = None


class _Category(BaseModel):
    id: _Id
    name: Annotated[str, Field(pattern=r"\S")]


class _Annotation(BaseModel):  # its segmentation is looked at where it is drawn
    id: _Id
    image_id: _Id
    category_id: _Id


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
                meant = to_reference(ref)
                targets = [self._file.annotations[i] for i in meant.ann_ids] if meant.split == split else []
                if targets:
                    grouped[meant.image_id].append(Region(meant.sayings, partial(self._file.mask, targets)))
            except (DataError, KeyError) as error:
                raise DataError(f"{refs}: reference {index} is malformed: {error}") from error
        self._grouped = list(grouped.values())
        super().__init__([self._file.image_path(images, image) for image in grouped], max_regions)

    def regions(self, index: int) -> list[Region]:
        """See `RegionSource.regions`."""
        return self._grouped[index]


class CocoFile:
    """A COCO annotation file: `images`, `annotations` with polygons or run lengths, `categories`.

    Attributes:
        images: By id.
        categories: Names by id.
        annotations: Those with a segmentation, by id, each of an image and a category that are listed.
    """

    def __init__(self, path: Path, tell: Tell = refuse) -> None:
        """Read it.

        Args:
            path: The file.
            tell: Told of what is wrong with an image, a category or an annotation, which is then left out.

        Raises:
            DataError: It is missing or is no such file; what `tell` raises.
        """
        content = load_json(path)
        self.path = path
        for key in ("images", "categories", "annotations"):
            if not isinstance(content, dict) or not isinstance(content.get(key), list):
                raise DataError(f"{path} is not in COCO's format of masks: it has no list of {key}")
        self.images = self._by_id(content, "images", _Image, tell)
        categories = self._by_id(content, "categories", _Category, tell)
        self.categories = {key: category_name(one["name"]) for key, one in categories.items()}
        self.annotations: dict[Any, dict[str, Any]] = {}
        for key, one in self._by_id(content, "annotations", _Annotation, tell).items():
            where = f"{path}: annotation {key}"
            if one["image_id"] not in self.images or one["category_id"] not in self.categories:
                tell(Problem(Fault.MALFORMED, where, "is of an image or a category that is not listed"))
            elif not one.get("segmentation"):
                tell(Problem(Fault.UNMASKED, where, "its segmentation is empty; it is left out"))
            else:
                self.annotations[key] = one

    def _by_id(self, content: dict[str, Any], kind: str, form: type[BaseModel], tell: Tell) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for index, one in enumerate(content[kind]):
            try:
                form.model_validate(one)
                if one["id"] in found:
                    raise DataError(f"its id {one['id']!r} has been before")
                if kind == "images":
                    _name(one)
            except (ValidationError, DataError) as error:
                what = first_problem(error) if isinstance(error, ValidationError) else str(error)
                tell(Problem(Fault.MALFORMED, f"{self.path}: {kind}[{index}]", what))
            else:
                found[one["id"]] = one
        return found

    def image_path(self, folder: Path, image_id: Any) -> Path:
        """Where an image is: by `file_name`, or as the end of `coco_url` says (LVIS)."""
        return folder / _name(self.images[image_id])

    def mask(self, annotations: Sequence[dict[str, Any]]) -> np.ndarray:
        """(H, W) bool union of annotations of one image.

        Raises:
            ShapeError: A segmentation is neither polygons nor run lengths of the image's size.
        """
        image = self.images[annotations[0]["image_id"]]
        size = int(image["height"]), int(image["width"])
        union = np.zeros(size, bool)
        for annotation in annotations:
            kept, where = annotation["segmentation"], f"{self.path}: segmentation of annotation {annotation['id']}"
            _require_shape(where, kept, size)
            try:
                # Polygons and plain run lengths are compressed first; a text is compressed already.
                compressed = isinstance(kept, dict) and isinstance(kept["counts"], str)
                encoded = kept if compressed else rle.frPyObjects(kept, *size)
                mask = rle.decode(rle.merge(encoded) if isinstance(encoded, list) else encoded)
            except (TypeError, ValueError) as error:
                raise ShapeError(f"{where}: {error}") from error
            union |= mask.astype(bool)
        return union


def _name(image: dict[str, Any]) -> str:
    """Path of an image as the file has it.

    Raises:
        DataError: It has none, or one that leads elsewhere.
    """
    name, url = image.get("file_name"), image.get("coco_url")
    if not name and not url:
        raise DataError("it has neither a file_name nor a coco_url")
    return require_inside(name or "/".join(str(url).split("/")[-2:]))


def _require_shape(where: str, kept: Any, size: tuple[int, int]) -> None:
    """Refuses what is no segmentation, which the decoder would take for one, or end the program over.

    Raises:
        ShapeError: It is neither polygons nor run lengths of the image's size.
    """
    if isinstance(kept, list):
        if not all(isinstance(polygon, list) and all(map(_is_coordinate, polygon)) for polygon in kept):
            raise ShapeError(f"{where}: polygons must be lists of x, y, x, y, … in px")
        if not all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in kept):
            raise ShapeError(f"{where}: a polygon has at least three points")
        return
    if not isinstance(kept, dict) or kept.get("size") != list(size):
        given = kept.get("size") if isinstance(kept, dict) else kept
        raise ShapeError(f"{where}: must be polygons, or run lengths of the image's size {list(size)}, got {given!r}")
    counts = kept.get("counts")
    if not isinstance(counts, str):
        whole = counts if isinstance(counts, list) and all(type(each) is int and each >= 0 for each in counts) else []
        if sum(whole) != size[0] * size[1]:
            raise ShapeError(f"{where}: run lengths must be whole numbers that make up the image")


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MAX_COORDINATE_PX  # not of NaN


def category_name(name: str) -> str:
    """Words for a category: "trash_can:handle" (PACO) is "handle of the trash can"."""
    whole, _, part = plain(name).replace("_", " ").partition(":")
    return f"{part} of the {whole}" if part else whole
