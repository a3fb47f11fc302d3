"""Unit meshes in convex pieces: together as large as the mesh, and hollow where it is."""

from __future__ import annotations

import numpy as np
import pytest

from pixelrs_ros.sim.physics.pieces import convex_pieces, volume
from pixelrs_ros.sim.shape.meshes import mesh_library


@pytest.mark.parametrize("name", mesh_library())
def test_the_pieces_reach_as_far_as_the_mesh_and_have_room_inside(name: str) -> None:
    vertices, pieces = mesh_library()[name].vertices, convex_pieces(name)
    every = np.concatenate(pieces)
    size = np.ptp(vertices, axis=0).max()
    assert np.allclose(every.min(axis=0), vertices.min(axis=0), atol=0.1 * size)
    assert np.allclose(every.max(axis=0), vertices.max(axis=0), atol=0.1 * size)
    for piece in pieces:
        assert np.linalg.matrix_rank(piece - piece.mean(axis=0), tol=1e-6) == 3


def test_what_bulges_everywhere_is_one_piece() -> None:
    assert [len(convex_pieces(name)) for name in ("box", "sphere", "cylinder", "can")] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["cup", "bowl_round", "crate", "tube"])
def test_a_finger_has_room_in_a_hollow_body(name: str) -> None:
    middle = 0.25 * np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)]) + [0.0, 0.0, 0.5]
    for piece in convex_pieces(name):
        assert not ((piece.min(axis=0) < middle) & (middle < piece.max(axis=0))).all(axis=1).any()


def test_the_handle_of_a_mug_has_a_hole() -> None:
    hole = np.array([0.3, 0.0, 0.0])
    pieces = convex_pieces("arc")
    assert len(pieces) == 8
    for piece in pieces:
        assert not ((piece.min(axis=0) < hole) & (hole < piece.max(axis=0))).all()


def test_the_volume_of_a_box_is_its_sides() -> None:
    assert volume(mesh_library()["box"]) == pytest.approx(8.0)
