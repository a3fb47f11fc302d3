from __future__ import annotations

import math

import pytest
import torch

from pixelrs_ros.training.losses import boundary_loss, dice_loss, focal_loss, mask_iou

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
