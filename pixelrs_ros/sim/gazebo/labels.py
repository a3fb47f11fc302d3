"""What the segmentation camera's pixels mean, and masks of it. Imports neither MuJoCo nor ROS."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pixelrs_ros import files
from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import SceneObject

LABELS_FILE = "labels.json"
_LARGEST = 255  # a label is a byte, and 0 is the background


@dataclass(frozen=True)
class Label:
    """What a pixel with a label shows.

    Attributes:
        label: The pixel's value, 1…255.
        object_id: `SceneObject.object_id`.
        part: Which part of the object.
        name: What the object is called in the report; "red mug 2" for the second of its kind and color.
    """

    label: int
    object_id: int
    part: str
    name: str


@dataclass(frozen=True)
class CameraPlace:
    """Where a world's camera is: its optical frame (x right, y down, z forward) in the world, radians about x, y, z."""

    frame_id: str
    position_m: tuple[float, ...]
    roll_pitch_yaw: tuple[float, ...]


@dataclass(frozen=True)
class WorldTruth:
    """What is true of a world.

    Attributes:
        seed: The scene's.
        camera: Where the camera is.
        labels: What the labels mean, in their order.
    """

    seed: int
    camera: CameraPlace
    labels: tuple[Label, ...]

    def write(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            OutputError: It cannot be written.
        """
        files.write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> WorldTruth:
        """What `write` wrote.

        Raises:
            DataError: The file is missing or something else.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            camera = content["camera"]
            place = CameraPlace(camera["frame_id"], tuple(camera["position_m"]), tuple(camera["roll_pitch_yaw"]))
            return cls(content["seed"], place, tuple(Label(**entry) for entry in content["labels"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: not what `pixelrs world` writes beside a world: {error!r}") from error

    def mask(self, labels: np.ndarray, object_id: int, part: str | None = None) -> np.ndarray:
        """The pixels of an object, or of one of its parts, (H, W) bool.

        Args:
            labels: (H, W) uint8, as `label_image` returns it.
            object_id: Which object.
            part: Which part of it, or None for all of it.
        """
        meant = [entry.label for entry in self.labels if entry.object_id == object_id and part in (None, entry.part)]
        return np.isin(labels, meant)

    def closest(self, labels: np.ndarray, mask: np.ndarray) -> tuple[int, str | None] | None:
        """The object, or the part of one, whose pixels are most like a mask: object id and part.

        Args:
            labels: (H, W) uint8, as `label_image` returns it.
            mask: (H, W) bool.

        Returns:
            None where the mask touches none.
        """
        best, most = None, 0.0
        for object_id in dict.fromkeys(entry.object_id for entry in self.labels):
            parts = [entry.part for entry in self.labels if entry.object_id == object_id]
            for part in (None, *(parts if len(parts) > 1 else ())):
                pixels = self.mask(labels, object_id, part)
                share = np.count_nonzero(pixels & mask) / max(np.count_nonzero(pixels | mask), 1)
                if share > most:
                    best, most = (object_id, part), share
        return best

    def name(self, object_id: int, part: str | None = None) -> str:
        """What an object or its part is called, "handle of the red mug"."""
        (name,) = {entry.name for entry in self.labels if entry.object_id == object_id}
        return f"{part} of the {name}" if part else name

    def label_image(self, picture: np.ndarray) -> np.ndarray:
        """The labels in a picture from a segmentation camera.

        Only a semantic label map will do, which has the label in all three channels. Where `<segmentation_type>` is
        `panoptic` or `instance`, Gazebo labels the first part of each model alone, and the others are background.

        Args:
            picture: (H, W, 3) uint8 RGB.

        Returns:
            (H, W) uint8, 0 for the background.

        Raises:
            BadInputError: It is no semantic label map, or has labels that are not of this world.
        """
        labels = picture[..., 2]
        strange = np.setdiff1d(np.unique(labels), [0, *(entry.label for entry in self.labels)])
        if strange.size or (picture != labels[..., None]).any():
            raise BadInputError(
                f"no semantic label map of this world: it has {', '.join(map(str, strange[:5])) or 'colors'} where "
                f"labels up to {len(self.labels)} are; remedy: bridge labels_map, not colored_map, of a camera whose "
                "segmentation_type is semantic, and take the world's own labels.json"
            )
        return np.ascontiguousarray(labels)


def labels_of(objects: Sequence[SceneObject]) -> tuple[Label, ...]:
    """A label for every part that an object has, counted through all objects.

    Raises:
        DataError: There are more parts than labels.
    """
    found: list[Label] = []
    seen: Counter[tuple[str, str]] = Counter()
    for thing in objects:
        seen[thing.kind, thing.color] += 1
        twin = seen[thing.kind, thing.color]
        name = f"{thing.color} {thing.kind}" + (f" {twin}" if twin > 1 else "")
        for part in sorted({geom.part for geom in thing.geoms}):
            found.append(Label(len(found) + 1, thing.object_id, KINDS[thing.kind].parts[part], name))
    if len(found) > _LARGEST:
        raise DataError(f"{len(found)} parts are more than the {_LARGEST} labels of a segmentation camera")
    return tuple(found)
