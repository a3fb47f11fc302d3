"""From pixels to rays: a calibration as sensor_msgs/CameraInfo carries it, and the camera that it describes.

Models as in OpenCV's calib3d: Brown-Conrady ("plumb_bob", "rational_polynomial", with thin prism and tilt where their
coefficients come along) and Kannala-Brandt ("equidistant", called fisheye in OpenCV).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError

# Distortion model -> the numbers of coefficients that it comes with. None at all is a pinhole without distortion, but
# no fisheye: that maps angles and not tangents, whatever its coefficients.
_BROWN_CONRADY = {"plumb_bob": (0, 4, 5), "rational_polynomial": (0, 8, 12, 14)}
_FISHEYE = {"equidistant": (4,), "fisheye": (4,)}
DISTORTION_MODELS: tuple[str, ...] = (*_BROWN_CONRADY, *_FISHEYE)
# The fixed-point iteration of OpenCV stops after 5 rounds on its own, which a wide lens's corners are not content with.
_UNTIL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-9)
_TOLERANCE_PX = 0.1  # how far from its pixel a ray may come out again
_MANY = 1000  # pixels that are worth a grid
_CELL_PX, _CELLS = 4.0, 128  # smallest cell of the grid, most cells along a side


@dataclass(frozen=True)
class Region:
    """A region of interest of the whole sensor, px; all zero: the whole sensor."""

    x_offset_px: int = 0
    y_offset_px: int = 0
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True)
class Calibration:
    """What sensor_msgs/CameraInfo says.

    Attributes:
        k: 9 numbers, row-major, px of the whole sensor without binning; zero: uncalibrated.
        d: Distortion coefficients in OpenCV's order.
        distortion_model: One of `DISTORTION_MODELS`; may be empty where `d` is.
        width_px: Of the whole sensor without binning; 0: not told.
        height_px: As `width_px`.
        p: 12 numbers, the projection of rectified images, px of the whole sensor without binning.
        binning: (x, y): so many sensor pixels make one of the image; 0 and 1 mean no binning.
        region: Which part of the sensor the image shows.
    """

    k: Sequence[float]
    d: Sequence[float] = ()
    distortion_model: str = "plumb_bob"
    width_px: int = 0
    height_px: int = 0
    p: Sequence[float] = ()
    binning: tuple[int, int] = (1, 1)
    region: Region = Region()


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera as its images are: binning and region of interest are part of the matrix.

    Attributes:
        matrix: (3, 3) float64, px; the center of the first pixel is (0, 0), as in OpenCV and ROS.
        distortion: (N,) float64 in OpenCV's order; empty: none.
        fisheye: Whether the distortion is Kannala-Brandt's.
        width_px: Of its images; 0: not told.
        height_px: As `width_px`.
    """

    matrix: np.ndarray
    distortion: np.ndarray
    fisheye: bool = False
    width_px: int = 0
    height_px: int = 0

    @property
    def focal_px(self) -> float:
        """The mean focal length."""
        return float(self.matrix[0, 0] + self.matrix[1, 1]) / 2

    @classmethod
    def from_calibration(cls, calibration: Calibration, *, rectified: bool = False) -> Camera:
        """The camera that took an image with this calibration.

        Args:
            calibration: As it came.
            rectified: Whether the image has been rectified: then `p` holds and there is no distortion left.

        Raises:
            BadInputError: The camera is uncalibrated, or the calibration is no pinhole or fisheye camera.
        """
        numbers = np.asarray(calibration.p if rectified else calibration.k, dtype=np.float64)
        shape, name = ((3, 4), "P") if rectified else ((3, 3), "K")
        if not numbers.any():
            raise BadInputError(
                f"the camera is uncalibrated: {name} of its camera_info is zero; remedy: calibrate it, for instance "
                "with camera_calibration's cameracalibrator"
            )
        if numbers.size != shape[0] * shape[1]:
            raise BadInputError(f"{name} of camera_info must have {shape[0] * shape[1]} numbers, got {numbers.size}")
        matrix = numbers.reshape(shape)[:, :3].copy()
        _require_pinhole(matrix, name)
        bins, region = _whole_pixels(calibration), calibration.region
        # The center of a binned pixel lies between the centers of those that it is made of.
        for axis, offset_px in enumerate((region.x_offset_px, region.y_offset_px)):
            matrix[axis, 2] = (matrix[axis, 2] - offset_px - (bins[axis] - 1) / 2) / bins[axis]
            matrix[axis, axis] /= bins[axis]
        distortion, fisheye = (np.zeros(0), False) if rectified else _distortion(calibration)
        width_px, height_px = region.width_px or calibration.width_px, region.height_px or calibration.height_px
        return cls(matrix, distortion, fisheye, width_px // bins[0], height_px // bins[1])

    def rays(self, pixels_px: np.ndarray) -> np.ndarray:
        """Directions in which pixels look.

        Args:
            pixels_px: (N, 2) x and y.

        Returns:
            (N, 2) float64: x/z and y/z in the optical frame; NaN for a pixel that the distortion model cannot explain.
        """
        pixels = np.ascontiguousarray(pixels_px, dtype=np.float64).reshape(-1, 2)
        if not self.distortion.size or not len(pixels):
            return (pixels - self.matrix[:2, 2]) / np.diagonal(self.matrix)[:2]
        points = pixels.reshape(-1, 1, 2)
        if self.fisheye:
            rays = cv2.fisheye.undistortPoints(points, self.matrix, self.distortion, criteria=_UNTIL)
        else:
            rays = cv2.undistortPointsIter(points, self.matrix, self.distortion, np.eye(3), np.eye(3), _UNTIL)
        rays = np.asarray(rays, dtype=np.float64).reshape(-1, 2)
        # Beyond where its polynomial turns back a model has no inverse, and the iteration ends somewhere.
        lost = ~np.isfinite(rays).all(axis=1)
        rays[lost] = 0.0
        lost |= np.abs(self.project(np.column_stack([rays, np.ones(len(rays))])) - pixels).max(axis=1) > _TOLERANCE_PX
        rays[lost] = np.nan
        return rays

    def rays_of_many(self, pixels_px: np.ndarray) -> np.ndarray:
        """As `rays`, to less than a tenth of a pixel and much sooner: interpolated in a grid of exact rays.

        Args:
            pixels_px: (N, 2) x and y.
        """
        pixels = np.asarray(pixels_px, dtype=np.float64).reshape(-1, 2)
        if not self.distortion.size or len(pixels) < _MANY:
            return self.rays(pixels)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        step_px = max(_CELL_PX, float((high - low).max()) / _CELLS)
        columns, rows = (int(count) + 2 for count in (high - low) // step_px)
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        exact = self.rays(low + step_px * grid)
        place = (pixels - low) / step_px
        cell = place.astype(np.intp)
        x, y = (place - cell).T[:, :, None]
        first = cell[:, 1] * columns + cell[:, 0]
        upper = exact[first] * (1 - x) + exact[first + 1] * x
        lower = exact[first + columns] * (1 - x) + exact[first + columns + 1] * x
        return np.asarray(upper * (1 - y) + lower * y)

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) float64 in which the camera sees (N, 3) points of its optical frame that lie before it."""
        points = np.ascontiguousarray(points_m, dtype=np.float64).reshape(-1, 1, 3)
        if not len(points):
            return np.zeros((0, 2))
        zero = np.zeros(3)
        if self.fisheye:
            pixels, _ = cv2.fisheye.projectPoints(points, zero, zero, self.matrix, self.distortion)
        else:
            pixels, _ = cv2.projectPoints(points, zero, zero, self.matrix, self.distortion)
        return np.asarray(pixels, dtype=np.float64).reshape(-1, 2)


def _require_pinhole(matrix: np.ndarray, name: str) -> None:
    expected = np.array([[matrix[0, 0], 0.0, matrix[0, 2]], [0.0, matrix[1, 1], matrix[1, 2]], [0.0, 0.0, 1.0]])
    if not np.isfinite(matrix).all() or not np.array_equal(matrix, expected) or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise BadInputError(
            f"{name} of camera_info must be [fx 0 cx; 0 fy cy; 0 0 1] with positive fx and fy, got {matrix.tolist()}"
        )


def _whole_pixels(calibration: Calibration) -> tuple[int, int]:
    """The binning, at least 1 each way.

    Raises:
        BadInputError: The region does not lie on the sensor.
    """
    region = calibration.region
    ends = (
        ("width", region.x_offset_px + region.width_px, calibration.width_px),
        ("height", region.y_offset_px + region.height_px, calibration.height_px),
    )
    for side, end_px, sensor_px in ends:
        if sensor_px and end_px > sensor_px:
            raise BadInputError(
                f"the roi of camera_info ends at {end_px} px, beyond the sensor's {side} of {sensor_px} px"
            )
    return max(1, calibration.binning[0]), max(1, calibration.binning[1])


def _distortion(calibration: Calibration) -> tuple[np.ndarray, bool]:
    """The coefficients, none where they do nothing, and whether they are a fisheye's."""
    coefficients = np.asarray(calibration.d, dtype=np.float64)
    model = calibration.distortion_model
    counts = {**_BROWN_CONRADY, **_FISHEYE}.get(model)
    if counts is None and (model or coefficients.any()):
        raise BadInputError(
            f"unknown distortion_model {model!r} in camera_info; supported: {', '.join(DISTORTION_MODELS)}. "
            "Remedy: rectify the image and set the parameter 'image_is_rectified'"
        )
    if counts and coefficients.size not in counts:
        expected = " or ".join(str(count) for count in counts if count)
        raise BadInputError(f"{model} takes {expected} coefficients, camera_info has {coefficients.size}")
    if not np.isfinite(coefficients).all():
        raise BadInputError(f"D of camera_info is not finite: {coefficients.tolist()}")
    fisheye = model in _FISHEYE
    return (coefficients if fisheye or coefficients.any() else np.zeros(0)), fisheye
