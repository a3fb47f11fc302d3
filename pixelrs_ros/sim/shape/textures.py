"""Procedural table tops and floors: wood, stone, cloth, checks, stripes; dull, unlike any object's color."""

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
    """(SIDE, SIDE, 3) uint8 between two colors of [0, 255]."""
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


def _speckled(rng: np.random.Generator, base: tuple[int, int, int], grain: tuple[int, int, int]) -> np.ndarray:
    chips = _noise(rng, 128, 128) + 0.6 * _noise(rng, 256, 256)
    return _blend(base, grain, np.clip(2.5 * (chips - 0.55), 0, 1) + 0.06 * _noise(rng, 8, 8))


def _marble(rng: np.random.Generator, base: tuple[int, int, int], vein: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    bent = 2 * x + y + 0.5 * _noise(rng, 4, 4) + 0.25 * _noise(rng, 16, 16)
    return _blend(base, vein, (1 - np.abs(np.sin(2 * np.pi * bent))) ** 6 + 0.1 * _noise(rng, 32, 32))


def _printed(
    rng: np.random.Generator, paper: tuple[int, int, int], inks: tuple[tuple[int, int, int], ...]
) -> np.ndarray:
    """A cloth with printed shapes: outlines and areas that belong to no object."""
    image = np.full((SIDE_PX, SIDE_PX, 3), paper, np.uint8)
    for _ in range(60):
        ink = inks[int(rng.integers(len(inks)))]
        x, y = (int(v) for v in rng.integers(40, SIDE_PX - 40, 2))
        axes = (int(rng.integers(6, 34)), int(rng.integers(6, 34)))
        thickness = -1 if rng.random() < 0.5 else 3
        if rng.random() < 0.5:
            cv2.ellipse(image, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, ink, thickness, cv2.LINE_AA)
        else:
            cv2.rectangle(image, (x - axes[0], y - axes[1]), (x + axes[0], y + axes[1]), ink, thickness, cv2.LINE_AA)
    return np.clip(image + 8 * _noise(rng, 256, 256)[..., None], 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def tintable_textures() -> tuple[np.ndarray, ...]:
    """The last of the table tops and the first of the walls: nearly white, so that a tint may make them any color."""
    rng = np.random.default_rng(SEED + 2)
    return (
        _stone(rng, (244, 244, 244), (236, 236, 236)),
        _cloth(rng, (250, 250, 250), (214, 214, 214)),
        _pattern(rng, (250, 250, 250), (206, 206, 206), (12, 12), True),
        _pattern(rng, (250, 250, 250), (200, 200, 200), (10, 0), False),
        _speckled(rng, (246, 246, 246), (200, 200, 200)),
        _printed(rng, (250, 250, 250), ((214, 214, 214), (190, 190, 190))),
    )


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
        _wood(rng, (104, 82, 66), (68, 52, 42), 4),
        _wood(rng, (208, 188, 158), (178, 152, 120), 12),
        np.ascontiguousarray(_wood(rng, (160, 138, 114), (112, 92, 74), 8).transpose(1, 0, 2)),
        _stone(rng, (92, 94, 96), (62, 64, 68)),
        _speckled(rng, (196, 194, 190), (110, 108, 106)),
        _speckled(rng, (104, 102, 100), (164, 160, 154)),
        _marble(rng, (204, 202, 198), (148, 148, 150)),
        _cloth(rng, (168, 146, 142), (138, 116, 114)),
        _cloth(rng, (96, 104, 112), (72, 78, 88)),
        _pattern(rng, (176, 160, 152), (126, 116, 116), (12, 12), True),
        _printed(rng, (182, 178, 168), ((140, 150, 156), (160, 146, 132), (128, 126, 120))),
        _printed(rng, (122, 126, 128), ((158, 156, 150), (96, 100, 104), (146, 134, 124))),
        _wood(rng, (150, 84, 48), (96, 46, 26), 3),
        _wood(rng, (226, 212, 186), (202, 182, 150), 1),
        _wood(rng, (122, 92, 62), (58, 40, 28), 2),
        np.ascontiguousarray(_wood(rng, (178, 138, 96), (126, 88, 56), 14).transpose(1, 0, 2)),
        _marble(rng, (66, 68, 72), (168, 168, 166)),
        _marble(rng, (196, 178, 152), (128, 100, 76)),
        _speckled(rng, (62, 60, 60), (150, 120, 104)),
        _speckled(rng, (168, 142, 128), (70, 60, 58)),
        _tiles(rng, (210, 208, 204), (120, 120, 120)),
        _stone(rng, (44, 45, 48), (34, 34, 37)),
        _pattern(rng, (232, 230, 224), (150, 60, 58), (10, 10), True),
        _pattern(rng, (230, 232, 236), (64, 88, 140), (14, 14), True),
        _printed(rng, (224, 220, 208), ((176, 70, 64), (70, 110, 84), (196, 160, 70))),
        *tintable_textures(),
    )


@lru_cache(maxsize=1)
def floor_textures() -> tuple[np.ndarray, ...]:
    """Every floor under the table, each (SIDE_PX, SIDE_PX, 3) uint8 RGB, the same on each call."""
    rng = np.random.default_rng(SEED + 1)
    return (
        _tiles(rng, (120, 116, 112), (92, 90, 88)),
        _wood(rng, (140, 112, 84), (100, 78, 58), 8),
        _cloth(rng, (112, 116, 124), (84, 88, 96)),
        _speckled(rng, (136, 134, 130), (90, 88, 86)),
        _tiles(rng, (196, 188, 176), (140, 136, 130)),
        _wood(rng, (190, 156, 116), (148, 112, 78), 10),
        _wood(rng, (96, 70, 52), (60, 42, 32), 6),
        _pattern(rng, (180, 176, 168), (110, 60, 56), (8, 8), False),
        _stone(rng, (70, 70, 74), (52, 52, 56)),
    )


@lru_cache(maxsize=1)
def wall_textures() -> tuple[np.ndarray, ...]:
    """Every wall behind the table, each (SIDE_PX, SIDE_PX, 3) uint8 RGB, the same on each call."""
    rng = np.random.default_rng(SEED + 3)
    return (
        *tintable_textures(),
        _tiles(rng, (226, 226, 222), (150, 150, 148)),
        _tiles(rng, (150, 86, 66), (190, 184, 176)),
        _wood(rng, (172, 140, 104), (126, 96, 68), 7),
        _cluttered(rng),
        _cluttered(rng),
        _cluttered(rng),
    )


def _cluttered(rng: np.random.Generator) -> np.ndarray:
    """A room out of focus: shelves of colored blocks, bright windows and dark corners."""
    image = np.full((SIDE_PX, SIDE_PX, 3), rng.uniform(60, 200, 3), np.float32)
    for _ in range(70):
        x, y = (int(v) for v in rng.integers(0, SIDE_PX, 2))
        wide, tall = (int(v) for v in rng.integers(10, 120, 2))
        color = [float(v) for v in rng.uniform(20, 240, 3) * 0.6 + rng.uniform(20, 220) * 0.4]
        cv2.rectangle(image, (x, y), (x + wide, y + tall), color, -1)
    soft = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(3, 9)), borderType=cv2.BORDER_REFLECT)
    return np.clip(soft, 0, 255).astype(np.uint8)
