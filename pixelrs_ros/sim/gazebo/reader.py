"""Reads a world that `write_world` wrote, from its files alone, and draws what Gazebo's cameras would see of it.

It shows that the world holds the scene, not how Gazebo lights it: the lamps are MuJoCo's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, parse

import numpy as np

from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.gazebo.obj import MATERIALS_FILE, Material, read_materials, read_mesh
from pixelrs_ros.sim.gazebo.surfaces import Surface
from pixelrs_ros.sim.picture.canvas import Canvas, cast_no_shadow, mujoco
from pixelrs_ros.sim.picture.render import set_quality

_SPARE_GEOMS = 50


@dataclass(frozen=True)
class ReadCamera:
    """A camera sensor of a world.

    Attributes:
        kind: Its type in the SDF.
        topic: What its topics begin with.
        position_m: (3,) float64.
        axes: (3, 3) float64, columns forward, left and up in the world.
        size_px: Width and height.
        fovx_rad: Horizontal field of view.
        clip_m: Nearest and farthest of what it sees.
    """

    kind: str
    topic: str
    position_m: np.ndarray
    axes: np.ndarray
    size_px: tuple[int, int]
    fovx_rad: float
    clip_m: tuple[float, float]


@dataclass(frozen=True)
class ReadLamp:
    """A directional light: unit vector of its direction, where its shadows are drawn from, colors times intensity."""

    direction: np.ndarray
    position_m: np.ndarray
    diffuse: np.ndarray
    specular: np.ndarray
    shadows: bool


@dataclass(frozen=True, eq=False)
class ReadVisual:
    """A labelled mesh: its surfaces, where it stands, what its pixels are labelled with (0: background)."""

    surfaces: list[Surface]
    position_m: np.ndarray
    axes: np.ndarray
    label: int
    shadow: bool


@dataclass(frozen=True, eq=False)
class ReadWorld:
    """The content of a world."""

    visuals: list[ReadVisual]
    lamps: list[ReadLamp]
    cameras: list[ReadCamera]
    ambient: np.ndarray
    materials: dict[str, Material]

    def camera(self, kind: str) -> ReadCamera:
        """The first camera of a type.

        Raises:
            DataError: There is none.
        """
        for camera in self.cameras:
            if camera.kind == kind:
                return camera
        raise DataError(f"the world has no sensor of type {kind}")


@dataclass(frozen=True, eq=False)
class Seen:
    """What a camera sees: (H, W, 3) uint8 RGB; (H, W) uint8 labels; (H, W) float32 depth in meters, inf for nothing."""

    image: np.ndarray
    labels: np.ndarray
    depth_m: np.ndarray


def read_world(path: Path) -> ReadWorld:
    """Read a world.

    Args:
        path: The SDF file; its meshes lie where it says, seen from its folder.

    Raises:
        DataError: A file is missing or is not as `write_world` writes it.
    """
    try:
        world = parse(path).getroot().find("world")
    except (OSError, ParseError) as error:
        raise DataError(f"{path}: {error}") from error
    if world is None:
        raise DataError(f"{path}: no <world>")
    visuals, cameras = [], []
    materials: dict[str, Material] = {}
    for model in world.iterfind("model"):
        model_pose = _pose(model)
        for link in model.iterfind("link"):
            link_pose = _after(model_pose, _pose(link))
            for visual in link.iterfind("visual"):
                mesh = path.parent / _text(visual, "geometry/mesh/uri")
                if not materials:  # one library for the whole world
                    materials = read_materials(mesh.parent / MATERIALS_FILE)
                visuals.append(_visual(visual, read_mesh(mesh), _after(link_pose, _pose(visual))))
            cameras += [_camera(sensor, _after(link_pose, _pose(sensor))) for sensor in link.iterfind("sensor")]
    lamps = [_lamp(light) for light in world.iterfind("light")]
    return ReadWorld(visuals, lamps, cameras, _vector(world, "scene/ambient")[:3], materials)


def draw(world: ReadWorld, camera: ReadCamera) -> Seen:
    """Draw what a camera of a world sees."""
    model = _compiled(world, camera)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    canvas = Canvas(model, *camera.size_px, model.ngeom + _SPARE_GEOMS)
    try:
        canvas.update(data)
        owners = np.repeat(np.arange(len(world.visuals)), [len(visual.surfaces) for visual in world.visuals])
        for geom in canvas.scene.geoms[: canvas.scene.ngeom]:
            geom.segid = geom.objid
            if not world.visuals[owners[geom.objid]].shadow:
                cast_no_shadow(geom)
        numbers = canvas.numbers()
        labels = np.array([0, *(world.visuals[owner].label for owner in owners)], np.uint8)[numbers]
        depth_m = np.where(numbers > 0, canvas.depth_m(), np.float32(np.inf))
        return Seen(canvas.color(), labels, depth_m)
    finally:
        canvas.close()


def _compiled(world: ReadWorld, camera: ReadCamera) -> mujoco.MjModel:
    """The world as MuJoCo's model, a geom for each surface, in the order of the visuals."""
    spec = mujoco.MjSpec()
    for name, material in world.materials.items():
        height, width = material.picture.shape[:2]
        spec.add_texture(
            name=name,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
            width=width,
            height=height,
            nchannel=3,
        )
        made = spec.add_material(
            name=name, specular=material.specular, shininess=material.shininess, emission=material.glow
        )
        made.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    for index, visual in enumerate(world.visuals):
        for surface in visual.surfaces:
            _add_surface(spec, f"{index}_{surface.material}", surface, visual)
    for lamp in world.lamps:
        spec.worldbody.add_light(
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            castshadow=lamp.shadows,
            dir=lamp.direction,
            pos=lamp.position_m,
            diffuse=lamp.diffuse,
            specular=lamp.specular,
            ambient=[0.0] * 3,
        )
    forward, left, up = camera.axes.T
    width_px, height_px = camera.size_px
    fovy_deg = math.degrees(2 * math.atan(math.tan(camera.fovx_rad / 2) * height_px / width_px))
    quaternion = _quaternion(np.stack([-left, up, -forward], axis=1))  # MuJoCo's camera looks along -z
    spec.worldbody.add_camera(pos=camera.position_m, quat=quaternion, fovy=fovy_deg)
    headlight = spec.visual.headlight
    headlight.ambient, headlight.diffuse, headlight.specular = world.ambient, [0.0] * 3, [0.0] * 3
    set_quality(spec, width_px, height_px, camera.clip_m)
    model = spec.compile()
    for index, material in enumerate(world.materials.values()):
        start = model.tex_adr[index]
        model.tex_data[start : start + material.picture.size] = material.picture.ravel()
    return model


