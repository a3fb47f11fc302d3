"""Targets of known place and size: planes, boxes and cylinders before a camera, and depth that is no good."""

import warnings
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.camera import Calibration, Camera
from pixelrs_ros.geometry.depth import DEPTH_ENCODINGS, Rules, erode, to_meters
from pixelrs_ros.geometry.target import Geometry, GeometryStatus, locate

WIDTH_PX, HEIGHT_PX = 320, 240
FOCAL_PX = 280.0
CAMERA = Camera.from_calibration(
    Calibration((FOCAL_PX, 0, 160, 0, FOCAL_PX, 120, 0, 0, 1), (), "plumb_bob", WIDTH_PX, HEIGHT_PX)
)
X, Y = np.meshgrid((np.arange(WIDTH_PX) - 160) / FOCAL_PX, (np.arange(HEIGHT_PX) - 120) / FOCAL_PX)
RAYS = np.stack([X, Y, np.ones_like(X)], axis=-1)
DISC = X**2 + Y**2 < 0.2**2


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def plane(normal: np.ndarray, distance_m: float) -> np.ndarray:
    """Depth of the plane normal · p = distance."""
    return np.asarray(distance_m / (RAYS @ normal), dtype=np.float32)


def cuboid(half_m: np.ndarray, axes: np.ndarray, middle_m: np.ndarray) -> np.ndarray:
    """Depth of a box's front, 0 beside it (slab method)."""
    origin, direction = -middle_m @ axes, RAYS @ axes
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (-half_m - origin) / direction, (half_m - origin) / direction
    near, far = np.minimum(first, second).max(axis=-1), np.maximum(first, second).min(axis=-1)
    return np.where((near < far) & (near > 0), near, 0).astype(np.float32)


def cylinder(radius_m: float, middle_m: tuple[float, float]) -> np.ndarray:
    """Depth of an endless upright (along y) cylinder's front, 0 beside it."""
    x, z = middle_m
    a = X**2 + 1
    b, c = X * x + z, x**2 + z**2 - radius_m**2
    root = b**2 - a * c
    return np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, 0).astype(np.float32)


def check(geometry: Geometry) -> None:
    """Finite and of unit length, whatever came of it."""
    numbers = [*geometry.centroid_m, *geometry.box_center_m, *geometry.box_size_m, *geometry.box_quaternion]
    assert np.isfinite(numbers).all() and np.isfinite(geometry.points_m).all()
    assert np.linalg.norm(geometry.box_quaternion) == pytest.approx(1.0)
    assert 0.0 <= geometry.valid_depth <= 1.0
    assert geometry.points_m.dtype == np.float32 and geometry.points_m.shape == (geometry.num_points, 3)
    assert geometry.pixels_px.shape == (geometry.num_points, 2)
    assert bool(geometry.message) == (geometry.status is not GeometryStatus.MEASURED)
    if geometry.status is not GeometryStatus.MEASURED:
        assert geometry.num_points == 0 and geometry.centroid_m == geometry.box_size_m == (0.0, 0.0, 0.0)


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.4, 4.0))
@settings(max_examples=30)
def test_points_of_a_tilted_plane_lie_in_it(tilt_x: float, tilt_y: float, distance_m: float) -> None:
    normal = np.array([tilt_x, tilt_y, 1.0]) / np.linalg.norm([tilt_x, tilt_y, 1.0])
    geometry = locate(DISC, plane(normal, distance_m), CAMERA)
    check(geometry)
    assert geometry.status is GeometryStatus.MEASURED and geometry.valid_depth == 1.0
    assert geometry.points_m @ normal == pytest.approx(distance_m, abs=1e-4 * distance_m)
    assert geometry.box_size_m[2] < 1e-3 * distance_m
    assert geometry.centroid_m @ normal == pytest.approx(distance_m, rel=1e-4)


@given(
    st.tuples(st.floats(0.04, 0.15), st.floats(0.04, 0.15), st.floats(0.04, 0.15)),
    st.floats(-np.pi, np.pi),
    st.floats(0.5, 1.1),
    st.floats(-0.1, 0.1),
)
@settings(max_examples=30)
def test_a_box_on_a_table_has_its_place_and_its_size(
    half: tuple[float, float, float], yaw: float, elevation: float, aside_m: float
) -> None:
    up = np.array([0.0, -np.cos(elevation), -np.sin(elevation)])
    side = np.array([1.0, 0.0, 0.0])
    ahead = np.cross(up, side)
    turned = np.cos(yaw) * side + np.sin(yaw) * ahead
    axes = np.stack([turned, np.cross(up, turned), up], axis=1)
    half_m = np.array(half)
    foot_m = np.array([aside_m, 0.0, 1.0])
    middle_m = foot_m + half_m[2] * up
    box_m, table_m = cuboid(half_m, axes, middle_m), plane(-up, float(-up @ foot_m))
    mask = box_m > 0
    geometry = locate(mask, np.where(mask, box_m, table_m), CAMERA, Rules(edge_erosion_px=0.0))
    check(geometry)
    # From above the top and two sides are seen: all of the box. A pixel is worth 4 to 6 mm here, at each end.
    assert geometry.box_size_m == pytest.approx(sorted(2 * half_m, reverse=True), abs=0.015)
    assert geometry.box_center_m == pytest.approx(middle_m, abs=0.01)


