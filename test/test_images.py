import dataclasses
import sys
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.images import GRAY, encoder_images, masks_to_image, resized_shape, to_pixels
from pixelrs_ros.model import sam as _registers_segment_anything  # noqa: F401


@pytest.fixture(scope="module")
def longest_side() -> type:
    """segment_anything's own class; its module wants two functions of torchvision for something else."""
    with pytest.MonkeyPatch.context() as patch:
        functional = types.ModuleType("torchvision.transforms.functional")
        vars(functional).update(resize=None, to_pil_image=None)
        for name in ("torchvision", "torchvision.transforms"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        patch.setitem(sys.modules, functional.__name__, functional)
        from segment_anything.utils.transforms import ResizeLongestSide

        sys.modules.pop("segment_anything.utils.transforms")
    return ResizeLongestSide


def a_picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([64, 256, 1024]))
def test_sizes_are_segment_anythings(longest_side: type, height: int, width: int, side: int) -> None:
    expected = longest_side.get_preprocess_shape(height, width, side)  # type: ignore[attr-defined]
    assert resized_shape(height, width, side) == (max(1, expected[0]), max(1, expected[1]))


def test_sizes() -> None:
    assert resized_shape(480, 640, 256) == (192, 256)
    assert resized_shape(333, 517, 256) == (165, 256)
    assert resized_shape(1, 4000, 256) == (1, 256)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (333, 517), (640, 480), (1, 1), (1, 300), (300, 2), (8, 8)])
def test_every_size_reaches_the_encoders_and_comes_back(debug_config: MirasConfig, height: int, width: int) -> None:
    pixels = to_pixels(encoder_images(a_picture(height, width), debug_config), debug_config)
    assert pixels.clip.shape == (1, 3, 32, 32)
    assert pixels.convnext is not None and pixels.convnext.shape == (1, 3, 64, 64)
    assert pixels.sam.shape == (1, 3, 64, 64)
    assert all(part.dtype == torch.float32 and part.isfinite().all() for part in vars(pixels).values())
    inner_height, inner_width = resized_shape(height, width, 64)
    assert (pixels.sam[..., inner_height:, :] == 0).all() and (pixels.sam[..., inner_width:] == 0).all()
    assert pixels.sam[..., :inner_height, :inner_width].abs().min() > 0
    masks = masks_to_image(torch.ones(2, 1, 32, 32), height, width, debug_config)
    assert masks.shape == (2, height, width) and torch.allclose(masks, torch.ones(()))


def test_pixels_are_normalized(debug_config: MirasConfig) -> None:
    white = to_pixels(encoder_images(np.full((48, 64, 3), 255, np.uint8), debug_config), debug_config)
    assert white.clip[0, 0, 0, 0].item() == pytest.approx((1 - 0.48145466) / 0.26862954, abs=1e-5)
    assert white.convnext is not None and white.convnext[0, 2, 5, 5].item() == pytest.approx(
        (1 - 0.40821073) / 0.27577711, abs=1e-5
    )
    assert white.sam[0, 1, 0, 0].item() == pytest.approx((255 - 116.28) / 57.12, abs=1e-5)


def test_views_of_arrays_are_read_right(debug_config: MirasConfig) -> None:
    image = a_picture(40, 60)
    bgr = image[..., ::-1].copy()
    for seen, expected in zip(
        vars(encoder_images(bgr[..., ::-1], debug_config)).values(),
        vars(encoder_images(image, debug_config)).values(),
        strict=True,
    ):
        assert (seen == expected).all()


def test_blind_is_gray_to_the_language_model_only(debug_config: MirasConfig) -> None:
    image = a_picture(48, 64)
    seen, blind = (encoder_images(image, debug_config, blind=blind) for blind in (False, True))
    assert (blind.clip == GRAY).all() and np.all(blind.convnext == GRAY)
    assert (blind.sam == seen.sam).all() and seen.clip.std() > 10


@pytest.mark.parametrize(("height", "width"), [(333, 517), (517, 333), (480, 640), (101, 99)])
def test_a_mask_comes_back_where_it_was(debug_config: MirasConfig, height: int, width: int) -> None:
    side, low_side = debug_config.sam.image_size_px, 4 * debug_config.sam.grid_size
    cell_px = max(height, width) / low_side
    top, bottom, left, right = (round(f * s) for f, s in ((0.3, height), (0.8, height), (0.25, width), (0.9, width)))
    inner_height, inner_width = resized_shape(height, width, side)
    rows = (np.arange(inner_height) + 0.5) * height / inner_height
    columns = (np.arange(inner_width) + 0.5) * width / inner_width
    small = ((rows > top) & (rows < bottom))[:, None] & ((columns > left) & (columns < right))[None]
    square = np.zeros((side, side), np.float32)
    square[:inner_height, :inner_width] = small
    logits = F.interpolate(torch.from_numpy(square)[None, None], (low_side, low_side), mode="area") - 0.5
    mask = masks_to_image(logits, height, width, debug_config)[0].numpy() > 0
    found_rows, found_columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    edges = (found_rows[0], found_rows[-1] + 1, found_columns[0], found_columns[-1] + 1)
    assert np.abs(np.subtract(edges, (top, bottom, left, right))).max() <= cell_px
    truth = np.zeros((height, width), bool)
    truth[top:bottom, left:right] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85


@pytest.mark.parametrize(("height", "width"), [(48, 80), (90, 31), (20, 20)])
def test_the_center_is_framed_as_in_the_published_code(debug_config: MirasConfig, height: int, width: int) -> None:
    """Shortest side to ConvNeXt's size by bicubic resampling, the middle of that, and CLIP's from it, bilinearly."""
    config = dataclasses.replace(debug_config, framing="center", pointer=False, detail=False)
    picture = a_picture(height, width)
    pixels = to_pixels(encoder_images(picture, config), config)

    whole = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    size = [64 * side // min(height, width) for side in (height, width)]
    resized = F.interpolate(whole, size, mode="bicubic", align_corners=False)
    top, left = ((length - 64) // 2 for length in size)
    square = resized[..., top : top + 64, left : left + 64] / 255
    sizes = config.require_high_resolution()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (sizes.mean, sizes.std))
    square = (square - mean) / std
    assert pixels.convnext is not None
    torch.testing.assert_close(pixels.convnext, square, rtol=1e-4, atol=1e-4)
    small = F.interpolate(square, (32, 32), mode="bilinear", align_corners=False)
    torch.testing.assert_close(pixels.clip, small, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(48, 80), (90, 31), (300, 200)])
def test_sam_sees_what_pillow_resizes_where_the_center_is_framed(
    debug_config: MirasConfig, height: int, width: int
) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow comes with matplotlib")
    config = dataclasses.replace(debug_config, framing="center", pointer=False, detail=False)
    picture = a_picture(height, width)
    ours = encoder_images(picture, config).sam
    theirs = np.asarray(image.fromarray(picture).resize(ours.shape[1::-1], image.Resampling.BILINEAR))
    assert np.abs(ours.astype(int) - theirs).max() <= 1, "both round"
    assert ours.shape[:2] == resized_shape(height, width, 64)


@pytest.mark.parametrize(("height", "width"), [(1, 60_000), (60_000, 1), (1, 1)])
def test_the_center_of_a_strip(debug_config: MirasConfig, height: int, width: int) -> None:
    config = dataclasses.replace(debug_config, framing="center", pointer=False, detail=False)
    pixels = to_pixels(encoder_images(a_picture(height, width), config), config)
    assert pixels.clip.shape == (1, 3, 32, 32)
    assert pixels.convnext is not None and pixels.convnext.shape == (1, 3, 64, 64)
