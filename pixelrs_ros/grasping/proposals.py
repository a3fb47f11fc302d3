"""Grasps of a parallel gripper on points that lie on a table, best first.

Everything here is in the table's frame: meters, z up, the table's top at z = 0. A target is tried from the top, from
the sides and from in between. Between the fingers lies what the camera sees of it there: the points are cut along
the closing direction into lumps, which for a bowl's rim is the wall and for a can the whole. What the camera does not
see is guessed: below every point the column down to the table counts as filled.

How likely a grasp holds is a logistic regression on a few features of the points between the fingers, fitted to tries
with contact physics in the simulator (scripts/fit_grasps.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pixelrs_ros.gripper import Grasp, Gripper

_TILTS_DEG = (0.0, 30.0, 60.0, 85.0)
_TURNS = 12  # closing directions over half a turn from the top, approaches over a whole one from aside
_ACROSS_M = 0.01  # steps along y
_FIRST_M, _DEPTH_M = 0.007, 0.013  # how deep the fingers reach at least, and the steps from there on
_TABLE_M = 0.002  # between the fingertips and the table
_SIDE_M = 0.008  # between each finger and what it is going to hold
_LEAST_SIDE_M = 0.004  # at least, where the gripper is hardly wide enough
_OTHERS_M, _OWN_M = 0.003, 0.001  # by which fingers and palm keep away from other points and from the target's own
_BLUR_M = 0.008  # from the target's points, what may still be the target
_PALM_M = 0.005  # between the palm and the target
_CONTACT_M = 0.004  # from the outermost point: what a finger's pad touches
_POINTS, _LEAST_POINTS = 1500, 8  # of a target that are looked at; of a lump
_CELL_M = 0.006  # of which one point is enough to tell whether a finger touches
_NORMAL_M = 0.008  # radius in which a normal is fitted
_BACKWARD_M = (0.0, 0.03, 0.06, 0.1)  # places along the approach at which nothing may be touched

# Feature -> its weight.
WEIGHTS: dict[str, float] = {
    "always": -1.41,
    "turned": -0.59,
    "ejects": -0.82,
    "reach": 3.26,
    "tall": 1.03,
    "off": -0.34,
    "width": -1.17,
    "slender": -1.57,
    "height": -0.19,
}
_WEIGHTS = np.array(list(WEIGHTS.values()))


@dataclass(frozen=True, eq=False)
class Tabletop:
    """What is known of a table.

    Attributes:
        target_m: (N, 3) points of what is to be grasped.
        others_m: (M, 3) points of everything else that the gripper must not touch, the rest of the same thing among
            them.
        eye_m: (3,) where the camera is.
    """

    target_m: np.ndarray
    others_m: np.ndarray
    eye_m: np.ndarray


@dataclass(frozen=True, eq=False)
class Candidate:
    """A grasp, and what speaks for and against it.

    Attributes:
        position_m: As in `Grasp`.
        axes: As in `Grasp`.
        width_m: As in `Grasp`.
        opening_m: As in `Grasp`.
        features: (N,) float64, one for each of `WEIGHTS`:
            "always": 1.
            "turned": How far the worse of the two sides is turned across, so that a finger would slide along it.
            "ejects": How far both are turned the same way, so that closing fingers would push the target out.
            "reach": How far what is held reaches in from the fingertips, up to 1 for 2 cm.
            "tall": How much of that the lower of the two sides shows, up to 1 for 2 cm.
            "off": Distance of the grasp from the target's middle, in standard deviations of its points.
            "width": As a share of the widest opening.
            "slender": From -1, where the target is long across the fingers, to 1, where it is long between them.
            "height": Of the fingertips over the table, in 5 cm.
    """

    position_m: np.ndarray
    axes: np.ndarray
    width_m: float
    opening_m: float
    features: np.ndarray

    @property
    def odds(self) -> float:
        """Logarithm of the odds that it lifts the target."""
        return float(self.features @ _WEIGHTS)

    def grasp(self) -> Grasp:
        """The grasp, with the estimated chance that it lifts the target as its score."""
        tilt_deg = float(np.degrees(np.arccos(np.clip(-self.axes[2, 2], -1.0, 1.0))))
        chance = float(1 / (1 + np.exp(-self.odds)))
        return Grasp(self.position_m, self.axes, self.width_m, self.opening_m, chance, tilt_deg)


def propose(scene: Tabletop, gripper: Gripper, count: int = 10) -> list[Grasp]:
    """The best grasps that touch nothing else on their way.

    Args:
        scene: What lies where.
        gripper: Its sizes.
        count: How many grasps at most.

    Returns:
        Best first; none where the target is too wide, too low, hemmed in, or has too few points. The same input gives
        the same grasps.
    """
    kept: list[Grasp] = []
    free = Clearance(scene, gripper)
    for candidate in sorted(candidates(scene, gripper), key=lambda candidate: -candidate.odds):
        if len(kept) == count:
            break
        grasp = candidate.grasp()
        if not _is_like(grasp, kept) and free(grasp):
            kept.append(grasp)
    return kept


class Clearance:
    """Says of grasps whether the open gripper touches anything on its last 10 cm.

    Args:
        scene: What lies where.
        gripper: Its sizes.
    """

    def __init__(self, scene: Tabletop, gripper: Gripper) -> None:
        self._gripper = gripper
        self._target_m = _one_a_cell(scene.target_m)
        self._others_m = _apart(_one_a_cell(scene.others_m), self._target_m)

    def __call__(self, grasp: Grasp) -> bool:
        """Whether nothing is touched but what is to be held, and nothing else comes between the fingers.

        False also where a finger or the palm would touch the table, or the column below a point.

        Args:
            grasp: In the table's frame.
        """
        centers, halves = self._gripper.boxes(grasp.opening_m)
        reach = np.abs(grasp.axes[2]) @ halves.T
        if ((grasp.position_m[2] + centers @ grasp.axes[2] - reach) < _TABLE_M - 1e-9).any():
            return False
        between = np.array([grasp.opening_m, self._gripper.finger_breadth_m, self._gripper.finger_length_m]) / 2
        if _hits(grasp, np.array([0.0, 0.0, -between[2]]), between, self._others_m, column=False):
            return False
        for back in _BACKWARD_M:
            for center, half in zip(centers - [0.0, 0.0, back], halves, strict=True):
                if _hits(grasp, center, half + _OTHERS_M, self._others_m, column=True):
                    return False
                if _hits(grasp, center, half + _OWN_M, self._target_m, column=True):
                    return False
        return True


def _apart(others: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The other points without those that are as near to the target's as masks and depth images disagree by."""
    square = (others**2).sum(axis=1)[:, None] + (own**2).sum(axis=1) - 2 * others @ own.T
    return others[square.min(axis=1, initial=np.inf) > _BLUR_M**2]


