"""What stands on a table and where: the choice of things, their sizes, turns and places."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pixelrs_ros.stranger.coats import Piece, Style
from pixelrs_ros.stranger.paint import COLORS, named
from pixelrs_ros.stranger.tools import KINDS

GRID_PX_PER_M = 250
GRID_PX = 400  # the table's plan, its middle at (0, 0)
GAP_M = 0.022
WIDTH_M, DEPTH_M = 0.36, 0.26  # half of the area that things stand in


@dataclass(frozen=True)
class Thing:
    """One thing on the table.

    Attributes:
        kind: One of the sixteen.
        color: What a person would call it.
        pieces: In the table's frame.
        place: (x, y) of its middle in m, y away from the camera.
        extent_m: Diagonal of the box around it.
    """

    kind: str
    color: str
    pieces: tuple[Piece, ...]
    place: tuple[float, float]
    extent_m: float


def choose(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Kinds and colors of 3 to 7 things, with likenesses that make a talk worth having."""
    kinds = tuple(KINDS)
    count = int(rng.integers(3, 8))
    chosen = [(str(rng.choice(kinds)), str(rng.choice(COLORS))) for _ in range(count)]
    likeness = rng.random()
    if likeness < 0.55:  # one kind in two colors
        chosen[1] = (chosen[0][0], _unlike(rng, chosen[0][1]))
    elif likeness < 0.72:  # twins
        chosen[1] = chosen[0]
    if count > 3 and rng.random() < 0.55:  # one color on two kinds
        chosen[2] = (chosen[2][0], chosen[0][1])
    if count > 5 and rng.random() < 0.4:
        chosen[4] = (chosen[3][0], _unlike(rng, chosen[3][1]))
    counts = {pair: chosen.count(pair) for pair in chosen}
    return [pair for index, pair in enumerate(chosen) if counts[pair] < 3 or chosen.index(pair) == index]


def _unlike(rng: np.random.Generator, color: str) -> str:
    return str(rng.choice([other for other in COLORS if other != color]))


def arrange(rng: np.random.Generator, pairs: list[tuple[str, str]], textured: bool) -> list[Thing]:
    """Makes things and finds room for them; one that finds none is left out."""
    taken = np.zeros((GRID_PX, GRID_PX), bool)
    things: list[Thing] = []
    room = 0.65 + 0.05 * len(pairs)
    for kind, color in pairs:
        style = Style(rng, color, named(rng, color), textured)
        pieces = _sized(rng, KINDS[kind].make(style))
        for _ in range(40):
            spot = (room * rng.uniform(-WIDTH_M, WIDTH_M), room * rng.uniform(-DEPTH_M, DEPTH_M))
            moved = _put(pieces, rng.uniform(0, 2 * np.pi), spot)
            plan = _plan(moved)
            if not np.any(taken[plan > 0]):
                taken |= cv2.dilate(plan, np.ones((3, 3), np.uint8), iterations=int(GAP_M * GRID_PX_PER_M)) > 0
                things.append(_thing(kind, color, moved))
                break
    return things


def _sized(rng: np.random.Generator, pieces: list[Piece]) -> list[Piece]:
    factor = float(rng.choice([0.85, 1.0, 1.0, 1.15, 1.35]))
    return [Piece(piece.part, piece.mesh.scaled((factor,) * 3), piece.coat) for piece in pieces]


def _put(pieces: list[Piece], turn_rad: float, spot: tuple[float, float]) -> list[Piece]:
    points = np.concatenate([piece.mesh.vertices for piece in pieces])
    middle = (points.min(0) + points.max(0)) / 2
    away = (-middle[0], -middle[1], -points[:, 2].min() + 0.0005)
    return [
        Piece(piece.part, piece.mesh.moved(away).turned("z", turn_rad).moved((*spot, 0.0)), piece.coat)
        for piece in pieces
    ]


def _plan(pieces: list[Piece]) -> np.ndarray:
    """(GRID, GRID) uint8: what a thing covers, seen from above."""
    plan = np.zeros((GRID_PX, GRID_PX), np.uint8)
    for piece in pieces:
        points = (piece.mesh.vertices[:, :2] * GRID_PX_PER_M + GRID_PX / 2).astype(np.int32)
        cv2.fillConvexPoly(plan, cv2.convexHull(points), 1)
    return plan


def _thing(kind: str, color: str, pieces: list[Piece]) -> Thing:
    points = np.concatenate([piece.mesh.vertices for piece in pieces])
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    return Thing(kind, color, tuple(pieces), (float(middle[0]), float(middle[1])), float(np.linalg.norm(high - low)))
