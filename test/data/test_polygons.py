import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixelrs_ros.data.polygons import mask_to_polygons, polygons_to_mask


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max(1, (first | second).sum()))


def test_a_ring_with_two_holes_comes_back() -> None:
    rows, columns = np.mgrid[:120, :160]
    mask = (rows - 60) ** 2 + (columns - 80) ** 2 < 50**2
    mask &= (rows - 60) ** 2 + (columns - 60) ** 2 > 15**2
    mask &= (rows - 60) ** 2 + (columns - 105) ** 2 > 9**2
    mask[55:65, 55:65] = True  # an island in a hole
    polygons = mask_to_polygons(mask)
    assert len(polygons) == 2
    assert iou(polygons_to_mask(polygons, 120, 160), mask) >= 0.99


def test_specks_and_emptiness_come_back() -> None:
    mask = np.zeros((10, 12), bool)
    assert mask_to_polygons(mask) == []
    mask[2, 3] = mask[7, 5:9] = True
    polygons = mask_to_polygons(mask)
    assert all(len(polygon) >= 3 for polygon in polygons)
    assert (polygons_to_mask(polygons, 10, 12) == mask).all()


@given(arrays(bool, (6, 8), elements=st.booleans()))
def test_blocky_masks_of_any_topology_come_back(cells: np.ndarray) -> None:
    mask = np.kron(cells, np.ones((9, 9), bool))
    back = polygons_to_mask(mask_to_polygons(mask), *mask.shape)
    assert not mask.any() or iou(back, mask) >= 0.97


def test_polygons_may_reach_beyond_the_image() -> None:
    mask = polygons_to_mask([[(-50.0, -50.0), (4.0, -50.0), (4.0, 200.0), (-50.0, 200.0)]], 6, 10)
    assert mask[:, :5].all() and not mask[:, 5:].any()
