"""Things that hold something: mug, bottle, pan, teapot, bowl, can, basket."""

from __future__ import annotations

import numpy as np

from pixelrs_ros.stranger.coats import Piece, Style
from pixelrs_ros.stranger.meshes import Point, arc, lathe, rounded, tube


def hollow(outside: list[Point], wall_m: float, floor_m: float) -> list[Point]:
    """The profile of an open vessel from its outside, bottom to rim: its bottom, outside, rim and inside."""
    inside = [(max(r - wall_m, 0.002), z) for r, z in outside if z > floor_m][::-1]
    return [(0.0, outside[0][1]), *outside, *inside, (inside[-1][0], floor_m), (0.0, floor_m)]


def _ear(reach_m: float, height_m: float, radius_m: float, at: Point, flat: float = 0.7) -> np.ndarray:
    """Points of a handle like an ear that stands out along x at (x, z)."""
    bend = arc(-np.pi / 2 * 1.05, np.pi / 2 * 1.05, reach_m, height_m / 2)
    return np.column_stack([at[0] + bend[:, 0], np.zeros(len(bend)), at[1] + bend[:, 1]])


def mug(style: Style) -> list[Piece]:
    """A mug, straight, bulged or tapered."""
    rng = style.rng
    radius, height = rng.uniform(0.036, 0.048), rng.uniform(0.078, 0.115)
    bulge, taper = rng.choice([0.0, 0.12]), rng.choice([0.0, 0.18])
    outside = [(r * (1 - taper * (1 - z / height)), z) for r, z in rounded(height, radius, bulge)]
    path = _ear(rng.uniform(0.026, 0.034), height * rng.uniform(0.5, 0.68), 0.006, (radius * 0.93, height * 0.52))
    handle = tube(path, [rng.uniform(0.0055, 0.0075)] * len(path), 0.8)
    rest = hollow(outside, 0.004, 0.006)[len(outside) :]
    coat = style.wrap()
    inside = (
        style.pale() if style.textured and style.color != "white" and rng.random() < 0.25 else style.plain(shine=0.5)
    )
    return [
        Piece("body", lathe(outside), coat),
        Piece("body", lathe(rest), inside),
        Piece("handle", handle, style.plain(rng.choice([1.0, 0.9]), 0.5)),
    ]


def bottle(style: Style) -> list[Piece]:
    """A wine, soda or wide bottle with a cap, sometimes lying."""
    rng = style.rng
    radius, body = rng.uniform(0.03, 0.042), rng.uniform(0.1, 0.16)
    neck, neck_height, shoulder = rng.uniform(0.011, 0.016), rng.uniform(0.03, 0.065), rng.uniform(0.025, 0.05)
    turns = np.linspace(0, 1, 9)
    slope = [(neck + (radius - neck) * (0.5 + 0.5 * np.cos(np.pi * t)), body + shoulder * t) for t in turns]
    top = body + shoulder + neck_height
    waist = rng.choice([0.0, 0.1])
    wall = [(radius * (1 - waist * np.sin(np.pi * t) ** 2), 0.006 + (body - 0.006) * t) for t in turns[:-1]]
    low, high = [(0.0, 0.0), (radius - 0.006, 0.0), wall[0]], [wall[-1], *slope, (neck, top), (0.0, top)]
    cap_radius, cap_height = neck + rng.uniform(0.002, 0.005), rng.uniform(0.018, 0.03)
    cap = lathe([(0.0, top - 0.012), (cap_radius, top - 0.012), (cap_radius, top - 0.012 + cap_height),
                 (0.0, top - 0.012 + cap_height)])  # fmt: skip
    cap_coats = [style.plain(0.6), style.pale(), style.dark(), style.plain(1.4), style.steel()]
    pieces = [
        Piece("body", lathe(wall), style.wrap()),
        Piece("body", lathe(low), style.plain(shine=0.5)),
        Piece("body", lathe(high), style.plain(shine=0.5)),
        Piece("cap", cap, cap_coats[int(rng.integers(len(cap_coats)))]),
    ]
    return _lying(pieces, radius) if rng.random() < 0.12 else pieces


def can(style: Style) -> list[Piece]:
    """A tin can with steel rims, or a drink's can, sometimes lying."""
    rng = style.rng
    radius, height = rng.uniform(0.031, 0.043), rng.uniform(0.08, 0.13)
    inset = rng.choice([0.0, 0.006])
    side = [(radius - inset, 0.004 + inset), (radius, 0.006 + 2 * inset), (radius, height - 2 * inset),
            (radius - inset, height)]  # fmt: skip
    lip = radius - inset
    lid = [(lip, height), (lip + 0.001, height + 0.003), (lip - 0.003, height + 0.003), (lip - 0.004, height - 0.002),
           (0.0, height - 0.002)]  # fmt: skip
    steel = style.steel()
    bottom = [(0.0, 0.0), (lip, 0.0), (lip, 0.005 + inset)]
    pieces = [Piece("body", lathe(side), style.wrap()), Piece("body", lathe(lid), steel),
              Piece("body", lathe(bottom), steel)]  # fmt: skip
    if inset:
        ring = arc(0, 2 * np.pi, 0.009, 0.006)
        tab = tube(np.column_stack([ring[:, 0] + 0.008, ring[:, 1], np.full(12, height)]), [0.0018] * 12)
        pieces.append(Piece("body", tab, steel))
    return _lying(pieces, radius) if rng.random() < 0.15 else pieces


