"""What a real camera does to a picture: lens, blur, vignetting, exposure, white balance, noise and JPEG.

The ranges are those of a cheap camera that works: a person still names every color and kind at once. The order is
light's own, from the lens to the file. Noise is the usual sum of shot noise, whose variance grows with the light, and
read noise, which is always there (EMVA Standard 1288).
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from pixelrs_ros.sim.picture.render import View

_RADIAL = (-0.14, 0.14)  # barrel to pincushion: how far the picture's corner is moved, as a share of its radius
_VIGNETTING = (0.0, 0.4)  # light lost in the corners
_DEFOCUS_PX = (0.4, 1.4)  # standard deviation
_MOTION_PX = (3, 9)
_EXPOSURE_STOPS = 0.4
_GAMMA = (0.82, 1.22)
_WHITE_BALANCE = 0.1  # of the gains of red and blue
_SHOT = (0.0, 7e-4)  # variance per light, both in units of full scale
_READ = (0.0, 0.014)  # standard deviation in units of full scale
_JPEG = (35, 92)


def record(view: View, rng: np.random.Generator) -> View:
    """The view as one camera would record it, drawn from `rng`.

    Args:
        view: A clean picture, (H, W, 3) uint8 RGB, and its labels.
        rng: Source of every strength and of the noise.

    Returns:
        The recorded picture with its labels moved by the same lens. It has no depth: `intrinsics` are those of the
        pinhole camera without the lens, so that its pixels cannot be projected into space.
    """
    across, down = _lens(view.image.shape[:2], rng)
    image = cv2.remap(view.image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    object_ids, part_ids = (
        cv2.remap(ids, across, down, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        for ids in (view.object_ids, view.part_ids)
    )
    image = _exposed(_blurred(image, rng), rng)
    quality = int(rng.integers(_JPEG[0], _JPEG[1] + 1))
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert decoded is not None  # it was a picture just now
    recorded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return replace(view, image=recorded, depth_m=None, object_ids=object_ids, part_ids=part_ids)


def _squared_radius(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets (H, 1) and (1, W) from the middle and their squared length (H, W), float32; 1 in the corners."""
    height, width = shape[:2]
    unit = math.hypot(width, height) / 2
    y = ((np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit)[:, None]
    x = ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit)[None, :]
    return y, x, x * x + y * y


def _lens(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel's light comes from: x and y, (H, W) float32 in px, never from outside the picture."""
    height, width = shape[:2]
    y, x, squared = _squared_radius(shape)
    radial = float(rng.uniform(*_RADIAL))
    border = np.concatenate([squared[0], squared[:, 0]])
    factor = (1 + radial * squared) / float((1 + radial * border).max())
    unit = math.hypot(width, height) / 2
    across = x * factor * unit + (width / 2 - 0.5)
    down = y * factor * unit + (height / 2 - 0.5)
    return across.astype(np.float32), down.astype(np.float32)


def _blurred(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, moved, or neither."""
    fault = rng.choice(["defocus", "motion", "none"])
    if fault == "defocus":
        return cv2.GaussianBlur(image, (0, 0), float(rng.uniform(*_DEFOCUS_PX)))
    if fault == "motion":
        length = int(rng.integers(_MOTION_PX[0], _MOTION_PX[1] + 1)) | 1
        angle = float(rng.uniform(0, np.pi))
        reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
        middle = (length - 1) / 2
        kernel = np.zeros((length, length), np.float32)
        first, last = (tuple(int(v) for v in np.round(middle + side * reach)) for side in (-1, 1))
        cv2.line(kernel, first, last, 1.0)
        return cv2.filter2D(image, -1, kernel / kernel.sum())
    return image


def _exposed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The light that arrives in the corners, as a sensor measures it: (H, W, 3) uint8."""
    gain = 2.0 ** rng.uniform(-_EXPOSURE_STOPS, _EXPOSURE_STOPS)
    balance = 1 + rng.uniform(-_WHITE_BALANCE, _WHITE_BALANCE, 2)
    gains = gain * np.array([balance[0], 1.0, balance[1]], np.float32)
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** np.float32(rng.uniform(*_GAMMA))
    light: np.ndarray = np.asarray(cv2.LUT(image, (levels * gains).astype(np.float32)[None]), np.float32)
    _, _, squared = _squared_radius(image.shape)
    light *= (1 - float(rng.uniform(*_VIGNETTING)) * squared)[..., None]
    shot, read = float(rng.uniform(*_SHOT)), float(rng.uniform(*_READ))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    deviation = shot * light
    deviation += read * read
    noise *= np.sqrt(deviation, out=deviation)  # in place from here on: fresh pages cost more than the arithmetic
    light += noise
    light *= 255
    light += 0.5
    return np.clip(light, 0, 255, out=light).astype(np.uint8)
