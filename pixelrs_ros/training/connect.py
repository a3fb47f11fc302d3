"""Between the stages: the projector learns to write the towers' tokens in the oracle's language."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from pixelrs_ros.training.dialogue import DialoguePhase
from pixelrs_ros.training.scenes import ScenesPhase


class ConnectPhase(ScenesPhase):
    """Regression of the projected tokens onto the oracle's, with everything else fixed."""

    name = "connect"

    def __init__(self, dialogue: DialoguePhase, seed: int) -> None:
        super().__init__(len(dialogue.data["train"].split.sam), seed)
        self.dialogue = dialogue
        self.module = dialogue.module.projector

    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """Squared error relative to the variance of the oracle's tokens."""
        return self._error("train", images), {}

    def measure(self) -> dict[str, float]:
        """The same on the val split: 0 is perfect, 1 is no better than the mean."""
        return {"error": float(self._error("val", np.arange(self.dialogue.num_eval)))}

    def _error(self, split: str, images: np.ndarray) -> torch.Tensor:
        with torch.no_grad():
            wanted = self.dialogue.oracle(split, images)
        return F.mse_loss(self.dialogue.image_tokens(split, images), wanted) / wanted.var()
