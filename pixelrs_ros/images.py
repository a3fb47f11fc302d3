"""Camera image to the three encoder inputs, and mask logits back to its pixels. Shared by training and run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from pixelrs_ros.config import MirasConfig

_LONGEST = 16  # times as long as it is wide may a picture be that is resized as a whole
GRAY = 127  # what the language model's eyes are shown in the blind control


@dataclass(frozen=True)
class EncoderImages:
    """One image at the size of each encoder, not yet normalized, RGB with black 0 and white 255.

    Attributes:
        clip: (S, S, 3) uint8, or float32 where the configuration frames the center; where it pads, the longest side is
            S and the other not yet padded.
        convnext: (T, T, 3) likewise; None where there is no such encoder.
        sam: (h, w, 3) uint8, longest side resized, not padded.
    """

    clip: np.ndarray
    convnext: np.ndarray | None
    sam: np.ndarray


@dataclass(frozen=True)
class Pixels:
    """Normalized inputs of the encoders, each (B, 3, side, side) float32; ConvNeXt's is None where there is none."""

    clip: torch.Tensor
    convnext: torch.Tensor | None
    sam: torch.Tensor


def resized_shape(height_px: int, width_px: int, side_px: int) -> tuple[int, int]:
    """(height, width) in px after the longest side became `side_px`, at least 1 (segment_anything's rounding)."""
    scale = side_px / max(height_px, width_px)
    return max(1, int(height_px * scale + 0.5)), max(1, int(width_px * scale + 0.5))


def _resize(image: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    shrinks = height_px <= image.shape[0] and width_px <= image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width_px, height_px), interpolation=interpolation)


