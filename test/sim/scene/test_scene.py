"""Scenes follow from their seed, hold what dialogues need, and keep to the table and the picture."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from pixelrs_ros.sim.scene.kinds import COLORS, FAMILIES, HELD_OUT_FAMILY, KINDS, Kind
from pixelrs_ros.sim.scene.layout import CROWDED, HEIGHT_PX, LOOSE, WIDTH_PX
from pixelrs_ros.sim.scene.scene import Scene, SceneObject, build_object, move_camera, sample_scene
from pixelrs_ros.sim.shape.meshes import mesh_library
from pixelrs_ros.sim.shape.patterns import WOODS, cube_textures
from pixelrs_ros.sim.shape.shapes import bounds_m
from pixelrs_ros.sim.shape.textures import floor_textures, table_textures

SCENES = 150
GOLDEN_SCENES = {
    3: "6bdf67d6e4a1b441",
    4: "61db5dadc11bce71",
    5: "8af7e40d551efccd",
    7: "67d880aac65187fa",
}  # digests of their objects, made when there were eight families


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(seed) for seed in range(SCENES)]


def test_a_seed_always_gives_the_same_scene() -> None:
    assert sample_scene(7) == sample_scene(7)
    assert sample_scene(7) != sample_scene(8)
    assert move_camera(sample_scene(7), 1) == move_camera(sample_scene(7), 1)


def digest(things: tuple[SceneObject, ...]) -> str:
    """Of every geom, rounded to a micrometre, so that another machine's last bits do not count."""
    told = hashlib.sha256()
    for thing in things:
        told.update(f"{thing.kind} {thing.color} {thing.family}".encode())
        for geom in thing.geoms:
            numbers = np.round([*geom.linear, *geom.offset_m, *geom.rgb, geom.specular, geom.shininess], 6) + 0.0
            told.update((geom.mesh + geom.texture).encode() + numbers.tobytes())
    return told.hexdigest()[:16]


@pytest.mark.parametrize(("seed", "expected"), GOLDEN_SCENES.items())
def test_the_things_that_networks_were_trained_on_stay_what_they_were(seed: int, expected: str) -> None:
    assert digest(sample_scene(seed).objects) == expected


def test_the_held_out_family_comes_only_when_asked_for(scenes: list[Scene]) -> None:
    assert {thing.family for scene in scenes for thing in scene.objects} == set(range(FAMILIES))
    mixed = [thing.family for seed in range(40) for thing in sample_scene(seed, held_out_rate=0.5).objects]
    assert 0.35 < np.mean(np.array(mixed) == HELD_OUT_FAMILY) < 0.65
    assert set(mixed) == {*range(FAMILIES), HELD_OUT_FAMILY}
    always = {thing.family for seed in range(5) for thing in sample_scene(seed, held_out_rate=1.0).objects}
    assert always == {HELD_OUT_FAMILY}


def test_a_setting_varies_from_scene_to_scene(scenes: list[Scene]) -> None:
    assert 0.2 < np.mean([scene.spacing is CROWDED for scene in scenes]) < 0.4
    assert {scene.table.floor for scene in scenes} == set(range(len(floor_textures())))
    assert len({scene.table.texture for scene in scenes}) > 0.9 * len(table_textures())
    warmth = [scene.light.diffuse[0] / scene.light.diffuse[2] for scene in scenes]
    assert min(warmth) < 0.85 and max(warmth) > 1.15
    loose = [scene.camera.elevation_deg for scene in scenes if scene.spacing is LOOSE]
    crowded = [scene.camera.elevation_deg for scene in scenes if scene.spacing is CROWDED]
    assert np.mean(crowded) < np.mean(loose) - 10


def test_numbers_tell_objects_apart_and_labels_do_not_always(scenes: list[Scene]) -> None:
    twins = 0
    for scene in scenes:
        assert [thing.object_id for thing in scene.objects] == list(range(1, len(scene.objects) + 1))
        most = max(Counter((thing.kind, thing.color) for thing in scene.objects).values())
        assert most <= 3
        twins += most > 1
    assert 0.15 < twins / len(scenes) < 0.35
    for seed in range(20):
        labels = [(thing.kind, thing.color) for thing in sample_scene(seed, twin_rate=0.0).objects]
        assert len(set(labels)) == len(labels)


def test_patterns_cover_less_than_half_and_clutter_is_no_object(scenes: list[Scene]) -> None:
    things = [thing for scene in scenes for thing in scene.objects]
    patterned = [any(geom.texture not in ("", *WOODS) for geom in thing.geoms) for thing in things]
    assert 0.35 < np.mean(patterned) < 0.5
    known = cube_textures()
    assert all(not geom.texture or geom.texture in known for thing in things for geom in thing.geoms)
    assert 0.3 < np.mean([bool(scene.clutter) for scene in scenes]) < 0.65
    assert not any(sample_scene(seed, clutter_rate=0.0).clutter[1:] for seed in range(10))