def _hits(grasp: Grasp, center: np.ndarray, half: np.ndarray, points: np.ndarray, *, column: bool) -> bool:
    """Whether a box of the gripper's frame meets points, or also the columns below them."""
    top = (points - grasp.position_m) @ grasp.axes - center
    down = -float(column) * points[:, 2:] * grasp.axes[2]  # to the column's foot
    # Between which shares of each column lie each pair of the box's faces.
    steep = np.where(np.abs(down) < 1e-9, 1e-9, down)
    first, second = (-half - top) / steep, (half - top) / steep
    enters = np.minimum(first, second).max(axis=1, initial=0.0)
    leaves = np.maximum(first, second).min(axis=1, initial=1.0)
    return bool((enters <= leaves).any())


def surface_normals(points_m: np.ndarray, eye_m: np.ndarray) -> np.ndarray:
    """(N, 3) float64 unit normals of (N, 3) points, towards the eye: of the plane through the neighbors of each."""
    square = (points_m**2).sum(axis=1)
    near = square[:, None] + square - 2 * points_m @ points_m.T <= _NORMAL_M**2 + 1e-12
    weight = near.astype(np.float64)
    counts = weight.sum(axis=1)[:, None]
    means = weight @ points_m / counts
    products = (points_m[:, :, None] * points_m[:, None, :]).reshape(-1, 9)
    spread = (weight @ products / counts).reshape(-1, 3, 3) - means[:, :, None] * means[:, None, :]
    _, vectors = np.linalg.eigh(spread)
    normals = vectors[:, :, 0]
    away = ((eye_m - points_m) * normals).sum(axis=1) < 0
    return np.where(away[:, None], -normals, normals)


def _directions() -> Iterator[np.ndarray]:
    """(3, 3) axes of the gripper that are tried: columns closing, across, approach."""
    for tilt_deg in _TILTS_DEG:
        whole = np.pi if tilt_deg == 0.0 else 2 * np.pi
        for turn in np.arange(_TURNS) * whole / _TURNS:
            tilt = np.radians(tilt_deg)
            approach = np.array([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), -np.cos(tilt)])
            level = np.array([-np.sin(turn), np.cos(turn), 0.0])
            yield np.stack([level, np.cross(approach, level), approach], axis=1)


def candidates(scene: Tabletop, gripper: Gripper) -> list[Candidate]:
    """Every grasp of a target that the gripper is wide enough for, whatever is in the way.

    Args:
        scene: What lies where.
        gripper: Its sizes.
    """
    target = _thinned(scene.target_m, _POINTS)
    if len(target) < _LEAST_POINTS:
        return []
    normals = surface_normals(target, scene.eye_m)
    return [each for axes in _directions() for each in _along(target, normals, axes, gripper)]


