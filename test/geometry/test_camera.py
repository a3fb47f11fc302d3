"""Rays: there and back through every lens, region and binning; and what is no camera."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.camera import Calibration, Camera, Region

K = (560.0, 0.0, 322.0, 0.0, 565.0, 237.0, 0.0, 0.0, 1.0)
LENSES = {
    "plumb_bob": (-0.25, 0.08, 0.001, -0.002, 0.01),
    "rational_polynomial": (0.4, -0.2, 0.0005, 0.0003, 0.02, 0.7, -0.1, 0.03),
    "equidistant": (0.02, -0.01, 0.004, -0.001),
}
PIXELS = np.stack(np.meshgrid(np.arange(0, 640, 13), np.arange(0, 480, 11)), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("model", LENSES)
@given(place=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.38, 0.38), st.floats(0.2, 5.0)))
def test_a_point_comes_back_through_the_lens(model: str, place: tuple[float, float, float]) -> None:
    camera = Camera.from_calibration(Calibration(K, LENSES[model], model, 640, 480))
    x, y, z = place
    pixel = camera.project(np.array([[x * z, y * z, z]]))
    assert camera.rays(pixel)[0] == pytest.approx([x, y], abs=1e-6)


@pytest.mark.parametrize("model", LENSES)
def test_interpolated_rays_are_the_exact_ones(model: str) -> None:
    camera = Camera.from_calibration(Calibration(K, LENSES[model], model, 640, 480))
    exact, quick = camera.rays(PIXELS), camera.rays_of_many(PIXELS)
    assert len(PIXELS) > 1000
    assert np.isfinite(exact).all()
    assert np.abs(exact - quick).max() * K[0] < 0.1


def test_a_lens_without_coefficients_is_a_pinhole_and_a_fisheye_never_is() -> None:
    pinhole = Camera.from_calibration(Calibration(K, [0.0] * 5))
    assert pinhole.rays(np.array([[322, 237], [882, 802]])) == pytest.approx(np.array([[0, 0], [1, 1]]))
    assert Camera.from_calibration(Calibration(K, (), "")).distortion.size == 0
    fisheye = Camera.from_calibration(Calibration(K, [0.0] * 4, "equidistant"))
    assert fisheye.rays(np.array([[322 + 560 * np.pi / 6, 237]]))[0] == pytest.approx([np.tan(np.pi / 6), 0])


def test_pixels_that_no_ray_leads_to_have_none() -> None:
    folding = Camera.from_calibration(Calibration(K, [-0.5, 0.0, 0.0, 0.0], "plumb_bob", 640, 480))
    wide = np.array([[322.0, 237.0], [322.0 + 560 * 0.6, 237.0]])  # beyond where r (1 - r²/2) turns back, 0.544
    rays = folding.rays(wide)
    assert rays[0] == pytest.approx([0, 0])
    assert np.isnan(rays[1]).all()


def test_binning_and_region_of_interest_are_part_of_the_matrix() -> None:
    whole = Camera.from_calibration(Calibration(K, LENSES["plumb_bob"], "plumb_bob", 640, 480))
    part = Camera.from_calibration(
        Calibration(K, LENSES["plumb_bob"], "plumb_bob", 640, 480, binning=(2, 4), region=Region(100, 60, 400, 320))
    )
    assert (part.width_px, part.height_px) == (200, 80)
    # The binned pixel (30, 20) is made of those from (160, 140) to (161, 143).
    assert part.rays(np.array([[30, 20]])) == pytest.approx(whole.rays(np.array([[160.5, 141.5]])), abs=1e-6)


def test_a_rectified_image_follows_p_and_knows_no_lens() -> None:
    p = (500.0, 0.0, 300.0, 0.0, 0.0, 500.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    camera = Camera.from_calibration(Calibration(K, LENSES["plumb_bob"], p=p), rectified=True)
    assert camera.rays(np.array([[800, 700]])) == pytest.approx(np.array([[1, 1]]))
    with pytest.raises(BadInputError, match="uncalibrated: P"):
        Camera.from_calibration(Calibration(K), rectified=True)


@pytest.mark.parametrize(
    ("calibration", "said"),
    [
        (Calibration([0.0] * 9), "uncalibrated: K"),
        (Calibration([]), "uncalibrated: K"),
        (Calibration([1.0] * 9), r"must be \[fx 0 cx"),
        (Calibration((-560.0, *K[1:])), "positive fx"),
        (Calibration((float("nan"), *K[1:])), "positive fx"),
        (Calibration(K, [0.1], "plumb_bob"), "4, 5, 8, 12 or 14 coefficients, camera_info has 1"),
        (Calibration(K, [], "equidistant"), "4 coefficients, camera_info has 0"),
        (Calibration(K, [0.1, 0, 0, float("inf")], "plumb_bob"), "not finite"),
        (Calibration(K, [0.1, 0, 0, 0], "division"), "unknown distortion_model 'division'"),
        (Calibration(K, [0.1, 0, 0, 0], ""), "unknown distortion_model ''"),
        (Calibration(K, [0.1, 0, 0, 0, 0, 0.2], "plumb_bob"), "4, 5, 8, 12 or 14 coefficients, camera_info has 6"),
        (Calibration(K, [0.1, 0, 0, 0, 0.2], "equidistant"), "takes 4 coefficients, camera_info has 5"),
        (Calibration(K[:6], (), "plumb_bob"), "must have 9 numbers"),
        (Calibration(K, width_px=640, height_px=480, region=Region(400, 0, 300, 480)), "beyond the sensor's width"),
        (Calibration(K, width_px=640, height_px=480, binning=(700, 1)), "more than the width of 640 px"),
    ],
)
def test_what_is_no_camera_is_refused_with_the_reason(calibration: Calibration, said: str) -> None:
    with pytest.raises(BadInputError, match=said) as caught:
        Camera.from_calibration(calibration)
    assert "remedy" in str(caught.value).lower()


def scaled(factor: float, cx: float = 322.0, cy: float = 237.0) -> tuple[float, ...]:
    """K of the same camera at another resolution."""
    return (560 * factor, 0, cx * factor, 0, 565 * factor, cy * factor, 0, 0, 1)


IMPOSSIBLE = {
    "identity": ((1.0, 0, 0, 0, 1.0, 0, 0, 0, 1), (640, 480), (1, 1)),
    "identity in the middle": ((1.0, 0, 320, 0, 1.0, 240, 0, 0, 1), (640, 480), (1, 1)),
    "principal point far outside": ((560.0, 0, 3 * 640, 0, 565, 237, 0, 0, 1), (640, 480), (1, 1)),
    "of twice the resolution": (scaled(2), (640, 480), (1, 1)),
    "of half the resolution": (scaled(0.5), (640, 480), (1, 1)),
    "of two thirds of the resolution": (scaled(2 / 3), (640, 480), (1, 1)),
    "of three halves of the resolution": (scaled(1.5), (640, 480), (1, 1)),
    "of 640 for 800 px": (scaled(0.8), (640, 480), (1, 1)),
    "binned already": (scaled(0.5), (640, 480), (2, 2)),
    "no square pixels": ((560.0, 0, 322, 0, 100, 237, 0, 0, 1), (640, 480), (1, 1)),
    "millimeters": ((0.0048, 0, 0.0032, 0, 0.0048, 0.0024, 0, 0, 1), (640, 480), (1, 1)),
    "endless": ((1e6, 0, 320, 0, 1e6, 240, 0, 0, 1), (640, 480), (1, 1)),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
@pytest.mark.parametrize("rectified", [False, True])
def test_a_matrix_that_no_camera_of_that_size_has_is_refused(kind: str, rectified: bool) -> None:
    k, (width_px, height_px), binning = IMPOSSIBLE[kind]
    p = (*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0)
    calibration = Calibration(k, (), "plumb_bob", width_px, height_px, p, binning)
    with pytest.raises(BadInputError, match=r"cannot belong to images of 640x480 px.*remedy: calibrate"):
        Camera.from_calibration(calibration, rectified=rectified)


def test_a_matrix_is_checked_against_the_image_where_nobody_tells_its_size() -> None:
    camera = Camera.from_calibration(Calibration(scaled(2)))
    with pytest.raises(BadInputError, match="cannot belong to images of 640x480 px"):
        camera.require_of_size(640, 480)
    camera.require_of_size(1280, 960)
    told = Camera.from_calibration(Calibration(K, width_px=640, height_px=480))
    with pytest.raises(BadInputError, match=r"640x480 px .* the image is 320x240 px; remedy"):
        told.require_of_size(320, 240)


@pytest.mark.parametrize(
    ("k", "size"),
    [
        ((615.0, 0, 326, 0, 615, 240, 0, 0, 1), (640, 480)),  # of a RealSense D435
        ((525.0, 0, 319.5, 0, 525, 239.5, 0, 0, 1), (640, 480)),  # of a Kinect
        ((285.0, 0, 420, 0, 285, 400, 0, 0, 1), (848, 800)),  # of a fisheye with 163 degrees
        ((14000.0, 0, 1290, 0, 14000, 950, 0, 0, 1), (2448, 2048)),  # of a telephoto lens
        ((500.0, 0, 370, 0, 500, 250, 0, 0, 1), (640, 480)),  # 8 % off on one axis
        ((560.0, 0, 322, 0, 280, 118, 0, 0, 1), (640, 240)),  # every other row
    ],
)
def test_real_cameras_are_taken(k: tuple[float, ...], size: tuple[int, int]) -> None:
    Camera.from_calibration(Calibration(k, (), "plumb_bob", *size)).require_of_size(*size)


def test_rays_are_bounded() -> None:
    k = (320 / np.pi * 2, 0, 319.5, 0, 320 / np.pi * 2, 239.5, 0, 0, 1)
    fisheye = Camera.from_calibration(Calibration(k, [0.0] * 4, "equidistant", 640, 480))  # 180 degrees across
    pinhole = Camera.from_calibration(Calibration((40.0, 0, 319.5, 0, 40.0, 239.5, 0, 0, 1), (), "", 640, 480))
    whole = np.stack(np.meshgrid(np.arange(640), np.arange(480)), axis=-1).reshape(-1, 2)
    for camera in (fisheye, pinhole):
        for rays in (camera.rays(whole[::97]), camera.rays_of_many(whole)):
            assert np.nanmax(np.abs(rays)) <= np.tan(np.radians(80)) + 1e-9
            assert 0.2 < np.isfinite(rays).all(axis=1).mean() < 0.99


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", (0.4, -0.2, 0.0005, 0.0003, 0.02, 0.7, -0.1, 0.03)),
        ("plumb_bob", (*LENSES["plumb_bob"], 0.0, 0.0)),
        ("rational_polynomial", LENSES["plumb_bob"]),
        ("equidistant", (*LENSES["equidistant"], 0.0, 0.0, 0.0, 0.0)),
        ("equidistant", (*LENSES["equidistant"], 0.0)),
    ],
)
def test_coefficients_as_drivers_send_them(model: str, d: tuple[float, ...]) -> None:
    camera = Camera.from_calibration(Calibration(K, d, model, 640, 480))
    ray = np.array([[0.2, -0.15]])
    pixel = camera.project(np.column_stack([ray, [1.0]]))
    assert camera.rays(pixel) == pytest.approx(ray, abs=1e-6)
    short = tuple(np.trim_zeros(d, "b"))
    if len(short) in (4, 5, 8):
        assert pixel == pytest.approx(
            Camera.from_calibration(Calibration(K, short, model, 640, 480)).project(np.column_stack([ray, [1.0]]))
        )


STRONG = {
    "barrel": ("plumb_bob", (-0.4, 0.2, 0.0, 0.0, -0.05)),
    "barrel that folds": ("plumb_bob", (-0.5, 0.0, 0.0, 0.0)),
    "pincushion": ("plumb_bob", (0.8, 1.5, 0.01, -0.01, 2.0)),
    "wide": ("rational_polynomial", (10.0, 4.0, 0.0, 0.0, 0.2, 10.5, 7.5, 1.0)),
    "fisheye": ("equidistant", (0.1, -0.05, 0.02, -0.003)),
}


@pytest.mark.parametrize("lens", STRONG)
@pytest.mark.parametrize("focal_px", [200.0, 400.0])
def test_interpolated_rays_come_back_to_within_a_tenth_of_a_pixel(lens: str, focal_px: float) -> None:
    model, d = STRONG[lens]
    camera = Camera.from_calibration(Calibration((focal_px, 0, 320, 0, focal_px, 240, 0, 0, 1), d, model, 640, 480))
    pixels = np.stack(np.meshgrid(np.arange(0, 640, 3), np.arange(0, 480, 3)), axis=-1).reshape(-1, 2)
    exact, quick = camera.rays(pixels), camera.rays_of_many(pixels)
    known = np.isfinite(exact).all(axis=1)
    assert known.any()
    np.testing.assert_array_equal(np.isfinite(quick).all(axis=1), known)
    back = camera.project(np.column_stack([quick[known], np.ones(known.sum())]))
    assert np.abs(back - pixels[known]).max() <= 0.1
