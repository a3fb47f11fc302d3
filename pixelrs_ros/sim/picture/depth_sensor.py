"""What a real depth camera does to depth: noise, flying pixels, wrong registration, holes, whole millimeters; a lens.

Axial noise grows with the square of the distance: Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise for Improved
3D Reconstruction and Tracking", 3DIMPVT 2012, equation 2. Flying pixels are what a pixel sees that lies on two surfaces
at once: anything between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pixelrs_ros.sim.picture.render import View

_JUMP = 0.01  # of the depth: more than this between neighbors is an edge
_HOLE_PX = 6.0  # size of the holes inside surfaces


@dataclass(frozen=True)
class DepthFaults:
    """What is wrong with the depth.

    Attributes:
        noise: A multiple of the published model's axial noise; 1 is that sensor's.
        flying: Share of the pixels at edges whose depth lies between the two surfaces, in [0, 1].
        no_edge: Share of the pixels at edges without depth, in [0, 1].
        holes: Share of all pixels that lie in holes, in [0, 1].
        registration_px: Standard deviation of how far depth and color are apart, along each axis.
        whole_mm: Whether depth comes in whole millimeters.
    """

    noise: float = 1.0
    flying: float = 0.6
    no_edge: float = 0.2
    holes: float = 0.04
    registration_px: float = 0.5
    whole_mm: bool = True


PERFECT = DepthFaults(0.0, 0.0, 0.0, 0.0, 0.0, False)


def record_depth(depth_m: np.ndarray, rng: np.random.Generator, faults: DepthFaults) -> np.ndarray:
    """The depth as a camera with these faults would measure it.

    Args:
        depth_m: (H, W) float32, the truth.
        rng: Source of every fault.
        faults: How bad it is.

    Returns:
        (H, W) float32 meters; 0 where there is none.
    """
    shift = np.round(rng.normal(0.0, 1.0, 2) * faults.registration_px).astype(int)
    height, width = depth_m.shape
    rows, columns = (np.clip(np.arange(n) + s, 0, n - 1) for n, s in zip((height, width), shift, strict=True))
    depth = depth_m[np.ix_(rows, columns)]
    nothing = depth <= 0
    near, far = cv2.erode(depth, np.ones((3, 3))), cv2.dilate(depth, np.ones((3, 3)))
    edge = far - near > _JUMP * near
    chance, where = rng.random(depth.shape, np.float32), rng.random(depth.shape, np.float32)
    depth = np.where(edge & (chance < faults.flying), near + where * (far - near), depth)
    sigma_m = 0.0012 + 0.0019 * (depth - 0.4) ** 2
    depth = depth + faults.noise * sigma_m * rng.standard_normal(depth.shape, np.float32)
    nothing |= edge & (chance > 1 - faults.no_edge)
    if faults.holes:
        field: np.ndarray = np.asarray(
            cv2.GaussianBlur(rng.standard_normal(depth.shape, np.float32), (0, 0), _HOLE_PX / 2)
        )
        nothing |= field > np.quantile(field, 1 - faults.holes)
    depth[nothing] = 0.0
    if faults.whole_mm:
        depth = np.round(depth * 1000) / 1000
    return np.asarray(depth, dtype=np.float32)


def through_lens(view: View, matrix: np.ndarray, distortion: np.ndarray) -> View:
    """The view as a camera with a distorting lens sees it: every pixel takes the nearest one of the pinhole view.

    Args:
        view: With depth.
        matrix: (3, 3) of both cameras, px, pixel centers at integers.
        distortion: Brown-Conrady coefficients in OpenCV's order.

    Returns:
        Image, labels and depth moved alike; what the pinhole view does not show is background without depth.
    """
    assert view.depth_m is not None
    height, width = view.depth_m.shape
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 1, 2).astype(np.float64)
    seen = cv2.undistortPoints(pixels, matrix, distortion, P=matrix).reshape(height, width, 2).astype(np.float32)
    across, down = seen[..., 0], seen[..., 1]

    def moved(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.remap(values, across, down, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT))

    return replace(
        view,
        image=moved(view.image),
        depth_m=moved(view.depth_m),
        object_ids=moved(view.object_ids),
        part_ids=moved(view.part_ids),
    )
