"""Two small pictures with labeled things, as a person with labelme would leave them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.files import write_file, write_picture

LABELS = {"kitchen.png": ("red mug", "blue mug", "handle of the red mug", "Knife"), "desk.png": ("book", "lamp")}


def write_labeled(folder: Path, labels: dict[str, tuple[str, ...]] = LABELS) -> Path:
    """The folder, with `images/` and `masks/`; things stand side by side, each 30 px wide."""
    for img_id, names in labels.items():
        masks = {}
        picture = np.full((60, 240, 3), 120, np.uint8)
        for place, name in enumerate(names):
            mask = np.zeros((60, 240), bool)
            mask[10:50, 5 + 60 * place : 35 + 60 * place] = True
            picture[mask] = 40 * place
            masks[name, 0] = mask
        write_picture(prist.image_path(folder, img_id), picture)
        annotation = labelme.annotate(f"../images/{img_id}", masks)
        write_file(prist.mask_path(folder, img_id), labelme.to_json(annotation))
    return folder
