"""Finds room on the table: no two things inside each other, all in the picture, none hidden too far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import cv2
import numpy as np

from pixelrs_ros.sim.camera import Camera
from pixelrs_ros.sim.shapes import Geom, bounds_m, outline_points_m, rotation

WIDTH_PX, HEIGHT_PX = 640, 480  # of the picture that layouts are made for
_BORDER_PX = 6.0
_COARSE = 4  # hidden shares are judged on a picture this much smaller
_FAR = 1.3  # how much farther than the camera's target a thing may stand: beyond, its parts vanish
_TRIES = 60


@dataclass(frozen=True)
class Spacing:
    """How close together things may stand.

    Attributes:
        min_visible: Share of its outline that every thing shows at least, in [0, 1].
        gap_m: Smallest distance between two footprints.
        lined_up: Share of the places tried that lie right behind or before a thing as the camera sees it, in [0, 1].
        choices: Of so many fitting places the one that hides most is taken.
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


def body_of(geoms: list[Geom]) -> Body:
    """The outline and footprint of geoms that are centerd on the origin."""
    low, high = bounds_m(geoms)
    return Body(outline_points_m(geoms), np.maximum(-low, high)[:2])


@dataclass(frozen=True, eq=False)
class _Footprint:
    """A rectangle on the table, turned about the vertical."""

    center_m: np.ndarray
    axes: np.ndarray
    half_m: np.ndarray

    @cached_property
    def radius_m(self) -> float:
        """Of the circle around it."""
        return float(np.linalg.norm(self.half_m))

    def apart(self, other: _Footprint, gap_m: float) -> bool:
        """Whether two footprints keep their distance: no separating axis closer than the gap."""
        between = other.center_m - self.center_m
        far = self.radius_m + other.radius_m + gap_m
        if between @ between > far * far:
            return True
        axes = np.concatenate([self.axes, other.axes], axis=1)
        reach = self.half_m @ np.abs(self.axes.T @ axes) + other.half_m @ np.abs(other.axes.T @ axes)
        return bool((np.abs(between @ axes) > reach + gap_m).any())


@dataclass(frozen=True, eq=False)
class _Placed:
    """A body that has its place: its footprint, its outline in the picture in px, its distance from the camera."""

    place: Place
    footprint: _Footprint
    outline: np.ndarray
    distance_m: float


def outline_px(points_m: np.ndarray, camera: Camera) -> np.ndarray | None:
    """Convex outline (N, 2) float64 in px of placed points, or None where it leaves the picture."""
    pixels = camera.project(points_m, WIDTH_PX, HEIGHT_PX)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    inside = (low > _BORDER_PX).all() and (high < np.array([WIDTH_PX, HEIGHT_PX]) - _BORDER_PX).all()
    return cv2.convexHull(pixels.astype(np.float32))[:, 0] if inside else None


def least_visible(outlines: list[np.ndarray], distances_m: list[float]) -> float:
    """Smallest share, in [0, 1], that is left of an outline when nearer ones are drawn over farther ones."""
    shape = (HEIGHT_PX // _COARSE, WIDTH_PX // _COARSE)
    canvas = np.zeros(shape, np.uint8)
    areas = []
    for order, index in enumerate(np.argsort(distances_m)[::-1]):
        alone = np.zeros(shape, np.uint8)
        polygon = np.round(outlines[index] / _COARSE).astype(np.int32)
        cv2.fillConvexPoly(alone, polygon, 1)
        areas.append(int(alone.sum()))
        canvas[alone > 0] = order + 1
    counts = np.bincount(canvas.ravel(), minlength=len(areas) + 1)[1:]
    return float((counts / np.array(areas)).min())


def _anywhere(camera: Camera, rng: np.random.Generator) -> Place:
    """A place that lies anywhere in the picture."""
    u, v = rng.uniform(30, WIDTH_PX - 30), rng.uniform(60, HEIGHT_PX - 20)
    x, y = camera.table_point(u, v, WIDTH_PX, HEIGHT_PX)
    return Place(float(x), float(y), float(rng.uniform(0, 360)))


def _in_line(body: Body, placed: list[_Placed], camera: Camera, rng: np.random.Generator) -> Place:
    """A place close behind or before one of the placed things, seen from the camera."""
    other = placed[int(rng.integers(len(placed)))].footprint
    sight = other.center_m - camera.position_m[:2]
    sight /= np.linalg.norm(sight)
    size_m = body.half_m.max() + other.half_m.max()
    along = rng.choice([-1, 1]) * rng.uniform(0.35, 1.0) * size_m
    across = rng.normal(0.0, 0.3) * size_m
    x, y = other.center_m + along * sight + across * np.array([-sight[1], sight[0]])
    return Place(float(x), float(y), float(rng.uniform(0, 360)))


def _candidates(
    body: Body, placed: list[_Placed], camera: Camera, spacing: Spacing, rng: np.random.Generator
) -> list[Place]:
    places = []
    for _ in range(_TRIES):
        lined_up = spacing.lined_up > 0 and placed and rng.random() < spacing.lined_up
        places.append(_in_line(body, placed, camera, rng) if lined_up else _anywhere(camera, rng))
    return places


def _stand(
    body: Body, place: Place, placed: list[_Placed], camera: Camera, reach_m: float, spacing: Spacing
) -> tuple[_Placed, float] | None:
    """The body at a place, and the share that is then seen of what is hidden most; None where it does not fit."""
    distance_m = float(np.linalg.norm(place.offset_m() - camera.position_m))
    if np.hypot(place.x_m, place.y_m) + body.half_m.max() > reach_m or distance_m > _FAR * camera.distance_m:
        return None
    turn = rotation("z", place.yaw_deg)
    footprint = _Footprint(place.offset_m()[:2], turn[:2, :2], body.half_m)
    if not all(footprint.apart(other.footprint, spacing.gap_m) for other in placed):
        return None
    outline = outline_px(body.points_m @ turn.T + place.offset_m(), camera)
    if outline is None:
        return None
    new = _Placed(place, footprint, outline, distance_m)
    together = [*placed, new]
    share = least_visible([each.outline for each in together], [each.distance_m for each in together])
    return (new, share) if share >= spacing.min_visible else None


def _arrange_once(
    bodies: list[Body], camera: Camera, reach_m: float, spacing: Spacing, rng: np.random.Generator
) -> list[Place] | None:
    placed: list[_Placed] = []
    for body in bodies:
        tried = (
            _stand(body, place, placed, camera, reach_m, spacing)
            for place in _candidates(body, placed, camera, spacing, rng)
        )
        fitting = list(islice((found for found in tried if found), spacing.choices))
        if not fitting:
            return None
        placed.append(min(fitting, key=lambda found: found[1])[0])
    return [each.place for each in placed]


def arrange(
    bodies: list[Body], camera: Camera, reach_m: float, spacing: Spacing, rng: np.random.Generator
) -> list[Place]:
    """Places for as many of the bodies as find room, in their order; the last ones are left out if need be.

    Args:
        bodies: What to place.
        camera: From where it is looked at.
        reach_m: Largest distance from the table's middle.
        spacing: How close together.
        rng: Source of the places.
    """
    for count in range(len(bodies), 0, -1):
        for _ in range(12):
            places = _arrange_once(bodies[:count], camera, reach_m, spacing, rng)
            if places is not None:
                return places
    return []