def test_a_cylinder_s_centroid_is_the_mean_of_its_front() -> None:
    depth_m = cylinder(0.1, (0.05, 1.0))
    mask = (depth_m > 0) & (np.abs(Y) < 0.2)
    geometry = locate(mask, depth_m, CAMERA, Rules(edge_erosion_px=0.0, remove_outliers=False))
    check(geometry)
    truth = (RAYS * depth_m[..., None])[mask].mean(axis=0)
    assert geometry.centroid_m == pytest.approx(truth, abs=1e-5)
    assert geometry.valid_depth == 1.0 and geometry.num_points == mask.sum()
    assert np.hypot(geometry.points_m[:, 0] - 0.05, geometry.points_m[:, 2] - 1.0) == pytest.approx(0.1, abs=1e-4)


def test_millimeters_and_meters_are_the_same_depth() -> None:
    millimeters = np.round(1000 * plane(np.array([0.0, 0.1, 1.0]), 0.8)).astype(np.uint16)
    millimeters[::7, ::5] = 0
    meters = (millimeters / np.float32(1000)).astype(np.float32)
    meters[meters == 0] = np.nan
    first = locate(DISC, to_meters(millimeters, "16UC1"), CAMERA)
    second = locate(DISC, to_meters(meters, "32FC1"), CAMERA)
    assert first.valid_depth == second.valid_depth < 1.0
    assert np.array_equal(first.points_m, second.points_m)
    assert first.centroid_m == second.centroid_m and first.box_quaternion == second.box_quaternion


def test_depth_of_an_unknown_encoding_or_of_another_type_is_refused() -> None:
    with pytest.raises(BadInputError, match="'8UC1'; supported: 16UC1"):
        to_meters(np.zeros((4, 4), np.uint8), "8UC1")
    with pytest.raises(BadInputError, match="float64, got uint16"):
        to_meters(np.zeros((4, 4), np.uint16), "64FC1")
    for unit_m in (0.0, -1e-3, float("nan"), float("inf")):
        with pytest.raises(BadInputError, match="a positive number of meters"):
            to_meters(np.zeros((4, 4), np.uint16), "16UC1", unit_m)
    with pytest.raises(BadInputError, match="uint16, got float32"):
        to_meters(np.zeros((4, 4), np.float32), "16UC1")


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf, -1.0, 0.05, 11.0])
def test_depth_that_is_none_is_too_little(value: float) -> None:
    geometry = locate(DISC, np.full(DISC.shape, value, np.float32), CAMERA)
    check(geometry)
    assert geometry.status is GeometryStatus.TOO_LITTLE_DEPTH
    assert geometry.valid_depth == 0.0 and "min_valid_depth" in geometry.message


def test_bad_pixels_among_good_ones_are_left_out_and_counted() -> None:
    depth_m = plane(np.array([0.0, 0.0, 1.0]), 1.0)
    rng = np.random.default_rng(0)
    bad = rng.random(depth_m.shape) < 0.25
    depth_m[bad] = rng.choice(np.array([0, np.nan, np.inf, -np.inf, -3, 50], np.float32), int(bad.sum()))
    geometry = locate(DISC, depth_m, CAMERA)
    check(geometry)
    assert geometry.valid_depth == pytest.approx(1 - bad[DISC].mean())
    assert geometry.points_m[:, 2] == pytest.approx(1.0)
    columns, rows = geometry.pixels_px.T
    assert not bad[rows, columns].any() and DISC[rows, columns].all()


def test_one_pixel_can_be_measured_when_one_is_asked_for() -> None:
    mask = np.zeros(DISC.shape, np.bool_)
    mask[120, 160] = True
    depth_m = plane(np.array([0.0, 0.0, 1.0]), 1.0)
    few = locate(mask, depth_m, CAMERA)
    check(few)
    assert few.status is GeometryStatus.TOO_LITTLE_DEPTH and "min_depth_points" in few.message
    one = locate(mask, depth_m, CAMERA, Rules(min_depth_points=1))
    check(one)
    assert one.status is GeometryStatus.MEASURED
    assert one.centroid_m == one.box_center_m == pytest.approx((0, 0, 1))
    assert one.box_size_m == pytest.approx((0, 0, 0))


