"""Labelme's JSON: the shapes of one image with their labels."""

from __future__ import annotations

import base64
import binascii
import json
import math
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, NoReturn

import numpy as np

from pixelrs_ros.data.json_files import load_json
from pixelrs_ros.data.polygons import Polygon, mask_to_polygons, polygons_to_mask
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.pictures import decode_as_stored

MAX_SIDE_PX = 20_000
MAX_COORDINATE_PX = 1e6  # beyond it a fill would overflow
# Labels that name nothing: what they cover is cut out of the shapes that were drawn before (labelme's own converters).
HOLES = ("_background_", "__ignore__")
_CIRCLE_POINTS = 720
_NAMED = 10  # labels in a message
_REMEDY = "remedy: draw it as a polygon"


class LabelError(DataError):
    """A label that nothing in a picture has, or several things; the message names both."""


class ShapeError(DataError):
    """A shape without an inside that could be a mask; the message names its place."""


@dataclass(frozen=True)
class Shape:
    """One shape and the label it belongs to.

    Attributes:
        label: As written.
        points: Its outline, [(x, y), …] in px.
        group_id: Tells instances of one label apart; None where nobody has.
        bitmap: (h, w) bool where the shape is a mask, whose first pixel lies at the first of the points.
    """

    label: str
    points: Polygon
    group_id: int | str | None = None
    bitmap: np.ndarray | None = field(default=None, compare=False)

    @property
    def is_hole(self) -> bool:
        """Whether it cuts out what was drawn before it."""
        return self.label.casefold() in HOLES

    def mask(self, height_px: int, width_px: int) -> np.ndarray:
        """(H, W) bool: the pixels in it."""
        if self.bitmap is None:
            return polygons_to_mask([self.points], height_px, width_px)
        drawn = np.zeros((height_px, width_px), bool)
        left, top = (int(value) for value in self.points[0])
        height, width = self.bitmap.shape
        drawn[top : top + height, left : left + width] = self.bitmap
        return drawn


class Masks(dict[str, np.ndarray]):
    """(H, W) bool by case-folded label; to ask for a label that means several instances, or none, is an error.

    Args:
        masks: By label.
        path: The file's path, for messages.
        ambiguous: The group ids of each label that has several.
    """

    def __init__(self, masks: Mapping[str, np.ndarray], path: Path, ambiguous: Mapping[str, tuple[Any, ...]]) -> None:
        super().__init__(masks)
        self._path, self._ambiguous = path, dict(ambiguous)

    def __missing__(self, label: str) -> NoReturn:
        self.require(label)
        raise KeyError(label)  # not reached

    def require(self, label: str) -> None:
        """Find out whether a label, in any case, means one thing.

        Raises:
            DataError: It means several, or nothing has it.
        """
        if (groups := self._ambiguous.get(label.casefold())) is not None:
            listed = ", ".join(map(repr, groups))
            raise LabelError(
                f"{self._path}: {label!r} names several instances, told apart by group_id ({listed}); remedy: give "
                "each a label of its own"
            )
        if label.casefold() not in self:
            raise LabelError(unlabeled(self._path, label, [*self, *self._ambiguous]))


def unlabeled(path: Path, label: str, there: Collection[str]) -> str:
    """What to say of a label that nothing in a file has.

    Args:
        path: The file.
        label: The label, in any case.
        there: Those that it has, case-folded.
    """
    said = f"{path}: no polygon is labeled {label!r}, which a dialogue is about; "
    if near := [each for each in there if _spelled(each) == _spelled(label)]:
        return f"{said}{near[0]!a} differs from {label!a} in blanks or in how a letter is composed"
    return said + (
        f"labeled are {', '.join(map(repr, sorted(there)[:_NAMED]))}" if there else "nothing is labeled in it"
    )