@pytest.mark.parametrize("size_px", [(640, 360), (480, 640), (480, 480)])
def test_a_layout_fits_the_picture_asked_for(size_px: tuple[int, int]) -> None:
    for seed in range(8):
        scene = sample_scene(seed, width_px=size_px[0], height_px=size_px[1])
        assert scene.size_px == size_px and scene.objects
        for thing in scene.objects:
            points = np.concatenate([geom.vertices_m() for geom in thing.geoms])
            pixels = scene.camera.project(points, *size_px)
            assert pixels.min() > 0 and (pixels.max(axis=0) < size_px).all()


def test_scenes_hold_three_to_nine_objects_mostly_in_groups(scenes: list[Scene]) -> None:
    assert np.mean([3 <= len(scene.objects) <= 9 for scene in scenes]) > 0.95
    assert np.mean([len(scene.objects) for scene in scenes]) > 5
    largest = [max(Counter(thing.kind for thing in scene.objects).values()) for scene in scenes]
    assert 0.7 < np.mean(np.array(largest) >= 2) < 0.97
    shared = [max(Counter(thing.color for thing in scene.objects).values()) >= 2 for scene in scenes]
    assert np.mean(shared) > 0.7


def test_every_kind_color_and_family_is_about_equally_frequent(scenes: list[Scene]) -> None:
    things = [thing for scene in scenes for thing in scene.objects]
    for counts, words in (
        (Counter(thing.kind for thing in things), KINDS),
        (Counter(thing.color for thing in things), COLORS),
        (Counter(thing.family for thing in things), range(FAMILIES)),
    ):
        expected = len(things) / len(words)
        assert set(counts) == set(words)
        assert 0.5 * expected < min(counts.values()) <= max(counts.values()) < 1.6 * expected


def test_objects_rest_on_the_table_inside_the_picture_and_apart(scenes: list[Scene]) -> None:
    for scene in scenes[:40]:
        boxes = []
        for thing in scene.objects:
            low, high = bounds_m(thing.geoms)
            assert abs(low[2]) < 1e-9
            points = np.concatenate([geom.vertices_m() for geom in thing.geoms])
            pixels = scene.camera.project(points, WIDTH_PX, HEIGHT_PX)
            assert pixels.min() > 0
            assert (pixels.max(axis=0) < (WIDTH_PX, HEIGHT_PX)).all()
            boxes.append((low + high) / 2)
        between = [np.linalg.norm(a[:2] - b[:2]) for i, a in enumerate(boxes) for b in boxes[:i]]
        assert min(between) > 0.015


def test_a_moved_camera_keeps_the_objects_and_looks_from_elsewhere(scenes: list[Scene]) -> None:
    for scene in scenes[:25]:
        moved = move_camera(scene, 3)
        assert moved.objects == scene.objects
        assert 15 <= abs(moved.camera.azimuth_deg - scene.camera.azimuth_deg) <= 40
        for thing in moved.objects:
            points = np.concatenate([geom.vertices_m() for geom in thing.geoms])
            pixels = moved.camera.project(points, WIDTH_PX, HEIGHT_PX)
            assert pixels.min() > 0
            assert (pixels.max(axis=0) < (WIDTH_PX, HEIGHT_PX)).all()


@pytest.mark.parametrize("held_out", [False, True], ids=["trained", "held_out"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_varies_and_has_the_size_asked_for(kind: Kind, held_out: bool) -> None:
    built = [build_object(kind, "red", 0.2, np.random.default_rng(seed), held_out=held_out) for seed in range(12)]
    families = {family for family, _ in built}
    assert families == {HELD_OUT_FAMILY} if held_out else len(families) >= 3
    for _, geoms in built:
        low, high = bounds_m(geoms)
        assert (high - low).max() == pytest.approx(0.2)
        assert {kind.parts[geom.part] for geom in geoms} == set(kind.parts)
    assert len({str(geoms) for _, geoms in built}) == len(built)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_held_out_family_is_made_of_other_meshes_or_more_of_them(kind: Kind) -> None:
    trained = [build_object(kind, "red", 0.2, np.random.default_rng(seed))[1] for seed in range(40)]
    unseen = [build_object(kind, "red", 0.2, np.random.default_rng(seed), held_out=True)[1] for seed in range(3)]
    seen = {tuple(sorted(Counter(geom.mesh for geom in geoms).items())) for geoms in trained}
    for geoms in unseen:
        assert tuple(sorted(Counter(geom.mesh for geom in geoms).items())) not in seen


def test_every_mesh_is_closed_and_faces_outwards() -> None:
    for name, mesh in mesh_library().items():
        edges = Counter((int(a), int(b)) for face in mesh.faces for a, b in zip(face, np.roll(face, -1), strict=True))
        assert all(edges[(b, a)] == count for (a, b), count in edges.items()), name
        corners = mesh.vertices[mesh.faces]
        volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
        assert volume > 0, name
