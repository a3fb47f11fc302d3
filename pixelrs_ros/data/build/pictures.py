"""A folder's pictures and what is labeled in them: `images/` and labelme's `masks/`, as in a PRIST folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.data.build.steps import Seen, Thing
from pixelrs_ros.data.json_files import visible
from pixelrs_ros.data.readers.headers import upright
from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.picture.elements import Element
from pixelrs_ros.sim.scene.kinds import COLORS


def labeled_pictures(folder: Path) -> list[str]:
    """File names of the pictures that have a file of masks, in the alphabet's order.

    Raises:
        DataError: There are none, or two of them share a file of masks.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    images = folder / "images"
    names = [path.name for path in visible(images, "*") if path.is_file()]
    found = [name for name in names if prist.mask_path(folder, name).is_file()]
    if not found:
        raise DataError(f"{folder}: expected pictures in images/ and for each its masks in masks/, from labelme")
    stems: dict[str, str] = {}
    for name in found:
        other = stems.setdefault(Path(name).stem, name)
        if other != name:
            raise DataError(f"{images}: {other} and {name} share a file of masks; remedy: give one another name")
    return found


def labels_of(folder: Path, img_id: str) -> set[str]:
    """What is labeled in a picture, case-folded, without drawing it.

    Raises:
        DataError: The file is missing or malformed.
    """
    shapes = labelme.read(prist.mask_path(folder, img_id)).shapes
    return {shape.label.casefold() for shape in shapes if not shape.is_hole}


def look(folder: Path, img_id: str) -> Seen:
    """A picture's things; labels of several instances or of no pixel are left out: no mask would be right.

    Raises:
        DataError: A file is missing or malformed, or the masks are of another size than the picture.
    """
    annotation = labelme.read(prist.mask_path(folder, img_id))
    masks = prist.read_masks(folder, img_id)
    spelled: dict[str, str] = {}
    for shape in annotation.shapes:
        spelled.setdefault(shape.label.casefold(), shape.label)
    drawn = {spelled[label]: mask for label, mask in masks.items() if mask.any()}
    things = tuple(_thing(number, label, mask) for number, (label, mask) in enumerate(drawn.items(), 1))
    picture, size_px = prist.image_path(folder, img_id), (annotation.height_px, annotation.width_px)
    if (shown := upright(picture).size_px) != size_px:
        raise DataError(f"{annotation.path}: is for a picture of {size_px} px, {picture} has {shown} px")
    return Seen(img_id, picture, size_px, things)


def _thing(number: int, label: str, mask: np.ndarray) -> Thing:
    rows, columns = np.nonzero(mask)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    part, _, whole = label.casefold().rpartition(" of the ")
    color, _, kind = whole.partition(" ")
    if color not in COLORS or not kind:
        color, kind = "", whole
    center = (float(columns.mean()), float(rows.mean()))
    return Thing(label, Element(number, kind, color, center, int(mask.sum()), box, {}), part or None)
