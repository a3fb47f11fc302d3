"""Phase 2c: SAM meets the prompts that the language model really writes, which are less exact than the oracle's.

The language model stays as it is; the last step from its hidden state to the prompt learns along with SAM.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pixelrs_ros.images import sam_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.dialogue import DialoguePhase, TalkBatch
from pixelrs_ros.training.losses import mask_iou
from pixelrs_ros.training.masks import MaskBranch, mask_losses, mean_ious
from pixelrs_ros.training.scenes import ScenesPhase
from pixelrs_ros.training.targets import soft_targets

MASKS_PER_STEP = 16
DIALOGUES_PER_SCENE = 3
PART_WEIGHT = 2.5  # parts are rarer than whole objects, and harder
UNNAMED_WEIGHT = 0.3  # "this one" may be the wrong one: SAM shall not learn to hedge


class Joint(nn.Module):
    """SAM, and what makes the prompt that it is given."""

    def __init__(self, branch: MaskBranch, miras: Miras) -> None:
        super().__init__()
        self.sam = branch.sam
        self.segmentation_prompt = miras.segmentation_prompt.requires_grad_(True)
        self.pointer = None if miras.pointer is None else miras.pointer.requires_grad_(True)


class JointPhase(ScenesPhase):
    """The mask losses through the segmentation prompts of the trained language model."""

    name = "joint"
    module: Joint

    def __init__(self, dialogue: DialoguePhase, branch: MaskBranch, seed: int) -> None:
        super().__init__(len(dialogue.data["train"].split.sam), seed)
        self.dialogue = dialogue
        dialogue.module.requires_grad_(False).eval()
        self.module = Joint(branch, dialogue.miras)

    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """A random few of the `[SEG]` in one batch of packed dialogues."""
        batch, prompts = self._prompts("train", images, DIALOGUES_PER_SCENE)
        row, position = batch.packed.seg_at.unbind(dim=1)
        named = batch.packed.final[row, position - 1]  # the last answer, which names its target
        weights = torch.where(batch.packed.concepts[:, 2] > 0, PART_WEIGHT, 1.0) * torch.where(
            named, 1.0, UNNAMED_WEIGHT
        )
        some = torch.multinomial(weights, min(MASKS_PER_STEP, len(prompts)))
        logits, quality, targets = self._decode("train", batch, prompts, some)
        return mask_losses(logits, quality, targets, self.dialogue.weights)

    def measure(self) -> dict[str, float]:
        """Mean IoU of whole objects and of parts, given the data's words and history."""
        torch.manual_seed(0)
        ious, parts = [], []
        for start in range(0, self.dialogue.num_eval, 8):
            images = np.arange(start, min(start + 8, self.dialogue.num_eval))
            batch, prompts = self._prompts("val", images, 1)
            logits, _, targets = self._decode("val", batch, prompts, torch.arange(len(prompts)))
            ious.append(mask_iou(logits, targets))
            parts.append(batch.packed.concepts[:, 2] > 0)
        return mean_ious(torch.cat(ious), torch.cat(parts))

    def _prompts(self, split: str, images: np.ndarray, dialogues: int) -> tuple[TalkBatch, torch.Tensor]:
        batch = self.dialogue.data[split].batch(images, dialogues)
        with torch.no_grad():
            tokens = self.dialogue.image_tokens(split, images)
            hidden = self.dialogue.hidden(batch.packed, tokens)
        row, position = batch.packed.seg_at.unbind(dim=1)
        return batch, self.dialogue.miras.prompts(hidden[row, position], tokens[row])

    def _decode(
        self, split: str, batch: TalkBatch, prompts: torch.Tensor, some: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        config = self.dialogue.config
        pixels = sam_pixels(np.asarray(self.dialogue.data[split].split.sam[batch.images]), config)
        sam = self.module.sam
        logits, quality = sam.decode(sam.encode(pixels), prompts[some], batch.packed.seg_at[some, 0])
        targets = soft_targets(batch.masks[some.numpy()], config.sam.image_size_px, 4 * config.sam.grid_size)
        return logits, quality, targets
