"""Masks as the perception node sends them, whole, cropped or run-length coded, back to pixels. Needs no ROS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pixelrs_ros.errors import BadInputError

if TYPE_CHECKING:  # recordings are read where no messages are built
    from pixelrs_ros.msg import Segment, TrackedSegment

FULL, CROPPED, RUNS = range(3)  # constants of msg/Segment


def mask_of(segment: Segment | TrackedSegment) -> np.ndarray:
    """The mask of a segment, (H, W) bool of the input image's size, however it was sent.

    Raises:
        BadInputError: The message contradicts itself.
    """
    height_px, width_px = segment.image_height, segment.image_width
    if segment.mask_encoding == RUNS:
        runs = np.asarray(segment.runs, np.int64)
        if runs.sum() != height_px * width_px:
            raise BadInputError(f"the runs of a mask cover {runs.sum()} px of {height_px} x {width_px} px")
        inside = np.arange(len(runs)) % 2 == 1
        return np.repeat(inside, runs).reshape(width_px, height_px).T
    pixels = _pixels(segment)
    if segment.mask_encoding == FULL:
        return pixels
    if segment.mask_encoding != CROPPED:
        raise BadInputError(f"mask_encoding must be one of Segment's constants, got {segment.mask_encoding}")
    x0, y0 = segment.box.x_offset, segment.box.y_offset
    if pixels.shape != (segment.box.height, segment.box.width) or (
        y0 + pixels.shape[0] > height_px or x0 + pixels.shape[1] > width_px
    ):
        raise BadInputError("a cropped mask does not fit its box, or the box not the image")
    whole = np.zeros((height_px, width_px), np.bool_)
    whole[y0 : y0 + pixels.shape[0], x0 : x0 + pixels.shape[1]] = pixels
    return whole


def runs_of(mask: np.ndarray) -> np.ndarray:
    """The runs of an (H, W) bool mask as COCO counts them, uint32: `mask_of` turned round."""
    column_by_column = mask.ravel(order="F")
    changes = np.flatnonzero(column_by_column[1:] != column_by_column[:-1]) + 1
    runs = np.diff(np.concatenate(([0], changes, [mask.size])))
    return np.concatenate(([0], runs) if mask.size and column_by_column[0] else (runs,)).astype(np.uint32)


def _pixels(segment: Segment | TrackedSegment) -> np.ndarray:
    """(h, w) bool of the mono8 image in a message."""
    image = segment.mask
    if not image.height:
        return np.zeros((0, image.width), np.bool_)
    rows = np.frombuffer(image.data, np.uint8)
    if image.encoding != "mono8" or image.step < image.width or rows.size < image.height * image.step:
        raise BadInputError(f"a mask is a whole mono8 image, got {image.encoding!r} and {rows.size} bytes")
    whole = rows[: image.height * image.step].reshape(image.height, image.step)
    return np.asarray(whole[:, : image.width] > 0)