def _along(target: np.ndarray, normals: np.ndarray, axes: np.ndarray, gripper: Gripper) -> Iterator[Candidate]:
    """The candidates with these axes."""
    places, facing = target @ axes, normals @ axes
    center, spread = places.mean(axis=0), places.std(axis=0)
    half = gripper.finger_breadth_m / 2
    for across in np.arange(places[:, 1].min() + half / 2, places[:, 1].max(), _ACROSS_M):
        inside = np.flatnonzero(np.abs(places[:, 1] - across) <= half)
        inside = inside[np.argsort(places[inside, 2])]
        for depth in _depths(places[inside, 2], across, axes, gripper):
            reached = inside[: int(np.searchsorted(places[inside, 2], depth))]
            for lump in _lumps(reached, places[:, 0], gripper):
                found = _candidate(places[lump], facing[lump], across, depth, axes, gripper, center, spread)
                if found is not None:
                    yield found


def _depths(sorted_m: np.ndarray, across: float, axes: np.ndarray, gripper: Gripper) -> list[float]:
    """How far along the approach the fingertips may go: so deep below what is met first, and to the table."""
    if len(sorted_m) < _LEAST_POINTS:
        return []
    wanted = set(np.arange(sorted_m[_LEAST_POINTS // 2] + _FIRST_M, sorted_m[-1] + _DEPTH_M, _DEPTH_M).tolist())
    down = -axes[2, 2]
    if down > 0.3:
        # Height of the lowest corner of a fingertip above the table is linear in the depth.
        lowest = across * axes[2, 1] - np.abs(axes[2, 1]) * gripper.finger_breadth_m / 2
        table = (lowest - _TABLE_M) / down
        wanted = {depth for depth in wanted if depth < table - 0.004} | {table}
    return sorted(wanted)


def _lumps(indices: np.ndarray, along: np.ndarray, gripper: Gripper) -> list[np.ndarray]:
    """Points between which there is no room for a finger along the closing direction."""
    if len(indices) < _LEAST_POINTS:
        return []
    order = indices[np.argsort(along[indices])]
    gaps = np.flatnonzero(np.diff(along[order]) > gripper.finger_thickness_m + 2 * _LEAST_SIDE_M)
    return [lump for lump in np.split(order, gaps + 1) if len(lump) >= _LEAST_POINTS]


def _candidate(
    places: np.ndarray, facing: np.ndarray, across: float, depth: float, axes: np.ndarray, gripper: Gripper,
    center: np.ndarray, spread: np.ndarray,
) -> Candidate | None:  # fmt: skip
    """One way to take hold of a lump.

    Args:
        places: (N, 3) of the lump along the gripper's axes.
        facing: (N, 3) of its normals, likewise.
        across: Where along y.
        depth: Where along z the fingertips end.
        axes: (3, 3) of the gripper.
        gripper: Its sizes.
        center: (3,) mean of the whole target along the gripper's axes.
        spread: (3,) standard deviation of the whole target along them.
    """
    low, high = places[:, 0].min(), places[:, 0].max()
    width, reach = float(high - low), depth - float(places[:, 2].min())
    if width > gripper.max_opening_m - 2 * _LEAST_SIDE_M or reach > gripper.finger_length_m - _PALM_M:
        return None
    middle = (low + high) / 2
    left, right = places[:, 0] < low + _CONTACT_M, places[:, 0] > high - _CONTACT_M
    sides = np.array([(facing[left] * (-1.0, 1.0, 1.0)).mean(axis=0), facing[right].mean(axis=0)])
    sides /= np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-9)
    tall = min(float(np.ptp(places[side, 2])) for side in (left, right))
    off = np.hypot(middle - center[0], across - center[1]) / max(np.hypot(spread[0], spread[1]), 0.01)
    position = axes @ np.array([middle, across, depth])
    features = np.array([
        1.0, np.abs(sides[:, 1]).max(), abs(sides[:, 1].sum()) / 2, min(reach / 0.02, 1.0), min(tall / 0.02, 1.0),
        min(off, 3.0), width / gripper.max_opening_m, (spread[0] - spread[1]) / (spread[0] + spread[1] + 1e-3),
        position[2] / 0.05,
    ])  # fmt: skip
    return Candidate(position, axes, width, min(gripper.max_opening_m, width + 2 * _SIDE_M), features)


def _is_like(grasp: Grasp, others: list[Grasp]) -> bool:
    """Whether one of these is nearly the same."""
    return any(
        np.linalg.norm(grasp.position_m - other.position_m) < 0.01 and np.trace(grasp.axes.T @ other.axes) > 2.7
        for other in others
    )


def _one_a_cell(points: np.ndarray) -> np.ndarray:
    """The first of the points in each cell of a grid that is finer than a finger."""
    cells = np.floor(points / _CELL_M).astype(np.int64)
    _, first = np.unique(cells @ [1, 1 << 20, 1 << 40], return_index=True)
    return points[np.sort(first)]


def _thinned(points: np.ndarray, most: int) -> np.ndarray:
    """So many of the points at most, evenly chosen from their order."""
    if len(points) <= most:
        return points
    return points[np.linspace(0, len(points) - 1, most).astype(int)]
