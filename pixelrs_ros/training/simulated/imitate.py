"""Image tokens like those of a finished network, from one that has other parts: its language model is then understood.

What the finished network says of a picture is found out once, without camera effects, and kept.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.loop import Sizes, Terms
from pixelrs_ros.training.simulated.bank import Bank
from pixelrs_ros.training.simulated.scenes import Scenes, ScenesPhase, as_it_is, encoder_pixels, taken


class Sight(nn.Module):
    """What makes image tokens of a picture."""

    def __init__(self, miras: Miras) -> None:
        super().__init__()
        self.clip, self.projector, self.fusion = miras.clip, miras.projector, miras.fusion
        self.convnext = None if miras.fusion is None else miras.convnext


class ImitatePhase(ScenesPhase):
    """Regression of the image tokens onto the finished network's.

    Args:
        miras: The network that learns.
        config: Its sizes.
        finished: Whose tokens are wanted, as many and as large.
        finished_config: Its sizes.
        train: Scenes to learn from.
        val: Scenes to watch it on.
    """

    name = "imitate"
    module: Sight

    def __init__(
        self, miras: Miras, config: MirasConfig, finished: Miras, finished_config: MirasConfig, train: Bank, val: Bank
    ) -> None:
        super().__init__(train, val)
        self.miras, self.config = miras, config
        self.finished, self.finished_config = finished.requires_grad_(False).eval(), finished_config
        self.module = Sight(miras)
        self._wanted: dict[int, torch.Tensor] = {}

    def loss(self, batch: torch.Tensor, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """See `Phase.loss`; the scenes are drawn anew for every step."""
        numbers = torch.randint(len(self.train), (len(batch),))
        scenes = Scenes.of(self.train, numbers, torch.zeros_like(numbers))
        for at, number in enumerate(numbers.tolist()):
            if number not in self._wanted:
                self._wanted[number] = self._tokens_of_finished(scenes, slice(at, at + 1))[0]
        wanted = torch.stack([self._wanted[number] for number in numbers.tolist()])
        error = self._error(scenes, taken(scenes.data["image"], scenes.data["size"]), wanted)
        return error * len(batch) / sizes["scenes"], {}

    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """Squared error on the pictures as they are, relative to the variance of the wanted tokens."""
        return self._error(scenes, as_it_is(scenes.data["image"]), self._tokens_of_finished(scenes, slice(None))), {}

    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """The same on the val split: 0 is perfect, 1 is no better than the mean."""
        error, _ = self.mean_loss(scenes)
        return {"error": (error, torch.ones_like(error))}

    @torch.no_grad()
    def _tokens_of_finished(self, scenes: Scenes, which: slice) -> torch.Tensor:
        images, sizes = scenes.data["image"][which], scenes.data["size"][which]
        clip, convnext, _ = encoder_pixels(as_it_is(images), sizes, self.finished_config)
        return self.finished.encode_image(clip, convnext)

    def _error(self, scenes: Scenes, images: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        clip, convnext, _ = encoder_pixels(images, scenes.data["size"], self.config)
        wanted = wanted.float()
        return F.mse_loss(self.miras.encode_image(clip, convnext).float(), wanted) / wanted.var()