def _add_surface(spec: mujoco.MjSpec, name: str, surface: Surface, visual: ReadVisual) -> None:
    each = np.arange(len(surface.corners) * 3, dtype=np.int32)
    spec.add_mesh(
        name=name,
        uservert=surface.corners.ravel(),
        userface=each,
        usernormal=surface.normals.ravel(),
        usertexcoord=surface.texels.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=surface.material,
        pos=visual.position_m,
        quat=_quaternion(visual.axes),
        contype=0,
        conaffinity=0,
    )


def _quaternion(axes: np.ndarray) -> np.ndarray:
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(axes).ravel())
    return quaternion


_Pose = tuple[np.ndarray, np.ndarray]  # position and axes


def _pose(element: Element) -> _Pose:
    found = element.find("pose")
    if found is None:
        return np.zeros(3), np.eye(3)
    if found.attrib:
        raise DataError(f"<pose> of {element.get('name')}: only six numbers in its parent's frame can be read")
    x, y, z, roll, pitch, yaw = _vector(element, "pose")
    (cr, cp, cy), (sr, sp, sy) = np.cos([roll, pitch, yaw]), np.sin([roll, pitch, yaw])
    axes = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.array([x, y, z]), np.array(axes)


def _after(outer: _Pose, inner: _Pose) -> _Pose:
    """The inner pose, given in the outer one's frame, in the frame that the outer one is given in."""
    return outer[0] + outer[1] @ inner[0], outer[1] @ inner[1]


def _visual(visual: Element, surfaces: list[Surface], pose: _Pose) -> ReadVisual:
    labels = [
        int(_text(plugin, "label"))
        for plugin in visual.iterfind("plugin")
        if plugin.get("name", "").endswith("::systems::Label")
    ]
    shadow = _text(visual, "cast_shadows") == "true"
    return ReadVisual(surfaces, *pose, label=labels[0] if labels else 0, shadow=shadow)


def _lamp(light: Element) -> ReadLamp:
    if light.get("type") != "directional":
        raise DataError(f"light {light.get('name')}: only directional ones can be read")
    position, axes = _pose(light)
    strength = float(_text(light, "intensity"))
    return ReadLamp(
        direction=axes @ _vector(light, "direction"),
        position_m=position,
        diffuse=strength * _vector(light, "diffuse")[:3],
        specular=strength * _vector(light, "specular")[:3],
        shadows=_text(light, "cast_shadows") == "true",
    )


def _camera(sensor: Element, pose: _Pose) -> ReadCamera:
    return ReadCamera(
        sensor.get("type", ""),
        _text(sensor, "topic"),
        *pose,
        size_px=(int(_text(sensor, "camera/image/width")), int(_text(sensor, "camera/image/height"))),
        fovx_rad=float(_text(sensor, "camera/horizontal_fov")),
        clip_m=(float(_text(sensor, "camera/clip/near")), float(_text(sensor, "camera/clip/far"))),
    )


def _text(element: Element, path: str) -> str:
    text = element.findtext(path)
    if not text:
        raise DataError(f"<{element.tag}> {element.get('name', '')}: no <{path}>")
    return text.strip()


def _vector(element: Element, path: str) -> np.ndarray:
    try:
        return np.array([float(word) for word in _text(element, path).split()])
    except ValueError as error:
        raise DataError(f"<{element.tag}> {element.get('name', '')}: <{path}>: {error}") from error
