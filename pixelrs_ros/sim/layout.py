"""Finds room on the table: no two things inside each other, all in the picture, none hidden too far."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.sim.camera import Camera
from pixelrs_ros.sim.shapes import Geom, bounds_m, outline_points_m, rotation

WIDTH_PX, HEIGHT_PX = 640, 480  # of the picture that layouts are made for
_BORDER_PX = 6.0
_COARSE = 4  # hidden shares are judged on a picture this much smaller
_MIN_VISIBLE = 0.55
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
    low, high = bounds_m(geoms)
    return Body(outline_points_m(geoms), np.maximum(-low, high)[:2])


@dataclass(frozen=True, eq=False)
class _Footprint:
    """A rectangle on the table, turned about the vertical."""

    centre_m: np.ndarray
    axes: np.ndarray
    half_m: np.ndarray

    def apart(self, other: _Footprint) -> bool:
        """Whether two footprints keep their distance: no separating axis closer than the gap."""
        between = other.centre_m - self.centre_m
        far = np.linalg.norm(self.half_m) + np.linalg.norm(other.half_m) + _GAP_M
        if between @ between > far * far:
            return True
        axes = np.concatenate([self.axes, other.axes], axis=1)
        reach = self.half_m @ np.abs(self.axes.T @ axes) + other.half_m @ np.abs(other.axes.T @ axes)
        return bool((np.abs(between @ axes) > reach + _GAP_M).any())


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


def _candidates(camera: Camera, rng: np.random.Generator) -> list[Place]:
    """Places spread evenly over the picture."""
    places = []
    for _ in range(_TRIES):
        u, v = rng.uniform(30, WIDTH_PX - 30), rng.uniform(60, HEIGHT_PX - 20)
        x, y = camera.table_point(u, v, WIDTH_PX, HEIGHT_PX)
        places.append(Place(float(x), float(y), float(rng.uniform(0, 360))))
    return places


def _arrange_once(bodies: list[Body], camera: Camera, reach_m: float, rng: np.random.Generator) -> list[Place] | None:
    placed: list[Place] = []
    footprints: list[_Footprint] = []
    outlines: list[np.ndarray] = []
    distances_m: list[float] = []
    for body in bodies:
        for place in _candidates(camera, rng):
            distance_m = float(np.linalg.norm(place.offset_m() - camera.position_m))
            if np.hypot(place.x_m, place.y_m) + body.half_m.max() > reach_m or distance_m > _FAR * camera.distance_m:
                continue
            turn = rotation("z", place.yaw_deg)
            footprint = _Footprint(place.offset_m()[:2], turn[:2, :2], body.half_m)
            if not all(footprint.apart(other) for other in footprints):
                continue
            outline = outline_px(body.points_m @ turn.T + place.offset_m(), camera)
            if outline is None or not all_visible([*outlines, outline], [*distances_m, distance_m]):
                continue
            placed.append(place)
            footprints.append(footprint)
            outlines.append(outline)
            distances_m.append(distance_m)
            break
        else:
            return None
    return placed


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
