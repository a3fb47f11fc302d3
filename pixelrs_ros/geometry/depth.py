"""Which pixels' depth can be believed: units, edges of the mask, flying pixels and outliers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.errors import BadInputError

DEPTH_ENCODINGS: dict[str, type[np.generic]] = {
    "16UC1": np.uint16,
    "mono16": np.uint16,
    "32FC1": np.float32,
    "64FC1": np.float64,
}
# What one unit of a depth image is, in meters, unless somebody knows better (REP-118): millimeters in whole numbers.
DEFAULT_UNITS_M = {"16UC1": 1e-3, "mono16": 1e-3, "32FC1": 1.0, "64FC1": 1.0}


@dataclass(frozen=True)
class Rules:
    """Which depth is used. The defaults are those that `pixelrs measure-3d` found best.

    Attributes:
        depth_range_m: Smallest and largest depth that is believed, both included.
        min_valid_depth: Smallest share of the mask's pixels that must have a usable depth, in [0, 1].
        min_depth_points: Fewest points left after cleaning that are worth a measurement.
        edge_erosion_px: How wide a rim of the mask is not believed; 0: none.
        remove_outliers: Whether flying pixels and specks are dropped.
        max_points: Most points of a target; where its mask is larger, every second, third, … row and column is taken.
        max_slope: Steepest surface against the image plane: depth over breadth. Steeper ones give a depth camera
            nothing to see.
        max_step: By what share of their depth two neighbors on a surface may differ, however flat it is.
        min_surface: Share of the points that a surface must have to be kept, in [0, 1].
    """

    depth_range_m: tuple[float, float] = (0.1, 10.0)
    min_valid_depth: float = 0.2
    min_depth_points: int = 20
    edge_erosion_px: float = 1.5
    remove_outliers: bool = True
    max_points: int = 40_000
    max_slope: float = 4.0
    max_step: float = 0.02
    min_surface: float = 0.02


def require_depth_encoding(encoding: str) -> None:
    """Refuse what is no depth image.

    Raises:
        BadInputError: The encoding is none of `DEPTH_ENCODINGS`.
    """
    if encoding not in DEPTH_ENCODINGS:
        raise BadInputError(
            f"unknown depth encoding {encoding!r}; supported: 16UC1 and mono16 (millimeters), 32FC1 and 64FC1 "
            "(meters), see REP-118; remedy: publish one of these"
        )


def to_meters(depth: np.ndarray, encoding: str, unit_m: float | None = None) -> np.ndarray:
    """A depth image in meters.

    Args:
        depth: (H, W) uint16 for 16UC1 and mono16, float32 for 32FC1, float64 for 64FC1.
        encoding: One of `DEPTH_ENCODINGS`.
        unit_m: What a value of 1 means, in meters; cameras send whole numbers of 0.1 mm or 0.25 mm, too. None: as
            `DEFAULT_UNITS_M` says.

    Returns:
        (H, W) float32.

    Raises:
        BadInputError: The encoding is unknown, the pixels are not of its type, or the unit is not a positive number.
    """
    require_depth_encoding(encoding)
    if depth.ndim != 2 or depth.dtype != DEPTH_ENCODINGS[encoding]:
        expected = np.dtype(DEPTH_ENCODINGS[encoding]).name
        raise BadInputError(f"a depth image in {encoding} is (H, W) {expected}, got {depth.dtype} {depth.shape}")
    unit_m = DEFAULT_UNITS_M[encoding] if unit_m is None else unit_m
    if not (np.isfinite(unit_m) and unit_m > 0):
        raise BadInputError(f"the unit of depth must be a positive number of meters, got {unit_m}")
    if depth.dtype == np.float32 and unit_m == 1.0:
        return depth
    if depth.dtype == np.uint16:
        # Whole units a meter are divided by, so that 1,000 mm are exactly 1 m.
        per_m = round(1 / unit_m)
        if per_m and abs(per_m * unit_m - 1) < 1e-9:
            return np.divide(depth, np.float32(per_m), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.multiply(depth, unit_m, dtype=np.float64).astype(np.float32)


def erode(mask: np.ndarray, rim_px: float) -> np.ndarray:
    """The mask without its rim, where pixels show the target and its background at once.

    A pixel stays when it lies more than `rim_px` from the nearest pixel outside, or, where the mask is thin, further
    than half of what the middle of that place does: a handle keeps its middle half, a single pixel itself.

    Args:
        mask: (H, W) bool; what lies beyond the array is not taken for outside.
        rim_px: Width of the rim.

    Returns:
        (H, W) bool.
    """
    if rim_px <= 0:
        return mask
    distance_px = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 5)
    side = 2 * int(np.ceil(2 * rim_px)) + 1
    middle_px = cv2.dilate(distance_px, np.ones((side, side), np.uint8))
    return np.asarray(distance_px > np.minimum(rim_px, middle_px / 2)) & mask


def links(depth_m: np.ndarray, usable: np.ndarray, focal_px: float, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Which neighboring pixels belong to one surface.

    They do when what joins them is no steeper than `max_slope` against the image plane, or when their depths differ by
    no more than `max_step` of themselves, which is what sensors err by.

    Args:
        depth_m: (H, W) float32.
        usable: (H, W) bool: where there is a depth.
        focal_px: Focal length, in px of this array.
        rules: With the two limits.

    Returns:
        (H, W - 1) bool of each pixel and the one to its right, (H - 1, W) bool of each and the one below.
    """
    limit = max(rules.max_slope / focal_px, rules.max_step)
    found = []
    for first, second in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        near_m = np.minimum(depth_m[first], depth_m[second])
        joined = np.abs(depth_m[first] - depth_m[second]) <= limit * near_m
        found.append(joined & usable[first] & usable[second])
    return found[0], found[1]


def on_surfaces(across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Pixels that are linked to a neighbor in their row and to one in their column.

    A flying pixel, which saw the edge of a thing and what is behind it at once, hangs between two surfaces: along one
    of the two axes nothing is linked to it. The last good pixel before the edge is linked to the one before it.

    Args:
        across: (H, W - 1) bool, of `links`.
        down: (H - 1, W) bool, of `links`.

    Returns:
        (H, W) bool.
    """
    aside = np.pad(across, ((0, 0), (1, 1)))
    above = np.pad(down, ((1, 1), (0, 0)))
    return (aside[:, 1:] | aside[:, :-1]) & (above[1:] | above[:-1])


def without_specks(kept: np.ndarray, across: np.ndarray, down: np.ndarray, min_share: float) -> np.ndarray:
    """Only surfaces with at least a share of all pixels; never less than the largest one.

    Args:
        kept: (H, W) bool.
        across: (H, W - 1) bool, of `links`.
        down: (H - 1, W) bool, of `links`.
        min_share: In [0, 1].

    Returns:
        (H, W) bool.
    """
    height, width = kept.shape
    # Pixels on even places and the links between them on odd ones: what touches there is one surface.
    net = np.zeros((2 * height - 1, 2 * width - 1), dtype=np.uint8)
    net[::2, ::2] = kept
    net[::2, 1::2] = across & kept[:, :-1] & kept[:, 1:]
    net[1::2, ::2] = down & kept[:-1] & kept[1:]
    count, labels = cv2.connectedComponents(net, connectivity=4)
    if count <= 2:
        return kept
    labels = labels[::2, ::2]
    areas = np.bincount(labels.ravel(), minlength=count)
    areas[0] = 0
    return np.asarray((areas >= min(min_share * areas.sum(), areas.max()))[labels])
