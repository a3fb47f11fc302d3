"""A world holds what the scene does: its files alone give the picture that our renderer draws."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import parse

import numpy as np
import pytest

from pixelrs_ros import cli
from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.gazebo.labels import LABELS_FILE, WorldTruth
from pixelrs_ros.sim.gazebo.reader import draw, read_world
from pixelrs_ros.sim.gazebo.releases import RELEASES
from pixelrs_ros.sim.gazebo.world import WORLD_FILE, write_world
from pixelrs_ros.sim.picture.render import Renderer
from pixelrs_ros.sim.scene.scene import sample_scene
from pixelrs_ros.sim.shape.shapes import bounds_m

SEEDS = (3, 4, 5, 910_000, 910_005)
SDF = next((found for name in ("gz", "ign") if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def world(seed: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(sample_scene(seed), tmp_path_factory.mktemp(f"world_{seed}"), RELEASES["harmonic"])


def test_its_files_give_the_picture_that_our_renderer_draws(renderer: Renderer, seed: int, world: Path) -> None:
    scene = sample_scene(seed)
    ours = renderer.render(scene, depth=True)
    assert ours.depth_m is not None
    read = read_world(world)
    seen = draw(read, read.camera("rgbd_camera"))
    apart = np.abs(ours.image.astype(int) - seen.image).mean(axis=-1)
    assert apart.mean() < 2.0  # of 255
    assert (apart > 24).mean() < 0.005
    truth = np.zeros_like(seen.labels)
    for entry in WorldTruth.read(world.parent / LABELS_FILE).labels:
        truth[ours.mask(entry.object_id, entry.part)] = entry.label
    assert (seen.labels == truth).mean() > 0.9995
    solid = np.isfinite(seen.depth_m)
    assert np.quantile(np.abs(seen.depth_m - ours.depth_m)[solid], 0.999) < 0.001


def test_both_cameras_look_through_one_lens(world: Path) -> None:
    read = read_world(world)
    depth, labels = read.camera("rgbd_camera"), read.camera("segmentation")
    assert np.array_equal(depth.position_m, labels.position_m) and np.array_equal(depth.axes, labels.axes)
    assert (depth.fovx_rad, depth.size_px, depth.clip_m) == (labels.fovx_rad, labels.size_px, labels.clip_m)


def test_models_stand_where_the_things_do(seed: int, world: Path) -> None:
    poses = [visual.position_m for visual in read_world(world).visuals if visual.label]
    for thing in sample_scene(seed).objects:
        low, high = bounds_m(thing.geoms)
        middle = [*((low + high) / 2)[:2], 0.0]
        assert min(np.abs(pose - middle).max() for pose in poses) < 1e-6


@pytest.mark.parametrize("release", RELEASES)
def test_libsdformat_finds_no_fault(seed: int, release: str, tmp_path: Path) -> None:
    if SDF is None:
        pytest.skip("no `gz sdf` or `ign sdf`: apt-get install libsdformat-dev ignition-tools")
    path = write_world(sample_scene(seed), tmp_path, RELEASES[release])
    checked = subprocess.run([SDF, "sdf", "--check", str(path)], capture_output=True, text=True, timeout=120)
    said = [line for line in (checked.stdout + checked.stderr).splitlines() if "backward" not in line]
    assert (checked.returncode, said) == (0, ["Valid."])


@pytest.mark.parametrize("release", RELEASES)
def test_plugins_and_lens_are_the_release_s(release: str, tmp_path: Path) -> None:
    scene = sample_scene(3)
    root = parse(write_world(scene, tmp_path, RELEASES[release])).getroot()
    plugins = {(plugin.get("filename"), plugin.get("name")) for plugin in root.iter("plugin")}
    assert len(plugins) == 5
    assert all(
        filename.startswith(RELEASES[release].library) and name.startswith(f"{RELEASES[release].namespace}::systems::")
        for filename, name in plugins
        if filename and name
    )
    fx = [float(found.text or 0) for found in root.iter("fx")]
    assert fx == (
        [pytest.approx(scene.camera.intrinsics(640, 480)[0, 0], rel=1e-6)] * 2 if release == "fortress" else []
    )


@pytest.mark.parametrize("release", RELEASES)
def test_images_name_the_frame_whose_place_is_published(release: str, tmp_path: Path) -> None:
    root = parse(write_world(sample_scene(3), tmp_path, RELEASES[release])).getroot()
    frame = WorldTruth.read(tmp_path / LABELS_FILE).camera.frame_id
    (color,) = (sensor for sensor in root.iter("sensor") if sensor.get("type") == "rgbd_camera")
    assert color.findtext("camera/optical_frame_id") == frame
    # gz-sensors 6.2 to 6.6 do not know that one.
    assert color.findtext("ignition_frame_id") == (frame if release == "fortress" else None)


def test_the_command_writes_the_same_world_for_the_same_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        arguments = ["world", "--seed", "3", "--out", str(tmp_path / name), "--gazebo", "fortress"]
        assert cli.main(arguments) == 0
    assert "ign gazebo" in capsys.readouterr().out
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two
    assert {WORLD_FILE, LABELS_FILE} < {path.as_posix() for path in one}


def test_a_world_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_world(tmp_path / "missing.sdf")
    path = tmp_path / "broken.sdf"
    path.write_text("<sdf><world>")
    with pytest.raises(DataError, match="no element found"):
        read_world(path)
    path.write_text('<sdf version="1.9"><world name="w"><scene><ambient>1</ambient></scene></world></sdf>')
    with pytest.raises(DataError, match="no sensor of type rgbd_camera"):
        read_world(path).camera("rgbd_camera")
