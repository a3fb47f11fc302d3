"""From a mask and a depth image to grasps in the camera's optical frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.geometry.depth import Rules, links, on_surfaces
from pixelrs_ros.geometry.plane import Plane, support_plane
from pixelrs_ros.geometry.target import GeometryStatus, locate
from pixelrs_ros.grasping.proposals import Tabletop, propose
from pixelrs_ros.gripper import Grasp, Gripper

_NEAR_M = 0.35  # from the target's middle, what a gripper could touch
_TABLE_M = 0.008  # above the plane found, what still counts as the table
_STEP_PX = 2  # between the pixels that are looked at
_RIM_PX = 2.0  # beyond the mask, what may still be the target


@dataclass(frozen=True, eq=False)
class TableFrame:
    """Where the table is: x_table = rotation @ x_optical + offset_m."""

    rotation: np.ndarray
    offset_m: np.ndarray

    def to_optical(self, grasp: Grasp) -> Grasp:
        """A grasp of the table's frame, in the camera's optical frame."""
        return grasp.moved(self.rotation.T, -self.rotation.T @ self.offset_m)


def plan(
    mask: np.ndarray,
    depth_m: np.ndarray,
    camera: Camera,
    gripper: Gripper,
    count: int = 10,
    rules: Rules | None = None,
) -> list[Grasp]:
    """The best grasps of what a mask shows.

    Args:
        mask: (H, W) bool.
        depth_m: (H, W) float32, meters along the optical axis, registered to the mask's image.
        camera: That took it.
        gripper: Its sizes.
        count: How many at most.
        rules: Which depth is used.

    Returns:
        Best first, in the optical frame; none where the gripper finds no hold.

    Raises:
        BadInputError: The mask has too little depth, depth and mask do not fit together, or no table is found.
    """
    scene, frame = tabletop(mask, depth_m, camera, rules or Rules())
    return [frame.to_optical(grasp) for grasp in propose(scene, gripper, count)]


def tabletop(mask: np.ndarray, depth_m: np.ndarray, camera: Camera, rules: Rules) -> tuple[Tabletop, TableFrame]:
    """What the camera sees, sorted into target, table and the rest; and where the table is.

    Args:
        mask: (H, W) bool.
        depth_m: (H, W) float32.
        camera: That took it.
        rules: Which depth is used.

    Raises:
        BadInputError: As for `plan`.
    """
    target = locate(mask, depth_m, camera, rules)
    if target.status is not GeometryStatus.MEASURED:
        raise BadInputError(f"the target cannot be placed: {target.message}")
    plane = support_plane(mask, depth_m, camera, rules, least_reach_px=max(mask.shape) // 2)
    if plane is None:
        raise BadInputError("no plane is seen that the target stands on; remedy: let the camera see more of the table")
    frame = _frame(plane, target.points_m)
    target_m = _above(target.points_m @ frame.rotation.T + frame.offset_m)
    rest_m = _rest(mask, depth_m, camera, rules) @ frame.rotation.T + frame.offset_m
    rest_m = rest_m[np.linalg.norm(rest_m - target_m.mean(axis=0), axis=1) < _NEAR_M]
    return Tabletop(target_m, rest_m[rest_m[:, 2] > _TABLE_M], frame.offset_m), frame


def _above(points_m: np.ndarray) -> np.ndarray:
    """The points, those below the table's top lifted onto it."""
    return np.column_stack([points_m[:, :2], np.maximum(points_m[:, 2], 0.0)])


def _frame(plane: Plane, points_m: np.ndarray) -> TableFrame:
    up = plane.normal if plane.normal @ plane.point_m < 0 else -plane.normal  # towards the camera
    x = np.array([1.0, 0.0, 0.0]) - up[0] * up
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(up, x), up])
    foot = points_m.mean(axis=0)
    foot = foot - ((foot - plane.point_m) @ up) * up
    return TableFrame(rotation, -rotation @ foot)


def _rest(mask: np.ndarray, depth_m: np.ndarray, camera: Camera, rules: Rules) -> np.ndarray:
    """(N, 3) points of all that is not the target, without pixels that hang in the air."""
    grid = slice(None, None, _STEP_PX)
    depth_m = np.ascontiguousarray(depth_m[grid, grid])
    low_m, high_m = rules.depth_range_m
    with np.errstate(invalid="ignore"):
        usable = (depth_m >= low_m) & (depth_m <= high_m)
    across, down = links(np.where(usable, depth_m, np.float32(0)), usable, camera.focal_px / _STEP_PX, rules)
    rows, columns = np.nonzero(usable & on_surfaces(across, down) & ~_grown(mask)[grid, grid])
    rays = camera.rays_of_many(np.column_stack([columns, rows]) * _STEP_PX)
    points_m = np.column_stack([rays, np.ones(len(rays))]) * depth_m[rows, columns, None]
    return points_m[np.isfinite(points_m).all(axis=1)]


def _grown(mask: np.ndarray) -> np.ndarray:
    import cv2

    side = 2 * int(_RIM_PX) + 1
    return cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8)).view(np.bool_)
