"""Phase 2: eyes, words and masks learn together, end to end. Before it, the projector learns the oracle's language."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from pixelrs_ros.training.loop import Terms
from pixelrs_ros.training.simulated.scenes import Scenes, ScenesPhase, as_it_is, cover, encoder_pixels, taken
from pixelrs_ros.training.simulated.see import Eyes, SeePhase, iou_sums, mask_losses
from pixelrs_ros.training.simulated.talk import WORD_DROPOUT, Talker, TalkPhase

MASKS = 2.0  # of each scene and step, on average
PART_WEIGHT = 2.0  # parts are rarer than whole objects, and harder
SIGHT_WEIGHT = 0.3  # of the dense losses of the eyes, which keep them from forgetting what they are for


class ConnectPhase(ScenesPhase):
    """Regression of the projected tokens onto the oracle's, with everything else fixed."""

    name = "connect"

    def __init__(self, talk: TalkPhase, see: SeePhase) -> None:
        super().__init__(talk.train, talk.val)
        self.talk, self.see = talk, see
        self.module = talk.module.projector
        for fixed in (talk.module, see.module):
            fixed.eval()

    def _error(self, scenes: Scenes, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            clip, convnext, _ = encoder_pixels(images, scenes.data["size"], self.talk.config)
            fused = self.talk.miras.fuse(clip, convnext)
            wanted = self.talk.tokens_of_truth(scenes)
        return F.mse_loss(self.module(fused).float(), wanted.float()) / wanted.float().var()

    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """Squared error relative to the variance of the oracle's tokens."""
        return self._error(scenes, taken(scenes.data["image"], scenes.data["size"])), {}

    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """The same on the val split: 0 is perfect, 1 is no better than the mean."""
        error = self._error(scenes, as_it_is(scenes.data["image"]))
        return {"error": (error, torch.ones_like(error))}


class Whole(nn.Module):
    """Everything that is trained."""

    def __init__(self, eyes: Eyes, talker: Talker) -> None:
        super().__init__()
        self.eyes = eyes
        self.talker = talker


class GroundPhase(ScenesPhase):
    """The losses of talking on what the eyes see, and of the masks that the language model's own prompts give."""

    name = "ground"
    module: Whole

    def __init__(self, talk: TalkPhase, see: SeePhase) -> None:
        super().__init__(talk.train, talk.val)
        self.talk, self.see = talk, see
        self.module = Whole(see.module, talk.module)

    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """One batch, with open eyes."""
        fused, dense, embedding = self.see.look(scenes, taken(scenes.data["image"], scenes.data["size"]))
        tokens = self.module.talker.projector(fused)
        loss, terms, rows, hidden = self.talk.talk(scenes, tokens, WORD_DROPOUT)
        row, at_seg, _, objects, parts = rows.segs()
        chosen = torch.multinomial(
            torch.where(parts > 0, PART_WEIGHT, 1.0), min(len(row), max(1, round(MASKS * len(tokens))))
        )
        row, at_seg, objects, parts = row[chosen], at_seg[chosen], objects[chosen], parts[chosen]
        prompts = self.talk.miras.prompts(hidden[row, at_seg], tokens[row])
        logits, quality = self.module.eyes.sam.decode(embedding, prompts, row)
        targets = cover(scenes.masks(row, objects, parts), logits.shape[-1])
        cut, of_masks = mask_losses(logits, quality, targets, self.talk.weights)
        sight, _ = self.see.sight(scenes, dense)
        return loss + cut + SIGHT_WEIGHT * sight, {**terms, **of_masks, "sight": sight}

    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Words and masks, given the data's history."""
        fused, _, embedding = self.see.look(scenes, as_it_is(scenes.data["image"]))
        tokens = self.module.talker.projector(fused)
        found, rows, hidden = self.talk.measure_words(scenes, tokens)
        row, at_seg, _, objects, parts = rows.segs()
        logits, _ = self.module.eyes.sam.decode(
            embedding, self.talk.miras.prompts(hidden[row, at_seg], tokens[row]), row
        )
        return found | iou_sums(logits, cover(scenes.masks(row, objects, parts), logits.shape[-1]), parts > 0)
