"""Labelme's shapes: right, or a clear refusal, never another mask."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pixelrs_ros.data import labelme, prist
from pixelrs_ros.errors import DataError

HEIGHT, WIDTH = 40, 60
ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH]


def a_box(label: str, x0: int, y0: int, x1: int, y1: int, **more: Any) -> dict[str, Any]:
    return {"label": label, "points": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]], "shape_type": "polygon", **more}


def inside(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    return np.asarray((x0 <= COLUMNS) & (x1 >= COLUMNS) & (y0 <= ROWS) & (y1 >= ROWS))


def masks(tmp_path: Path, *shapes: dict[str, Any], **content: Any) -> labelme.Masks:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"imageHeight": HEIGHT, "imageWidth": WIDTH, "shapes": shapes, **content}))
    return labelme.read(path).masks()


@pytest.mark.parametrize("hole", ["_background_", "__ignore__", "__IGNORE__"])
def test_a_hole_cuts_out_what_was_drawn_before_it(tmp_path: Path, hole: str) -> None:
    found = masks(
        tmp_path,
        a_box("ring", 5, 5, 30, 30),
        a_box("disc", 12, 12, 18, 18),
        a_box(hole, 10, 10, 20, 20),
        a_box("coin", 14, 14, 16, 16),
    )
    assert set(found) == {"ring", "disc", "coin"}, "a hole is no label"
    np.testing.assert_array_equal(found["ring"], inside(5, 5, 30, 30) & ~inside(10, 10, 20, 20))
    np.testing.assert_array_equal(found["coin"], inside(14, 14, 16, 16))
    assert not found["disc"].any()
    with pytest.raises(DataError, match="no polygon is labeled"):
        found[hole.casefold()]


@pytest.mark.parametrize("groups", [(1, 2), (None, 1), (1, "1"), ("left", "right")])
def test_a_label_of_several_instances_is_refused_where_it_is_asked_for(tmp_path: Path, groups: tuple[Any, Any]) -> None:
    first, second = groups
    found = masks(
        tmp_path,
        a_box("Mug", 1, 1, 5, 5, group_id=first),
        a_box("mug", 20, 20, 25, 25, group_id=second),
        a_box("pan", 30, 1, 35, 5),
    )
    assert found["pan"].any(), "others can be told"
    with pytest.raises(DataError, match=r"a\.json: 'mug' names several instances, told apart by group_id"):
        found["mug"]


@pytest.mark.parametrize("group", [None, 0, 7, "left"])
def test_parts_of_one_instance_are_one_mask(tmp_path: Path, group: Any) -> None:
    found = masks(tmp_path, a_box("mug", 1, 1, 5, 5, group_id=group), a_box("mug", 20, 2, 25, 5, group_id=group))
    np.testing.assert_array_equal(found["mug"], inside(1, 1, 5, 5) | inside(20, 2, 25, 5))


def test_a_rectangle_has_two_corners_in_any_order_or_four(tmp_path: Path) -> None:
    for corners in ([[20, 10], [8, 4]], [[8, 10], [20, 4]], [[8, 4], [20, 4], [20, 10], [8, 10]]):
        found = masks(tmp_path, {"label": "x", "points": corners, "shape_type": "rectangle"})
        np.testing.assert_array_equal(found["x"], inside(8, 4, 20, 10))


def test_a_circle_has_its_center_and_a_point_on_it(tmp_path: Path) -> None:
    found = masks(tmp_path, {"label": "x", "points": [[30, 20], [36, 28]], "shape_type": "circle"})
    distance = np.hypot(COLUMNS - 30, ROWS - 20)
    assert found["x"][distance <= 9.5].all() and not found["x"][distance >= 10.8].any()


def encoded(bitmap: np.ndarray) -> str:
    return base64.b64encode(bytes(cv2.imencode(".png", bitmap.astype(np.uint8) * 255)[1])).decode()


def test_a_mask_lies_at_its_corners(tmp_path: Path) -> None:
    bitmap = np.random.default_rng(0).random((7, 11)) > 0.5
    shape = {"label": "x", "points": [[20, 5], [30, 11]], "shape_type": "mask", "mask": encoded(bitmap)}
    found = masks(tmp_path, shape)["x"]
    np.testing.assert_array_equal(found[5:12, 20:31], bitmap)
    assert found.sum() == bitmap.sum()


def test_what_the_simulator_and_the_robot_write_goes_round(tmp_path: Path) -> None:
    mask = inside(3, 3, 20, 20) & ~inside(8, 8, 12, 12)
    path = tmp_path / "a.json"
    path.write_text(labelme.to_json(labelme.annotate("../images/a.jpg", {("mug", 3): mask, ("pan", 4): mask})))
    np.testing.assert_array_equal(labelme.read(path).masks()["mug"], mask)


SOLID = encoded(np.ones((7, 11)))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"points": [[1, 1], [9, 9]], "shape_type": "line"}, "shape_type 'line' has no inside"),
        ({"points": [[1, 1], [9, 9], [3, 1]], "shape_type": "linestrip"}, "remedy: draw it as a polygon"),
        ({"points": [[1, 1]], "shape_type": "point"}, "'point'"),
        ({"points": [[1, 1], [9, 9]], "shape_type": None}, "None"),
        ({"points": [[1, 1], [9, 9]], "shape_type": "polygon"}, "at least three points, got 2"),
        ({"points": [[1, 1], [9, 9], [3, 3]], "shape_type": "rectangle"}, "two opposite corners, got 3"),
        ({"points": [[1, 1]], "shape_type": "circle"}, "got 1 points"),
        ({"points": [[1, 1], [float("inf"), 2]], "shape_type": "circle"}, "points must be"),
        ({"points": [[20, 5], [30, 11]], "shape_type": "mask"}, "a PNG in base64"),
        ({"points": [[20, 5], [30, 11]], "shape_type": "mask", "mask": "%%"}, "not a PNG in base64"),
        ({"points": [[20, 5], [30, 11]], "shape_type": "mask", "mask": "AAAA"}, "not a PNG"),
        ({"points": [[20, 5], [30, 12]], "shape_type": "mask", "mask": SOLID}, r"has \(7, 11\) px"),
        ({"points": [[20.5, 5], [30.5, 11]], "shape_type": "mask", "mask": SOLID}, "its corners ask for"),
        ({"points": [[50, 5], [60, 11]], "shape_type": "mask", "mask": SOLID}, "beyond the image"),
        (a_box("x", 1, 1, 5, 5, group_id=[1]), "group_id must be"),
        (a_box("x", 1, 1, 5, 5, group_id=1.5), "group_id must be"),
    ],
)
def test_what_cannot_be_a_mask_is_refused(tmp_path: Path, shape: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        masks(tmp_path, {"label": "x", **shape})
    assert "a.json: shapes[0]" in str(caught.value)


@pytest.mark.parametrize("image_path", ["../images/a.png", r"..\images\a.png", r"C:\pictures\a.png", "a.png"])
def test_masks_of_another_picture_of_the_same_stem_are_refused(tmp_path: Path, image_path: str) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    masks(tmp_path / "masks", a_box("mug", 1, 1, 5, 5), imagePath=image_path)
    assert prist.read_masks(tmp_path, "a.jpg")["mug"].any(), "it has been converted since"
    (tmp_path / "images" / "a.png").write_bytes(b"the other picture")
    with pytest.raises(DataError, match=r"a\.json is of a\.png, not of a\.jpg"):
        prist.read_masks(tmp_path, "a.jpg")
    assert prist.read_masks(tmp_path, "a.png")["mug"].any()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("lid", "labeled are 'dial', 'small cafe\u0301'"),
        (" dial ", "'dial' differs from ' dial ' in blanks or in how a letter is composed"),
        ("small  CAF\u00c9", r"'small cafe\u0301' differs from 'small  CAF\xc9' in blanks"),
    ],
)
def test_a_label_that_nothing_has_is_told_with_those_that_are_there(tmp_path: Path, asked: str, told: str) -> None:
    found = masks(tmp_path, a_box("Dial", 1, 1, 5, 5), a_box("small Cafe\u0301", 9, 9, 15, 15))
    with pytest.raises(DataError) as caught:
        found.require(asked)
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_not_called_malformed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.json: cannot be read: No such file") as caught:
        labelme.read(tmp_path / "gone.json")
    assert "JSON:" not in str(caught.value)
