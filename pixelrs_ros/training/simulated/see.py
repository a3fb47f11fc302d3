"""Phase 1a: the eyes. Every patch names its kind, color and part; SAM cuts what prompts made from the truth mean."""

from __future__ import annotations

import math

import torch
from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.config import LossWeights
from pixelrs_ros.training.loop import Terms
from pixelrs_ros.training.losses import boundary_loss, dice_loss, focal_loss, mask_iou
from pixelrs_ros.training.simulated.bank import Bank
from pixelrs_ros.training.simulated.concepts import NUM_PARTS, SIZES
from pixelrs_ros.training.simulated.oracle import OraclePrompt
from pixelrs_ros.training.simulated.scenes import Scenes, ScenesPhase, as_it_is, centers, cover, encoder_pixels, taken

PROMPTS = 3  # masks of each scene and step
MIN_SHARE = 2e-4  # of the square: smaller regions are not cut
PART_RATE = 0.5
SIGHT = {"fused": 1.0, "grid": 0.5, "cells": 0.3}  # weights of the dense losses


class Eyes(nn.Module):
    """Towers, fusion, SAM and what ties them, with linear heads that are thrown away after training."""

    def __init__(self, miras: Miras, config: MirasConfig) -> None:
        super().__init__()
        self.clip, self.convnext, self.fusion = miras.clip, miras.convnext, miras.fusion
        self.sam, self.detail = miras.sam, miras.detail
        for module in (self.sam.prompt_encoder.mask_downscaling, self.sam.prompt_encoder.point_embeddings):
            module.requires_grad_(False)  # MIRAS prompts with neither masks nor points
        self.sam.prompt_encoder.not_a_point_embed.requires_grad_(False)
        self.fused_head = nn.Sequential(
            nn.LayerNorm(config.clip.hidden_size), nn.Linear(config.clip.hidden_size, sum(SIZES))
        )
        if config.convnext is not None:
            channels = config.convnext.out_channels
            self.grid_norm = nn.GroupNorm(1, channels)
            self.grid_head = nn.Conv2d(channels, sum(SIZES), kernel_size=1)
        self.sam_head = nn.Conv2d(config.sam.prompt_dim, sum(SIZES), kernel_size=1)

    def forward(
        self, clip: torch.Tensor, convnext: torch.Tensor | None, sam: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """Encode.

        Args:
            clip: (B, 3, S, S) float.
            convnext: (B, 3, T, T) float; None where there is no high-resolution encoder.
            sam: (B, 3, U, U) float.

        Returns:
            (B, P, C_clip) fused tokens; logits per CLIP patch ("fused", (B, g*g, classes)), per cell of SAM's embedding
            ("cells", (B, h*h, classes)) and of the high-resolution encoder, if there is one ("grid", (B, G*G,
            classes)); and SAM's embedding (B, C, h, h).
        """
        fused, embedding = self.clip(clip), self.sam.encode(sam)
        dense = {}
        if self.convnext is not None:
            # torch crashes in GroupNorm's backward pass where its input is channels-last and wants no gradient.
            high = self.convnext(convnext).contiguous()
            dense["grid"] = self.grid_head(self.grid_norm(high)).flatten(2).transpose(1, 2)
            fused = fused if self.fusion is None else self.fusion(fused, high)
            embedding = embedding if self.detail is None else embedding + self.detail(high)
        dense["fused"] = self.fused_head(fused)
        dense["cells"] = self.sam_head(embedding).flatten(2).transpose(1, 2)
        return fused, dense, embedding


def dense_loss(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each of the three groups of classes against the shares of the patch.

    Patches that show only background count a fifth, since most do.

    Args:
        logits: (B, P, NUM_KINDS + NUM_COLORS + NUM_PARTS) float.
        shares: The same shape, each group summing to 1.
    """
    losses = [
        -(share * group.log_softmax(dim=-1)).sum(dim=-1)
        for group, share in zip(logits.float().split(SIZES, -1), shares.split(SIZES, -1), strict=True)
    ]
    weight = torch.where(shares[..., 0] > 0.97, 0.2, 1.0)
    return (torch.stack(losses).sum(dim=0) * weight).sum() / weight.sum()


def draw_regions(scenes: Scenes, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(N,) scene, object and part of random regions: `count` a scene, whole objects and parts, none too small."""
    rows, objects, parts = [], [], []
    codes = scenes.data["objects"][:, ::2, ::2].flatten(1).long()
    named = scenes.data["parts"][:, ::2, ::2].flatten(1).long()
    least = MIN_SHARE * codes.shape[1]
    areas = torch.zeros(len(codes), scenes.data["kinds"].shape[1], device=codes.device)
    areas.scatter_add_(1, codes, torch.ones((), device=codes.device).expand(codes.shape))
    areas[:, 0] = 0
    for _ in range(count):
        chosen = torch.multinomial((areas > least).float() + 1e-9, 1)[:, 0]
        size = torch.zeros(len(codes), NUM_PARTS, device=codes.device)
        size.scatter_add_(1, named, (codes == chosen.unsqueeze(1)).float())
        size[:, 0] = 0
        of_part = (size > least).float()
        part = torch.multinomial(of_part + 1e-9, 1)[:, 0]
        wanted = (torch.rand(len(codes), device=codes.device) < PART_RATE) & (of_part.sum(dim=1) > 1)
        rows.append(torch.arange(len(codes), device=codes.device))
        objects.append(chosen)
        parts.append(torch.where(wanted, part, 0))
    return torch.cat(rows), torch.cat(objects), torch.cat(parts)


def mask_losses(
    logits: torch.Tensor, quality: torch.Tensor, targets: torch.Tensor, weights: LossWeights
) -> tuple[torch.Tensor, Terms]:
    """The weighted sum of the mask losses and the terms for the log.

    Args:
        logits: (N, 1, h, w) float mask logits.
        quality: (N, k) float predicted IoU, of which the first belongs to the single mask.
        targets: (N, 1, h, w) float in [0, 1].
        weights: Those of dice, focal and boundary; the predicted IoU's squared error has weight 1.
    """
    logits = logits.float()
    dice, focal, edge = dice_loss(logits, targets), focal_loss(logits, targets), boundary_loss(logits, targets)
    iou = mask_iou(logits.detach(), targets)
    score = (quality[:, 0].float() - iou).square().mean()
    loss = weights.dice * dice + weights.focal * focal + weights.boundary * edge + score
    return loss, {"dice": dice, "focal": focal, "iou": iou.mean()}


class SeePhase(ScenesPhase):
    """See the module's docstring."""

    name = "see"
    module: Eyes

    def __init__(self, miras: Miras, config: MirasConfig, train: Bank, val: Bank, weights: LossWeights) -> None:
        super().__init__(train, val)
        self.config = config
        self.weights = weights
        self.module = Eyes(miras, config)
        self.oracle = OraclePrompt(miras, config)

    def look(self, scenes: Scenes, images: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """What the eyes make of (B, 3, S, S) float images of these scenes; see `Eyes.forward`."""
        seen: tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor] = self.module(
            *encoder_pixels(images, scenes.data["size"], self.config)
        )
        return seen

    def sight(self, scenes: Scenes, dense: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Terms]:
        """The weighted sum of the dense losses of the eyes' logits, and its terms."""
        terms: Terms = {
            name: dense_loss(logits, scenes.patch_concepts(math.isqrt(logits.shape[1])))
            for name, logits in dense.items()
        }
        return torch.stack([SIGHT[name] * term for name, term in terms.items()]).sum(), terms

    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """Dense cross-entropy wherever there are eyes, mask losses with prompts as inexact as a language model's."""
        _, dense, embedding = self.look(scenes, taken(scenes.data["image"], scenes.data["size"]))
        sight, sights = self.sight(scenes, dense)
        rows, objects, parts = draw_regions(scenes, PROMPTS)
        masks = scenes.masks(rows, objects, parts)
        places = centers(masks)
        places = places + 0.03 * torch.randn_like(places)
        draw = torch.rand(len(rows), device=rows.device)
        known = torch.stack([(draw > 0.1).float(), ((draw < 0.1) | (draw > 0.25)).float()], dim=1)
        prompts = self.oracle.to(rows.device)(scenes.concepts(rows, objects, parts), places, known)
        logits, quality = self.module.sam.decode(embedding, prompts, rows)
        cut, terms = mask_losses(logits, quality, cover(masks, logits.shape[-1]), self.weights)
        return sight + cut, {**sights, **terms}

    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Patches that mostly show an object whose kind, color and part are named right, and IoU with exact prompts."""
        _, dense, embedding = self.look(scenes, as_it_is(scenes.data["image"]))
        found = named_right(dense["fused"], scenes.patch_concepts(self.config.clip.grid_size))
        rows, objects, parts = draw_regions(scenes, PROMPTS)
        masks = scenes.masks(rows, objects, parts)
        prompts = self.oracle.to(rows.device)(scenes.concepts(rows, objects, parts), centers(masks))
        decoded, _ = self.module.sam.decode(embedding, prompts, rows)
        return found | iou_sums(decoded, cover(masks, decoded.shape[-1]), parts > 0)


def named_right(logits: torch.Tensor, shares: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Among the patches that are at least half object; for parts, half one named part."""
    found = {}
    groups = zip(("kind", "color", "part"), logits.split(SIZES, -1), shares.split(SIZES, -1), strict=True)
    for name, group, share in groups:
        value, truth = share[..., 1:].max(dim=-1)
        shown = value > 0.5
        found[name] = ((group[..., 1:].argmax(dim=-1) == truth)[shown].sum(), shown.sum())
    return found


def iou_sums(
    logits: torch.Tensor, targets: torch.Tensor, parts: torch.Tensor
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """IoU of whole objects and, where the (N,) bool is true, of parts."""
    iou = mask_iou(logits.float(), targets)
    return {"whole_iou": (iou[~parts].sum(), (~parts).sum()), "part_iou": (iou[parts].sum(), parts.sum())}
