"""A target's place in space, from its mask, a registered depth image and the camera."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.box import Box, oriented_box
from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.geometry.depth import Rules, erode, links, on_surfaces, without_specks
from pixelrs_ros.geometry.plane import support_plane

_RECTIFY = "remedy: calibrate the camera with a board that fills the whole image, or rectify the image"
_NOWHERE = (0.0, 0.0, 0.0)


class GeometryStatus(enum.Enum):
    """What came of a measurement."""

    NOT_MEASURED = "not_measured"  # no depth or no calibration came with the image
    MEASURED = "measured"
    TOO_LITTLE_DEPTH = "too_little_depth"  # too few of the mask's pixels have a usable depth
    BAD_DEPTH = "bad_depth"  # depth or calibration cannot be used with this image


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where a target is, in meters, in the camera's optical frame: x right, y down, z forward.

    Attributes:
        status: Only with `MEASURED` do the fields below hold more than zeros; `valid_depth` also with
            `TOO_LITTLE_DEPTH`.
        message: Why there is no measurement; else empty.
        centroid_m: Mean of the points.
        box_center_m: Center of the oriented box around the points.
        box_quaternion: (x, y, z, w), from the box's axes to the optical frame; of unit length.
        box_size_m: Side lengths along the box's own x, y and z.
        valid_depth: Share of the mask's pixels with a usable depth and a ray that the camera model knows, in [0, 1].
        points_m: (N, 3) float32, the points behind the numbers.
        pixels_px: (N, 2) int32, x and y of the pixel that each point was seen in.
    """

    status: GeometryStatus
    message: str = ""
    centroid_m: tuple[float, float, float] = _NOWHERE
    box_center_m: tuple[float, float, float] = _NOWHERE
    box_quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    box_size_m: tuple[float, float, float] = _NOWHERE
    valid_depth: float = 0.0
    points_m: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    pixels_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))

    @property
    def num_points(self) -> int:
        """How many points are behind the numbers."""
        return len(self.points_m)


def locate(mask: np.ndarray, depth_m: np.ndarray, camera: Camera, rules: Rules | None = None) -> Geometry:
    """Measure where a target is.

    Its visible surface, to be exact: what faces away from the camera is in neither the centroid nor the box. The box
    stands upright on the largest plane around the target where there is one, else it is the smallest that was found.

    Args:
        mask: (H, W) bool.
        depth_m: (H, W) float32 of the same size, meters along the optical axis, registered to the mask's image; 0, NaN,
            infinite and negative values mean that there is none.
        camera: That took the mask's image.
        rules: Which depth is used.

    Returns:
        Finite in all fields, whatever came in.
    """
    rules = rules or Rules()
    try:
        _require_one_size(mask, depth_m, camera)
    except BadInputError as error:
        return Geometry(GeometryStatus.BAD_DEPTH, str(error))
    found = _believed_pixels(mask, depth_m, camera, rules)
    if found is None:
        return Geometry(GeometryStatus.TOO_LITTLE_DEPTH, "the mask is empty")
    pixels_px, valid_depth = found
    z_m = depth_m[pixels_px[:, 1], pixels_px[:, 0]].astype(np.float64)
    points_m = np.column_stack([camera.rays_of_many(pixels_px) * z_m[:, None], z_m])
    seen = np.isfinite(points_m).all(axis=1)
    points_m, pixels_px = points_m[seen], pixels_px[seen]
    share_seen = float(seen.mean()) if len(seen) else 1.0
    problem = _too_little(valid_depth, share_seen, len(points_m), rules)
    valid_depth *= share_seen
    if problem is not None:
        return Geometry(GeometryStatus.TOO_LITTLE_DEPTH, problem, valid_depth=valid_depth)
    plane = support_plane(mask, depth_m, camera, rules)
    box = oriented_box(points_m, None if plane is None else plane.normal)
    return _measured(points_m, pixels_px, valid_depth, box)


