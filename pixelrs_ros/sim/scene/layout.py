"""Finds room on the table: no two things inside each other, all in the picture, none hidden too far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.shape.shapes import Geom, outline_points_m

WIDTH_PX, HEIGHT_PX = 640, 480  # default size of the picture that layouts are made for
_BORDER_PX = 6.0
_COARSE = 4  # hidden shares are judged on a picture this much smaller
_FAR = 1.3  # how much farther than the camera's target a thing may stand: beyond, its parts vanish
_SLACK = 1.02  # of footprints, for what the outline's points miss
_TRIES = 60
_ROUNDS = 10

Size = tuple[int, int]  # width and height in px


@dataclass(frozen=True)
class Spacing:
    """How close together things may stand.

    Attributes:
        min_visible: Share of its outline that every thing shows at least, in [0, 1].
        gap_m: Smallest distance between two footprints.
        lined_up: Share of the places tried that lie right behind or before a thing as the camera sees it, in [0, 1].
        choices: How many fitting places are tried; the one that hides most is taken.
    """

    min_visible: float
    gap_m: float
    lined_up: float
    choices: int


LOOSE = Spacing(min_visible=0.55, gap_m=0.012, lined_up=0.0, choices=1)
CROWDED = Spacing(min_visible=0.3, gap_m=0.004, lined_up=0.85, choices=4)


@dataclass(frozen=True, eq=False)
class Body:
    """A thing to be placed: it stands on z = 0 around the origin.

    Attributes:
        points_m: (N, 3) float64, enough of its surface for its outline.
        half_m: (2,) float64, half the sides of its footprint.
    """

    points_m: np.ndarray
    half_m: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where a body stands: its origin on the table and its turn about the vertical."""

    x_m: float
    y_m: float
    yaw_deg: float

    def offset_m(self) -> np.ndarray:
        """(3,) float64."""
        return np.array([self.x_m, self.y_m, 0.0])


def body_of(geoms: Sequence[Geom]) -> Body:
    """The outline and footprint of geoms that are centered on the origin."""
    points = outline_points_m(geoms)
    return Body(points, _SLACK * np.abs(points[:, :2]).max(axis=0))


@dataclass(frozen=True, eq=False)
class _Placed:
    """A body that has its place.

    Attributes:
        place: Where.
        axes: (2, 2) float64, columns are the sides' directions of its footprint.
        half_m: (2,) float64, half the sides of its footprint.
        outline: (N, 2) float32, in px.
        area: The outline's area, in coarse pixels.
        distance_m: From the camera.
    """

    place: Place
    axes: np.ndarray
    half_m: np.ndarray
    outline: np.ndarray
    area: int
    distance_m: float

    @property
    def center_m(self) -> np.ndarray:
        """(2,) float64."""
        return np.array([self.place.x_m, self.place.y_m])


@dataclass(frozen=True, eq=False)
class _View:
    """Who looks: the camera, the picture's size and the largest distance from the table's middle."""

    camera: Camera
    size_px: Size
    reach_m: float


def outline_px(points_m: np.ndarray, camera: Camera, size_px: Size = (WIDTH_PX, HEIGHT_PX)) -> np.ndarray | None:
    """Convex outline (N, 2) float32 in px of placed points, or None where it leaves the picture."""
    pixels = camera.project(points_m, *size_px)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    inside = low.min() > _BORDER_PX and high[0] < size_px[0] - _BORDER_PX and high[1] < size_px[1] - _BORDER_PX
    return cv2.convexHull(pixels.astype(np.float32))[:, 0] if inside else None


def least_visible(outlines: list[np.ndarray], distances_m: list[float], size_px: Size = (WIDTH_PX, HEIGHT_PX)) -> float:
    """Smallest share, in [0, 1], that is left of an outline when nearer ones are drawn over farther ones."""
    return _least_visible(outlines, [_area(outline) for outline in outlines], distances_m, size_px)


