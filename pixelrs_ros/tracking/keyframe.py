"""What a target looked like when it was last seen well, and where in a new picture it looks like that."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.tracking.motion import Model, apply, dense_flow, fit, measure_flow, pixel_grid, resample, shift

_MARGIN_PX = 20  # of picture around the target that the flow gets to see
_MIN_SIDE_PX = 48  # of that piece: the flow's patches and pyramid need room
_MIN_AREA_PX = 12  # of a target's silhouette: a smaller one cannot be followed
_GAIN = (0.55, 1.5)  # light and shadow: how much brighter the same surface may be
_COLOR = (16.0, 0.06)  # how far apart, in RGB levels, the same surface's colors may lie: at black, and more per level
_MAX_BEND_PX = 2.5  # how far a pixel may be from where the fitted transform takes it: the silhouette of a solid thing
_MAX_PIXELS = 400  # that a transform is fitted to
_SEARCHED = 250  # pixels compared for every place that is tried
_RING = (7, 0.5)  # size of the dilation that adds what is around the target to a search, and their weight


@dataclass(frozen=True)
class Match:
    """A keyframe's target in a new picture.

    Attributes:
        matrix: (3, 3) float64 from the keyframe to the picture.
        support: (h, w) float32 in [0, 1], its whole silhouette, hidden or not.
        visible: (h, w) bool, where it looks like itself.
        agree: Share of its seen pixels that move together, in [0, 1].
    """

    matrix: np.ndarray
    support: np.ndarray
    visible: np.ndarray
    agree: float


class KeyFrame:
    """A picture and the target's mask on it.

    Args:
        image: (h, w, 3) uint8 RGB.
        mask: (h, w) float32 in [0, 1]; soft edges keep it from shrinking as it is resampled.
    """

    def __init__(self, image: np.ndarray, mask: np.ndarray) -> None:
        self.image, self.mask = image, mask
        self.area_px = float((mask > 0.5).sum())
        rows, columns = np.nonzero(mask > 0.5)
        self.center = np.array([columns.mean(), rows.mean()], np.float32) if rows.size else np.zeros(2, np.float32)
        points = np.stack([columns, rows], axis=1).astype(np.float32)
        # A double cannot stand nearer than this.
        self.width_px = min(cv2.minAreaRect(points)[1]) if rows.size else 0.0
        self._flow = dense_flow(fine=True)

    def warped(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The picture, (h, w, 3) uint8, and the mask, (h, w) float32, after a transform."""
        size = (self.mask.shape[1], self.mask.shape[0])
        image = cv2.warpPerspective(self.image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        return image, cv2.warpPerspective(self.mask, matrix, size)

    def match(self, image: np.ndarray, matrix: np.ndarray) -> Match | None:
        """Align with a picture, beginning at a transform; None where that lies outside the picture.

        Dense flow between the picture and the transformed keyframe gives every pixel's place in it; one transform is
        fitted to those that look right, and the others go with it: what hides the target does not bend it.

        Args:
            image: (h, w, 3) uint8 RGB.
            matrix: (3, 3), where it is expected.
        """
        template, mask = self.warped(matrix)
        piece = _piece(mask)
        if piece is None:
            return None
        corner = (piece[1].start, piece[0].start)
        new, template, mask = image[piece], template[piece], mask[piece]
        grid = pixel_grid(*mask.shape)
        gray, old = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (new, template))
        found = grid + measure_flow(self._flow, gray, old)
        new = cv2.blur(new, (3, 3)).astype(np.float32)
        _, seen = _compare(new, template, mask, found)
        share = float(seen.sum()) / max(1.0, float((mask > 0.5).sum()))
        fitted, agree = _fit_residual(grid[seen], found[seen], share)
        solid = apply(np.linalg.inv(fitted), grid)
        bend = found - solid
        bend[(np.abs(bend).max(axis=-1) > _MAX_BEND_PX) | ~seen] = 0.0
        soft, seen = _compare(new, template, mask, solid + cv2.blur(bend, (5, 5)))
        support, visible = np.zeros_like(self.mask), np.zeros(self.mask.shape, np.bool_)
        support[piece], visible[piece] = soft, seen
        return Match(shift(*corner) @ fitted @ shift(-corner[0], -corner[1]) @ matrix, support, visible, agree)

    def search(self, image: np.ndarray, matrix: np.ndarray, radius_px: float) -> np.ndarray:
        """The transform, shifted by at most a radius, under which most of the target and its surroundings look right.

        Args:
            image: (h, w, 3) uint8 RGB.
            matrix: (3, 3), where it is expected.
            radius_px: How far from there it may be.
        """
        template, mask = self.warped(matrix)
        inside = mask > 0.5
        rows, columns = np.nonzero(cv2.dilate(inside.astype(np.uint8), np.ones((_RING[0], _RING[0]), np.uint8)))
        if rows.size < _MIN_AREA_PX:
            return matrix
        chosen = np.linspace(0, rows.size - 1, min(rows.size, _SEARCHED)).astype(int)
        rows, columns = rows[chosen], columns[chosen]
        weights = np.where(inside[rows, columns], 1.0, _RING[1]) / chosen.size
        colors = cv2.blur(template, (3, 3))[rows, columns].astype(np.float32)
        picture = cv2.blur(image, (3, 3))
        height, width = mask.shape
        stride = 1 if radius_px <= 4 else 2 if radius_px <= 9 else 3
        steps = np.arange(0, int(radius_px) + 1, stride)
        best, place = -1.0, (0, 0)
        for down in np.concatenate([-steps[:0:-1], steps]):
            for across in np.concatenate([-steps[:0:-1], steps]):
                far = float(np.hypot(across, down))
                if far > radius_px:
                    continue
                y, x = rows + down, columns + across
                there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
                new = picture[y.clip(0, height - 1), x.clip(0, width - 1)].astype(np.float32)
                score = float((_alike(new, colors) & there) @ weights) - 0.002 * far
                if score > best:
                    best, place = score, (int(across), int(down))
        return shift(*place) @ matrix


