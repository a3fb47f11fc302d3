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
        (Calibration(K, [0.1], "plumb_bob"), "4 or 5 coefficients, camera_info has 1"),
        (Calibration(K, [], "equidistant"), "4 coefficients, camera_info has 0"),
        (Calibration(K, [0.1, 0, 0, float("inf")], "plumb_bob"), "not finite"),
        (Calibration(K, [0.1, 0, 0, 0], "division"), "unknown distortion_model 'division'"),
        (Calibration(K, width_px=640, height_px=480, region=Region(400, 0, 300, 480)), "beyond the sensor's width"),
    ],
)
def test_what_is_no_camera_is_refused_with_the_reason(calibration: Calibration, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        Camera.from_calibration(calibration)
