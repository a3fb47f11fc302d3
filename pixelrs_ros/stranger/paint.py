"""Colors as people name them, and procedural surfaces: wood, metal, cloth, weave, patterns."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np

COLORS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black")
Rgb = tuple[float, float, float]

# Hue in degrees, saturation, value: the lowest and highest that a person calls so without a second thought.
_RANGES = {
    "red": ((-6, 4), (0.8, 0.95), (0.6, 0.85)),
    "green": ((112, 145), (0.6, 0.9), (0.45, 0.7)),
    "blue": ((212, 230), (0.72, 0.92), (0.55, 0.85)),
    "yellow": ((51, 57), (0.8, 0.95), (0.88, 0.98)),
    "orange": ((24, 30), (0.88, 1.0), (0.9, 0.98)),
    "purple": ((274, 288), (0.55, 0.75), (0.52, 0.72)),
    "white": ((30, 60), (0.0, 0.04), (0.9, 0.97)),
    "black": ((200, 260), (0.0, 0.1), (0.05, 0.1)),
}


@dataclass(frozen=True)
class Coat:
    """What a surface looks like.

    Attributes:
        rgb: In [0, 1]; under a texture it is white.
        texture: (H, W, 3) uint8 RGB, or None.
        shine: How glossy, in [0, 1].
        mirror: How much of the room it shows, in [0, 1]; only flat things.
        glow: Light of its own, in [0, 1].
        repeat: How often the texture stands across and along.
    """

    rgb: Rgb
    texture: np.ndarray | None = None
    shine: float = 0.3
    mirror: float = 0.0
    glow: float = 0.0
    repeat: tuple[float, float] = (1.0, 1.0)


def named(rng: np.random.Generator, color: str) -> Rgb:
    """Some shade of a named color."""
    (h0, h1), (s0, s1), (v0, v1) = _RANGES[color]
    return colorsys.hsv_to_rgb(rng.uniform(h0, h1) % 360 / 360, rng.uniform(s0, s1), rng.uniform(v0, v1))


def shade(rgb: Rgb, factor: float) -> Rgb:
    """Darker below 1, lighter above."""
    if factor > 1:
        return tuple(1 - (1 - c) / factor for c in rgb)  # type: ignore[return-value]
    return tuple(c * factor for c in rgb)  # type: ignore[return-value]


def plate(rgb: Rgb, height_px: int = 256, width_px: int = 256) -> np.ndarray:
    """(H, W, 3) float in [0, 1], of one color."""
    return np.broadcast_to(np.array(rgb, float), (height_px, width_px, 3)).copy()


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Float in [0, 1] to uint8."""
    return np.ascontiguousarray((np.clip(image, 0, 1) * 255).astype(np.uint8))


def clouds(rng: np.random.Generator, height_px: int, width_px: int, cells: tuple[int, int]) -> np.ndarray:
    """(H, W) smooth noise in about [-1, 1] with so many cells down and across."""
    seed = rng.uniform(-1, 1, (cells[0] + 1, cells[1] + 1)).astype(np.float32)
    return cv2.resize(seed, (width_px, height_px), interpolation=cv2.INTER_CUBIC).astype(float)


def wood(rng: np.random.Generator, rgb: Rgb | None = None, planks: int = 1) -> np.ndarray:
    """Grain along the rows; `planks` boards with dark joints."""
    if rgb is None:
        rgb = colorsys.hsv_to_rgb(rng.uniform(22, 34) / 360, rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.75))
    size = 256
    rows = np.arange(size)[:, None]
    warp = clouds(rng, size, size, (3, 2)) * 14 + clouds(rng, size, size, (9, 3)) * 4
    grain = np.sin((rows + warp) * rng.uniform(0.25, 0.6)) * 0.5 + clouds(rng, size, size, (100, 4)) * 0.6
    image = plate(rgb) * (1 + 0.14 * grain[..., None])
    board = size // planks
    for index in range(planks):
        image[index * board : (index + 1) * board] *= rng.uniform(0.88, 1.1)
        if planks > 1:
            image[index * board : index * board + 2] *= 0.55
    return to_bytes(image)


def metal(rng: np.random.Generator) -> np.ndarray:
    """Brushed steel, brushed along the rows."""
    lines = clouds(rng, 256, 256, (200, 3)) * 0.09 + clouds(rng, 256, 256, (3, 3)) * 0.08
    return to_bytes(plate((0.68, 0.7, 0.73)) * (1 + lines[..., None]))


def weave(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """Wickerwork."""
    rows, columns = np.mgrid[0:256, 0:256] / 16
    over = (np.floor(rows) + np.floor(columns)) % 2
    relief = np.where(over > 0, np.sin(np.pi * (rows % 1)), np.sin(np.pi * (columns % 1)))
    return to_bytes(
        plate(rgb) * (0.5 + 0.62 * relief[..., None]) * (1 + 0.08 * clouds(rng, 256, 256, (8, 8))[..., None])
    )


def fabric(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """Threads across and along, a little uneven."""
    noise = clouds(rng, 256, 256, (128, 8)) * 0.1 + clouds(rng, 256, 256, (8, 128)) * 0.1
    return to_bytes(plate(rgb) * (1 + noise[..., None]))


def speckled(rng: np.random.Generator, rgb: Rgb) -> np.ndarray:
    """Enamel or stone: small spots, lighter or darker."""
    image = plate(rgb)
    other = shade(rgb, 2.2 if sum(rgb) < 0.6 else 0.6)
    for _ in range(220):
        x, y, radius = rng.integers(0, 256), rng.integers(0, 256), rng.integers(1, 3)
        cv2.circle(image, (int(x), int(y)), int(radius), other, -1, cv2.LINE_AA)
    return to_bytes(image)


def pattern(rng: np.random.Generator, rgb: Rgb, other: Rgb) -> np.ndarray:
    """Rings, dots, waves, zigzags or stripes in another color on a ground that stays the larger part."""
    image = plate(rgb, 256, 512)
    sort = rng.choice(["rings", "dots", "waves", "zigzag", "stripes"])
    step = int(rng.choice([32, 64]))
    if sort == "rings":
        for y in rng.integers(20, 236, 4):
            cv2.line(image, (0, int(y)), (511, int(y)), other, int(rng.integers(3, 12)))
    elif sort == "dots":
        for row in range(0, 256, step):
            for column in range(0, 512, step):
                center = (column + (row // step % 2) * step // 2, row + step // 2)
                cv2.circle(image, center, step // 5, other, -1, cv2.LINE_AA)
    elif sort == "stripes":
        for column in range(0, 512, step):
            cv2.rectangle(image, (column, 0), (column + step // 4, 255), other, -1)
    else:
        columns = np.arange(512)
        wave = np.sin(columns * 2 * np.pi / step) if sort == "waves" else 2 * np.abs(columns / step % 1 - 0.5) * 2 - 1
        for y in (70, 128, 186):
            line = np.column_stack([columns, y + wave * 14]).astype(np.int32)
            cv2.polylines(image, [line], False, other, 6, cv2.LINE_AA)
    return to_bytes(image)