def test_an_empty_mask_has_no_place() -> None:
    geometry = locate(np.zeros(DISC.shape, np.bool_), plane(np.array([0.0, 0.0, 1.0]), 1.0), CAMERA)
    check(geometry)
    assert (geometry.status, geometry.message) == (GeometryStatus.TOO_LITTLE_DEPTH, "the mask is empty")


@pytest.mark.parametrize(("rows", "columns"), [(240, 320), (30, 40), (1, 320), (240, 1)])
def test_masks_at_the_border_are_measured(rows: int, columns: int) -> None:
    mask = np.zeros(DISC.shape, np.bool_)
    mask[-rows:, -columns:] = True
    geometry = locate(mask, plane(np.array([0.1, 0.2, 1.0]), 1.0), CAMERA)
    check(geometry)
    assert geometry.status is GeometryStatus.MEASURED


def test_depth_of_another_size_is_refused_with_both_sizes() -> None:
    geometry = locate(DISC, np.ones((480, 640), np.float32), CAMERA)
    check(geometry)
    assert geometry.status is GeometryStatus.BAD_DEPTH
    assert "640x480" in geometry.message and "320x240" in geometry.message
    other = Camera.from_calibration(Calibration((500, 0, 320, 0, 500, 240, 0, 0, 1), (), "", 640, 480))
    geometry = locate(DISC, np.ones(DISC.shape, np.float32), other)
    check(geometry)
    assert geometry.status is GeometryStatus.BAD_DEPTH
    assert "640x480" in geometry.message and "320x240" in geometry.message


def test_a_4k_target_is_sampled_and_measures_the_same() -> None:
    scale = 12
    camera = Camera(np.diag([scale, scale, 1.0]) @ CAMERA.matrix, np.zeros(0))
    depth_m = plane(np.array([0.2, 0.1, 1.0]), 1.0)
    small = locate(DISC, depth_m, CAMERA)
    size = (WIDTH_PX * scale, HEIGHT_PX * scale)
    mask = cv2.resize(DISC.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_)
    large = locate(mask, cv2.resize(depth_m, size, interpolation=cv2.INTER_LINEAR), camera)
    check(large)
    assert 10_000 < large.num_points <= Rules().max_points < mask.sum()
    assert large.centroid_m == pytest.approx(small.centroid_m, abs=0.004)
    assert large.box_size_m == pytest.approx(small.box_size_m, abs=0.015)


def test_what_the_rim_and_a_jump_show_is_not_believed() -> None:
    depth_m = np.where(DISC, np.float32(1.0), np.float32(1.4))
    rng = np.random.default_rng(0)
    rim = cv2.dilate(DISC.view(np.uint8), np.ones((3, 3))).view(np.bool_) & ~erode(DISC, 1.0)
    depth_m[rim] = rng.uniform(1.0, 1.4, int(rim.sum()))
    depth_m[118:122, 158:162] = 1.3  # a speck
    leaking = cv2.dilate(DISC.view(np.uint8), np.ones((3, 3))).view(np.bool_)
    raw = locate(leaking, depth_m, CAMERA, Rules(edge_erosion_px=0.0, remove_outliers=False))
    clean = locate(leaking, depth_m, CAMERA)
    check(clean)
    assert np.ptp(raw.points_m[:, 2]) > 0.35
    assert np.ptp(clean.points_m[:, 2]) < 0.021  # no more than neighbors on a surface may differ by
    assert clean.num_points > 0.85 * DISC.sum()


def test_erosion_takes_the_rim_but_leaves_thin_things_their_middle() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[10:40, 10:40] = True
    mask[56, 5:55] = True
    mask[45:48, 5:55] = True
    mask[2, 2] = True
    kept = erode(mask, 2.0)
    assert kept[12:38, 12:38].all() and not kept[10:12].any()
    assert kept[56, 6:54].all() and kept[46, 7:53].all() and kept[2, 2]
    assert not (kept & ~mask).any()
    assert np.array_equal(erode(mask, 0.0), mask)


def test_two_surfaces_of_an_occluded_thing_are_both_kept() -> None:
    depth_m = plane(np.array([0.0, 0.0, 1.0]), 1.0)
    mask = np.abs(Y) < 0.1
    bar = np.abs(X) < 0.05
    depth_m[bar] = 0.6
    geometry = locate(mask & ~bar, depth_m, CAMERA)
    check(geometry)
    assert geometry.points_m[:, 0].min() < -0.4 and geometry.points_m[:, 0].max() > 0.4


