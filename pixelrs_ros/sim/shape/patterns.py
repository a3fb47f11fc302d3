"""Procedural prints and grains of things: cube textures, which wrap any mesh without coordinates of its own.

An inked pattern carries a color and leaves at least 65 % of it bare, so that the thing is still called by its color. A
grain is light gray: it multiplies whatever color it is drawn in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from pixelrs_ros.sim.shape.shapes import COLORS, Color

FACE_PX = 96
SEED = 20240801  # the patterns are part of the world, the same for every scene
WOODS = ("wood", "wood_dark", "wood_pale")
GRAINS = ("mottle", "fine", "fade", "streaks", "weave", "scratches", "shaded_bands")
_MAX_INK = 0.33  # share of a pattern that is not the color, averaged over the six faces
_PAINTS: tuple[Color, ...] = ((0.93, 0.92, 0.88), (0.07, 0.07, 0.08), (0.80, 0.66, 0.28), (0.62, 0.64, 0.66))


def _face_points() -> np.ndarray:
    """(6, FACE, FACE, 3) float32 points on the cube [-1, 1]³ in the order +x, -x, +y, -y, +z, -z of OpenGL."""
    t, s = np.meshgrid(*[(np.arange(FACE_PX, dtype=np.float32) + 0.5) * 2 / FACE_PX - 1] * 2, indexing="ij")
    one = np.ones_like(s)
    faces = [(one, -t, -s), (-one, -t, s), (s, one, t), (s, -one, -t), (s, -t, one), (-s, -t, -one)]
    return np.stack([np.stack(face, -1) for face in faces])


def _smooth(rng: np.random.Generator, cells: int) -> np.ndarray:
    """(6, FACE, FACE) float32 smooth noise in about [-1, 1], another one on each face."""
    values = rng.uniform(-1, 1, (6, cells, cells)).astype(np.float32)
    return np.stack([cv2.resize(face, (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC) for face in values])


def _direction(rng: np.random.Generator) -> np.ndarray:
    """(3,) float32 unit vector, along an axis half of the time."""
    if rng.random() < 0.5:
        return np.eye(3, dtype=np.float32)[int(rng.integers(3))]
    vector = rng.standard_normal(3).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _stripes(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    phase = points @ _direction(rng) * rng.uniform(1.2, 3.6) + rng.uniform()
    return (phase % 1.0 < rng.uniform(0.15, 0.33)).astype(np.float32)


def _waves(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    axes = rng.permutation(3)
    bent = points[..., axes[0]] + rng.uniform(0.08, 0.2) * np.sin(points[..., axes[1]] * rng.uniform(5, 12))
    return (bent * rng.uniform(1.2, 2.6) % 1.0 < rng.uniform(0.18, 0.32)).astype(np.float32)


def _band(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """One or two rings around, at the height of an axis."""
    height = points[..., int(rng.integers(3))]
    middle, half = rng.uniform(-0.6, 0.6), rng.uniform(0.08, 0.2)
    ink = np.abs(height - middle) < half
    if rng.random() < 0.5:
        ink |= np.abs(height - middle - 0.3) < half * 0.4
    return ink.astype(np.float32)


def _dots(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    step = rng.uniform(1.3, 3.5)
    cell = np.abs((points * step + rng.uniform(0, 1, 3).astype(np.float32)) % 1.0 - 0.5)
    order = np.sort(np.where(_across(points), cell, 1.0), axis=-1)
    return (np.hypot(order[..., 0], order[..., 1]) < rng.uniform(0.2, 0.3)).astype(np.float32)


def _across(points: np.ndarray) -> np.ndarray:
    """(6, FACE, FACE, 3) bool: the two axes along each face of the cube, not the one that it faces."""
    return np.asarray(np.abs(points) < 1)


def _plaid(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    step, wide = rng.uniform(1.5, 3.5), rng.uniform(0.12, 0.2)
    lines = (points * step % 1.0 < wide) & _across(points)
    return np.asarray(0.5 * lines.sum(-1), np.float32)


def _checks(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    cells = np.floor(points * rng.uniform(1.5, 3.2) + 0.01).sum(-1) % 2
    zone = np.abs(points[..., int(rng.integers(3))]) < rng.uniform(0.4, 0.6)
    return np.asarray(cells * zone, np.float32)


def _speckle(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    del points
    return np.clip(3 * (_smooth(rng, int(rng.integers(16, 44))) - rng.uniform(0.4, 0.6)), 0, 1)


def _patches(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    del points
    return (_smooth(rng, int(rng.integers(4, 9))) > rng.uniform(0.3, 0.45)).astype(np.float32)


def _fading(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    height = points @ _direction(rng)
    return np.asarray(np.clip((height - rng.uniform(-0.1, 0.2)) * rng.uniform(0.6, 1.1), 0, 0.8), np.float32)


def _letters(rng: np.random.Generator, face: np.ndarray, box: tuple[int, int, int, int], tall: int) -> None:
    """Rows of strokes that look like writing, drawn into (FACE, FACE) with value 1."""
    left, top, right, bottom = box
    for y in range(top, bottom - tall, round(tall * 1.7)):
        x, end = left, int(rng.uniform(0.5, 1.0) * (right - left)) + left
        while x < end - tall:
            for _ in range(int(rng.integers(2, 4))):
                first, last = ((int(x + v), int(y + w)) for v, w in rng.uniform(0, tall * 0.8, (2, 2)))
                cv2.line(face, first, last, 1.0, max(1, tall // 7), cv2.LINE_AA)
            x += tall if rng.random() < 0.85 else round(tall * 1.7)


def _writing(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """Large strokes on some faces."""
    ink = np.zeros(points.shape[:3], np.float32)
    for face in ink:
        if rng.random() < 0.75:
            _letters(rng, face, (8, int(rng.integers(8, 40)), 90, 84), int(rng.integers(12, 34)))
    return ink


_INKED: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "stripes": _stripes,
    "stripes_too": _stripes,
    "stripes_more": _stripes,
    "waves": _waves,
    "band": _band,
    "dots": _dots,
    "dots_too": _dots,
    "plaid": _plaid,
    "checks": _checks,
    "speckle": _speckle,
    "patches": _patches,
    "fading": _fading,
    "writing": _writing,
    "writing_too": _writing,
}
INKED = (*_INKED, "label", "label_too", "label_more", "picture", "picture_too", "picture_more")


def _blend(base: np.ndarray, ink: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(6, FACE, FACE, 3) float32 of a color, or of colors, with a share of ink."""
    return base + (ink - base) * share[..., None].astype(np.float32)


