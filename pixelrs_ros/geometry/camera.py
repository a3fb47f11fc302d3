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

# Distortion model -> the numbers of coefficients that it comes with; OpenCV goes by the number alone. None at all is a
# pinhole without distortion, but no fisheye: that maps angles and not tangents, whatever its coefficients.
_COUNTS = (0, 4, 5, 8, 12, 14)
_BROWN_CONRADY = {"plumb_bob": _COUNTS, "rational_polynomial": _COUNTS}
_FISHEYE = {"equidistant": (4,), "fisheye": (4,)}
DISTORTION_MODELS: tuple[str, ...] = (*_BROWN_CONRADY, *_FISHEYE)
# The fixed-point iteration of OpenCV stops after 5 rounds on its own, which a wide lens's corners are not content with.
_UNTIL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-9)
_TOLERANCE_PX = 0.1  # how far from its pixel a ray may come out again
_STEEPEST = float(np.tan(np.radians(80)))  # x/z or y/z of a ray: beyond it a depth along the axis tells no place
# What a camera can be. Focal lengths as shares of the image's longer side; how far the principal point may lie from the
# middle, as a share of each side. The matrix of half the resolution puts it a quarter away, of twice a half, and of any
# other resolution as far on one axis as on the other.
_FOCAL = (0.05, 100.0)
_OFF_CENTER, _OFF_CENTER_ALIKE, _ALIKE = 0.2, 0.08, 0.03
_PIXEL_ASPECT = 3.0  # the greater of the two focal lengths over the smaller
_RECTIFY = "Remedy: rectify the image and set the parameter 'image_is_rectified'"
_CALIBRATE = "remedy: calibrate the camera at this resolution, for instance with camera_calibration's cameracalibrator"
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
        width_px: Width of the whole sensor without binning; 0: not given.
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
        width_px: Width of its images; 0: not given.
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
            BadInputError: The camera is uncalibrated, or the calibration is no pinhole or fisheye camera, or not one of
                images of this size, binning and region.
        """
        numbers = np.asarray(calibration.p if rectified else calibration.k, dtype=np.float64)
        shape, name = ((3, 4), "P") if rectified else ((3, 3), "K")
        if not numbers.any():
            raise BadInputError(f"the camera is uncalibrated: {name} of its camera_info is zero; {_CALIBRATE}")
        if numbers.size != shape[0] * shape[1]:
            raise BadInputError(
                f"{name} of camera_info must have {shape[0] * shape[1]} numbers, got {numbers.size}; {_CALIBRATE}"
            )
        matrix = numbers.reshape(shape)[:, :3].copy()
        _require_pinhole(matrix, name)
        _require_of_size(matrix, calibration.width_px, calibration.height_px, name)
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
            (N, 2) float64: x/z and y/z in the optical frame; NaN for a pixel that the distortion model cannot explain,
            and where a ray lies more than 80° from the optical axis.
        """
        pixels = np.ascontiguousarray(pixels_px, dtype=np.float64).reshape(-1, 2)
        if not len(pixels):
            return np.zeros((0, 2))
        if not self.distortion.size:
            rays = (pixels - self.matrix[:2, 2]) / np.diagonal(self.matrix)[:2]
            rays[np.abs(rays).max(axis=1) > _STEEPEST] = np.nan
            return rays
        points = pixels.reshape(-1, 1, 2)
        if self.fisheye:
            rays = cv2.fisheye.undistortPoints(points, self.matrix, self.distortion, criteria=_UNTIL)
        else:
            rays = cv2.undistortPointsIter(points, self.matrix, self.distortion, np.eye(3), np.eye(3), _UNTIL)
        rays = np.asarray(rays, dtype=np.float64).reshape(-1, 2)
        # Beyond where its polynomial turns back a model has no inverse, and the iteration ends somewhere.
        rays[~self._lead_to(pixels, rays)] = np.nan
        return rays

    def _lead_to(self, pixels: np.ndarray, rays: np.ndarray, tolerance_px: float = _TOLERANCE_PX) -> np.ndarray:
        """(N,) bool: whether rays, some of them NaN, are seen in their pixels and are not too steep."""
        with np.errstate(invalid="ignore"):
            good = np.abs(rays).max(axis=1) <= _STEEPEST  # compares false with NaN
        seen = self.project(np.column_stack([np.where(good[:, None], rays, 0.0), np.ones(len(rays))]))
        return np.asarray(good & (np.abs(seen - pixels).max(axis=1) <= tolerance_px))

    def rays_of_many(self, pixels_px: np.ndarray) -> np.ndarray:
        """As `rays`, to less than a tenth of a pixel and much sooner: interpolated in a grid of exact rays.

        Where the grid is too coarse for a lens, and beside pixels that have no ray, the rays are the exact ones.

        Args:
            pixels_px: (N, 2) x and y.
        """
        pixels = np.asarray(pixels_px, dtype=np.float64).reshape(-1, 2)
        if not self.distortion.size or len(pixels) < _MANY:
            return self.rays(pixels)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        step_px = max(_CELL_PX, float((high - low).max()) / _CELLS)
        columns, rows = (int(count) + 2 for count in (high - low) // step_px)
        corners = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        exact = self.rays(low + step_px * corners)
        place = (pixels - low) / step_px
        cells = place.astype(np.intp)
        first = cells[:, 1] * columns + cells[:, 0]
        rays = _between(exact, first, columns, place - cells)
        # A cell is worst in its middle, where it is tried.
        is_cell = (corners[:, 0] < columns - 1) & (corners[:, 1] < rows - 1)
        used = np.zeros(len(corners), dtype=np.bool_)
        used[first] = True
        tried = np.flatnonzero(used & is_cell)
        halves = np.full((len(tried), 2), 0.5)
        middles_px = low + step_px * (corners[tried] + 0.5)
        used[tried] = ~self._lead_to(middles_px, _between(exact, tried, columns, halves), _TOLERANCE_PX / 2)
        coarse = used[first]
        rays[coarse] = self.rays(pixels[coarse])
        return rays

    def require_of_size(self, width_px: int, height_px: int) -> None:
        """Find out whether this camera can have taken an image.

        Raises:
            BadInputError: Its images are of another size, or its matrix belongs to images of another size.
        """
        described = self.width_px or width_px, self.height_px or height_px
        if described != (width_px, height_px):
            raise BadInputError(
                f"camera_info describes images of {described[0]}x{described[1]} px (with its binning and roi), the "
                f"image is {width_px}x{height_px} px; remedy: let width, height, binning and roi of camera_info be "
                "the image's"
            )
        if not (self.width_px and self.height_px):  # else it has been checked against the whole sensor
            _require_of_size(self.matrix, width_px, height_px, "the matrix")

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


def _between(exact: np.ndarray, first: np.ndarray, columns: int, share: np.ndarray) -> np.ndarray:
    """Bilinear interpolation in cells of a grid.

    Args:
        exact: (M, 2), the grid's values, row after row.
        first: (N,), the upper left corner of each cell.
        columns: Columns of the grid.
        share: (N, 2), how far right and down in its cell each place lies, in [0, 1].
    """
    x, y = share.T[:, :, None]
    upper = exact[first] * (1 - x) + exact[first + 1] * x
    lower = exact[first + columns] * (1 - x) + exact[first + columns + 1] * x
    return np.asarray(upper * (1 - y) + lower * y)


def _require_pinhole(matrix: np.ndarray, name: str) -> None:
    expected = np.array([[matrix[0, 0], 0.0, matrix[0, 2]], [0.0, matrix[1, 1], matrix[1, 2]], [0.0, 0.0, 1.0]])
    if not np.isfinite(matrix).all() or not np.array_equal(matrix, expected) or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise BadInputError(
            f"{name} of camera_info must be [fx 0 cx; 0 fy cy; 0 0 1] with positive fx and fy, got {matrix.tolist()}; "
            f"{_CALIBRATE}"
        )


def _require_of_size(matrix: np.ndarray, width_px: int, height_px: int, name: str) -> None:
    """Find out whether a matrix can belong to images of a size; 0 is a side that is not known.

    Raises:
        BadInputError: It cannot.
    """
    if not (width_px and height_px):
        return
    sides_px = np.array([width_px, height_px], dtype=np.float64)
    focal = np.diagonal(matrix)[:2] / sides_px.max()
    off_center = (matrix[:2, 2] + 0.5) / sides_px - 0.5
    problem = None
    if (
        focal.min() < _FOCAL[0]
        or focal.max() > _FOCAL[1]
        or not 1 / _PIXEL_ASPECT <= focal[0] / focal[1] <= _PIXEL_ASPECT
    ):
        problem = f"focal lengths of {matrix[0, 0]:g} and {matrix[1, 1]:g} px are no camera's"
    elif np.abs(off_center).max() > _OFF_CENTER or (
        np.abs(off_center).min() > _OFF_CENTER_ALIKE and abs(off_center[0] - off_center[1]) < _ALIKE
    ):
        problem = f"its principal point ({matrix[0, 2]:g}, {matrix[1, 2]:g}) px is far from the middle"
    if problem:
        raise BadInputError(
            f"{name} of camera_info cannot belong to images of {width_px}x{height_px} px (without binning and roi): "
            f"{problem}. It may be of another resolution, or hold the binning or the roi already; {_CALIBRATE}, and "
            f"let {name} be of the whole sensor"
        )


def _whole_pixels(calibration: Calibration) -> tuple[int, int]:
    """The binning, at least 1 each way.

    Raises:
        BadInputError: The region does not lie on the sensor.
    """
    region = calibration.region
    bins = max(1, calibration.binning[0]), max(1, calibration.binning[1])
    ends = (
        ("width", region.x_offset_px + region.width_px, calibration.width_px, region.width_px, bins[0]),
        ("height", region.y_offset_px + region.height_px, calibration.height_px, region.height_px, bins[1]),
    )
    for side, end_px, sensor_px, region_px, binned in ends:
        if sensor_px and end_px > sensor_px:
            raise BadInputError(
                f"the roi of camera_info ends at {end_px} px, beyond the sensor's {side} of {sensor_px} px; remedy: "
                "give roi, width and height in pixels of the whole sensor, without binning"
            )
        if (shown_px := region_px or sensor_px) and binned > shown_px:
            raise BadInputError(
                f"the binning of camera_info makes one pixel of {binned}, more than the {side} of {shown_px} px; "
                "remedy: give width, height and roi in pixels of the whole sensor, without binning"
            )
    return bins


def _distortion(calibration: Calibration) -> tuple[np.ndarray, bool]:
    """The coefficients, none where they do nothing, and whether they are a fisheye's."""
    coefficients = np.asarray(calibration.d, dtype=np.float64)
    model = calibration.distortion_model
    counts = {**_BROWN_CONRADY, **_FISHEYE}.get(model)
    if counts is None and (model or coefficients.any()):
        raise BadInputError(
            f"unknown distortion_model {model!r} in camera_info; supported: {', '.join(DISTORTION_MODELS)}. {_RECTIFY}"
        )
    if not np.isfinite(coefficients).all():
        raise BadInputError(f"D of camera_info is not finite: {coefficients.tolist()}; {_CALIBRATE}")
    if counts and coefficients.size not in counts:
        # Some drivers fill D up with zeros.
        significant = int(np.flatnonzero(coefficients).max(initial=-1)) + 1
        count = next((count for count in counts if significant <= count < coefficients.size), None)
        if count is None or not count:
            expected = " or ".join(", ".join(str(count) for count in counts if count).rsplit(", ", 1))
            raise BadInputError(
                f"{model} takes {expected} coefficients, camera_info has {coefficients.size}. {_RECTIFY}"
            )
        coefficients = coefficients[:count]
    fisheye = model in _FISHEYE
    return (coefficients if fisheye or coefficients.any() else np.zeros(0)), fisheye
