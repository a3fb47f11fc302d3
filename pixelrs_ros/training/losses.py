"""Mask losses (`dice`, `focal`, `boundary`), each averaged over the masks of a batch."""

from __future__ import annotations

import torch
from torch.nn import functional as F

_SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4


def dice_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """1 - soft Dice (Milletari et al. 2016, V-Net).

    Args:
        logits: (N, 1, h, w) float.
        targets: (N, 1, h, w) float in [0, 1].
    """
    probability = logits.sigmoid()
    overlap = (probability * targets).sum(dim=(1, 2, 3))
    total = probability.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def focal_loss(logits: torch.Tensor, targets: torch.Tensor, alpha: float = 0.8, gamma: float = 2.0) -> torch.Tensor:
    """Focal cross-entropy (Lin et al. 2017), `alpha` on the inside; targets may be soft. Shapes as `dice_loss`."""
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    error = (logits.sigmoid() - targets).abs()
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    return (weight * error**gamma * cross_entropy).mean()


def boundary_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """L2 between the Sobel gradients of the predicted and the true mask. Shapes as `dice_loss`."""
    kernels = torch.stack([_SOBEL, _SOBEL.t()]).unsqueeze(1)
    difference = F.conv2d(logits.sigmoid() - targets, kernels.to(logits))
    return difference.square().sum(dim=1).mean()


def mask_iou(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(N,) float IoU of the thresholded masks; two empty masks give 0. Shapes as `dice_loss`."""
    predicted, true = logits > 0, targets > 0.5
    overlap = (predicted & true).sum(dim=(1, 2, 3)).float()
    return overlap / (predicted | true).sum(dim=(1, 2, 3)).clamp(min=1)
