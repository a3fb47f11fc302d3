"""How far measured targets are from the simulator's truth, with and without the faults of a real depth camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.evaluation.play import HEADLINE, AnsweringEngine, Exchange, play
from pixelrs_ros.geometry.box import oriented_box
from pixelrs_ros.geometry.camera import Calibration, Camera
from pixelrs_ros.geometry.depth import Rules
from pixelrs_ros.geometry.target import Geometry, GeometryStatus, locate
from pixelrs_ros.sim.picture.depth_sensor import PERFECT, DepthFaults, record_depth, through_lens
from pixelrs_ros.sim.picture.elements import MIN_OBJECT_PX, MIN_PART_PX, elements
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import Scene, sample_scene
from pixelrs_ros.sim.talk.turns import Target
from pixelrs_ros.sim.walk.dialogues import sample_dialogues

LENS = (-0.12, 0.03, 0.001, -0.001, 0.0)  # of a camera that distorts visibly: 12 px in the corners
_SURFACE_M = 0.005  # the renderer's own labels and depth disagree by a sample at edges

SENSORS: dict[str, tuple[DepthFaults, tuple[float, ...]]] = {
    "exact depth": (PERFECT, ()),
    "real depth": (DepthFaults(), ()),
    "real depth and lens": (DepthFaults(), LENS),
}
VARIANTS: dict[str, Rules] = {
    "none": Rules(edge_erosion_px=0.0, remove_outliers=False),
    "erosion": Rules(remove_outliers=False),
    "outliers": Rules(edge_erosion_px=0.0),
    "both": Rules(),
}

# Which targets of a scene's view are measured, with which masks.
Masks = Callable[[Scene, View], Iterable[tuple[Target, np.ndarray]]]
ERRORS = ("centroid", "box_center", "box_size", "longest", "whole_center", "whole_size")


@dataclass(frozen=True, eq=False)
class Truth:
    """Where a target is, m, in the optical frame.

    Attributes:
        centroid_m: (3,) mean of its visible surface, every pixel alike.
        visible_size_m: (3,) sides of the upright box around its visible surface, longest first.
        visible_center_m: (3,) that box's center.
        whole_size_m: (3,) sides of the upright box around all of it, also what the camera cannot see.
        whole_center_m: (3,) that box's center.
    """

    centroid_m: np.ndarray
    visible_size_m: np.ndarray
    visible_center_m: np.ndarray
    whole_size_m: np.ndarray
    whole_center_m: np.ndarray


def camera_of(view: View, distortion: Sequence[float] = ()) -> Camera:
    """The camera of a rendered view; the simulator counts pixels from their corners, ROS from their centers."""
    matrix = view.intrinsics - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]]
    height, width = view.image.shape[:2]
    return Camera.from_calibration(Calibration(matrix.ravel().tolist(), distortion, "plumb_bob", width, height))


def targets(view: View) -> list[Target]:
    """The objects, and the parts of objects that have several, which are large enough to be talked about."""
    found = []
    for thing in view.objects:
        parts = KINDS[thing.kind].parts if len(KINDS[thing.kind].parts) > 1 else ()
        for part, least_px in ((None, MIN_OBJECT_PX), *((part, MIN_PART_PX) for part in parts)):
            if int(view.mask(thing.object_id, part).sum()) >= least_px:
                found.append(Target(thing.object_id, part))
    return found


def truth(scene: Scene, view: View, target: Target) -> Truth | None:
    """What a perfect measurement would say of a pinhole view with exact depth; None when nothing of it is visible."""
    (thing,) = (thing for thing in scene.objects if thing.object_id == target.object_id)
    part = None if target.part is None else KINDS[thing.kind].parts.index(target.part)
    vertices = [geom.vertices_m() for geom in thing.geoms if part in (None, geom.part)]
    whole_m = (np.concatenate(vertices) - scene.camera.position_m) @ scene.camera.axes
    assert view.depth_m is not None
    rows, columns = np.nonzero(view.mask(target.object_id, target.part))
    z_m = view.depth_m[rows, columns].astype(np.float64)
    shown = (z_m > whole_m[:, 2].min() - _SURFACE_M) & (z_m < whole_m[:, 2].max() + _SURFACE_M)
    if not shown.any():
        return None
    rays = camera_of(view).rays(np.stack([columns, rows], axis=1)[shown])
    points_m = np.column_stack([rays, np.ones(len(rays))]) * z_m[shown, None]
    upright = scene.camera.axes.T @ [0.0, 0.0, 1.0]
    visible, whole = oriented_box(points_m, upright), oriented_box(whole_m, upright)
    return Truth(points_m.mean(axis=0), visible.size_m, visible.center_m, whole.size_m, whole.center_m)


def true_masks(scene: Scene, view: View) -> Iterator[tuple[Target, np.ndarray]]:
    """Every target of a view with the mask that it has there."""
    for target in targets(view):
        yield target, view.mask(target.object_id, target.part)


def network_masks(engine: AnsweringEngine) -> Masks:
    """The masks that a network gives, one target a scene: that of a dialogue in the test split's words.

    Where it answers without a mask there is nothing to measure.
    """

    def answer(scene: Scene, view: View) -> Iterator[tuple[Target, np.ndarray]]:
        dialogues = sample_dialogues(elements(view), np.random.default_rng(scene.seed), count=1, split="test")
        for dialogue in dialogues:
            exchanges = [Exchange(turn.user, turn.answer, turn.status) for turn in dialogue.turns]
            reply = play(engine, engine.encode(view.image), exchanges, HEADLINE).replies[-1]
            mask = reply.union_mask(*view.image.shape[:2])
            if mask.any():
                yield dialogue.target, mask

    return answer


def measure_scene(
    renderer: Renderer, seed: int, masks: Masks, variants: dict[str, Rules], sensors: Sequence[str]
) -> list[dict[str, Any]]:
    """Measure every target of a scene with every sensor and every variant of the rules.

    Args:
        renderer: Draws it.
        seed: Seeds the scene and the sensors' faults.
        masks: Which targets, and with which masks.
        variants: Rules by name.
        sensors: Names in `SENSORS`.

    Returns:
        One record a measurement: what it was of, and its errors in mm.
    """
    scene = sample_scene(seed)
    pinhole = renderer.render(scene, depth=True)
    records = []
    for number, sensor in enumerate(sensors):
        faults, lens = SENSORS[sensor]
        view = through_lens(pinhole, camera_of(pinhole).matrix, np.array(lens)) if lens else pinhole
        camera = camera_of(view, lens)
        assert view.depth_m is not None
        depth_m = record_depth(view.depth_m, np.random.default_rng([seed, number]), faults)
        for target, mask in masks(scene, view):
            known = truth(scene, pinhole, target)
            if known is None:
                continue
            about = {"seed": seed, "sensor": sensor, "object": target.object_id, "part": target.part}
            about["iou"] = round(iou(mask, view.mask(target.object_id, target.part)), 4)
            for name, rules in variants.items():
                started_s = time.perf_counter()
                geometry = locate(mask, depth_m, camera, rules)
                took_ms = round(1e3 * (time.perf_counter() - started_s), 2)
                records.append({**about, "variant": name, "ms": took_ms, **errors_mm(geometry, known)})
    return records


def errors_mm(geometry: Geometry, known: Truth) -> dict[str, Any]:
    """A measurement's distances from the truth in mm; none of them where there is no measurement.

    Args:
        geometry: Measured.
        known: The truth.

    Returns:
        "centroid", "box_center", "box_size" (mean of the three sides' absolute errors), "longest" (signed error of the
        longest side), each against the visible surface; "whole_center" and "whole_size" against the whole object.
    """
    measured = geometry.status is GeometryStatus.MEASURED
    found: dict[str, Any] = {"measured": measured, "valid_depth": geometry.valid_depth, "points": geometry.num_points}
    if not measured:
        return found
    size_m, center_m = np.array(geometry.box_size_m), np.array(geometry.box_center_m)
    found["centroid"] = np.linalg.norm(geometry.centroid_m - known.centroid_m)
    found["box_center"] = np.linalg.norm(center_m - known.visible_center_m)
    found["box_size"] = np.abs(size_m - known.visible_size_m).mean()
    found["longest"] = size_m[0] - known.visible_size_m[0]
    found["whole_center"] = np.linalg.norm(center_m - known.whole_center_m)
    found["whole_size"] = np.abs(size_m - known.whole_size_m).mean()
    return {name: round(1e3 * float(v), 3) if isinstance(v, np.floating) else v for name, v in found.items()}


def summary(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Median and 95th percentile of every error in mm, of the valid share and of the time; and how many there are."""
    measured = [record for record in records if record["measured"]]
    row: dict[str, Any] = {"targets": len(records), "measured": len(measured)}
    if measured:
        row["valid_depth"] = round(float(np.mean([record["valid_depth"] for record in measured])), 4)
        row["iou"] = round(float(np.mean([record["iou"] for record in measured])), 4)
    for name in (*ERRORS, "ms"):
        values = [record[name] for record in measured]
        if values:
            row[name] = {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 95)}
    return row