def _polygon(outline: np.ndarray) -> np.ndarray:
    return np.round(outline / _COARSE).astype(np.int32)


def _area(outline: np.ndarray) -> int:
    """How many coarse pixels an outline covers when nothing hides it."""
    polygon = _polygon(outline)
    polygon -= polygon.min(axis=0)
    alone = np.zeros(polygon.max(axis=0)[::-1] + 1, np.uint8)
    cv2.fillConvexPoly(alone, polygon, 1)
    return max(cv2.countNonZero(alone), 1)


def _least_visible(outlines: list[np.ndarray], areas: list[int], distances_m: list[float], size_px: Size) -> float:
    if _far_apart(outlines):
        return 1.0
    canvas = np.zeros((size_px[1] // _COARSE, size_px[0] // _COARSE), np.uint8)
    order = np.argsort(distances_m)[::-1]
    for number, index in enumerate(order, start=1):
        cv2.fillConvexPoly(canvas, _polygon(outlines[index]), number)
    counts = np.bincount(canvas.ravel(), minlength=len(areas) + 1)[1:]
    return float((counts / np.array(areas)[order]).min())


def _far_apart(outlines: list[np.ndarray]) -> bool:
    """Whether no two of the boxes around the outlines touch."""
    low = np.array([outline.min(axis=0) for outline in outlines])
    high = np.array([outline.max(axis=0) for outline in outlines])
    touching = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=-1)
    return int(touching.sum()) == len(outlines)


def _anywhere(view: _View, rng: np.random.Generator) -> np.ndarray:
    """(TRIES, 2) float64 places in m that lie anywhere in the picture."""
    width, height = view.size_px
    pixels = rng.uniform((30, 0.12 * height), (width - 30, height - 20), (_TRIES, 2))
    rays = np.column_stack([pixels, np.ones(_TRIES)]) @ np.linalg.inv(view.camera.intrinsics(width, height)).T
    rays = rays @ view.camera.axes.T
    position = view.camera.position_m
    below = np.minimum(rays[:, 2:], -1e-3)  # rays that meet the table far away or never are sorted out by distance
    return np.asarray((position - rays * (position[2] / below))[:, :2])


def _in_line(body: Body, placed: list[_Placed], view: _View, rng: np.random.Generator) -> np.ndarray:
    """(TRIES, 2) float64 places in m close behind or before placed things, seen from the camera."""
    chosen = rng.integers(len(placed), size=_TRIES)
    centers = np.array([other.center_m for other in placed])[chosen]
    sizes = body.half_m.max() + np.array([other.half_m.max() for other in placed])[chosen, None]
    sight = centers - view.camera.position_m[:2]
    sight /= np.linalg.norm(sight, axis=1, keepdims=True)
    along = rng.choice([-1, 1], (_TRIES, 1)) * rng.uniform(0.35, 1.0, (_TRIES, 1)) * sizes
    across = rng.normal(0.0, 0.3, (_TRIES, 1)) * sizes
    return np.asarray(centers + along * sight + across * np.column_stack([-sight[:, 1], sight[:, 0]]))


def _clear(centers: np.ndarray, axes: np.ndarray, body: Body, placed: list[_Placed], gap_m: float) -> np.ndarray:
    """(N,) bool: which footprints keep their distance to all placed ones: a separating axis farther than the gap.

    Args:
        centers: (N, 2) in m.
        axes: (N, 2, 2), columns are the sides' directions.
        body: What would stand there.
        placed: What stands already.
        gap_m: Smallest distance.
    """
    if not placed:
        return np.ones(len(centers), bool)
    others = np.broadcast_to(np.array([other.axes for other in placed]), (len(centers), len(placed), 2, 2))
    own = np.broadcast_to(axes[:, None], others.shape)
    between = np.array([other.center_m for other in placed]) - centers[:, None]
    half = np.array([other.half_m for other in placed])
    both = np.concatenate([own, others], axis=-1)
    reach = np.einsum("j,npjk->npk", body.half_m, np.abs(own.swapaxes(2, 3) @ both))
    reach += np.einsum("pj,npjk->npk", half, np.abs(others.swapaxes(2, 3) @ both))
    apart = np.abs((between[:, :, None] @ both)[:, :, 0]) > reach + gap_m
    return np.asarray(apart.any(axis=-1).all(axis=-1))


def _candidates(
    body: Body, placed: list[_Placed], view: _View, spacing: Spacing, rng: np.random.Generator
) -> list[tuple[Place, np.ndarray]]:
    """Places on the table that are free and not too far, each with the body's turn (2, 2) there."""
    centers = _anywhere(view, rng)
    if spacing.lined_up > 0 and placed:
        chosen = rng.random(_TRIES) < spacing.lined_up
        centers = np.where(chosen[:, None], _in_line(body, placed, view, rng), centers)
    yaw_deg = rng.uniform(0, 360, _TRIES)
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    axes = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    distance_m = np.linalg.norm(np.column_stack([centers, np.zeros(_TRIES)]) - view.camera.position_m, axis=1)
    fits = np.hypot(*centers.T) + body.half_m.max() <= view.reach_m
    fits &= distance_m <= _FAR * view.camera.distance_m
    rows = np.flatnonzero(fits)
    rows = rows[_clear(centers[rows], axes[rows], body, placed, spacing.gap_m)]
    return [(Place(float(centers[i, 0]), float(centers[i, 1]), float(yaw_deg[i])), axes[i]) for i in rows]


def _stand(
    body: Body, place: Place, axes: np.ndarray, placed: list[_Placed], view: _View, spacing: Spacing
) -> tuple[_Placed, float] | None:
    """The body at a place, and the share that is then seen of what is hidden most; None where it does not fit."""
    points = body.points_m.copy()
    points[:, :2] = points[:, :2] @ axes.T + (place.x_m, place.y_m)
    outline = outline_px(points, view.camera, view.size_px)
    if outline is None:
        return None
    distance_m = float(np.linalg.norm(place.offset_m() - view.camera.position_m))
    new = _Placed(place, axes, body.half_m, outline, _area(outline), distance_m)
    together = [*placed, new]
    share = _least_visible(
        [each.outline for each in together],
        [each.area for each in together],
        [each.distance_m for each in together],
        view.size_px,
    )
    return (new, share) if share >= spacing.min_visible else None


def _arrange_once(bodies: list[Body], view: _View, spacing: Spacing, rng: np.random.Generator) -> list[Place]:
    """Places for the bodies up to the first one that finds none."""
    placed: list[_Placed] = []
    for body in bodies:
        fitting: list[tuple[_Placed, float]] = []
        for place, axes in _candidates(body, placed, view, spacing, rng):
            found = _stand(body, place, axes, placed, view, spacing)
            if found:
                fitting.append(found)
                if len(fitting) == spacing.choices:
                    break
        if not fitting:
            break
        placed.append(min(fitting, key=lambda found: found[1])[0])
    return [each.place for each in placed]


def arrange(
    bodies: list[Body],
    camera: Camera,
    reach_m: float,
    spacing: Spacing,
    rng: np.random.Generator,
    size_px: Size = (WIDTH_PX, HEIGHT_PX),
) -> list[Place]:
    """Places for as many of the bodies as find room, in their order; the last ones are left out if need be.

    Args:
        bodies: What to place.
        camera: From where it is looked at.
        reach_m: Largest distance from the table's middle.
        spacing: How close together.
        rng: Source of the places.
        size_px: The picture's width and height.
    """
    view = _View(camera, size_px, reach_m)
    best: list[Place] = []
    for _ in range(_ROUNDS):
        places = _arrange_once(bodies, view, spacing, rng)
        best = max(best, places, key=len)
        if len(best) == len(bodies):
            break
    return best
