"""Labelme's JSON: the polygons of one image with their labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelrs_ros.data.polygons import Polygon, mask_to_polygons, polygons_to_mask
from pixelrs_ros.errors import DataError

MAX_SIDE_PX = 20_000
MAX_COORDINATE_PX = 1e6  # beyond it a fill would overflow


@dataclass(frozen=True)
class Shape:
    """One polygon and the label it belongs to, points [(x, y), …] in px."""

    label: str
    points: Polygon
    group_id: int | None = None


@dataclass(frozen=True)
class Annotation:
    """Everything labeled in one image."""

    height_px: int
    width_px: int
    image_path: str
    shapes: tuple[Shape, ...]

    def masks(self) -> dict[str, np.ndarray]:
        """(H, W) bool by case-folded label: the union of the label's polygons."""
        polygons: dict[str, list[Polygon]] = {}
        for shape in self.shapes:
            polygons.setdefault(shape.label.casefold(), []).append(shape.points)
        return {label: polygons_to_mask(points, self.height_px, self.width_px) for label, points in polygons.items()}


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
    content = load_json(path)
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
    read_shapes = tuple(_shape(path, index, shape) for index, shape in enumerate(shapes))
    return Annotation(sides[0], sides[1], str(content.get("imagePath", "")), read_shapes)


def load_json(path: Path) -> Any:
    """A JSON file's content.

    Raises:
        DataError: It cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # not UTF-8, or not JSON
        raise DataError(f"{path}: is not JSON: {error}") from error


def _shape(path: Path, index: int, shape: Any) -> Shape:
    where = f"{path}: shapes[{index}]"
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
        raise DataError(f"{where} must be an object with a label")
    if shape.get("shape_type", "polygon") != "polygon":
        raise DataError(f"{where}: only polygons are supported, got shape_type {shape['shape_type']!r}")
    points = shape.get("points")
    if not isinstance(points, list) or len(points) < 3:
        raise DataError(f"{where}: points must be a list of at least three [x, y]")
    if not all(_is_point(point) for point in points):
        raise DataError(f"{where}: each point must be [x, y] in px")
    group = shape.get("group_id")
    return Shape(shape["label"], [(float(x), float(y)) for x, y in points], group if isinstance(group, int) else None)


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in point)
        and all(math.isfinite(value) and abs(value) <= MAX_COORDINATE_PX for value in point)
    )
