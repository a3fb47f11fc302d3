"""Faults of a depth camera: what is asked for happens, and nothing else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pixelrs_ros.sim.picture.depth_sensor import PERFECT, DepthFaults, record_depth, through_lens
from pixelrs_ros.sim.picture.render import View

STEP = np.where(np.arange(120) < 60, np.float32(0.8), np.float32(1.2)) * np.ones((90, 1), np.float32)


def record(**faults: float) -> np.ndarray:
    return record_depth(STEP, np.random.default_rng(0), replace(PERFECT, **faults))  # type: ignore[arg-type]


def test_a_perfect_sensor_measures_the_truth() -> None:
    assert np.array_equal(record(), STEP)


def test_noise_is_that_of_the_published_model() -> None:
    error = record(noise=1.0) - STEP
    assert error[:, :60].std() == pytest.approx(0.0012 + 0.0019 * 0.4**2, rel=0.05)
    assert error[:, 60:].std() == pytest.approx(0.0012 + 0.0019 * 0.8**2, rel=0.05)


def test_flying_pixels_hang_between_the_surfaces_and_only_at_the_edge() -> None:
    depth = record(flying=0.5)
    changed = depth != STEP
    assert set(np.flatnonzero(changed.any(axis=0))) == {59, 60}
    assert ((depth >= 0.8) & (depth <= 1.2)).all()
    assert changed[:, 59:61].mean() == pytest.approx(0.5, abs=0.12)


def test_holes_have_no_depth_and_their_share_is_as_asked() -> None:
    assert (record(holes=0.1) == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert set(np.flatnonzero((record(no_edge=1.0) == 0).any(axis=0))) == {59, 60}


def test_depth_can_come_in_whole_millimeters() -> None:
    depth = record(noise=1.0, whole_mm=True)
    assert np.abs(depth * 1000 - np.round(depth * 1000)).max() < 1e-3


def test_no_depth_stays_no_depth() -> None:
    nothing = record_depth(np.zeros((20, 20), np.float32), np.random.default_rng(0), DepthFaults())
    assert not nothing.any()


def test_the_lens_moves_picture_labels_and_depth_alike() -> None:
    matrix, distortion = np.array([[100.0, 0, 60], [0, 100.0, 45], [0, 0, 1]]), np.array([-0.2, 0.05, 0.0, 0.0, 0.0])
    ids = np.zeros((90, 120), np.uint8)
    ids[10:14, 20:24] = 3
    image = np.repeat(ids[..., None], 3, axis=-1)
    view = View(
        image=image, depth_m=ids.astype(np.float32), intrinsics=matrix, object_ids=ids, part_ids=ids, objects=()
    )
    seen = through_lens(view, matrix, distortion)
    assert seen.depth_m is not None
    assert np.array_equal(seen.object_ids, seen.image[..., 0])
    assert np.array_equal(seen.object_ids, seen.part_ids)
    assert np.array_equal(seen.depth_m, seen.object_ids.astype(np.float32))
    ray = np.array([[[(21.5 - 60) / 100, (11.5 - 45) / 100, 1.0]]])
    expected, _ = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), matrix, distortion)
    rows, columns = np.nonzero(seen.object_ids)
    assert (columns.mean(), rows.mean()) == pytest.approx(expected.ravel(), abs=0.6)