def _piece(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns of a mask with a margin; None where there is next to nothing of it."""
    inside = mask > 0.3
    if inside.sum() < _MIN_AREA_PX:
        return None
    slices = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis=axis))
        length = mask.shape[1 - axis]
        low, high = int(places[0]) - _MARGIN_PX, int(places[-1]) + 1 + _MARGIN_PX
        grow = max(0, _MIN_SIDE_PX - (min(high, length) - max(low, 0)))
        low, high = max(0, low - grow), min(length, high + grow)
        slices.append(slice(low, high))
    return slices[0], slices[1]


def _alike(colors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether (..., 3) float32 RGB colors may be those of the same surfaces, perhaps in other light: (...) bool."""
    squared = np.einsum("...c,...c->...", others, others)
    gain = np.einsum("...c,...c->...", colors, others) / np.maximum(squared, 1.0)
    difference = colors - gain.clip(*_GAIN)[..., None] * others
    distance = np.sqrt(np.einsum("...c,...c->...", difference, difference))
    alike: np.ndarray = distance < _COLOR[0] + _COLOR[1] * np.sqrt(squared)
    return alike


def _compare(
    new: np.ndarray, template: np.ndarray, mask: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The mask, float32, resampled at (h, w, 2) places of the template, and where in it the picture looks like it."""
    places = places.astype(np.float32)
    soft = resample(mask, places)
    moved = resample(template, places, cv2.BORDER_REPLICATE)
    support = soft > 0.5
    hidden = support & ~_alike(new, cv2.blur(moved, (3, 3)).astype(np.float32))
    return soft, support & ~_without_specks(hidden)


def _without_specks(region: np.ndarray) -> np.ndarray:
    """A bool region without what is thinner than three pixels: an edge that is half a pixel off hides nothing."""
    opened: np.ndarray = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    return opened


def _fit_residual(places: np.ndarray, found: np.ndarray, share: float) -> tuple[np.ndarray, float]:
    """Where the template's pixels went: the less of the target is seen, the stiffer it is taken to be."""
    if share < 0.2:
        return np.eye(3), 0.0
    stride = max(1, len(places) // _MAX_PIXELS)
    model: Model = "affine" if share > 0.7 else "similarity" if share > 0.4 else "translation"
    matrix, agree = fit(found[::stride], places[::stride], model)
    # From one frame to the next nothing turns or grows by more.
    if matrix is None or agree < 0.4 or np.abs(matrix[:2, :2] - np.eye(2)).max() > 0.15:
        return np.eye(3), agree
    return matrix, agree
