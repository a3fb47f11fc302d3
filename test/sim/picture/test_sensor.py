"""A camera's faults change the picture, move its labels with it, and leave colors what they are called."""

import numpy as np
import pytest

from pixelrs_ros.sim.picture.render import View
from pixelrs_ros.sim.picture.sensor import record
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import SceneObject

HEIGHT_PX, WIDTH_PX = 240, 320
EDGE_PX = 8  # blur and the picture's own rounding reach no further
RECORDINGS = 12


def painted(*colors: tuple[int, int, int]) -> View:
    """Stripes of colors on gray; each stripe is an object, its upper half the first part and its lower the second."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), 120, np.uint8)
    ids, parts = np.zeros((2, HEIGHT_PX, WIDTH_PX), np.uint8)
    step = WIDTH_PX // len(colors)
    for index, color in enumerate(colors):
        columns = slice(index * step + 16, (index + 1) * step - 16)
        image[20:-20, columns] = color
        ids[20:-20, columns] = index + 1
        parts[20 : HEIGHT_PX // 2, columns] = 1
        parts[HEIGHT_PX // 2 : -20, columns] = 2
    objects = tuple(SceneObject(i + 1, "mug", "red", 0, ()) for i in range(len(colors)))
    depth_m = np.ones((HEIGHT_PX, WIDTH_PX), np.float32)
    return View(image=image, depth_m=depth_m, intrinsics=np.eye(3), object_ids=ids, part_ids=parts, objects=objects)


def inner(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: the mask without a margin of `EDGE_PX`; what lies beyond the picture counts as outside."""
    shrunk = mask.copy()
    for axis in (0, 1):
        for shift in (-EDGE_PX, EDGE_PX):
            shrunk &= np.roll(mask, shift, axis)
    shrunk[:EDGE_PX] = shrunk[-EDGE_PX:] = False
    shrunk[:, :EDGE_PX] = shrunk[:, -EDGE_PX:] = False
    return shrunk


@pytest.fixture(scope="module")
def recordings() -> list[View]:
    view = painted((220, 20, 20), (20, 20, 220))
    return [record(view, np.random.default_rng(seed)) for seed in range(RECORDINGS)]


def test_the_same_seed_gives_the_same_bytes(recordings: list[View]) -> None:
    again = record(painted((220, 20, 20), (20, 20, 220)), np.random.default_rng(3))
    assert np.array_equal(again.image, recordings[3].image)
    assert np.array_equal(again.part_ids, recordings[3].part_ids)
    assert not np.array_equal(recordings[3].image, recordings[4].image)


def test_shapes_and_types_stay_and_depth_goes(recordings: list[View]) -> None:
    for view in recordings:
        assert view.image.shape == (HEIGHT_PX, WIDTH_PX, 3)
        assert view.object_ids.shape == view.part_ids.shape == (HEIGHT_PX, WIDTH_PX)
        assert view.image.dtype == view.object_ids.dtype == view.part_ids.dtype == np.uint8
        assert view.depth_m is None


def test_the_lens_moves_labels_and_picture_alike(recordings: list[View]) -> None:
    clean = painted((220, 20, 20), (20, 20, 220))
    moved = [(view.object_ids != clean.object_ids).mean() for view in recordings]
    assert max(moved) > 0.02, "some lens must bend visibly, else this test shows nothing"
    for view in recordings:
        image = view.image.astype(int)
        reddish, bluish = image[..., 0] - image[..., 2] > 40, image[..., 2] - image[..., 0] > 40
        assert reddish[inner(view.mask(1))].mean() > 0.98
        assert bluish[inner(view.mask(2))].mean() > 0.98
        background = inner(view.object_ids == 0)
        assert (reddish | bluish)[background].mean() < 0.02


def test_labels_are_never_mixed_and_parts_stay_on_their_objects(recordings: list[View]) -> None:
    for view in recordings:
        assert set(np.unique(view.object_ids)) == {0, 1, 2}
        assert set(np.unique(view.part_ids)) == {0, 1, 2}
        assert np.array_equal(view.object_ids > 0, view.part_ids > 0)
        assert view.mask(1, KINDS["mug"].parts[0]).any()


def test_noise_blur_and_light_differ_between_cameras(recordings: list[View]) -> None:
    brightness = [view.image[inner(view.object_ids == 0)].mean() for view in recordings]
    assert max(brightness) > 1.25 * min(brightness)
    grain = [view.image[40:60, 40:60, 0].std() for view in recordings]
    assert max(grain) > 1.5 * min(grain)


def test_a_person_could_still_name_the_colors() -> None:
    view = painted((210, 25, 25), (30, 140, 45), (235, 235, 235), (18, 18, 20))
    for seed in range(RECORDINGS):
        recorded = record(view, np.random.default_rng(seed))
        red, green, white, black = (recorded.image[inner(recorded.mask(i))].mean(axis=0) for i in (1, 2, 3, 4))
        assert red.argmax() == 0 and red[0] > 2 * max(red[1:])
        assert green.argmax() == 1 and green[1] > 1.5 * max(green[0], green[2])
        assert white.min() > 3 * black.max()