def _center_square(image: np.ndarray, side_px: int) -> np.ndarray:
    """The square in the middle, (side, side, 3) float32: shortest side resized bicubically, as the published code does.

    Values may leave [0, 255] a little at edges; that code does not clip them either.
    """
    image = _no_strip(image)
    short = min(image.shape[:2])
    height, width = image.shape[:2]
    resized_height, resized_width = side_px * height // short, side_px * width // short
    resized = cv2.resize(image.astype(np.float32), (resized_width, resized_height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(_middle(resized, side_px, side_px))


def _middle(image: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """A view of the middle."""
    top, left = (image.shape[0] - height_px) // 2, (image.shape[1] - width_px) // 2
    return image[top : top + height_px, left : left + width_px]


def _no_strip(image: np.ndarray) -> np.ndarray:
    """The middle of a picture like a strip: the whole of it, resized to a certain height, could exceed any memory."""
    short = min(image.shape[:2])
    return _middle(image, *(min(length, _LONGEST * short) for length in image.shape[:2]))


def _clip_square(image: np.ndarray, side_px: int) -> np.ndarray:
    """The square in the middle, (side, side, 3) uint8, as transformers' CLIPImageProcessor makes it through Pillow."""
    image = _no_strip(image)
    short = min(image.shape[:2])
    height, width = (int(side_px * length / short) for length in image.shape[:2])
    resized = Image.fromarray(np.ascontiguousarray(image)).resize((width, height), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(_middle(np.asarray(resized), side_px, side_px))


def _resize_smoothly(image: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """Bilinear, over every pixel that a new one covers, as segment_anything does it through Pillow; uint8."""
    whole = Image.fromarray(np.ascontiguousarray(image))
    return np.array(whole.resize((width_px, height_px), Image.Resampling.BILINEAR))


def encoder_images(image: np.ndarray, config: MirasConfig, *, blind: bool = False) -> EncoderImages:
    """Resize one image for the three encoders.

    Args:
        image: (H, W, 3) uint8 RGB in [0, 255].
        config: Sizes.
        blind: Show plain gray to the encoders of the language model; SAM still sees the image.
    """
    seen = np.full_like(image, GRAY) if blind else image
    clip, convnext = config.clip.image_size_px, config.convnext and config.convnext.image_size_px
    sam_shape = resized_shape(image.shape[0], image.shape[1], config.sam.image_size_px)
    if config.framing == "clip":
        return EncoderImages(_clip_square(seen, clip), None, _resize_smoothly(image, *sam_shape))
    if config.framing == "center" and convnext:
        square = _center_square(seen, convnext)
        small = cv2.resize(square, (clip, clip), interpolation=cv2.INTER_LINEAR)
        return EncoderImages(small, square, _resize_smoothly(image, *sam_shape))

    def framed(side_px: int) -> np.ndarray:
        whole = resized_shape(image.shape[0], image.shape[1], side_px)
        return _resize(seen, *(whole if config.framing == "pad" else (side_px, side_px)))

    return EncoderImages(framed(clip), framed(convnext) if convnext else None, _resize(image, *sam_shape))


def normalize(images: np.ndarray, mean: Sequence[float], std: Sequence[float], scale: float) -> torch.Tensor:
    """(B, H, W, 3) uint8 or float32 -> (B, 3, H, W) float32: (value / scale - mean) / std."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    offset = torch.tensor(mean).view(1, 3, 1, 1) * scale
    return (pixels - offset) / (torch.tensor(std).view(1, 3, 1, 1) * scale)


def clip_pixels(images: np.ndarray, config: MirasConfig) -> torch.Tensor:
    """(B, h, w, 3) uint8 or float32, longest side S -> (B, 3, S, S) float32, normalized for CLIP."""
    return padded(normalize(images, config.clip.mean, config.clip.std, scale=255.0), config.clip.image_size_px)


def convnext_pixels(images: np.ndarray, config: MirasConfig) -> torch.Tensor:
    """(B, h, w, 3) uint8 or float32, longest side T -> (B, 3, T, T) float32, normalized for ConvNeXt."""
    assert config.convnext is not None
    pixels = normalize(images, config.convnext.mean, config.convnext.std, scale=255.0)
    return padded(pixels, config.convnext.image_size_px)


def sam_pixels(images: np.ndarray, config: MirasConfig) -> torch.Tensor:
    """(B, h, w, 3) uint8, longest side S -> (B, 3, S, S) float32: normalized, then zeros at the bottom and right."""
    return padded(normalize(images, config.sam.mean, config.sam.std, scale=1.0), config.sam.image_size_px)


def padded(pixels: torch.Tensor, side_px: int) -> torch.Tensor:
    """(B, C, h, w) -> (B, C, side, side) with zeros at the bottom and right."""
    return F.pad(pixels, (0, side_px - pixels.shape[3], 0, side_px - pixels.shape[2]))


def to_pixels(images: EncoderImages, config: MirasConfig) -> Pixels:
    """Normalize one image for the three encoders; batch size 1."""
    return Pixels(
        clip=clip_pixels(images.clip[None], config),
        convnext=None if images.convnext is None else convnext_pixels(images.convnext[None], config),
        sam=sam_pixels(images.sam[None], config),
    )


def masks_to_image(logits: torch.Tensor, height_px: int, width_px: int, config: MirasConfig) -> torch.Tensor:
    """Mask logits to the image they belong to.

    Args:
        logits: (N, 1, h, w) float, on SAM's padded square.
        height_px: Height of the image.
        width_px: Width of the image.
        config: Sizes.

    Returns:
        (N, H, W) float logits; positive is inside.
    """
    side = config.sam.image_size_px
    logits = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    inner_height, inner_width = resized_shape(height_px, width_px, side)
    logits = logits[..., :inner_height, :inner_width]
    return F.interpolate(logits, (height_px, width_px), mode="bilinear", align_corners=False)[:, 0]


_SPOT = 0.6  # of an image token's side: radius of what is looked at where somebody points
_SHOWN = 0.1  # of an image token's patch: what covers so much of it is seen there


def tokens_of(mask: np.ndarray, config: MirasConfig) -> torch.Tensor:
    """Which image tokens show something of a mask, (H, W) bool: (P,) bool, row after row."""
    painted = np.repeat(np.where(mask, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    framed = torch.from_numpy(encoder_images(painted, config).clip[..., 0]).float()
    square = padded(framed[None, None], config.clip.image_size_px)
    share = F.avg_pool2d(square, config.clip.patch_size_px)[0, 0] / 255
    return share.flatten() >= _SHOWN


def spot(point: tuple[float, float], shape: tuple[int, int], config: MirasConfig) -> np.ndarray:
    """What is looked at where somebody points: a disc about as large as an image token.

    Args:
        point: (x, y) in px.
        shape: (H, W) of the picture, px.
        config: Sizes.

    Returns:
        (H, W) bool.
    """
    framed = {"stretch": shape, "pad": (max(shape),) * 2}.get(config.framing, (min(shape),) * 2)
    high_px, wide_px = (max(1.0, _SPOT * side / config.clip.grid_size) for side in framed)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    x, y = (columns + 0.5 - point[0]) / wide_px, (rows + 0.5 - point[1]) / high_px
    near: np.ndarray = x**2 + y**2 <= 1.0
    return near


_NEAR = 0.35  # of the largest piece's size (the root of its area): pieces so near are the same thing, partly hidden


def one_thing(mask: np.ndarray) -> np.ndarray:
    """A mask without what lies apart from its largest piece: a `[SEG]` means one thing.

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool: the largest connected piece, and those near it, as of a thing that something else stands before.
    """
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    largest = 1 + int(areas.argmax())
    away = cv2.distanceTransform((pieces != largest).astype(np.uint8), cv2.DIST_L2, 3)
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, pieces[mask], away[mask])  # at once: every speckle is a piece
    near: np.ndarray = nearest <= _NEAR * float(areas.max()) ** 0.5
    return near[pieces]