def test_the_same_input_gives_the_same_numbers() -> None:
    depth_m = plane(np.array([0.2, 0.1, 1.0]), 1.0)
    depth_m += np.random.default_rng(1).normal(0, 0.002, depth_m.shape).astype(np.float32)
    first, second = (locate(DISC, depth_m.copy(), CAMERA) for _ in range(2))
    assert (first.centroid_m, first.box_quaternion, first.box_size_m) == (
        second.centroid_m,
        second.box_quaternion,
        second.box_size_m,
    )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_no_depth_and_no_mask_makes_a_nan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 24, 2))
    depth_m = rng.normal(1, 0.3, shape).astype(np.float32)
    depth_m[rng.random(shape) < 0.3] = np.nan
    camera = Camera(np.array([[20.0, 0, 5], [0, 20, 5], [0, 0, 1]]), np.array([-0.3, 0.1, 0, 0]) * (seed % 2))
    rules = Rules(min_valid_depth=0.0, min_depth_points=1, edge_erosion_px=float(rng.integers(0, 4)))
    check(locate(rng.random(shape) < rng.random(), depth_m, camera, rules))


@pytest.mark.parametrize(
    ("encoding", "value", "unit_m", "depth_m"),
    [
        ("16UC1", 1234, None, 1.234),
        ("mono16", 1234, None, 1.234),
        ("16UC1", 12340, 1e-4, 1.234),
        ("16UC1", 4936, 2.5e-4, 1.234),
        ("16UC1", 2, 0.3, 0.6),
        ("16UC1", 1, 2.0, 2.0),
        ("32FC1", 1.25, None, 1.25),
        ("64FC1", 1.25, None, 1.25),
        ("32FC1", 1250.0, 1e-3, 1.25),
        ("64FC1", 1e300, None, np.inf),
        ("64FC1", np.nan, None, np.nan),
    ],
)
def test_depth_comes_in_units_of_its_encoding_or_of_the_camera(
    encoding: str, value: float, unit_m: float | None, depth_m: float
) -> None:
    read = to_meters(np.full((2, 3), value, DEPTH_ENCODINGS[encoding]), encoding, unit_m)
    assert read.dtype == np.float32 and read.shape == (2, 3)
    np.testing.assert_allclose(read, depth_m, rtol=1e-6)


def test_pixels_without_a_ray_do_not_count_as_valid() -> None:
    """A camera of 180 degrees: near the rim of its picture no depth along the axis tells a place."""
    focal_px = 320 / np.pi
    calibration = Calibration((focal_px, 0, 160, 0, focal_px, 120, 0, 0, 1), [0.0] * 4, "equidistant", 320, 240)
    camera = Camera.from_calibration(calibration)
    depth_m = np.ones((240, 320), np.float32)
    columns = np.arange(320)[None, :].repeat(240, axis=0)
    rows = np.arange(240)[:, None].repeat(320, axis=1)
    within = (np.abs(columns - 160) < 142) & (np.abs(rows - 120) < 10)
    rim = (columns >= 300) & (np.abs(rows - 120) < 40)  # from 79 degrees on
    whole = locate(within, depth_m, camera)
    assert whole.status is GeometryStatus.MEASURED and whole.valid_depth == pytest.approx(1.0)
    outside = locate(rim, depth_m, camera)
    assert outside.status is GeometryStatus.TOO_LITTLE_DEPTH and outside.valid_depth < 0.1
    assert "of the mask can be placed" in outside.message and "remedy" in outside.message
    both = locate(rim | ((np.abs(columns - 150) < 20) & (np.abs(rows - 120) < 40)), depth_m, camera)
    assert both.status is GeometryStatus.MEASURED and 0.5 < both.valid_depth < 0.75
    for geometry in (whole, outside, both):
        check(geometry)
        assert np.abs(geometry.box_size_m).max() < 12 and np.abs(geometry.centroid_m).max() < 6


def test_a_matrix_of_another_resolution_without_a_size_is_bad_depth() -> None:
    double = Camera.from_calibration(Calibration((2 * FOCAL_PX, 0, 320, 0, 2 * FOCAL_PX, 240, 0, 0, 1)))
    geometry = locate(DISC, np.ones(DISC.shape, np.float32), double)
    assert geometry.status is GeometryStatus.BAD_DEPTH and "cannot belong to images of 320x240 px" in geometry.message
