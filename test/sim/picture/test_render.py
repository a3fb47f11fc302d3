"""The picture, its depth and its masks belong together."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.kinds import KINDS, Kind
from pixelrs_ros.sim.scene.layout import CROWDED, LOOSE, Spacing
from pixelrs_ros.sim.scene.scene import SceneObject, build_object, move_camera, sample_scene
from pixelrs_ros.sim.scene.setting import DARKNESS


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def view(renderer: Renderer) -> View:
    return renderer.render(sample_scene(3), depth=True)


def test_a_view_has_the_camera_s_shapes_and_types(view: View) -> None:
    assert view.image.shape == (480, 640, 3)
    assert view.image.dtype == view.object_ids.dtype == view.part_ids.dtype == np.uint8
    assert view.depth_m is not None
    assert view.depth_m.shape == view.object_ids.shape == view.part_ids.shape == (480, 640)
    assert view.depth_m.dtype == np.float32
    assert view.image.std() > 20


def test_the_same_scene_gives_the_same_bytes(renderer: Renderer, view: View) -> None:
    renderer.render(sample_scene(4))  # nothing of another scene stays behind
    again = renderer.render(sample_scene(3), depth=True)
    assert np.array_equal(view.image, again.image)
    assert np.array_equal(view.object_ids, again.object_ids)
    assert view.depth_m is not None and again.depth_m is not None
    assert np.array_equal(view.depth_m, again.depth_m)
    with Renderer() as fresh:
        assert np.array_equal(view.image, fresh.render(sample_scene(3)).image)


def test_depth_is_drawn_only_when_asked_for(renderer: Renderer) -> None:
    assert renderer.render(sample_scene(3)).depth_m is None


def test_an_object_is_the_union_of_its_parts(view: View) -> None:
    assert set(np.unique(view.object_ids)) == {0, *(thing.object_id for thing in view.objects)}
    assert np.array_equal(view.object_ids > 0, view.part_ids > 0)
    for thing in view.objects:
        parts = [view.mask(thing.object_id, part) for part in KINDS[thing.kind].parts]
        assert np.array_equal(np.sum(parts, axis=0), view.mask(thing.object_id).astype(int))


def test_a_mask_of_something_unknown_is_refused(view: View) -> None:
    with pytest.raises(ValueError, match="no object 99"):
        view.mask(99)
    with pytest.raises(ValueError, match="its parts are"):
        view.mask(1, "wheel")


@pytest.mark.parametrize("seed", [3, 11])
def test_back_projected_points_lie_on_the_table_and_on_their_objects(renderer: Renderer, seed: int) -> None:
    scene = move_camera(replace(sample_scene(seed), clutter=(), room=DARKNESS), 1)
    view = renderer.render(scene, depth=True)
    assert view.depth_m is not None
    rows, columns = np.mgrid[:480, :640]
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones_like(rows)], axis=-1)
    rays = pixels @ np.linalg.inv(view.intrinsics).T @ scene.camera.axes.T
    points = scene.camera.position_m + rays * view.depth_m[..., None]
    heights = points[view.object_ids == 0][:, 2]
    table = heights[heights > -0.015]  # the rest is the table's edge and the floor beyond it
    assert table.size > 0.7 * heights.size
    assert np.abs(table).max() < 0.005
    for thing in scene.objects:
        surface = np.concatenate([geom.vertices_m() for geom in thing.geoms])
        seen = points[view.mask(thing.object_id)]
        assert (seen > surface.min(axis=0) - 0.004).all()
        assert (seen < surface.max(axis=0) + 0.004).all()


def test_a_projected_object_covers_its_mask(renderer: Renderer) -> None:
    scene = sample_scene(5)
    for thing in scene.objects:
        view = renderer.render(replace(scene, objects=(thing,)))
        rows, columns = np.nonzero(view.mask(thing.object_id))
        points = np.concatenate([geom.vertices_m() for geom in thing.geoms])
        pixels = scene.camera.project(points, 640, 480)
        assert np.allclose(pixels.min(axis=0), (columns.min(), rows.min()), atol=1.5)
        assert np.allclose(pixels.max(axis=0), (columns.max() + 1, rows.max() + 1), atol=1.5)


def test_things_are_hidden_in_crowded_scenes_but_never_too_far(renderer: Renderer) -> None:
    shares: dict[Spacing, list[float]] = {LOOSE: [], CROWDED: []}
    for seed in range(12):
        scene = sample_scene(seed)
        view = renderer.render(scene)
        shares[scene.spacing] += [renderer.visible_share(scene, view, thing.object_id) for thing in scene.objects]
    assert min(shares[LOOSE]) > 0.5
    assert 0.2 < min(shares[CROWDED]) < 0.7
    assert np.mean(np.array(shares[CROWDED]) < 0.9) > 2 * np.mean(np.array(shares[LOOSE]) < 0.9)


def test_the_visible_share_counts_what_others_hide(renderer: Renderer) -> None:
    base = replace(sample_scene(1), clutter=())
    forward = base.camera.axes[:2, 2] / np.linalg.norm(base.camera.axes[:2, 2])
    front, back = (_book(number, side * 0.11 * forward) for number, side in ((1, -1), (2, 1)))
    apart = replace(base, objects=(back, _book(1, np.array([-forward[1], forward[0]]) * 0.4)))
    view = renderer.render(apart)
    assert renderer.visible_share(apart, view, 2) == 1.0
    tall = replace(front, geoms=tuple(geom.moved(np.diag([1.0, 1.0, 9.0]), np.zeros(3)) for geom in front.geoms))
    hiding = replace(base, objects=(back, tall))
    view = renderer.render(hiding)
    share = renderer.visible_share(hiding, view, 2)
    alone = renderer.render(replace(base, objects=(back,)))
    assert share == pytest.approx(view.mask(2).sum() / alone.mask(2).sum())
    assert share < 0.9
    assert renderer.visible_share(hiding, view, 1) == 1.0
    with pytest.raises(ValueError, match="no object 9"):
        renderer.visible_share(hiding, view, 9)


def _book(number: int, at_m: np.ndarray) -> SceneObject:
    family, geoms = build_object(KINDS["book"], "red", 0.2, np.random.default_rng(0))
    return SceneObject(
        number, "book", "red", family, tuple(geom.moved(np.eye(3), np.array([*at_m, 0.0])) for geom in geoms)
    )


@pytest.mark.parametrize("held_out", [False, True], ids=["trained", "held_out"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_part_of_a_kind_can_be_seen(renderer: Renderer, kind: Kind, held_out: bool) -> None:
    best = dict.fromkeys(kind.parts, 0)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        base = replace(sample_scene(seed), clutter=())
        size_m = rng.uniform(*kind.size_px) * base.camera.distance_m / 579
        family, geoms = build_object(kind, "blue", size_m, rng, held_out=held_out)
        view = renderer.render(replace(base, objects=(SceneObject(1, kind.name, "blue", family, tuple(geoms)),)))
        for part in kind.parts:
            best[part] = max(best[part], int(view.mask(1, part).sum()))
        if min(best.values()) >= 60:
            break
    assert min(best.values()) >= 60, best


def test_colors_are_what_they_are_called(renderer: Renderer) -> None:
    base = replace(sample_scene(1), clutter=())
    means = {}
    for color in ("red", "green", "blue", "white", "black"):
        family, geoms = build_object(KINDS["book"], color, 0.2, np.random.default_rng(0))
        view = renderer.render(replace(base, objects=(SceneObject(1, "book", color, family, tuple(geoms)),)))
        means[color] = view.image[view.mask(1, "cover")].mean(axis=0)
    assert [int(np.argmax(means[color])) for color in ("red", "green", "blue")] == [0, 1, 2]
    assert means["white"].min() > 3 * means["black"].max()