def _spelled(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


@dataclass(frozen=True)
class Annotation:
    """Everything labeled in one image."""

    height_px: int
    width_px: int
    image_path: str
    shapes: tuple[Shape, ...]
    path: Path = Path("annotation")  # where it was read from, for messages

    def masks(self) -> Masks:
        """By label: the union of its shapes, less the holes that were drawn after them.

        Shapes of one label without any `group_id`, or with the same, belong together; else it means several instances.
        """
        drawn: dict[str, np.ndarray] = {}
        groups: dict[str, list[int | str | None]] = {}
        for shape in self.shapes:
            mask = shape.mask(self.height_px, self.width_px)
            label = shape.label.casefold()
            if shape.is_hole:
                for earlier in drawn.values():
                    earlier &= ~mask
            else:
                drawn[label] = drawn[label] | mask if label in drawn else mask
                groups.setdefault(label, []).append(shape.group_id)
        ambiguous = {label: tuple(dict.fromkeys(ids)) for label, ids in groups.items() if len(set(ids)) > 1}
        plain = {label: mask for label, mask in drawn.items() if label not in ambiguous}
        return Masks(plain, self.path, ambiguous)

    @property
    def image_name(self) -> str:
        """File name of the image, whichever system wrote the path; empty where the annotation does not say."""
        return PureWindowsPath(self.image_path).name


def annotate(image_path: str, masks: Mapping[tuple[str, int], np.ndarray]) -> Annotation:
    """Outlines masks.

    Args:
        image_path: The image as seen from the annotation's folder.
        masks: (H, W) bool by (label, group id), at least one, all of one size.
    """
    height_px, width_px = next(iter(masks.values())).shape
    shapes = tuple(
        Shape(label, polygon, group_id)
        for (label, group_id), mask in masks.items()
        for polygon in mask_to_polygons(mask)
    )
    return Annotation(height_px, width_px, image_path, shapes)


def to_json(annotation: Annotation) -> str:
    """The annotation as labelme writes it, on one line."""
    shapes: list[dict[str, Any]] = [
        {
            "label": shape.label,
            "points": [list(point) for point in shape.points],
            "group_id": shape.group_id,
            "shape_type": "polygon",
            "flags": {},
        }
        for shape in annotation.shapes
    ]
    content: dict[str, Any] = {
        "version": "5.0.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": annotation.image_path,
        "imageData": None,
        "imageHeight": annotation.height_px,
        "imageWidth": annotation.width_px,
    }
    return json.dumps(content, ensure_ascii=False)


def read(path: Path) -> Annotation:
    """Reads a labelme file.

    Raises:
        DataError: It is missing or malformed; the message names the file and what is wrong.
    """
    return to_annotation(path, load_json(path))


def to_annotation(path: Path, content: Any) -> Annotation:
    """What the content of a labelme file says.

    Args:
        path: Where it was read, for messages.
        content: As its JSON has it.

    Raises:
        DataError: It is malformed; the message names the file and what is wrong.
    """
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected an object, got {type(content).__name__}")
    sides = []
    for key in ("imageHeight", "imageWidth"):
        side = content.get(key)
        if not isinstance(side, int) or isinstance(side, bool) or not 1 <= side <= MAX_SIDE_PX:
            raise DataError(f"{path}: {key} must be a whole number of 1 to {MAX_SIDE_PX} px, got {side!r}")
        sides.append(side)
    shapes = content.get("shapes")
    if not isinstance(shapes, list):
        raise DataError(f"{path}: shapes must be a list, got {type(shapes).__name__}")
    read_shapes = tuple(_shape(f"{path}: shapes[{index}]", shape, *sides) for index, shape in enumerate(shapes))
    image_path = content.get("imagePath")
    if image_path is not None and not isinstance(image_path, str):
        raise DataError(f"{path}: imagePath must be a text, got {image_path!r}")
    return Annotation(sides[0], sides[1], image_path or "", read_shapes, path)


def _shape(where: str, shape: Any, height_px: int, width_px: int) -> Shape:
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
        raise ShapeError(f"{where} must be an object with a label")
    label, group = shape["label"], shape.get("group_id")
    if isinstance(group, bool) or not isinstance(group, int | str | None):
        raise ShapeError(f"{where}: group_id must be a number, a text or null, got {group!r}")
    points = shape.get("points")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise ShapeError(f"{where}: points must be a list of [x, y] in px")
    corners = [(float(x), float(y)) for x, y in points]
    match shape.get("shape_type", "polygon"):
        case "polygon" | "oriented_rectangle":
            outline = _polygon(where, corners)
        case "rectangle":
            outline = _rectangle(where, corners)
        case "circle":
            outline = _circle(where, corners)
        case "mask":
            return Shape(label, corners, group, _bitmap(where, shape.get("mask"), corners, height_px, width_px))
        case kind:
            raise ShapeError(f"{where}: shape_type {kind!r} has no inside that could be a mask; {_REMEDY}")
    return Shape(label, outline, group)


def _polygon(where: str, corners: Polygon) -> Polygon:
    if len(corners) < 3:
        raise ShapeError(f"{where}: a polygon has at least three points, got {len(corners)}")
    return corners


def _rectangle(where: str, corners: Polygon) -> Polygon:
    """From two opposite corners, or from all four."""
    if len(corners) == 4:
        return corners
    if len(corners) != 2:
        raise ShapeError(f"{where}: a rectangle has two opposite corners, got {len(corners)} points; {_REMEDY}")
    (x0, y0), (x1, y1) = corners
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _circle(where: str, points: Polygon) -> Polygon:
    """From its center and a point on it."""
    if len(points) != 2:
        raise ShapeError(f"{where}: a circle has its center and a point on it, got {len(points)} points; {_REMEDY}")
    (x, y), on_it = points
    radius = math.dist((x, y), on_it)
    angles = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def _bitmap(where: str, encoded: Any, corners: Polygon, height_px: int, width_px: int) -> np.ndarray:
    """(h, w) bool from a PNG in base64, of the size of its box, both ends of which belong to it."""
    if len(corners) != 2 or not isinstance(encoded, str):
        raise ShapeError(f"{where}: a mask has two corners and a PNG in base64; {_REMEDY}")
    (x0, y0), (x1, y1) = corners
    try:
        pixels = decode_as_stored(base64.b64decode(encoded, validate=True), height_px * width_px / 1e6)
    except (binascii.Error, BadInputError) as error:
        raise ShapeError(f"{where}: its mask is not a PNG in base64: {error}") from error
    if pixels.ndim != 2:
        raise ShapeError(f"{where}: its mask is not a PNG with one channel")
    expected = (y1 - y0 + 1, x1 - x0 + 1)
    if pixels.shape != expected or (x0, y0) != (int(x0), int(y0)):
        raise ShapeError(f"{where}: its mask has {pixels.shape} px, its corners ask for {expected}")
    if x0 < 0 or y0 < 0 or x1 >= width_px or y1 >= height_px:
        raise ShapeError(f"{where}: its mask reaches beyond the image of {(height_px, width_px)} px")
    return np.asarray(pixels > 0)


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in point)
        and all(math.isfinite(value) and abs(value) <= MAX_COORDINATE_PX for value in point)
    )
