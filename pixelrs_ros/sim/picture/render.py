"""Renders scenes with MuJoCo, off screen: color, depth, and which object and part every pixel shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pixelrs_ros.sim.picture.canvas import Canvas, cast_no_shadow, mujoco
from pixelrs_ros.sim.scene import stage
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import Scene, SceneObject
from pixelrs_ros.sim.shape.meshes import mesh_library
from pixelrs_ros.sim.shape.patterns import FACE_PX, cube_textures
from pixelrs_ros.sim.shape.shapes import Geom
from pixelrs_ros.sim.shape.textures import SIDE_PX, floor_textures, table_textures, wall_textures

_MAX_GEOMS = 600
_PART_BITS = 3
_PARTS = 1 << _PART_BITS  # more than any kind has; a geom's number is its object's times this, plus its part's
_CLUTTER = _PARTS - 2  # the table, the floor and the wall have the numbers below
_SHADOW_PX = 1024
_SAMPLES = 4
_ONES = np.ones(3)


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """Which object and part every pixel shows.

    Attributes:
        object_ids: (H, W) uint8, 0 for the background, else `SceneObject.object_id`.
        part_ids: (H, W) uint8, 0 for the background, else 1 + index into the kind's parts.
        objects: The scene's objects.
    """

    object_ids: np.ndarray
    part_ids: np.ndarray
    objects: tuple[SceneObject, ...]

    def mask(self, object_id: int, part: str | None = None) -> np.ndarray:
        """Visible pixels of an object or of one of its parts, (H, W) bool.

        Raises:
            ValueError: The scene has no such object, or its kind no such part.
        """
        found = [thing for thing in self.objects if thing.object_id == object_id]
        if not found:
            raise ValueError(f"no object {object_id}; there are {[thing.object_id for thing in self.objects]}")
        whole = self.object_ids == object_id
        if part is None:
            return whole
        parts = KINDS[found[0].kind].parts
        if part not in parts:
            raise ValueError(f"a {found[0].kind} has no {part!r}; its parts are {', '.join(parts)}")
        return whole & (self.part_ids == 1 + parts.index(part))


@dataclass(frozen=True, eq=False, kw_only=True)
class View(Labels):
    """What the camera sees and the truth about it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32, meters along the optical axis; None unless asked for.
        intrinsics: (3, 3) float64 in px.
    """

    image: np.ndarray
    depth_m: np.ndarray | None
    intrinsics: np.ndarray


def _add_textures(spec: mujoco.MjSpec, count: int) -> None:
    """Blank textures and their materials; the pictures are written into the compiled model."""
    for index in range(count):
        spec.add_texture(
            name=f"texture_{index}",
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
            width=SIDE_PX,
            height=SIDE_PX,
            nchannel=3,
        )
        material = spec.add_material(
            name=f"material_{index}", texuniform=True, specular=stage.FLAT_SPECULAR, shininess=stage.FLAT_SHININESS
        )
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f"texture_{index}"


def _add_cubes(spec: mujoco.MjSpec) -> None:
    """The same for what wraps things; materials are named like their textures."""
    for name in cube_textures():
        spec.add_texture(
            name=name,
            type=mujoco.mjtTexture.mjTEXTURE_CUBE,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
            width=FACE_PX,
            height=6 * FACE_PX,
            nchannel=3,
        )
        material = spec.add_material(name=name)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def set_quality(spec: mujoco.MjSpec, width_px: int, height_px: int, clip_m: tuple[float, float]) -> None:
    """How large and how well a model is drawn, and from which distance to which."""
    spec.visual.global_.offwidth, spec.visual.global_.offheight = width_px, height_px
    spec.visual.quality.shadowsize, spec.visual.quality.offsamples = _SHADOW_PX, _SAMPLES
    spec.stat.extent = 1.0
    spec.visual.map.znear, spec.visual.map.zfar = clip_m
    spec.visual.map.shadowclip = 0.7


def compile_model(width_px: int, height_px: int) -> mujoco.MjModel:
    """The one model: table, floor, a lamp, a camera, the textures and the unit meshes."""
    spec = mujoco.MjSpec()
    flat = [*table_textures(), *floor_textures(), *wall_textures()]
    _add_textures(spec, len(flat))
    _add_cubes(spec)
    for name, mesh in mesh_library().items():
        spec.add_mesh(
            name=name,
            uservert=mesh.vertices.ravel(),
            userface=mesh.faces.ravel(),
            maxhullvert=8,
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
    world = spec.worldbody
    plane, box = mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX
    world.add_geom(name="table", type=plane, size=[stage.TABLE_HALF_M, stage.TABLE_HALF_M, 1], material="material_0")
    world.add_geom(
        name="edge", type=box, size=[1, 1, stage.EDGE_HALF_M], pos=[0, 0, -stage.EDGE_HALF_M - stage.EDGE_BELOW_M]
    )
    world.add_geom(
        name="floor",
        type=plane,
        size=[stage.FLOOR_HALF_M, stage.FLOOR_HALF_M, 1],
        pos=[0, 0, stage.FLOOR_M],
        material=f"material_{len(table_textures())}",
    )
    world.add_geom(name="wall", type=plane, size=[*stage.WALL_HALF_M, 1], material="material_0")
    world.add_light(name="second", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=False)
    world.add_light(name="lamp", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, castshadow=True)
    world.add_camera(name="camera")
    set_quality(spec, width_px, height_px, (stage.NEAR_M, stage.FAR_M))
    model = spec.compile()
    model.geom_sameframe[:] = 0  # else what was compiled at the origin stays there
    for index, picture in enumerate([*flat, *cube_textures().values()]):
        start = model.tex_adr[index]
        model.tex_data[start : start + picture.size] = picture.ravel()
    return model


class Renderer:
    """Draws scenes; owns one compiled model whose table, lamp, camera and drawn geoms are overwritten for every scene.

    A context manager: `with Renderer() as renderer: view = renderer.render(scene)`.
    """

    def __init__(self, width_px: int = 640, height_px: int = 480) -> None:
        self._size = (width_px, height_px)
        self._model = compile_model(width_px, height_px)
        self._data = mujoco.MjData(self._model)
        self._canvas = Canvas(self._model, width_px, height_px, _MAX_GEOMS)
        self._materials = {name: self._model.material(name).id for name in cube_textures()}
        # MuJoCo moves every mesh into its frame of inertia; these take ours there.
        self._mesh_ids = {name: self._model.mesh(name).id for name in mesh_library()}
        self._into_mesh: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for name, index in self._mesh_ids.items():
            matrix = np.zeros(9)
            mujoco.mju_quat2Mat(matrix, self._model.mesh_quat[index])
            self._into_mesh[name] = (matrix.reshape(3, 3), self._model.mesh_pos[index].copy())

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the drawing context."""
        self._canvas.close()

    def render(self, scene: Scene, *, depth: bool = False) -> View:
        """Draw a scene.

        Args:
            scene: What to draw.
            depth: Whether depth is wanted too.
        """
        self._set_scene(scene)
        image, labels = self._canvas.color(), self._read_labels(scene)
        depth_m = self._canvas.depth_m() if depth else None
        intrinsics = scene.camera.intrinsics(*self._size)
        return View(image=image, depth_m=depth_m, intrinsics=intrinsics, **vars(labels))

    def visible_share(self, scene: Scene, view: Labels, object_id: int, part: str | None = None) -> float:
        """How much of an object or part is left of what its camera would see of it with nothing else on the table.

        Args:
            scene: What was drawn.
            view: The truth about it.
            object_id: The object.
            part: One of its parts, or None for all of it.

        Returns:
            In [0, 1]; 1 for what cannot be seen even alone.

        Raises:
            ValueError: The scene has no such object, or its kind no such part.
        """
        alone = replace(
            scene, clutter=(), objects=tuple(thing for thing in scene.objects if thing.object_id == object_id)
        )
        self._set_scene(alone)
        whole = int(self._read_labels(alone).mask(object_id, part).sum())
        return int(view.mask(object_id, part).sum()) / whole if whole else 1.0

    def _set_scene(self, scene: Scene) -> None:
        self._set_world(scene)
        self._canvas.update(self._data)
        drawn = self._canvas.scene
        for background in drawn.geoms[: drawn.ngeom]:
            cast_no_shadow(background)  # the table would speckle itself far from the lamp's axis
        for geoms in scene.clutter:
            self._add_geoms(geoms, 0)
        for thing in scene.objects:
            self._add_geoms(thing.geoms, thing.object_id)

    def _read_labels(self, scene: Scene) -> Labels:
        numbers = self._canvas.numbers()
        object_ids = (numbers >> _PART_BITS).astype(np.uint8)
        part_ids = (numbers & (_PARTS - 1)).astype(np.uint8)
        part_ids[object_ids == 0] = 0
        return Labels(object_ids=object_ids, part_ids=part_ids, objects=scene.objects)

    def _set_world(self, scene: Scene) -> None:
        model, table, light, camera = self._model, scene.table, scene.light, scene.camera
        turn = [np.cos(np.radians(table.yaw_deg) / 2), 0, 0, np.sin(np.radians(table.yaw_deg) / 2)]
        for name in ("table", "edge"):
            model.geom(name).size[:2] = table.half_m
            model.geom(name).quat = turn
        model.geom("table").matid = table.texture
        model.mat_rgba[table.texture, :3] = table.tint
        model.mat_texrepeat[table.texture] = 1.0 / table.repeat_m
        model.geom("edge").rgba[:3] = np.array(table.tint) * stage.EDGE_SHADE
        floor = len(table_textures()) + table.floor
        model.geom("floor").matid = floor
        model.mat_rgba[floor, :3] = table.floor_tint
        model.mat_texrepeat[floor] = 1.0
        self._set_wall(scene)
        second = model.light("second")
        second.dir, second.diffuse = light.second_direction, light.second
        second.specular, second.ambient = [stage.SECOND_SPECULAR * (max(light.second) > 0)] * 3, [0.0] * 3
        lamp = model.light("lamp")
        lamp.dir, lamp.pos = light.direction, -stage.LAMP_M * np.array(light.direction)
        lamp.diffuse, lamp.specular, lamp.ambient = light.diffuse, [stage.LAMP_SPECULAR] * 3, [0.0] * 3
        model.vis.headlight.ambient, model.vis.headlight.diffuse = [light.ambient] * 3, [light.fill] * 3
        model.vis.headlight.specular = [stage.FILL_SPECULAR] * 3
        index = model.camera("camera").id
        axes = camera.axes * [1.0, -1.0, -1.0]  # MuJoCo's camera has y up and looks along -z
        mujoco.mju_mat2Quat(model.cam_quat[index], axes.ravel())
        model.cam_pos[index] = camera.position_m
        model.cam_fovy[index] = camera.fovy_deg
        mujoco.mj_kinematics(model, self._data)
        mujoco.mj_camlight(model, self._data)

    def _set_wall(self, scene: Scene) -> None:
        """Upright behind the table, as the camera sees it."""
        model, room = self._model, scene.room
        wall = model.geom("wall")
        wall.rgba[3] = float(room.wall is not None)
        if room.wall is None:
            return
        material = len(table_textures()) + len(floor_textures()) + room.wall
        wall.matid = material
        model.mat_rgba[material, :3] = room.tint
        model.mat_texrepeat[material] = 1.0 / room.repeat_m
        wall.pos, axes = stage.wall_pose(room, scene.camera)
        mujoco.mju_mat2Quat(wall.quat, axes.ravel())

    def _add_geoms(self, geoms: tuple[Geom, ...], object_id: int) -> None:
        """Draw geoms as parts of an object, or of the background where its id is 0."""
        drawn = self._canvas.scene
        for geom in geoms:
            turn, shift = self._into_mesh[geom.mesh]
            linear = np.reshape(geom.linear, (3, 3))
            item = drawn.geoms[drawn.ngeom]
            # The matrix may scale as well as turn: the drawing code multiplies with it as it is.
            mujoco.mjv_initGeom(
                item,
                mujoco.mjtGeom.mjGEOM_MESH,
                _ONES,
                linear @ shift + geom.offset_m,
                (linear @ turn).ravel(),
                np.array([*geom.rgb, 1.0], np.float32),
            )
            item.category = mujoco.mjtCatBit.mjCAT_DYNAMIC
            item.transparent, item.camdist = 0, 0.0  # left as they were in memory by mjv_initGeom
            item.dataid = 2 * self._mesh_ids[geom.mesh]
            item.segid = object_id * _PARTS + geom.part if object_id else _CLUTTER
            item.specular, item.shininess = geom.specular, geom.shininess
            item.emission = stage.GLOW
            if geom.texture:
                item.matid = self._materials[geom.texture]
            drawn.ngeom += 1