def _measured(points_m: np.ndarray, pixels_px: np.ndarray, valid_depth: float, box: Box) -> Geometry:
    x_m, y_m, z_m = (float(value) for value in points_m.mean(axis=0))
    return Geometry(
        GeometryStatus.MEASURED,
        "",
        (x_m, y_m, z_m),
        (float(box.center_m[0]), float(box.center_m[1]), float(box.center_m[2])),
        box.quaternion,
        (float(box.size_m[0]), float(box.size_m[1]), float(box.size_m[2])),
        valid_depth,
        points_m.astype(np.float32),
        pixels_px,
    )


def _require_one_size(mask: np.ndarray, depth_m: np.ndarray, camera: Camera) -> None:
    height_px, width_px = mask.shape
    if depth_m.shape != mask.shape:
        raise BadInputError(
            f"the depth image is {depth_m.shape[1]}x{depth_m.shape[0]} px, the image {width_px}x{height_px} px: "
            "publish depth that is registered to the image, for instance with depth_image_proc's register node"
        )
    camera.require_of_size(width_px, height_px)


def _too_little(valid_depth: float, share_seen: float, num_points: int, rules: Rules) -> str | None:
    """Why there is too little depth for a measurement; None where there is enough."""
    if valid_depth < rules.min_valid_depth:
        return (
            f"{valid_depth:.0%} of the mask's pixels have a depth between {rules.depth_range_m[0]:g} and "
            f"{rules.depth_range_m[1]:g} m, fewer than min_valid_depth ({rules.min_valid_depth:.0%})"
        )
    if valid_depth * share_seen < rules.min_valid_depth:
        return (
            f"the camera model has rays for {share_seen:.0%} of the target's pixels with a depth, so that "
            f"{valid_depth * share_seen:.0%} of the mask can be placed, fewer than min_valid_depth "
            f"({rules.min_valid_depth:.0%}): they lie more than 80° from the optical axis, or the distortion of "
            f"camera_info does not reach so far; {_RECTIFY}"
        )
    if num_points < max(1, rules.min_depth_points):
        return f"{num_points} points are left after cleaning, fewer than min_depth_points ({rules.min_depth_points})"
    return None


def _believed_pixels(
    mask: np.ndarray, depth_m: np.ndarray, camera: Camera, rules: Rules
) -> tuple[np.ndarray, float] | None:
    """(N, 2) int32 pixels whose depth is believed, and the share of the mask's pixels that have one; None: no mask."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return None
    window = _grown(left, top, width, height, mask.shape)
    mask, depth_m = mask[window], depth_m[window]
    low_m, high_m = rules.depth_range_m
    usable = cv2.inRange(depth_m, low_m, high_m).view(np.bool_)  # compares false with NaN
    area = int(np.count_nonzero(mask))
    valid_depth = float(np.count_nonzero(mask & usable) / area)
    step = max(1, int(np.ceil((area / rules.max_points) ** 0.5)))
    mask, depth_m, usable = (np.ascontiguousarray(part[::step, ::step]) for part in (mask, depth_m, usable))
    depth_m = np.where(usable, depth_m, np.float32(0))
    # Between sampled pixels the rim is at least one of them.
    kept = erode(mask, rules.edge_erosion_px and max(1.0, rules.edge_erosion_px / step)) & usable
    if rules.remove_outliers:
        kept = _without_outliers(kept, depth_m, usable, camera.focal_px / step, rules)
    rows, columns = np.nonzero(kept)
    offset = window[1].start, window[0].start
    return (np.stack([columns, rows], axis=1) * step + offset).astype(np.int32), valid_depth


def _without_outliers(
    kept: np.ndarray, depth_m: np.ndarray, usable: np.ndarray, focal_px: float, rules: Rules
) -> np.ndarray:
    across, down = links(depth_m, usable, focal_px, rules)
    return without_specks(kept & on_surfaces(across, down), across, down, rules.min_surface)


def _grown(left: int, top: int, width: int, height: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a box and of one pixel around it, so that the outside of the mask is seen."""
    return (
        slice(max(0, top - 1), min(shape[0], top + height + 1)),
        slice(max(0, left - 1), min(shape[1], left + width + 1)),
    )
