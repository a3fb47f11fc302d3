"""Masks painted over a picture: the one place where a mask gets its color."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.types import Point

Color = tuple[int, int, int]

# Distinct under the common kinds of color blindness (Okabe & Ito 2008, "Color Universal Design"), brightest first,
# without their black; RGB in [0, 255].
COLORS: tuple[Color, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 114, 178),
)

_OUTLINE_SHADE = 0.6


def color_of(index: int, colors: Sequence[Color] = COLORS) -> Color:
    """RGB in [0, 255] of mask number `index`; the list starts again when it is used up."""
    return colors[index % len(colors)]


def paint(
    image: np.ndarray, masks: Sequence[np.ndarray], colors: Sequence[Color] = COLORS, *, opacity: float = 0.5,
    point: Point | None = None,
) -> np.ndarray:  # fmt: skip
    """Lay masks over an image, each in its color with a darker outline; later masks lie on top.

    Args:
        image: (H, W, 3) uint8 RGB in [0, 255]; not changed.
        masks: (H, W) bool each.
        colors: RGB in [0, 255], one a mask; starts again when there are more masks.
        opacity: The fill's, in [0, 1]; the outline is always opaque.
        point: Where somebody has pointed: marked by a ring.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadInputError: The image is not (H, W, 3) uint8, or a mask is not (H, W) bool of its size.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise BadInputError(f"image must be (H, W, 3) uint8 RGB, got {image.dtype} {image.shape}")
    painted = image.copy()
    for index, mask in enumerate(masks):
        if mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
            raise BadInputError(f"mask {index} must be bool {image.shape[:2]}, got {mask.dtype} {mask.shape}")
        color = np.asarray(color_of(index, colors), dtype=np.float32)
        fill = painted[mask].astype(np.float32) * (1.0 - opacity) + color * opacity
        painted[mask] = np.rint(fill).astype(np.uint8)
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        shade = tuple(int(value) for value in color * _OUTLINE_SHADE)
        cv2.drawContours(painted, outlines, -1, shade, thickness=max(1, round(min(mask.shape) / 320)))
    if point is not None:
        scale = max(1, round(min(image.shape[:2]) / 240))
        at = int(point[0]), int(point[1])
        for gray, thickness in ((0, 3 * scale), (255, scale)):
            cv2.circle(painted, at, 4 * scale, (gray, gray, gray), thickness, cv2.LINE_AA)
    return painted