def _ink(rng: np.random.Generator, color: str) -> np.ndarray:
    """Another color to print on a color with: mostly white, black, gold and gray, else one of the eight or a shade."""
    base = np.array(COLORS[color], np.float32)
    paints = [np.array(paint, np.float32) for paint in _PAINTS]
    paints += [base * 0.45, base + (1 - base) * 0.6]
    paints += [np.array(COLORS[name], np.float32) for name in rng.permutation(list(COLORS))[:3]]
    far = [paint for paint in paints if np.abs(paint - base).max() > 0.25]
    return far[int(rng.integers(len(far)))]


def _panel(rng: np.random.Generator, image: np.ndarray, color: str, *, picture: bool) -> None:
    """A printed label, or a picture of random blobs, on some faces of (6, FACE, FACE, 3)."""
    half_x, half_y = (int(v) for v in rng.uniform(0.24, 0.4, 2) * FACE_PX)
    paper = _ink(rng, color)
    center = FACE_PX // 2 + int(rng.integers(-6, 7))
    faces = rng.permutation(6)[: int(rng.integers(2, 5))]
    for face in faces:
        left, top, right, bottom = FACE_PX // 2 - half_x, center - half_y, FACE_PX // 2 + half_x, center + half_y
        patch = image[face, top:bottom, left:right]
        if picture:
            colors = rng.uniform(0, 1, (int(rng.integers(2, 5)), int(rng.integers(2, 6)), 3)).astype(np.float32)
            patch[:] = np.clip(cv2.resize(colors, patch.shape[1::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
            for _ in range(int(rng.integers(2, 6))):
                at = tuple(int(v) for v in rng.uniform(0, 2 * min(half_x, half_y), 2))
                blob = [float(v) for v in rng.uniform(0, 1, 3)]
                cv2.circle(image[face], (left + at[0], top + at[1]), int(rng.integers(3, 12)), blob, -1, cv2.LINE_AA)
            continue
        patch[:] = paper
        strokes = np.zeros(image.shape[1:3], np.float32)
        _letters(rng, strokes, (left + 4, top + 4, right - 2, bottom - 2), int(rng.integers(7, 15)))
        block = (left + 3, bottom - 9), (right - 3, bottom - 3)
        cv2.rectangle(strokes, *block, 1.0, -1)
        strokes[:top] = strokes[bottom:] = strokes[:, :left] = strokes[:, right:] = 0
        ink = np.float32(0.1) if paper.mean() > 0.4 else np.float32(0.9)
        image[face] += (ink - image[face]) * strokes[..., None]


def _inked(rng: np.random.Generator, color: str, name: str, points: np.ndarray) -> np.ndarray:
    base = np.broadcast_to(np.array(COLORS[color], np.float32), (*points.shape[:3], 3))
    if name in _INKED:
        for _ in range(8):
            share = _INKED[name](rng, points)
            if 0.02 < share.mean() <= _MAX_INK:
                return _blend(base, _ink(rng, color), share)
        return _blend(base, _ink(rng, color), share * np.float32(_MAX_INK / max(float(share.mean()), _MAX_INK)))
    image = base.copy()
    _panel(rng, image, color, picture=name.startswith("picture"))
    return image


def _wood(rng: np.random.Generator, points: np.ndarray, light: Color, dark: Color) -> np.ndarray:
    rings = np.hypot(points[..., 0] + 0.3, points[..., 1] * 1.7 + 0.2) * 5 + 0.35 * _smooth(rng, 5)
    share = 0.35 + 0.3 * np.sin(2 * np.pi * rings) + 0.2 * _smooth(rng, 40)
    return _blend(np.array(light, np.float32), np.array(dark, np.float32), np.clip(share, 0, 1))


def _grain(rng: np.random.Generator, name: str, points: np.ndarray) -> np.ndarray:
    """(6, FACE, FACE) float32 brightness in [0, 1]."""
    level: np.ndarray
    if name == "mottle":
        level = 0.86 + 0.16 * _smooth(rng, 7) + 0.06 * _smooth(rng, 24)
    elif name == "fine":
        level = 0.88 + 0.14 * _smooth(rng, 64)
    elif name == "fade":
        level = 0.82 + 0.2 * points @ _direction(rng)
    elif name == "streaks":
        level = 0.88 + 0.12 * np.sin(points @ _direction(rng) * 40 + 3 * _smooth(rng, 4))
    elif name == "weave":
        level = 0.86 + 0.14 * np.sin(points[..., 0] * 28) * np.sin(points[..., 1] * 28 + points[..., 2] * 28)
    elif name == "scratches":
        level = np.ones(points.shape[:3], np.float32)
        for face in level:
            for _ in range(14):
                first, last = (tuple(int(v) for v in at) for at in rng.uniform(0, FACE_PX, (2, 2)))
                cv2.line(face, first, last, float(rng.uniform(0.6, 0.9)), 1, cv2.LINE_AA)
    else:
        level = np.where(points @ _direction(rng) * 2.5 % 1.0 < 0.4, 0.72, 1.0)
    return np.clip(level, 0, 1)


def inked(color: str, name: str) -> str:
    """The texture's name of a pattern of `INKED` on a color."""
    return f"{color}/{name}"


@lru_cache(maxsize=1)
def cube_textures() -> dict[str, np.ndarray]:
    """Every texture by name, each (6 * FACE_PX, FACE_PX, 3) uint8 RGB, the same on each call."""
    points = _face_points()
    rng = np.random.default_rng(SEED)
    woods = (((0.80, 0.60, 0.38), (0.58, 0.38, 0.2)), ((0.46, 0.29, 0.17), (0.26, 0.15, 0.09)))
    images = {name: _wood(rng, points, *tones) for name, tones in zip(WOODS, woods, strict=False)}
    images[WOODS[2]] = _wood(rng, points, (0.90, 0.78, 0.58), (0.76, 0.6, 0.4))
    images |= {name: np.repeat(_grain(rng, name, points)[..., None], 3, -1) for name in GRAINS}
    for color in COLORS:
        images |= {inked(color, name): _inked(rng, color, name, points) for name in INKED}
    return {
        name: np.round(np.clip(image, 0, 1) * 255).astype(np.uint8).reshape(-1, FACE_PX, 3)
        for name, image in images.items()
    }
