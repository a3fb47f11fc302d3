"""Finds room on the table: no two things inside each other, all in the picture, none hidden too far."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.sim.camera import Camera
from pixelrs_ros.sim.shapes import Geom, rotation

WIDTH_PX, HEIGHT_PX = 640, 480  # of the picture that layouts are made for
_BORDER_PX = 6.0
_COARSE = 4  # hidden shares are judged on a picture this much smaller
_MIN_VISIBLE = 0.62
_GAP_M = 0.012
_FAR = 1.3  # how much farther than the camera's target a thing may stand: beyond, its parts vanish
_TRIES = 60


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
    """The outline and footprint of geoms that are centred on the origin."""
    points = np.concatenate([geom.vertices_m() for geom in geoms])
    return Body(points[::3], np.abs(points[:, :2]).max(axis=0))


def _apart(first: tuple[Body, Place], second: tuple[Body, Place]) -> bool:
    """Whether two footprints, rectangles turned about the vertical, keep their distance (separating axes)."""
    (body_a, place_a), (body_b, place_b) = first, second
    axes_a, axes_b = (rotation("z", place.yaw_deg)[:2, :2] for place in (place_a, place_b))
    between = np.array([place_b.x_m - place_a.x_m, place_b.y_m - place_a.y_m])
    for axis in (*axes_a.T, *axes_b.T):
        reach = body_a.half_m @ np.abs(axes_a.T @ axis) + body_b.half_m @ np.abs(axes_b.T @ axis)
        if abs(between @ axis) > reach + _GAP_M:
            return True
    return False


def outline_px(points_m: np.ndarray, camera: Camera) -> np.ndarray | None:
    """Convex outline (N, 2) float64 in px of placed points, or None where it leaves the picture."""
    pixels = camera.project(points_m, WIDTH_PX, HEIGHT_PX)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    inside = (low > _BORDER_PX).all() and (high < np.array([WIDTH_PX, HEIGHT_PX]) - _BORDER_PX).all()
    return cv2.convexHull(pixels.astype(np.float32))[:, 0] if inside else None


def all_visible(outlines: list[np.ndarray], distances_m: list[float]) -> bool:
    """Whether enough of every outline is left when nearer ones are drawn over farther ones."""
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
    return bool((counts >= _MIN_VISIBLE * np.array(areas)).all())


def _placed_points(body: Body, place: Place) -> np.ndarray:
    return body.points_m @ rotation("z", place.yaw_deg).T + place.offset_m()


def _distance_m(place: Place, camera: Camera) -> float:
    return float(np.linalg.norm(place.offset_m() - camera.position_m))


def _arrange_once(bodies: list[Body], camera: Camera, reach_m: float, rng: np.random.Generator) -> list[Place] | None:
    placed: list[tuple[Body, Place]] = []
    outlines: list[np.ndarray] = []
    for body in bodies:
        for _ in range(_TRIES):
            u, v = rng.uniform(30, WIDTH_PX - 30), rng.uniform(60, HEIGHT_PX - 20)
            x, y = camera.table_point(u, v, WIDTH_PX, HEIGHT_PX)
            place = Place(float(x), float(y), float(rng.uniform(0, 360)))
            if np.hypot(x, y) + body.half_m.max() > reach_m or _distance_m(place, camera) > _FAR * camera.distance_m:
                continue
            if not all(_apart((body, place), other) for other in placed):
                continue
            outline = outline_px(_placed_points(body, place), camera)
            if outline is None:
                continue
            distances = [_distance_m(other, camera) for _, other in [*placed, (body, place)]]
            if all_visible([*outlines, outline], distances):
                placed.append((body, place))
                outlines.append(outline)
                break
        else:
            return None
    return [place for _, place in placed]


def arrange(bodies: list[Body], camera: Camera, reach_m: float, rng: np.random.Generator) -> list[Place]:
    """Places for as many of the bodies as find room, in their order; the last ones are left out if need be.

    Args:
        bodies: What to place.
        camera: From where it is looked at.
        reach_m: Largest distance from the table's middle.
        rng: Source of the places.
    """
    for count in range(len(bodies), 0, -1):
        for _ in range(12):
            places = _arrange_once(bodies[:count], camera, reach_m, rng)
            if places is not None:
                return places
    return []
