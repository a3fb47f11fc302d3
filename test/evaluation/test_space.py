"""The measurement of measurements: exact depth gives no error, wrong depth gives the error that it has."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixelrs_ros.cli import build_parser
from pixelrs_ros.evaluation.space import (
    ERRORS,
    SENSORS,
    VARIANTS,
    camera_of,
    errors_mm,
    measure_scene,
    summary,
    targets,
    true_masks,
    truth,
)
from pixelrs_ros.geometry.depth import Rules
from pixelrs_ros.geometry.target import Geometry, GeometryStatus, locate
from pixelrs_ros.sim.picture.render import Renderer, View
from pixelrs_ros.sim.scene.scene import Scene, sample_scene

RAW = Rules(edge_erosion_px=0.0, remove_outliers=False)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def seen(renderer: Renderer) -> tuple[Scene, View]:
    scene = sample_scene(3)
    return scene, renderer.render(scene, depth=True)


def test_exact_depth_of_a_true_mask_has_no_error(seen: tuple[Scene, View]) -> None:
    scene, view = seen
    assert view.depth_m is not None
    for target, mask in true_masks(scene, view):
        known = truth(scene, view, target)
        assert known is not None
        errors = errors_mm(locate(mask, view.depth_m, camera_of(view), RAW), known)
        assert errors["centroid"] < 0.5 and errors["box_size"] < 2.0
        # No longer than the whole's diagonal: the smallest box around a part of it may lie otherwise.
        assert (known.visible_size_m <= np.linalg.norm(known.whole_size_m) * 1.01 + 1e-3).all()


def test_the_table_is_where_the_simulator_put_it(seen: tuple[Scene, View]) -> None:
    """The camera's pixels are ROS's: half a pixel off would lift the table by more than 0.3 mm."""
    scene, view = seen
    assert view.depth_m is not None
    rows, columns = np.nonzero(view.object_ids == 0)
    rays = camera_of(view).rays(np.stack([columns, rows], axis=1))
    points = np.column_stack([rays, np.ones(len(rays))]) * view.depth_m[rows, columns, None]
    heights = (points @ scene.camera.axes.T + scene.camera.position_m)[:, 2]
    table = heights[np.abs(heights) < 0.02]
    assert len(table) > 50_000
    assert np.abs(table).max() < 1e-4


def test_depth_that_is_too_far_is_an_error_of_as_much(seen: tuple[Scene, View]) -> None:
    scene, view = seen
    assert view.depth_m is not None
    target = targets(view)[0]
    known = truth(scene, view, target)
    assert known is not None
    geometry = locate(view.mask(target.object_id, target.part), view.depth_m + np.float32(0.05), camera_of(view), RAW)
    assert errors_mm(geometry, known)["centroid"] == pytest.approx(50, rel=0.1)  # along the ray, which is a bit longer


def test_what_was_not_measured_has_no_errors(seen: tuple[Scene, View]) -> None:
    known = truth(*seen, targets(seen[1])[0])
    assert known is not None
    errors = errors_mm(Geometry(GeometryStatus.TOO_LITTLE_DEPTH, "none"), known)
    assert errors["measured"] is False and not set(errors) & set(ERRORS)
    row = summary([errors])
    assert (row["targets"], row["measured"]) == (1, 0)


def test_cleaning_makes_the_box_of_real_depth_better(renderer: Renderer) -> None:
    variants = {name: VARIANTS[name] for name in ("none", "both")}
    records = measure_scene(renderer, 4, true_masks, variants, ["real depth"])
    rows = {name: summary([record for record in records if record["variant"] == name]) for name in variants}
    assert rows["both"]["measured"] == rows["none"]["measured"] == rows["none"]["targets"] > 3
    assert rows["both"]["box_size"]["p50"] < rows["none"]["box_size"]["p50"] / 3
    assert rows["both"]["centroid"]["p50"] < 8


def test_the_same_seed_measures_the_same(renderer: Renderer) -> None:
    def measured() -> list[dict[str, object]]:
        records = measure_scene(renderer, 5, lambda *_: list(true_masks(*_))[:2], {"both": Rules()}, list(SENSORS))
        return [{**record, "ms": 0} for record in records]

    assert measured() == measured()


def test_the_command_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pixelrs_ros.commands import measure_3d

    path = tmp_path / "geometry.json"
    options: argparse.Namespace = build_parser().parse_args(["measure-3d", "--scenes", "1", "--json", str(path)])
    measure_3d.run(options)
    written = json.loads(path.read_text())
    assert set(written["results"]) == set(SENSORS)
    both = written["results"]["real depth"]["objects"]["both"]
    printed = capsys.readouterr().out
    assert f"{both['centroid']['p50']:.1f} / {both['centroid']['p95']:.1f}" in printed
    assert written["made with"]["scenes"] == 1
    assert replace(VARIANTS["both"]) == Rules()
