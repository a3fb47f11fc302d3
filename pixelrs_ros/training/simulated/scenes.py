"""What the phases have in common: batches of simulated scenes on the device, and truths computed from their maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from pixelrs_ros.config import ClipConfig, ConvNextConfig, MirasConfig, SamConfig
from pixelrs_ros.training.loop import Objective, Sizes, Terms
from pixelrs_ros.training.simulated.bank import ROWS, Bank
from pixelrs_ros.training.simulated.concepts import NUM_COLORS, NUM_KINDS, NUM_PARTS

EVAL_BATCH = 32


class Numbers(Dataset[int]):
    """The numbers of the examples; which scenes they are is drawn in `ScenesPhase.loss`."""

    def __getitem__(self, number: int) -> int:
        return number


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes. B scenes, K masks a row of conversations.

    Attributes:
        data: The bank's fields, see `bank.fields`; integers are int64.
    """

    data: dict[str, torch.Tensor]

    @staticmethod
    def of(bank: Bank, scenes: torch.Tensor, rows: torch.Tensor) -> Scenes:
        """Some scenes of a bank."""
        return Scenes.from_fields(bank.batch(scenes, rows))

    @staticmethod
    def from_fields(fields: dict[str, torch.Tensor]) -> Scenes:
        """Scenes of the bank's fields as they are kept, each with a first dimension B."""
        keep = {"image", "objects", "parts"}
        return Scenes({k: v if k in keep else v.long() for k, v in fields.items()})

    def object_shares(self, grid: int) -> torch.Tensor:
        """(B, objects, G, G) float: share of each cell that shows an object; the first is the background."""
        return _shares(self.data["objects"], self.data["kinds"].shape[1], grid)

    def patch_concepts(self, grid: int) -> torch.Tensor:
        """(B, G * G, NUM_KINDS + NUM_COLORS + NUM_PARTS) float: shares of kinds, colors and parts, each of sum 1."""
        objects = self.object_shares(grid).flatten(2).transpose(1, 2)
        kinds = objects @ F.one_hot(self.data["kinds"], NUM_KINDS).to(objects)
        colors = objects @ F.one_hot(self.data["colors"], NUM_COLORS).to(objects)
        parts = _shares(self.data["parts"], NUM_PARTS, grid).flatten(2).transpose(1, 2)
        return torch.cat([kinds, colors, parts], dim=-1)

    def masks(self, rows: torch.Tensor, objects: torch.Tensor, parts: torch.Tensor, stride: int = 1) -> torch.Tensor:
        """Where things are.

        Args:
            rows: (N,) int64 scenes.
            objects: (N,) int64.
            parts: (N,) int64; 0 for the whole object.
            stride: Every so manieth pixel is looked at.

        Returns:
            (N, side / stride, side / stride) bool.
        """
        whole = self.data["objects"][:, ::stride, ::stride][rows] == objects.view(-1, 1, 1)
        part = self.data["parts"][:, ::stride, ::stride][rows] == parts.view(-1, 1, 1)
        return whole & (part | (parts == 0).view(-1, 1, 1))

    def concepts(self, rows: torch.Tensor, objects: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
        """(N, 3) int64: kind, color and part of each."""
        return torch.stack([self.data["kinds"][rows, objects], self.data["colors"][rows, objects], parts], dim=1)


def _shares(codes: torch.Tensor, count: int, grid: int) -> torch.Tensor:
    """(B, S, S) uint8 codes below `count` -> (B, count, G, G) float share of each cell, by every other pixel."""
    codes = codes[:, ::2, ::2] if codes.shape[1] >= 4 * grid else codes
    batch, side = codes.shape[:2]
    cell = torch.arange(side, device=codes.device) * grid // side
    cells = (cell.view(-1, 1) * grid + cell.view(1, -1)).view(1, -1)
    flat = cells * count + codes.reshape(batch, -1).long()
    shares = torch.zeros(batch, grid * grid * count, device=codes.device)
    shares.scatter_add_(1, flat, torch.ones((), device=codes.device).expand(flat.shape))
    shares = shares.view(batch, grid * grid, count)
    shares = shares / shares.sum(dim=-1, keepdim=True)
    return shares.transpose(1, 2).reshape(batch, count, grid, grid)


def cover(masks: torch.Tensor, side: int) -> torch.Tensor:
    """(N, S, S) bool -> (N, 1, side, side) float: the covered share of each cell."""
    return F.interpolate(masks.float().unsqueeze(1), (side, side), mode="area")


def centers(masks: torch.Tensor) -> torch.Tensor:
    """(N, S, S) bool -> (N, 2) float: x and y of the centroids in [0, 1] of the square."""
    side = masks.shape[-1]
    line = (torch.arange(side, device=masks.device) + 0.5) / side
    weights = masks.float()
    area = weights.sum(dim=(1, 2)).clamp(min=1)
    return torch.stack([(weights.sum(dim=1) @ line) / area, (weights.sum(dim=2) @ line) / area], dim=1)


def taken(images: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """Pictures as a camera might have taken them: exposure, white balance, contrast, blur, noise; hues keep names.

    Args:
        images: (B, S, S, 3) uint8, padded.
        sizes: (B, 2) int64 height and width of the picture in the square.

    Returns:
        (B, 3, S, S) float in [0, 255], the padding still zero.
    """
    x = images.permute(0, 3, 1, 2).float() / 255
    batch, side = len(x), x.shape[-1]

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(batch, *shape, device=x.device)

    x = x * torch.exp(0.16 * normal(1, 1, 1)) * torch.exp(0.035 * normal(3, 1, 1))
    x = (x - 0.45) * torch.exp(0.13 * normal(1, 1, 1)) + 0.45 + 0.05 * normal(1, 1, 1)
    x = x.clamp(0.004, 1.0) ** torch.exp(0.16 * normal(1, 1, 1))
    blurred = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    how_much = (torch.rand(batch, 1, 1, 1, device=x.device) * 1.6 - 0.6).clamp(min=0)
    x = x + how_much * (blurred - x)
    x = x + 0.03 * torch.rand(batch, 1, 1, 1, device=x.device) ** 2 * normal(3, side, side)
    line = torch.arange(side, device=x.device)
    inside = (line.view(1, -1, 1) < sizes[:, 0].view(-1, 1, 1)) & (line.view(1, 1, -1) < sizes[:, 1].view(-1, 1, 1))
    return (x.clamp(0, 1) * 255).round() * inside.unsqueeze(1)


def as_it_is(images: torch.Tensor) -> torch.Tensor:
    """(B, S, S, 3) uint8 -> (B, 3, S, S) float in [0, 255]."""
    return images.permute(0, 3, 1, 2).float()


def encoder_pixels(
    images: torch.Tensor, sizes: torch.Tensor, config: MirasConfig
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    """Padded pictures as the encoders take them, as `images.to_pixels` makes them from a camera's picture.

    Args:
        images: (B, 3, S, S) float in [0, 255], padded.
        sizes: (B, 2) int64 height and width of the picture in the square.
        config: Sizes.

    Returns:
        (B, 3, side, side) float for CLIP, for the high-resolution encoder (None where there is none) and for SAM.
    """

    def pixels(part: ClipConfig | ConvNextConfig | SamConfig, scale: float) -> torch.Tensor:
        side = part.image_size_px
        x = images
        if side != images.shape[-1]:
            smooth = 2 * side <= images.shape[-1]  # costly, and no difference for sides that are nearly alike
            x = F.interpolate(images, (side, side), mode="bilinear", antialias=smooth)
        mean = torch.tensor(part.mean, device=x.device).view(1, 3, 1, 1) * scale
        std = torch.tensor(part.std, device=x.device).view(1, 3, 1, 1) * scale
        line = (torch.arange(side, device=x.device) + 0.5) * images.shape[-1] / side
        inside = (line.view(1, -1, 1) < sizes[:, 0].view(-1, 1, 1)) & (line.view(1, 1, -1) < sizes[:, 1].view(-1, 1, 1))
        return (x - mean) / std * inside.unsqueeze(1)

    high = None if config.convnext is None else pixels(config.convnext, 255.0)
    return pixels(config.clip, 255.0), high, pixels(config.sam, 1.0)


class ScenesPhase(ABC):
    """A `Phase` on the scenes of a bank.

    A mean over a process's own scenes is averaged over the processes as it is.
    """

    name: str
    module: nn.Module

    def __init__(self, train: Bank, val: Bank) -> None:
        self.examples: Dataset[int] = Numbers()
        self.train, self.val = train, val

    def collate(self, examples: list[int]) -> torch.Tensor:
        """(B,) int64 numbers."""
        return torch.tensor(examples)

    def sizes(self, batch: torch.Tensor) -> dict[str, int]:
        """How many scenes."""
        return {"scenes": len(batch)}

    def loss(self, batch: torch.Tensor, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """See `Phase.loss`; the scenes are drawn anew for every step, from all that are there by then."""
        scenes = Scenes.of(
            self.train, torch.randint(len(self.train), (len(batch),)), torch.randint(ROWS, (len(batch),))
        )
        share = len(batch) / sizes["scenes"]
        loss, terms = self.mean_loss(scenes)
        return share * loss, {name: share * value.detach() for name, value in terms.items()}

    @abstractmethod
    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """Loss of a batch and its terms for the log; draws only from torch's RNG, seeded for each step."""

    @abstractmethod
    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Sums and counts of the measurements on a batch of the val split."""

    def evaluate(self, objective: Objective) -> dict[str, float]:
        """See `Phase.evaluate`; takes in scenes that have been drawn meanwhile."""
        self.train.refresh()
        torch.manual_seed(0)
        sums: dict[str, list[torch.Tensor]] = {}
        for start in range(0, len(self.val), EVAL_BATCH):
            numbers = torch.arange(start, min(start + EVAL_BATCH, len(self.val)))
            for name, pair in self.measure(Scenes.of(self.val, numbers, numbers % ROWS)).items():
                known = sums.setdefault(name, [torch.zeros(()), torch.zeros(())])
                sums[name] = [a + b.detach().float().cpu() for a, b in zip(known, pair, strict=True)]
        return {name: float(total / count.clamp(min=1)) for name, (total, count) in sums.items()}
