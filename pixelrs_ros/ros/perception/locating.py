"""Measures a turn's targets with the depth image and the CameraInfo that came with its image; fills Geometry."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.camera import Calibration, Camera, Region
from pixelrs_ros.geometry.depth import DEPTH_ENCODINGS, Rules, require_depth_encoding, to_meters
from pixelrs_ros.geometry.target import Geometry, GeometryStatus, locate
from pixelrs_ros.msg import Geometry as GeometryMessage
from pixelrs_ros.ros.parameters.table import NodeParameters
from pixelrs_ros.ros.queueing.bound_frame import BoundFrame, Stream
from pixelrs_ros.ros.wire import compressed
from pixelrs_ros.types import Segment

STATUS_CODES: dict[GeometryStatus, int] = {
    GeometryStatus.NOT_MEASURED: GeometryMessage.NOT_MEASURED,
    GeometryStatus.MEASURED: GeometryMessage.MEASURED,
    GeometryStatus.TOO_LITTLE_DEPTH: GeometryMessage.TOO_LITTLE_DEPTH,
    GeometryStatus.BAD_DEPTH: GeometryMessage.BAD_DEPTH,
}


def depth_from_image(message: Image | CompressedImage, unit_m: float | None = None) -> np.ndarray:
    """A depth image in meters, (H, W) float32; a pixel of 0 or NaN has none.

    Args:
        message: The image.
        unit_m: What a value of 1 means, in meters; None: what its encoding says.

    Raises:
        BadInputError: Its encoding is none of `DEPTH_ENCODINGS`, it is empty, or its data is too short; or it is
            compressed and cannot be decoded.
    """
    if isinstance(message, CompressedImage):
        return to_meters(*compressed.decode_depth(message), unit_m)
    require_depth_encoding(message.encoding)
    height_px, width_px = message.height, message.width
    kind = np.dtype(DEPTH_ENCODINGS[message.encoding]).newbyteorder(">" if message.is_bigendian else "<")
    row_bytes = width_px * kind.itemsize
    needed_bytes = message.step * (height_px - 1) + row_bytes
    if not height_px or not width_px:
        raise BadInputError(f"the depth image is empty: width {width_px} px, height {height_px} px")
    if message.step < row_bytes or len(message.data) < needed_bytes:
        raise BadInputError(
            f"the depth image is truncated: {width_px}x{height_px} px of {message.encoding} take {row_bytes} bytes a "
            f"row, got a step of {message.step} and {len(message.data)} bytes in all"
        )
    rows: np.ndarray = np.ndarray((height_px, width_px), kind, message.data, strides=(message.step, kind.itemsize))
    return to_meters(np.ascontiguousarray(rows, dtype=kind.newbyteorder("=")), message.encoding, unit_m)


def calibration_from_info(message: CameraInfo) -> Calibration:
    """What a CameraInfo says."""
    roi = message.roi
    return Calibration(
        k=message.k,
        d=message.d,
        distortion_model=message.distortion_model,
        width_px=message.width,
        height_px=message.height,
        p=message.p,
        binning=(message.binning_x, message.binning_y),
        region=Region(roi.x_offset, roi.y_offset, roi.width, roi.height),
    )


def rules_of(values: NodeParameters) -> Rules:
    """Which depth the parameters let pass."""
    return Rules(
        depth_range_m=(values.min_depth_m, values.max_depth_m),
        min_valid_depth=values.min_valid_depth,
        min_depth_points=values.min_depth_points,
        edge_erosion_px=values.edge_erosion_px,
        remove_outliers=values.remove_outliers,
        max_points=values.max_target_points,
    )


class Locator:
    """Measures the segments of one turn, each once.

    Args:
        bound: The turn's image with its depth and camera info; None: there was no image.
        values: Which depth is used and in what unit it comes, and whether the image has been rectified.
    """

    def __init__(self, bound: BoundFrame | None, values: NodeParameters) -> None:
        self._bound = bound
        self._rules, self._rectified = rules_of(values), values.image_is_rectified
        self._unit_m = values.depth_unit_m or None
        self._inputs: tuple[np.ndarray, Camera] | Geometry | None = None
        self._measured: dict[int, tuple[Segment, Geometry]] = {}
        self._spent_ms = 0.0

    @property
    def can_measure(self) -> bool:
        """Whether depth and calibration have come with the image, be they good or bad."""
        return self._bound is not None and self._bound.depth is not None and self._bound.info is not None

    def __call__(self, segment: Segment) -> Geometry:
        """Where a segment is. What is wrong with depth or calibration becomes the status and the message."""
        known = self._measured.get(id(segment.mask))
        if known is not None:
            return known[1]
        started_s = time.perf_counter()
        inputs = self._inputs or self._read()
        geometry = inputs if isinstance(inputs, Geometry) else locate(segment.mask, *inputs, self._rules)
        if geometry.status is not GeometryStatus.NOT_MEASURED:  # depth may still be on its way
            self._inputs = inputs
            self._measured[id(segment.mask)] = (segment, geometry)  # the segment too, so that its id stays its own
        self._spent_ms += 1e3 * (time.perf_counter() - started_s)
        return geometry

    def measure(self, segments: Sequence[Segment]) -> float:
        """Measure segments; how much time has been spent on this turn so far, ms."""
        for segment in segments:
            self(segment)
        return self._spent_ms

    def _read(self) -> tuple[np.ndarray, Camera] | Geometry:
        depth, info = (None, None) if self._bound is None else (self._bound.depth, self._bound.info)
        if self._bound is None or depth is None or info is None:
            return Geometry(GeometryStatus.NOT_MEASURED, self._missing())
        try:
            mismatch = self._bound.mismatch()
            if mismatch is not None:
                return Geometry(GeometryStatus.BAD_DEPTH, str(mismatch))
            calibration = calibration_from_info(info.message)
            camera = Camera.from_calibration(calibration, rectified=self._rectified)
            return depth_from_image(depth.message, self._unit_m), camera
        except BadInputError as error:
            return Geometry(GeometryStatus.BAD_DEPTH, str(error))

    def _missing(self) -> str:
        missing = None
        if self._bound is not None:
            missing = self._bound.missing(Stream.DEPTH) or self._bound.missing(Stream.INFO)
        return missing or "no image was bound to this instruction"


def fill_geometry(message: GeometryMessage, geometry: Geometry) -> GeometryMessage:
    """Fill the place of a segment.

    Args:
        message: Filled and returned.
        geometry: What was measured.
    """
    message.status = STATUS_CODES[geometry.status]
    message.message = geometry.message
    message.valid_depth = geometry.valid_depth
    message.num_points = geometry.num_points
    for point, values in (
        (message.centroid, geometry.centroid_m),
        (message.box_pose.position, geometry.box_center_m),
        (message.box_size, geometry.box_size_m),
    ):
        point.x, point.y, point.z = values
    orientation = message.box_pose.orientation
    orientation.x, orientation.y, orientation.z, orientation.w = geometry.box_quaternion
    return message