def _lying(pieces: list[Piece], radius_m: float) -> list[Piece]:
    return [Piece(p.part, p.mesh.turned("y", np.pi / 2).moved((-0.08, 0, radius_m)), p.coat) for p in pieces]


def bowl(style: Style) -> list[Piece]:
    """A bowl, deep or shallow, on a foot."""
    rng = style.rng
    radius, height = rng.uniform(0.06, 0.09), rng.uniform(0.045, 0.075)
    power = rng.uniform(1.5, 2.6)
    turns = np.linspace(0.0, 1.0, 12)
    foot = 0.42
    outside = [(radius * (foot + (1 - foot) * t ** (1 / power)), 0.006 + (height - 0.006) * t) for t in turns]
    outside = [(radius * foot, 0.0), *outside]
    return [Piece("body", lathe(hollow(outside, 0.004, 0.012)), style.patterned())]


def pan(style: Style) -> list[Piece]:
    """A frying pan with a long handle."""
    rng = style.rng
    radius, height = rng.uniform(0.085, 0.115), rng.uniform(0.03, 0.05)
    outside = [(radius * 0.84, 0.0), (radius * 0.9, height * 0.3), (radius * 0.97, height * 0.75), (radius, height)]
    length = rng.uniform(0.13, 0.18)
    path = [(radius - 0.003, 0, height * 0.75), (radius + length * 0.35, 0, height * 1.1),
            (radius + length, 0, height * 1.25)]  # fmt: skip
    coats = [style.dark(), style.timber(), style.plain(0.8)]
    coat = coats[int(rng.integers(3))] if style.color != "black" else coats[int(rng.integers(2))]
    body = style.plain(shine=0.6) if not style.textured else style.patterned()
    return [
        Piece("body", lathe(hollow(outside, 0.004, 0.006)), body),
        Piece("handle", tube(path, [0.009, 0.011, 0.0135], 0.6), coat),
    ]


def teapot(style: Style) -> list[Piece]:
    """A round teapot with spout, handle and lid."""
    rng = style.rng
    radius, height = rng.uniform(0.055, 0.072), rng.uniform(0.08, 0.11)
    turns = np.linspace(-1.25, 1.2, 16)
    sides = [(radius * np.cos(t), height / 2 * (1 + np.sin(t) / np.sin(1.25))) for t in turns]
    rim, top = sides[-1]
    spout = [(radius * 0.82, 0, height * 0.35), (radius * 1.25, 0, height * 0.5), (radius * 1.5, 0, height * 0.8),
             (radius * 1.72, 0, height * rng.uniform(0.98, 1.1))]  # fmt: skip
    handle = _ear(rng.uniform(0.036, 0.046), height * 0.62, 0.006, (radius * 0.88, height * 0.52))
    handle = handle * np.array([-1.0, 1.0, 1.0])
    lid = [(rim + 0.006, top), (rim + 0.006, top + 0.003), (rim * 0.75, top + 0.011), (0.006, top + 0.016),
           (0.005, top + 0.02), (0.011, top + 0.026), (0.009, top + 0.034), (0.0, top + 0.037)]  # fmt: skip
    accent = [style.plain(shine=0.6), style.timber(), style.plain(0.6)][int(rng.integers(3))]
    return [
        Piece("body", lathe([(0.0, 0.0), *sides, (0.0, top)]), style.patterned()),
        Piece("spout", tube(spout, [0.017, 0.013, 0.009, 0.0075]), style.plain(shine=0.6)),
        Piece("handle", tube(handle, [0.0065] * len(handle), 0.8), accent),
        Piece("lid", lathe(lid), style.plain(rng.choice([1.0, 0.75]), 0.6)),
    ]


def basket(style: Style) -> list[Piece]:
    """A wicker basket with a hoop over it."""
    rng = style.rng
    radius, height, oval = rng.uniform(0.075, 0.1), rng.uniform(0.06, 0.09), rng.uniform(0.65, 0.9)
    outside = [(radius * (0.78 + 0.22 * t), height * t) for t in np.linspace(0, 1, 9)]
    outside += [(radius + 0.005, height + 0.001), (radius + 0.005, height + 0.009), (radius - 0.001, height + 0.01)]
    body = lathe(hollow(outside, 0.006, 0.008)).scaled((1, oval, 1))
    coat = style.surface("weave")
    coat = type(coat)(coat.rgb, coat.texture, 0.1, repeat=(3.0, 1.5))
    hoop = arc(np.pi * 1.02, -np.pi * 0.02, radius, rng.uniform(0.1, 0.14), 20)
    path = np.column_stack([hoop[:, 0], np.zeros(20), height + hoop[:, 1]])
    return [Piece("body", body, coat), Piece("handle", tube(path, [0.0075] * 20, 0.75), style.plain(0.85, 0.1))]
