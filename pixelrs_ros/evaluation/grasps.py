"""How often a simulated gripper lifts what was meant: the best grasp of the planner, tried with contact physics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pixelrs_ros.errors import BadInputError
from pixelrs_ros.evaluation.metrics import iou
from pixelrs_ros.evaluation.play import AnsweringEngine
from pixelrs_ros.evaluation.space import camera_of
from pixelrs_ros.geometry.camera import Camera
from pixelrs_ros.grasping.view import plan
from pixelrs_ros.gripper import Grasp, Gripper
from pixelrs_ros.sim.physics.world import World
from pixelrs_ros.sim.picture.canvas import Canvas
from pixelrs_ros.sim.picture.depth_sensor import DepthFaults, record_depth
from pixelrs_ros.sim.picture.elements import Element, elements
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.household import household_scale
from pixelrs_ros.sim.scene.scene import Scene, sample_scene

FIRST_SEED = 965_000  # far from the seeds of the training data, of the demonstrations, and of scripts/fit_grasps.py
TRUTH, NETWORK = "truth", "network"
WHOLE, HANDLE = "whole", "handle"
LIFTED, SLIPPED, NO_GRASP, NO_MASK = "lifted", "not lifted", "no grasp", "no mask"
_WORDS = {WHOLE: "Give me the {name}.", HANDLE: "Give me the {name} by its handle."}
_MAX_GEOMS = 3000

# The mask of what is to be grasped, (H, W) bool; empty where there is none.
Masks = Callable[["Case", View], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One thing to be lifted.

    Attributes:
        seed: Of the scene.
        element: The thing, whose name fits no other of its scene.
        by: `WHOLE` or `HANDLE`.
    """

    seed: int
    element: Element
    by: str

    @property
    def part(self) -> str | None:
        """The part that is grasped; None: any."""
        return HANDLE if self.by == HANDLE else None

    @property
    def words(self) -> str:
        """What a person would say."""
        return _WORDS[self.by].format(name=self.element.name)


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of a case.

    Attributes:
        case: What was to be lifted.
        masks: `TRUTH` or `NETWORK`.
        outcome: `LIFTED`, `SLIPPED`, `NO_GRASP` or `NO_MASK`.
        iou: Of the mask and the truth.
        numbers: Of the grasp that was tried; empty where there was none.
        pictures: What the camera saw, with mask and gripper; then the simulator's, as the fingers close and at the top.
    """

    case: Case
    masks: str
    outcome: str
    iou: float
    numbers: dict[str, Any] = field(default_factory=dict)
    pictures: tuple[np.ndarray, ...] = ()

    def record(self) -> dict[str, Any]:
        """What is kept of it in JSON."""
        case = self.case
        about = {"seed": case.seed, "thing": case.element.name, "by": case.by, "masks": self.masks}
        return {**about, "outcome": self.outcome, "iou": round(self.iou, 4), **self.numbers}


def true_mask(case: Case, view: View) -> np.ndarray:
    """What a perfect answer would show."""
    return view.mask(case.element.object_id, case.part)


def network_mask(engine: AnsweringEngine) -> Masks:
    """What a network shows when it is asked; nothing where it answers with no mask, or with several."""

    def ask(case: Case, view: View) -> np.ndarray:
        segments = engine.answer(engine.encode(view.image), (), case.words).segments
        return segments[0].mask if len(segments) == 1 else np.zeros(view.image.shape[:2], np.bool_)

    return ask


def cases(view: View, seed: int) -> list[Case]:
    """A thing by its handle and a thing as a whole; none where the picture shows no handle, or only twins."""
    found = elements(view)
    names = [element.name for element in found]
    single = [element for element in found if names.count(element.name) == 1]
    handles = [element for element in single if HANDLE in element.parts]
    if not handles:
        return []
    rng = np.random.default_rng(seed)
    return [
        Case(seed, handles[int(rng.integers(len(handles)))], HANDLE),
        Case(seed, single[int(rng.integers(len(single)))], WHOLE),
    ]


def run_trials(count: int, first_seed: int, masks: dict[str, Masks], gripper: Gripper) -> Iterator[Trial]:
    """Let things come to rest, look at them, plan, and lift.

    Args:
        count: Number of scenes; those without a handle to be seen are passed over.
        first_seed: Of the first scene.
        masks: `TRUTH` or `NETWORK`, and where masks come from.
        gripper: Its sizes.
    """
    done, seed = 0, first_seed
    with Renderer() as renderer:
        while done < count:
            bench = Bench(renderer, seed, gripper)
            chosen = cases(bench.view, seed)
            for case in chosen:
                for name, source in masks.items():
                    yield bench.tried(case, name, source(case, bench.view))
            done += bool(chosen)
            seed += 1


class Bench:
    """One scene: as a real depth camera sees it, and in motion.

    Args:
        renderer: Draws it.
        seed: Of the scene and of the camera's faults.
        gripper: Its sizes.

    Attributes:
        world: The scene in motion.
        view: What the camera sees once things have come to rest, in the scene's own lengths.
        depth_m: (H, W) float32 with a depth camera's faults, in real lengths.
        camera: That took it.
    """

    def __init__(self, renderer: Renderer, seed: int, gripper: Gripper) -> None:
        scene = sample_scene(seed)
        self._gripper = gripper
        self._scale = household_scale(scene)
        self.world = World(scene, gripper, self._scale)
        self._scene: Scene = self.world.settle()
        self.view = renderer.render(self._scene, depth=True)
        assert self.view.depth_m is not None
        rng = np.random.default_rng([seed, 1])
        self.depth_m = record_depth(self.view.depth_m * np.float32(self._scale), rng, DepthFaults())
        self.camera: Camera = camera_of(self.view)

    def tried(self, case: Case, masks: str, mask: np.ndarray) -> Trial:
        """Plan with a mask and try the best grasp."""
        overlap = iou(mask, true_mask(case, self.view))
        if not mask.any():
            return Trial(case, masks, NO_MASK, overlap, pictures=(self.view.image,))
        started_s = time.perf_counter()
        try:
            grasps = plan(mask, self.depth_m, self.camera, self._gripper)
        except BadInputError:
            grasps = []
        plan_ms = round(1e3 * (time.perf_counter() - started_s), 1)
        seen = picture_of(self.view.image, mask, grasps, self._gripper, self.camera)
        if not grasps:
            return Trial(case, masks, NO_GRASP, overlap, {"plan_ms": plan_ms}, (seen,))
        best, pictures = grasps[0], [seen]
        canvas = Canvas(self.world.model, self.view.image.shape[1], self.view.image.shape[0], _MAX_GEOMS)

        def watch(stage: str) -> None:
            if stage != "approached":
                canvas.update(self.world.data)
                pictures.append(canvas.color())

        try:
            lift = self.world.execute(self.in_world(best), case.element.object_id, watch)
        finally:
            canvas.close()
        numbers = {
            "grasps": len(grasps), "chance": round(best.score, 3), "tilt_deg": round(best.tilt_deg),
            "width_mm": round(1e3 * best.width_m, 1), "touched": lift.touched, "raised_m": round(lift.raised_m, 3),
            "plan_ms": plan_ms,
        }  # fmt: skip
        return Trial(case, masks, LIFTED if lift.lifted else SLIPPED, overlap, numbers, tuple(pictures))

    def in_world(self, grasp: Grasp) -> Grasp:
        """A grasp of the camera's optical frame, in the simulator's world."""
        return grasp.moved(self._scene.camera.axes, self._scene.camera.position_m * self._scale)


def picture_of(
    image: np.ndarray, mask: np.ndarray, grasps: Sequence[Grasp], gripper: Gripper, camera: Camera
) -> np.ndarray:
    """The picture with the mask in green and the best grasp's open fingers and palm in white."""
    import cv2

    drawn = image.copy()
    drawn[mask] = drawn[mask] // 2 + np.array([10, 100, 40], np.uint8)
    for best in grasps[:1]:
        half, back = best.opening_m / 2, -gripper.finger_length_m
        line = np.array([[-half, 0, 0], [-half, 0, back], [half, 0, back], [half, 0, 0]])
        line = np.insert(line, 2, [[0, 0, back], [0, 0, back - 0.04], [0, 0, back]], axis=0)
        pixels = camera.project(line @ best.axes.T + best.position_m).round().astype(np.int32)
        cv2.polylines(drawn, [pixels], False, (20, 20, 20), 6, cv2.LINE_AA)
        cv2.polylines(drawn, [pixels], False, (255, 255, 255), 3, cv2.LINE_AA)
    return drawn


def summary(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each source of masks and way to grasp: how many were lifted, and what became of the others."""
    rows = []
    for masks in dict.fromkeys(record["masks"] for record in records):
        for by in (WHOLE, HANDLE):
            group = [record for record in records if (record["masks"], record["by"]) == (masks, by)]
            outcomes = [record["outcome"] for record in group]
            counts = {name: outcomes.count(name) for name in (LIFTED, SLIPPED, NO_GRASP, NO_MASK)}
            share = round(counts[LIFTED] / max(1, len(group)), 3)
            found = sum(record["iou"] >= 0.5 for record in group)
            times = [record["plan_ms"] for record in group if "plan_ms" in record]
            ms = round(float(np.median(times)), 1) if times else None
            rows.append(
                {"masks": masks, "by": by, "tried": len(group), "share": share, **counts, "found": found, "plan_ms": ms}
            )
    return rows
