"""Procedural table tops and floors: wood, stone, cloth, checks, stripes; dull, unlike any object's colour."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

SIDE_PX = 512
SEED = 20240601  # the textures are part of the world, the same for every scene


def _noise(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(SIDE, SIDE) smooth noise in about [-1, 1] that tiles: `rows` × `columns` random values, interpolated."""
    values = np.pad(rng.uniform(-1, 1, (rows, columns)), 2, mode="wrap").astype(np.float32)
    scale_y, scale_x = SIDE_PX // rows, SIDE_PX // columns
    large = cv2.resize(values, None, fx=scale_x, fy=scale_y, interpolation=cv2.INTER_CUBIC)
    return large[2 * scale_y : 2 * scale_y + SIDE_PX, 2 * scale_x : 2 * scale_x + SIDE_PX]


def _blend(first: tuple[int, int, int], second: tuple[int, int, int], share: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8 between two colours of [0, 255]."""
    share = np.clip(share, 0, 1)[..., None]
    return np.round(np.array(first) * (1 - share) + np.array(second) * share).astype(np.uint8)


def _wood(rng: np.random.Generator, light: tuple[int, int, int], dark: tuple[int, int, int], planks: int) -> np.ndarray:
    row = np.arange(SIDE_PX)[:, None] / SIDE_PX
    warp = 0.6 * _noise(rng, 8, 2) + 0.12 * _noise(rng, 64, 4)
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * (row * 14 + warp * 1.6))
    fine = 0.5 + 0.5 * _noise(rng, 256, 8)
    plank = np.floor(row * planks).astype(int)
    tone = rng.uniform(-0.13, 0.13, planks)[plank]
    share = 0.15 + 0.35 * grain + 0.3 * fine + tone
    image = _blend(light, dark, np.broadcast_to(share, (SIDE_PX, SIDE_PX)))
    gap = (row * planks) % 1.0 < 0.012 * planks / 2
    return np.where(np.broadcast_to(gap, share.shape)[..., None], (image * 0.62).astype(np.uint8), image)


def _stone(rng: np.random.Generator, first: tuple[int, int, int], second: tuple[int, int, int]) -> np.ndarray:
    share = 0.5 + 0.35 * _noise(rng, 4, 4) + 0.25 * _noise(rng, 16, 16) + 0.2 * _noise(rng, 256, 256)
    return _blend(first, second, share)


def _cloth(rng: np.random.Generator, first: tuple[int, int, int], second: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    weave = 0.5 + 0.25 * np.sin(2 * np.pi * x / 8) * np.cos(2 * np.pi * y / 8)
    return _blend(first, second, weave + 0.12 * _noise(rng, 256, 256) + 0.15 * _noise(rng, 8, 8))


def _pattern(
    rng: np.random.Generator,
    first: tuple[int, int, int],
    second: tuple[int, int, int],
    cells: tuple[int, int],
    gingham: bool,
) -> np.ndarray:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    across = np.floor(x * cells[0]) % 2
    down = np.floor(y * cells[1]) % 2 if cells[1] else np.zeros_like(y)
    share = (across + down) / 2 if gingham else np.abs(across - down)
    return _blend(first, second, 0.06 + 0.85 * share + 0.08 * _noise(rng, 128, 128))


def _tiles(rng: np.random.Generator, tile: tuple[int, int, int], joint: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    edge = ((x * 4) % 1.0 < 0.04) | ((y * 4) % 1.0 < 0.04)
    shift = rng.uniform(-0.1, 0.1, (4, 4))[(y * 4).astype(int), (x * 4).astype(int)]
    return _blend(tile, joint, np.where(edge, 1.0, 0.1 + shift + 0.1 * _noise(rng, 32, 32)))


@lru_cache(maxsize=1)
def table_textures() -> tuple[np.ndarray, ...]:
    """Every table top, each (SIDE_PX, SIDE_PX, 3) uint8 RGB, the same on each call."""
    rng = np.random.default_rng(SEED)
    return (
        _wood(rng, (196, 164, 124), (148, 112, 78), 6),
        _wood(rng, (150, 116, 86), (104, 76, 54), 5),
        _wood(rng, (186, 176, 160), (140, 130, 116), 8),
        _stone(rng, (150, 150, 148), (118, 118, 118)),
        _stone(rng, (188, 180, 166), (158, 150, 138)),
        _cloth(rng, (178, 168, 148), (146, 138, 122)),
        _cloth(rng, (128, 140, 150), (104, 114, 126)),
        _cloth(rng, (136, 148, 128), (112, 124, 106)),
        _pattern(rng, (180, 182, 178), (138, 150, 160), (16, 16), True),
        _pattern(rng, (168, 162, 150), (134, 128, 118), (8, 8), False),
        _pattern(rng, (172, 172, 160), (134, 146, 130), (16, 0), False),
        _tiles(rng, (176, 174, 168), (126, 124, 120)),
    )


def floor_texture() -> np.ndarray:
    """The floor under the table, (SIDE_PX, SIDE_PX, 3) uint8 RGB."""
    return _tiles(np.random.default_rng(SEED + 1), (120, 116, 112), (92, 90, 88))
