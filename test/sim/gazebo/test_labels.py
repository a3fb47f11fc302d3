"""A label map's pixels become masks of things and parts; what is no label map is told."""

from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.errors import BadInputError, DataError
from pixelrs_ros.sim.gazebo.labels import CameraPlace, Label, WorldTruth, labels_of
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import sample_scene

TRUTH = WorldTruth(
    3,
    CameraPlace("camera", (0.0, 1.0, 2.0), (0.1, 0.2, 0.3)),
    (Label(1, 1, "body", "red mug"), Label(2, 1, "handle", "red mug"), Label(3, 2, "body", "red mug 2")),
)
LABELS = np.array([[0, 1, 1, 2], [0, 1, 1, 0], [3, 3, 0, 0]], np.uint8)


def test_a_semantic_map_says_which_part_is_where() -> None:
    assert np.array_equal(TRUTH.label_image(np.repeat(LABELS[..., None], 3, axis=-1)), LABELS)


def test_a_map_of_colors_of_instances_or_of_another_world_is_told() -> None:
    colored = np.zeros((*LABELS.shape, 3), np.uint8)
    colored[LABELS > 0] = 200, 30, 90
    yellow = np.zeros_like(colored)
    yellow[LABELS > 0] = 200, 30, 0
    # As Fortress sends it: the instance's number, its low byte first, then the label; of a model's first part alone.
    first = np.where(LABELS == 2, 0, LABELS)
    instance = np.stack([first > 0, np.zeros_like(first), first], axis=-1).astype(np.uint8)
    for picture in (colored, yellow, instance, np.full_like(colored, 4)):
        with pytest.raises(BadInputError, match=r"bridge labels_map, not colored_map.*segmentation_type is semantic"):
            TRUTH.label_image(picture)


def test_masks_and_names_of_things_and_parts() -> None:
    assert TRUTH.mask(LABELS, 1).sum() == 5 and TRUTH.mask(LABELS, 1, "handle").sum() == 1
    assert (TRUTH.name(1, "handle"), TRUTH.name(2)) == ("handle of the red mug", "red mug 2")


@pytest.mark.parametrize(
    ("like", "expected"),
    [((1, 2), (1, None)), ((1,), (1, "body")), ((2,), (1, "handle")), ((3,), (2, None)), ((0,), None)],
)
def test_the_closest_thing_to_a_mask(like: tuple[int, ...], expected: tuple[int, str | None] | None) -> None:
    assert TRUTH.closest(LABELS, np.isin(LABELS, like)) == expected


def test_every_part_that_is_there_has_a_label_of_its_own() -> None:
    scene = sample_scene(4)
    labels = labels_of(scene.objects)
    assert [entry.label for entry in labels] == list(range(1, len(labels) + 1))
    there = {(thing.object_id, KINDS[thing.kind].parts[geom.part]) for thing in scene.objects for geom in thing.geoms}
    assert {(entry.object_id, entry.part) for entry in labels} == there


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    TRUTH.write(tmp_path / "labels.json")
    assert WorldTruth.read(tmp_path / "labels.json") == TRUTH
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(DataError, match="pixelrs world"):
        WorldTruth.read(tmp_path / "labels.json")
