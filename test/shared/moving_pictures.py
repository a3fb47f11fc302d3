"""Small moving pictures with the truth about them: textures, discs, a camera that shifts and turns."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass
class Stage:
    """A textured floor with colored, speckled discs on it, seen by a camera that shifts and turns."""

    floor: np.ndarray
    disc: np.ndarray
    size: tuple[int, int] = (160, 120)

    def show(
        self,
        camera_px: tuple[float, float] = (0.0, 0.0),
        turn_deg: float = 0.0,
        discs: tuple[tuple[float, float], ...] = ((80.0, 60.0),),
        cover_px: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture, (120, 160, 3) uint8, and where the first disc is seen, (120, 160) bool.

        A gray bar of 60 px covers the picture from `cover_px` on.
        """
        world, truth = self.floor.copy(), np.zeros(self.floor.shape[:2], np.uint8)
        radius = self.disc.shape[0] // 2
        round_ = cv2.circle(np.zeros(self.disc.shape[:2], np.uint8), (radius, radius), radius - 1, 1, -1) > 0
        for number, (x, y) in enumerate(discs):
            left, top = round(x) + 100 - radius, round(y) + 100 - radius
            place = (slice(top, top + self.disc.shape[0]), slice(left, left + self.disc.shape[1]))
            world[place][round_] = self.disc[round_]
            if number == 0:
                truth[place][round_] = 1
        matrix = cv2.getRotationMatrix2D((180.0, 160.0), turn_deg, 1.0)
        matrix[:, 2] = matrix[:, 2] - 100.0 - np.array(camera_px)
        image = cv2.warpAffine(world, matrix, self.size)
        mask = cv2.warpAffine(truth, matrix, self.size) > 0
        if cover_px is not None:
            bar = slice(max(0, round(cover_px)), max(0, round(cover_px) + 60))
            image[:, bar], mask[:, bar] = 128, False
        return image, mask


def make_stage() -> Stage:
    """The same each time."""
    rng = np.random.default_rng(7)

    def speckled(height: int, width: int, color: tuple[int, int, int], contrast: float) -> np.ndarray:
        noise = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 2.0)
        levels = np.array(color) + contrast / noise.std() * noise[..., None]
        return np.clip(levels, 0, 255).astype(np.uint8)

    return Stage(speckled(360, 400, (110, 120, 90), 25.0), speckled(37, 37, (190, 40, 40), 18.0))


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks."""
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))
