"""Writes a scene as a world for Gazebo: the SDF, one mesh a part, what each label means, and where the camera is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from pixelrs_ros import files
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE, CameraPlace, WorldTruth, labels_of
from pixelrs_ros.sim.gazebo.obj import Material, write_materials, write_mesh
from pixelrs_ros.sim.gazebo.releases import Release
from pixelrs_ros.sim.gazebo.surfaces import Surface, joined, slab, surface_of
from pixelrs_ros.sim.scene import stage
from pixelrs_ros.sim.scene.camera import Camera
from pixelrs_ros.sim.scene.kinds import KINDS
from pixelrs_ros.sim.scene.scene import Scene
from pixelrs_ros.sim.shape.patterns import cube_textures
from pixelrs_ros.sim.shape.shapes import Color, Geom, bounds_m
from pixelrs_ros.sim.shape.textures import floor_textures, table_textures, wall_textures

WORLD_FILE, MESHES = "tabletop.sdf", "meshes"
CAMERA_TOPIC, SEGMENTATION_TOPIC = "camera", "segmentation"
FRAME_ID = "camera_optical_frame"
LABEL_SYSTEM = "label"
_SDF = "1.9"  # the newest that Fortress knows
_RATE_HZ = 10.0
_THIN_M, _THICK_M = 0.0005, 0.01
_SYSTEMS = ("physics", "user-commands", "scene-broadcaster", "sensors")
_PLAIN_PX = 4


def write_world(scene: Scene, folder: Path, release: Release) -> Path:
    """Write the world of a scene.

    Args:
        scene: What is in it.
        folder: Where `WORLD_FILE`, `LABELS_FILE` and the folder `MESHES` are put.
        release: Of Gazebo.

    Returns:
        The world's file.

    Raises:
        OutputError: A file cannot be written.
        DataError: There are more parts than labels.
    """
    labels = labels_of(scene.objects)
    world = _World(folder, release)
    world.add_background(scene)
    for number, geoms in enumerate(scene.clutter, start=1):
        origin = _stand_m(geoms)
        model = world.add_model(f"clutter_{number}", pose=origin)
        world.add_visual(model, f"clutter_{number}", world.dressed(geoms, origin))
    by_part = {(label.object_id, label.part): label.label for label in labels}
    for thing in scene.objects:
        origin, name = _stand_m(thing.geoms), f"{thing.color}_{thing.kind}_{thing.object_id}".replace(" ", "_")
        model = world.add_model(name, pose=origin)
        for index, part in enumerate(KINDS[thing.kind].parts):
            geoms = tuple(geom for geom in thing.geoms if geom.part == index)
            if geoms:
                visual = world.add_visual(model, f"{name}_{part}".replace(" ", "_"), world.dressed(geoms, origin))
                world.add_label(visual, by_part[thing.object_id, part])
    world.add_lights(scene)
    world.add_cameras(scene.camera, scene.size_px)
    path = world.write()
    camera = scene.camera
    place = CameraPlace(FRAME_ID, _rounded(camera.position_m), _rounded(roll_pitch_yaw(camera.axes)))
    WorldTruth(scene.seed, place, labels).write(folder / LABELS_FILE)
    return path


def roll_pitch_yaw(axes: np.ndarray) -> tuple[float, float, float]:
    """Radians about the fixed x, y and z axes that turn them into the columns of (3, 3)."""
    pitch = math.asin(float(np.clip(-axes[2, 0], -1, 1)))
    return math.atan2(axes[2, 1], axes[2, 2]), pitch, math.atan2(axes[1, 0], axes[0, 0])


def gazebo_axes(camera: Camera) -> np.ndarray:
    """(3, 3) float64, columns forward, left and up: the axes of a link whose sensors look along x."""
    right, down, forward = camera.axes.T
    return np.stack([forward, -right, -down], axis=1)


def _stand_m(geoms: Sequence[Geom]) -> np.ndarray:
    """(3,) float64, the middle of what a thing stands on."""
    low, high = bounds_m(geoms)
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0.0])


class _World:
    """A world while it is put together."""

    def __init__(self, folder: Path, release: Release) -> None:
        self._folder, self._release = folder, release
        self._materials: dict[tuple[str, Color, float, float], Material] = {}
        self._root = Element("sdf", version=_SDF)
        self._world = SubElement(self._root, "world", name="tabletop")
        for system in _SYSTEMS:
            plugin = self._plugin(self._world, system)
            if system == "sensors":
                _add(plugin, "render_engine", "ogre2")  # the only engine with a segmentation camera

    def write(self) -> Path:
        write_materials(self._folder / MESHES, list(self._materials.values()))
        indent(self._root)
        path = self._folder / WORLD_FILE
        files.write_file(path, '<?xml version="1.0"?>\n' + tostring(self._root, encoding="unicode") + "\n")
        return path

    def add_model(self, name: str, pose: np.ndarray, axes: np.ndarray | None = None) -> Element:
        """A model that stays where it is; returns its link."""
        model = SubElement(self._world, "model", name=name)
        _add(model, "static", "true")
        turn = (0.0, 0.0, 0.0) if axes is None else roll_pitch_yaw(axes)
        _add(model, "pose", _numbers((*pose, *turn)))
        return SubElement(model, "link", name="link")

    def add_visual(self, link: Element, name: str, surfaces: list[Surface], *, shadow: bool = True) -> Element:
        """A mesh of these surfaces, of a name that no other one has."""
        write_mesh(self._folder / MESHES / f"{name}.obj", surfaces)
        visual = SubElement(link, "visual", name=name)
        _add(visual, "cast_shadows", "true" if shadow else "false")
        mesh = SubElement(SubElement(visual, "geometry"), "mesh")
        _add(mesh, "uri", f"{MESHES}/{name}.obj")
        return visual

    def add_label(self, visual: Element, label: int) -> None:
        _add(self._plugin(visual, LABEL_SYSTEM), "label", str(label))

    def dressed(self, geoms: Iterable[Geom], origin: np.ndarray) -> list[Surface]:
        """The surfaces of geoms, seen from an origin."""
        surfaces = []
        for geom in geoms:
            picture = cube_textures()[geom.texture] if geom.texture else _PLAIN
            material = self._material(geom.texture, picture, geom.rgb, geom.specular, geom.shininess, stage.GLOW)
            surfaces.append(surface_of(geom, material).moved(-origin))
        return joined(surfaces)

    def add_background(self, scene: Scene) -> None:
        """Table, floor and wall."""
        table, room = scene.table, scene.room
        flat = {"specular": stage.FLAT_SPECULAR, "shininess": stage.FLAT_SHININESS}
        turn = np.array(
            [
                [np.cos(np.radians(table.yaw_deg)), -np.sin(np.radians(table.yaw_deg)), 0.0],
                [np.sin(np.radians(table.yaw_deg)), np.cos(np.radians(table.yaw_deg)), 0.0],
                [0.0, 0.0, 1.0],
            ]
        )
        top = self._material(f"table_{table.texture}", table_textures()[table.texture], table.tint, **flat)
        shade = [stage.EDGE_SHADE * value for value in table.tint]
        edge = self._material("", _PLAIN, (shade[0], shade[1], shade[2]), stage.EDGE_SPECULAR, stage.EDGE_SHININESS)
        half = (stage.TABLE_HALF_M, stage.TABLE_HALF_M)
        repeats = (table.half_m[0] / table.repeat_m, table.half_m[1] / table.repeat_m)
        board = slab(edge, table.half_m, 2 * stage.EDGE_HALF_M).moved(np.array([0.0, 0.0, -stage.EDGE_BELOW_M]))
        link = self.add_model("table", np.zeros(3), turn)
        self.add_visual(link, "table", [slab(top, half, _THIN_M, repeats), board], shadow=False)
        floor = self._material(f"floor_{table.floor}", floor_textures()[table.floor], table.floor_tint, **flat)
        half = (stage.FLOOR_HALF_M, stage.FLOOR_HALF_M)
        link = self.add_model("floor", np.array([0.0, 0.0, stage.FLOOR_M]))
        self.add_visual(link, "floor", [slab(floor, half, _THICK_M, half)], shadow=False)
        if room.wall is None:
            return
        wall = self._material(f"wall_{room.wall}", wall_textures()[room.wall], room.tint, **flat)
        repeats = (stage.WALL_HALF_M[0] / room.repeat_m, stage.WALL_HALF_M[1] / room.repeat_m)
        link = self.add_model("wall", *stage.wall_pose(room, scene.camera))
        self.add_visual(link, "wall", [slab(wall, stage.WALL_HALF_M, _THICK_M, repeats)], shadow=False)

    def add_lights(self, scene: Scene) -> None:
        light, forward = scene.light, scene.camera.axes[:, 2]
        look = SubElement(self._world, "scene")
        _add(look, "ambient", _numbers([light.ambient] * 3 + [1.0]))
        _add(look, "background", "0 0 0 1")
        _add(look, "shadows", "true")
        _add(look, "grid", "false")
        self._lamp("lamp", light.diffuse, light.direction, stage.LAMP_SPECULAR, shadows=True)
        if max(light.second) > 0:
            self._lamp("second_lamp", light.second, light.second_direction, stage.SECOND_SPECULAR)
        self._lamp("camera_lamp", [light.fill] * 3, forward, stage.FILL_SPECULAR)

    def _lamp(
        self,
        name: str,
        diffuse: Sequence[float],
        direction: Sequence[float] | np.ndarray,
        specular: float,
        *,
        shadows: bool = False,
    ) -> None:
        lamp = SubElement(self._world, "light", name=name, type="directional")
        strength = max(1.0, *diffuse)  # colors end at 1
        _add(lamp, "cast_shadows", "true" if shadows else "false")
        _add(lamp, "pose", _numbers([*(-stage.LAMP_M * np.asarray(direction)), 0, 0, 0]))
        _add(lamp, "diffuse", _numbers([*(value / strength for value in diffuse), 1.0]))
        _add(lamp, "specular", _numbers([specular / strength] * 3 + [1.0]))
        _add(lamp, "intensity", _numbers([strength]))
        _add(lamp, "direction", _numbers(direction))

    def add_cameras(self, camera: Camera, size_px: tuple[int, int]) -> None:
        """Color, depth and labels, all seen from the same place through the same lens."""
        link = self.add_model("camera", camera.position_m, gazebo_axes(camera))
        for kind, topic in (("rgbd_camera", CAMERA_TOPIC), ("segmentation", SEGMENTATION_TOPIC)):
            sensor = SubElement(link, "sensor", name=kind, type=kind)
            _add(sensor, "topic", topic)
            if self._release.frame_element and kind == "rgbd_camera":
                _add(sensor, self._release.frame_element, FRAME_ID)
            _add(sensor, "always_on", "true")
            _add(sensor, "update_rate", _numbers([_RATE_HZ]))
            lens = SubElement(sensor, "camera", name=kind)
            matrix = camera.intrinsics(*size_px)
            if kind == "segmentation":
                _add(lens, "segmentation_type", "semantic")  # the label itself in every channel
            _add(lens, "horizontal_fov", _numbers([2 * math.atan(size_px[0] / 2 / matrix[0, 0])]))
            image = SubElement(lens, "image")
            _add(image, "width", str(size_px[0]))
            _add(image, "height", str(size_px[1]))
            clip = SubElement(lens, "clip")
            _add(clip, "near", _numbers([stage.NEAR_M]))
            _add(clip, "far", _numbers([stage.FAR_M]))
            if not self._release.own_lens:
                self._report_lens(lens, matrix)
            _add(lens, "optical_frame_id", FRAME_ID)

    def _report_lens(self, parent: Element, matrix: np.ndarray) -> None:
        lens = SubElement(parent, "lens")
        # ROS counts pixels from the middle of the first one.
        values = {"fx": matrix[0, 0], "fy": matrix[1, 1], "cx": matrix[0, 2] - 0.5, "cy": matrix[1, 2] - 0.5}
        for name, last in (("intrinsics", {"s": 0.0}), ("projection", {"tx": 0.0, "ty": 0.0})):
            element = SubElement(lens, name)
            for key, value in {**values, **last}.items():
                _add(element, ("p_" if name == "projection" else "") + key, _numbers([value]))

    def _plugin(self, parent: Element, system: str) -> Element:
        filename, name = self._release.system(system)
        return SubElement(parent, "plugin", filename=filename, name=name)

    def _material(
        self, texture: str, picture: np.ndarray, tint: Color, specular: float, shininess: float, glow: float = 0.0
    ) -> str:
        """Name of the material with this picture in this tint."""
        key = (texture, tint, specular, shininess)
        if key not in self._materials:
            tinted = np.clip(np.round(picture * np.array(tint)), 0, 255).astype(np.uint8)
            self._materials[key] = Material(f"material_{len(self._materials) + 1}", tinted, specular, shininess, glow)
        return self._materials[key].name


_PLAIN = np.full((_PLAIN_PX, _PLAIN_PX, 3), 255, np.uint8)


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{float(value) + 0.0:.7g}" for value in values)
