"""What the phases on simulated scenes have in common: a step's examples are images, its loss is a mean over them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from pixelrs_ros.training.loop import Objective, Sizes, Terms


class Shuffled(Dataset[int]):
    """Numbers below `size` in random order, all of them before any comes again; without an end."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seed = seed
        self._epoch = -1
        self._order: np.ndarray = np.empty(0, np.int64)

    def __getitem__(self, number: int) -> int:
        epoch, index = divmod(number, self.size)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(self.size)
        return int(self._order[index])


class ScenesPhase(ABC):
    """A `Phase` on the images of a split.

    A mean over a process's own images is averaged over the processes as it is; it may differ a little from the mean
    over all, where images bring different numbers of words and masks.
    """

    name: str
    module: nn.Module

    def __init__(self, size: int, seed: int) -> None:
        self.examples: Dataset[int] = Shuffled(size, seed)

    def collate(self, examples: list[int]) -> torch.Tensor:
        """(B,) int64 images in ascending order, as memory-mapped arrays are read best."""
        return torch.tensor(sorted(examples))

    def sizes(self, batch: torch.Tensor) -> dict[str, int]:
        """How many images."""
        return {"images": len(batch)}

    def loss(self, batch: torch.Tensor, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """See `Phase.loss`."""
        share = len(batch) / sizes["images"]
        loss, terms = self.mean_loss(batch.numpy())
        return share * loss, {name: share * value for name, value in terms.items()}

    @abstractmethod
    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of (B,) int images and its terms for the log; draws only from torch's RNG, seeded for each step."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Measurements on the val split."""

    def evaluate(self, objective: Objective) -> dict[str, float]:
        """See `Phase.evaluate`; these networks are never sharded."""
        return self.measure()
