import math

import numpy as np
import pytest
import torch

from pixelrs_ros.errors import DataError
from pixelrs_ros.sim.kinds import COLORS, KINDS
from pixelrs_ros.training.cache import SplitArrays
from pixelrs_ros.training.concepts import (
    COLOR_NAMES,
    KIND_NAMES,
    NUM_COLORS,
    NUM_KINDS,
    NUM_PARTS,
    PART_NAMES,
    Concept,
    parse_label,
)
from pixelrs_ros.training.losses import boundary_loss, dice_loss, focal_loss, mask_iou
from pixelrs_ros.training.masks import sample_regions
from pixelrs_ros.training.targets import centers, patch_concepts, region_mask, soft_targets

MUG, BALL = KIND_NAMES.index("mug") + 1, KIND_NAMES.index("ball") + 1
RED, BLUE = COLOR_NAMES.index("red") + 1, COLOR_NAMES.index("blue") + 1
HANDLE = PART_NAMES.index("handle") + 1


def test_labels_name_kind_color_and_part() -> None:
    assert parse_label("red mug") == Concept(MUG, RED, 0)
    assert parse_label("handle of the red mug") == Concept(MUG, RED, HANDLE)


def test_every_thing_of_the_simulator_has_a_concept_of_its_own() -> None:
    labels = [f"{color} {kind}" for kind in KINDS for color in COLORS]
    labels += [f"{part} of the red {kind}" for kind in KINDS for part in KINDS[kind].parts]
    assert len({parse_label(label) for label in labels}) == len(labels)


@pytest.mark.parametrize("label", ["", "mug", "pink mug", "red oven", "roof of the red mug", "red mug ", "the red mug"])
def test_other_labels_are_named(label: str) -> None:
    with pytest.raises(DataError, match=f"label '{label}'"):
        parse_label(label)


def test_patches_show_what_the_regions_say(split: SplitArrays) -> None:
    shown = patch_concepts(split, np.array([1, 0]), grid=4)
    assert shown.kinds.shape == (2, 16, NUM_KINDS)
    assert shown.flat().shape == (2, 16, NUM_KINDS + NUM_COLORS + NUM_PARTS)
    for group in (shown.kinds, shown.colors, shown.parts):
        assert torch.allclose(group.sum(dim=-1), torch.ones(()))
    # Cells are 12 by 16 px: body in row 1, column 0; handle in row 1, column 1; the ball covers 24 of 192 px below.
    body, handle = 4, 5
    for patch, part in ((body, 0), (handle, HANDLE)):
        assert shown.kinds[0, patch, MUG] == shown.colors[0, patch, RED] == shown.parts[0, patch, part] == 1
    assert shown.kinds[0, 0, 0] == 1
    corner = 2 * 4 + 2
    assert shown.kinds[0, corner, BALL].item() == pytest.approx(6 * 8 / 192)
    assert shown.kinds[0, corner, 0].item() == pytest.approx(1 - 6 * 8 / 192)
    assert shown.parts[0, corner, 0] == 1


def test_grids_that_do_not_divide_the_picture_still_sum_to_one(split: SplitArrays) -> None:
    shown = patch_concepts(split, np.array([0]), grid=7)
    assert torch.allclose(shown.kinds.sum(dim=-1), torch.ones(()))


def test_a_whole_object_includes_its_parts(split: SplitArrays) -> None:
    assert region_mask(split, 0, 2).sum() == 12 * 16
    assert region_mask(split, 0, 1).sum() == 12 * 32
    assert (region_mask(split, 0, 3) == (split.regions[0] == 3)).all()


def test_centers_lie_in_the_padded_square(split: SplitArrays) -> None:
    masks = np.stack([region_mask(split, 0, 2), region_mask(split, 0, 3), np.zeros((48, 64), bool)])
    expected = torch.tensor([[24 / 64, 18 / 64], [50 / 64, 35 / 64], [0, 0]])
    assert torch.allclose(centers(masks, 64), expected)


def test_soft_targets_are_covered_shares_of_padded_cells() -> None:
    masks = np.zeros((1, 48, 64), bool)
    masks[0, 8:12, 4:11] = True
    targets = soft_targets(masks, side=64, low_side=16)
    assert targets.shape == (1, 1, 16, 16)
    assert targets[0, 0, 2, 1:4].tolist() == [1.0, 0.75, 0.0]
    assert targets.sum().item() == pytest.approx(masks.sum() / 16)
    assert soft_targets(np.ones((1, 48, 64), bool), 64, 16)[0, 0, 12:].abs().max() == 0, "the padding"


def test_sampled_regions_are_neither_background_nor_too_small(split: SplitArrays) -> None:
    torch.manual_seed(0)
    split.regions[0, 30:40, 40:60] = 0
    split.regions[0, 0, :19] = 3
    regions = sample_regions(split, 0, 40)
    assert regions[1::2] == [2] * 20 and regions[::2] == [1] * 20
    assert set(sample_regions(split, 1, 40)) == {1, 2, 3}


SQUARE = torch.zeros(2, 1, 8, 8)
SQUARE[:, :, 2:6, 2:6] = 1
PERFECT = 40 * (SQUARE - 0.5)


def test_losses_of_a_perfect_mask_vanish() -> None:
    for loss in (dice_loss, focal_loss, boundary_loss):
        assert loss(PERFECT, SQUARE).item() == pytest.approx(0, abs=1e-6)
        assert loss(-PERFECT, SQUARE).item() > 0.05


def test_numbers_of_the_losses() -> None:
    undecided = torch.zeros(2, 1, 8, 8)
    # Half of 64 px are guessed: 1 - (2 * 8 + 1) / (32 + 16 + 1).
    assert dice_loss(undecided, SQUARE).item() == pytest.approx(1 - 17 / 49)
    for target, alpha in ((1.0, 0.8), (0.0, 0.2)):
        expected = alpha * 0.25 * math.log(2)
        assert focal_loss(undecided, torch.full_like(SQUARE, target)).item() == pytest.approx(expected)
    assert boundary_loss(undecided, torch.full_like(SQUARE, 0.5)).item() == 0
    step = torch.zeros(1, 1, 3, 4)
    step[..., 2:] = 1
    # Sobel / 4 across a unit step is 1, along it 0.
    assert boundary_loss(torch.full_like(step, -40.0), step).item() == pytest.approx(1)


def test_iou() -> None:
    shifted = PERFECT.roll(2, dims=3)
    assert mask_iou(PERFECT, SQUARE).tolist() == [1, 1]
    assert mask_iou(shifted, SQUARE).tolist() == pytest.approx([8 / 24] * 2)
    assert mask_iou(-torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)).tolist() == [0]
