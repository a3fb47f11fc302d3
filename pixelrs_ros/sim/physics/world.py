"""A scene's things with mass, friction and contacts on a table, and a parallel gripper above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from pixelrs_ros.gripper import Grasp, Gripper
from pixelrs_ros.sim.physics.pieces import convex_pieces, volume
from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.scene import Scene
from pixelrs_ros.sim.shape.meshes import mesh_library
from pixelrs_ros.sim.shape.shapes import Geom, bounds_m, moved_all

_STEP_S = 0.002
_DENSITY = 1000.0  # kg/m³ of what a thing is made of
_MASS_KG = (0.03, 0.5)
_FRICTION, _PAD_FRICTION = 0.6, 0.8  # of things on the table and on one another; of things in the fingers
_MAT_M = 0.01  # what is no higher lies under things and does not move
_ROLLING_M = 0.002  # by which a ball's weight must shift before it rolls: cloths and tables are soft
_FORCE_N = 20.0  # with which each finger closes, at most
_PARKED_M = 1.5
_SETTLE_S, _APPROACH_S, _CLOSE_S, _LIFT_S, _HOLD_S = 1.0, 1.0, 0.6, 1.2, 0.6
STANDOFF_M, LIFT_M = 0.1, 0.25


@dataclass(frozen=True)
class Lift:
    """What came of a grasp.

    Attributes:
        lifted: After the lift the thing was in both fingers and touched nothing else.
        raised_m: By how much its center was higher than before.
        touched: Whether the gripper touched anything before it closed.
    """

    lifted: bool
    raised_m: float
    touched: bool


class World:
    """One scene in motion. Lengths are real ones: those of the scene times `scale`.

    Args:
        scene: What stands where, before it has settled.
        gripper: Its sizes.
        scale: Of the scene's lengths, see `pixelrs_ros.sim.scene.household`.

    Attributes:
        model: MuJoCo's; its only camera is the scene's.
        data: MuJoCo's.
    """

    def __init__(self, scene: Scene, gripper: Gripper, scale: float) -> None:
        self._scene, self._gripper, self._scale = scene, gripper, scale
        # The plane's own body is 0. Objects come first, in their order.
        things = [thing.geoms for thing in scene.objects]
        spec = _empty(scene.camera, scale)
        self._starts = [_add_thing(spec, f"thing_{i}", _scaled(geoms, scale)) for i, geoms in enumerate(things)]
        for i, geoms in enumerate(scene.clutter):
            _add_thing(spec, f"clutter_{i}", _scaled(geoms, scale))
        _add_gripper(spec, gripper)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._hand = self.model.body("hand").id
        self._fingers = [self.model.body(name).id for name in ("finger_0", "finger_1")]
        self._command(np.array([0.0, 0.0, _PARKED_M]), gripper.max_opening_m, at_once=True)

    def settle(self) -> Scene:
        """Let things come to rest.

        Returns:
            The scene as it lies then, in the scene's own lengths; clutter is where it was, but for what moved it.
        """
        self._run(_SETTLE_S)
        self.data.qvel[:] = 0.0
        self._rest = self.data.qpos.copy()
        objects = []
        for number, thing in enumerate(self._scene.objects):
            turn, shift = self._pose(number)
            offset = (shift - turn @ self._starts[number]) / self._scale
            objects.append(replace(thing, geoms=tuple(moved_all(thing.geoms, turn, offset))))
        return replace(self._scene, objects=tuple(objects))

    def execute(self, grasp: Grasp, object_id: int, watch: Callable[[str], None] = lambda _: None) -> Lift:
        """Approach, close, lift and hold; begins with the settled things.

        Args:
            grasp: In the world: meters, z up, the table's top at z = 0.
            object_id: What is to be lifted.
            watch: Called as each of "approached", "closed" and "lifted" is reached.
        """
        number = next(i for i, thing in enumerate(self._scene.objects) if thing.object_id == object_id)
        thing = self.model.body(f"thing_{number}").id
        self.data.qpos[:], self.data.qvel[:] = self._rest, 0.0
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, grasp.axes.ravel())
        self.model.body_quat[self._hand] = quaternion
        goal = grasp.axes.T @ grasp.position_m  # the slides move along the hand's own axes
        start = goal - [0.0, 0.0, STANDOFF_M]
        self._command(start, grasp.opening_m, at_once=True)
        self._move((start, grasp.opening_m), (goal, grasp.opening_m), _APPROACH_S)
        touched = bool(self._touching(self._fingers[0]) | self._touching(self._fingers[1]) | self._touching(self._hand))
        watch("approached")
        before_m = float(self.data.xipos[thing][2])
        self._move((goal, grasp.opening_m), (goal, 0.0), _CLOSE_S)
        watch("closed")
        self._move((goal, 0.0), (goal + grasp.axes.T @ [0.0, 0.0, LIFT_M], 0.0), _LIFT_S)
        self._run(_HOLD_S)
        watch("lifted")
        touching = self._touching(thing)
        held = set(self._fingers) <= touching and touching <= {*self._fingers, self._hand}
        return Lift(held, float(self.data.xipos[thing][2]) - before_m, touched)

    def _pose(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        body = self.model.body(f"thing_{number}").id
        return self.data.xmat[body].reshape(3, 3).copy(), self.data.xpos[body].copy()

    def _touching(self, body: int) -> set[int]:
        """Bodies of which some geom touches one of this body."""
        found = set()
        for contact in self.data.contact:
            pair = [int(self.model.geom_bodyid[geom]) for geom in contact.geom]
            if body in pair and contact.dist < 0:
                found.add(pair[1] if pair[0] == body else pair[0])
        return found

    def _command(self, place: np.ndarray, opening_m: float, *, at_once: bool = False) -> None:
        """Send the hand to a place along its own axes and the fingers to an opening."""
        target = [*place, opening_m / 2, opening_m / 2]
        self.data.ctrl[:] = target
        if at_once:
            joints = [self.model.joint(name).qposadr[0] for name in _JOINTS]
            self.data.qpos[joints] = target
            mujoco.mj_forward(self.model, self.data)

    def _move(self, start: tuple[np.ndarray, float], goal: tuple[np.ndarray, float], seconds: float) -> None:
        """Go from one place and opening to another; a finger that was let loose would shoot through what it meets."""
        steps = round(seconds / _STEP_S)
        for step in range(steps):
            share = (step + 1) / steps
            smooth = share * share * (3 - 2 * share)
            self._command(start[0] + smooth * (goal[0] - start[0]), start[1] + smooth * (goal[1] - start[1]))
            mujoco.mj_step(self.model, self.data)
        self._run(0.1)

    def _run(self, seconds: float) -> None:
        mujoco.mj_step(self.model, self.data, nstep=round(seconds / _STEP_S))


_JOINTS = ("hand_x", "hand_y", "hand_z", "slide_0", "slide_1")


def _scaled(geoms: Sequence[Geom], scale: float) -> list[Geom]:
    return moved_all(geoms, scale * np.eye(3), np.zeros(3))


def _empty(camera: Camera, scale: float) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.option.timestep = _STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0  # what is held does not creep out of the fingers
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 640, 480
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.35] * 3, [0.45] * 3
    spec.stat.extent = 1.0
    spec.visual.map.znear, spec.visual.map.zfar = 0.05, 12.0
    table = spec.worldbody.add_geom(name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1])
    table.friction, table.rgba = [_FRICTION, 0.005, 0.0001], [0.72, 0.7, 0.66, 1.0]
    axes = camera.axes * [1.0, -1.0, -1.0]  # MuJoCo's camera has y up and looks along -z
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, axes.ravel())
    spec.worldbody.add_camera(name="camera", pos=camera.position_m * scale, quat=quaternion, fovy=camera.fovy_deg)
    spec.worldbody.add_light(
        name="lamp", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, dir=[0.3, 0.2, -1.0], castshadow=False
    )
    return spec


def _add_thing(spec: mujoco.MjSpec, name: str, geoms: Sequence[Geom]) -> np.ndarray:
    """Add a body of convex pieces that is free to move, but for what lies flat under things; where its origin is."""
    low, high = bounds_m(geoms)
    origin = (low + high) / 2
    body = spec.worldbody.add_body(name=name, pos=origin)
    if high[2] - low[2] > _MAT_M or not name.startswith("clutter"):
        body.add_freejoint()
    masses = [
        _DENSITY * abs(np.linalg.det(np.reshape(g.linear, (3, 3)))) * volume(mesh_library()[g.mesh]) for g in geoms
    ]
    total = float(np.clip(sum(masses), *_MASS_KG))
    for index, (geom, mass) in enumerate(zip(geoms, masses, strict=True)):
        pieces = convex_pieces(geom.mesh)
        for part, piece in enumerate(pieces):
            mesh = f"{name}_{index}_{part}"
            placed = piece @ np.reshape(geom.linear, (3, 3)).T + geom.offset_m - origin
            spec.add_mesh(name=mesh, uservert=placed.ravel(), inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX)
            added = body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, rgba=[*geom.rgb, 1.0])
            added.mass = total * mass / sum(masses) / len(pieces)
            added.condim, added.friction = 6, [_FRICTION, 0.005, _ROLLING_M]
    return origin


def _add_gripper(spec: mujoco.MjSpec, gripper: Gripper) -> None:
    """A hand on three slides, and two fingers on one each that move alike."""
    hand = spec.worldbody.add_body(name="hand", gravcomp=1.0)
    axes = {"hand_x": [1, 0, 0], "hand_y": [0, 1, 0], "hand_z": [0, 0, 1]}
    for name, axis in axes.items():
        hand.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT).set_to_position(
            kp=8000.0, kv=250.0
        )
    centers, halves = gripper.boxes(0.0)
    palm = hand.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=centers[2], size=halves[2], mass=0.5)
    palm.rgba = [0.25, 0.27, 0.3, 1.0]
    for side, sign in enumerate((-1.0, 1.0)):
        finger = hand.add_body(name=f"finger_{side}", gravcomp=1.0)
        finger.add_joint(name=f"slide_{side}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[sign, 0, 0])
        box = finger.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=centers[side], size=halves[side], mass=0.05)
        box.condim, box.priority, box.friction = 6, 1, [_PAD_FRICTION, 0.01, 0.0005]
        box.rgba = [0.15, 0.16, 0.18, 1.0]
        closing = spec.add_actuator(name=f"slide_{side}", target=f"slide_{side}", trntype=mujoco.mjtTrn.mjTRN_JOINT)
        closing.set_to_position(kp=10_000.0, kv=200.0)
        closing.forcelimited, closing.forcerange = True, [-_FORCE_N, _FORCE_N]
    alike = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, name1="slide_0", name2="slide_1")
    alike.data[:5] = [0.0, 1.0, 0.0, 0.0, 0.0]
