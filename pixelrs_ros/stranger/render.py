"""From things on a table to a picture and what every pixel belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import mujoco
import numpy as np

from pixelrs_ros.stranger import paint, prints
from pixelrs_ros.stranger.layout import Thing
from pixelrs_ros.stranger.meshes import Mesh, block
from pixelrs_ros.stranger.paint import Coat

WIDTH_PX, HEIGHT_PX = 640, 480
FINE = 2  # the picture is rendered so many times larger and shrunk


@dataclass(frozen=True)
class Seen:
    """A rendered scene.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        masks: For each thing, (H, W) bool by part.
        whole: For each thing, (H, W) bool as if it stood alone.
    """

    image: np.ndarray
    masks: tuple[dict[str, np.ndarray], ...]
    whole: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _Built:
    spec: mujoco.MjSpec
    owners: dict[str, tuple[int, str]]  # by the geom's name: the thing and its part


def render(rng: np.random.Generator, things: list[Thing], textured: bool) -> Seen:
    """Renders things in a room that the generator makes up; the same for the same state of the generator."""
    built = _Built(mujoco.MjSpec(), {})
    _stage(rng, built.spec, textured, len(things))
    for index, thing in enumerate(things):
        for number, piece in enumerate(thing.pieces):
            name = f"thing{index}_{number}"
            _add(built.spec, name, piece.mesh, piece.coat)
            built.owners[name] = (index, piece.part)
    model = built.spec.compile()
    owners = {model.geom(name).id: owner for name, owner in built.owners.items()}
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    image = _picture(rng, model, data)
    return _segmented(model, data, owners, image, len(things))


def _add(spec: mujoco.MjSpec, name: str, mesh: Mesh, coat: Coat) -> None:
    made = spec.add_mesh()
    made.name = name
    made.uservert = mesh.vertices.ravel().tolist()
    made.userface = mesh.faces.ravel().tolist()
    made.usertexcoord = (mesh.uv * (1, -1) + (0, 1)).ravel().tolist()  # a texture's first row is its top
    made.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    geom = spec.worldbody.add_geom()
    geom.name, geom.type, geom.meshname = name, mujoco.mjtGeom.mjGEOM_MESH, name
    geom.contype = geom.conaffinity = 0
    geom.material = _material(spec, name, coat)


def _material(spec: mujoco.MjSpec, name: str, coat: Coat) -> str:
    material = spec.add_material()
    material.name = name
    material.rgba = [*coat.rgb, 1.0]
    material.specular, material.shininess = coat.shine, 0.2 + 0.6 * coat.shine
    material.reflectance, material.emission = coat.mirror, coat.glow
    if coat.texture is not None:
        texture = spec.add_texture()
        texture.name = name
        texture.type = mujoco.mjtTexture.mjTEXTURE_2D
        height_px, width_px = coat.texture.shape[:2]
        texture.height, texture.width, texture.nchannel = height_px, width_px, 3
        texture.data = coat.texture.tobytes()
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
        material.texrepeat = list(coat.repeat)
        material.texuniform = False
    return name


def _stage(rng: np.random.Generator, spec: mujoco.MjSpec, textured: bool, count: int) -> None:
    """Table, floor, walls, lights and camera."""
    spec.visual.global_.offwidth, spec.visual.global_.offheight = WIDTH_PX * FINE, HEIGHT_PX * FINE
    spec.visual.quality.shadowsize, spec.visual.quality.offsamples = 2048, 0
    spec.visual.map.znear, spec.visual.map.zfar = 0.02, 20
    spec.stat.extent, spec.stat.center = 1.0, [0, 0, 0]
    spec.visual.headlight.ambient = [rng.uniform(0.28, 0.4)] * 3
    spec.visual.headlight.diffuse = [rng.uniform(0.24, 0.38)] * 3
    spec.visual.headlight.specular = [0.1] * 3
    white = (1.0, 1.0, 1.0)
    top = Coat(white, prints.table_top(rng, textured), rng.uniform(0.05, 0.5), repeat=(rng.choice([2.0, 3.0]),) * 2)
    depth, width = rng.uniform(0.45, 0.7), rng.uniform(0.6, 1.0)
    _add(spec, "table", block((2 * width, 2 * depth, 0.04), 0.004).moved((0, depth - 0.42, -0.0205)), top)
    floor = Coat(white, paint.wood(rng, planks=4) if rng.random() < 0.5 else paint.speckled(rng, (0.55, 0.54, 0.52)))
    _add(spec, "floor", block((8, 8, 0.02)).moved((0, 0, -0.75)), Coat(white, floor.texture, 0.1, repeat=(6, 6)))
    back = depth * 2 + rng.uniform(0.1, 1.2)
    look = Coat(white, prints.wall(rng, textured), 0.05, repeat=(2.0, 1.5))
    _add(spec, "wall", block((8, 0.05, 4)).moved((0, back, 1.2)), look)
    _lights(rng, spec)
    _camera(rng, spec, count)


def _lights(rng: np.random.Generator, spec: mujoco.MjSpec) -> None:
    tint = np.array([1.0, rng.uniform(0.95, 1.0), rng.uniform(0.88, 1.0)])
    for index in range(int(rng.integers(1, 3))):
        light = spec.worldbody.add_light()
        at = np.array([rng.uniform(-1.2, 1.2), rng.uniform(-1.0, 0.8), rng.uniform(1.4, 2.4)])
        light.pos, light.dir = at.tolist(), (-at / np.linalg.norm(at)).tolist()
        light.type = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL if rng.random() < 0.3 else mujoco.mjtLightType.mjLIGHT_SPOT
        light.cutoff, light.exponent = 70, 2
        light.attenuation = [1, 0, 0]
        light.castshadow = index == 0
        light.diffuse = (tint * (rng.uniform(0.38, 0.58) if index == 0 else rng.uniform(0.05, 0.2))).tolist()
        light.specular = [0.35] * 3
        light.ambient = [0.0] * 3


def _camera(rng: np.random.Generator, spec: mujoco.MjSpec, count: int) -> None:
    """Between a standing person's eyes and a robot arm's wrist, about level sideways."""
    if rng.random() < 0.5:
        pitch, distance, fovy = rng.uniform(0.65, 1.05), rng.uniform(0.95, 1.25), rng.uniform(36, 44)
    else:
        pitch, distance, fovy = rng.uniform(0.42, 0.7), rng.uniform(0.75, 0.92), rng.uniform(44, 54)
    distance *= 0.72 + 0.04 * count  # nearer where few things stand close together
    yaw, roll = rng.uniform(-0.15, 0.15), rng.uniform(-0.02, 0.02)
    look = np.array([rng.uniform(-0.03, 0.03), rng.uniform(-0.04, 0.04), 0.03])
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)])
    right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
    up = np.cross(right, forward)
    right, up = right * np.cos(roll) + up * np.sin(roll), up * np.cos(roll) - right * np.sin(roll)
    camera = spec.worldbody.add_camera()
    camera.name, camera.fovy = "eye", fovy
    camera.pos = (look - forward * distance).tolist()
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.column_stack([right, up, -forward]).ravel())
    camera.quat = quat.tolist()


def _picture(rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """(H, W, 3) uint8, as a camera of the better sort gives it: a little soft, a little noisy."""
    renderer = mujoco.Renderer(model, HEIGHT_PX * FINE, WIDTH_PX * FINE)
    renderer.update_scene(data, camera="eye")
    image = cv2.resize(renderer.render(), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    renderer.close()
    blur, noise, white = rng.uniform(0.1, 0.7), rng.uniform(0.5, 3.0), rng.uniform(205, 250)
    gain = float(np.clip(white / np.percentile(image, 98), 0.8, 1.6))  # as a camera exposes
    if blur > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    image = image * gain + rng.normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def _segmented(
    model: mujoco.MjModel, data: mujoco.MjData, owners: dict[int, tuple[int, str]], image: np.ndarray, count: int
) -> Seen:
    renderer = mujoco.Renderer(model, HEIGHT_PX, WIDTH_PX)
    renderer.enable_segmentation_rendering()
    ids = _ids(renderer, data)
    masks: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    for geom, (index, part) in owners.items():
        masks[index][part] = masks[index].get(part, False) | (ids == geom)
    whole = []
    for index in range(count):
        own = [geom for geom, (owner, _) in owners.items() if owner == index]
        model.geom_group[:] = 5
        model.geom_group[own] = 0
        whole.append(np.isin(_ids(renderer, data, only_first=True), own))
    renderer.close()
    return Seen(image, tuple(masks), tuple(whole))


def _ids(renderer: mujoco.Renderer, data: mujoco.MjData, only_first: bool = False) -> np.ndarray:
    """(H, W) geom by pixel, -1 for none; of the first group of geoms or of all."""
    option = mujoco.MjvOption()
    option.geomgroup[:] = [1, 0, 0, 0, 0, 0] if only_first else 1
    renderer.update_scene(data, camera="eye", scene_option=option)
    pixels = renderer.render()
    is_geom = pixels[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM)  # an enum would be compared pixel by pixel
    return np.where(is_geom, pixels[..., 0], -1)
