"""Phase 2b: the masks teach the language model, and the decoder gets used to the prompts it will really be given."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pixelrs_ros.images import sam_pixels
from pixelrs_ros.training.dialogue import DialoguePhase, TalkBatch, Talker
from pixelrs_ros.training.losses import mask_iou
from pixelrs_ros.training.masks import mask_losses
from pixelrs_ros.training.targets import soft_targets

MASKS_PER_STEP = 16


class Joint(nn.Module):
    """The language side and SAM's decoder; SAM's image encoder stays as it is, like the published model's."""

    def __init__(self, talker: Talker, decoder: nn.Module) -> None:
        super().__init__()
        self.talker = talker
        self.mask_decoder = decoder


class JointPhase:
    """The loss of `sight` plus the mask losses through the segmentation prompts."""

    name = "joint"

    def __init__(self, dialogue: DialoguePhase) -> None:
        self.dialogue = dialogue
        self.sam = dialogue.miras.sam
        self.module = Joint(dialogue.module, self.sam.mask_decoder)
        self.sam.image_encoder.requires_grad_(False)

    def loss(self, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        """One batch of packed dialogues; a random few of its `[SEG]` are decoded."""
        images = np.sort(torch.randperm(len(self.dialogue.data["train"].split.sam))[: self.dialogue.batch].numpy())
        batch = self.dialogue.data["train"].batch(images, self.dialogue.dialogues_per_scene)
        tokens = self.dialogue.image_tokens("train", images)
        loss, terms, prompts = self.dialogue.talk(batch, tokens, "train")
        some = torch.randperm(len(prompts))[:MASKS_PER_STEP]
        logits, quality, targets = self._decode("train", batch, prompts, some)
        mask_loss, mask_terms = mask_losses(logits, quality, targets, self.dialogue.weights)
        return loss + mask_loss, {**terms, **mask_terms}

    def evaluate(self) -> dict[str, float]:
        """What `sight` measures, and the mean IoU of the decoded masks given the data's words and history."""
        measured = self.dialogue.evaluate()
        torch.manual_seed(0)
        ious: list[float] = []
        for start in range(0, self.dialogue.num_eval, 8):
            images = np.arange(start, min(start + 8, self.dialogue.num_eval))
            batch = self.dialogue.data["val"].batch(images, 1)
            _, _, prompts = self.dialogue.talk(batch, self.dialogue.image_tokens("val", images), "val")
            logits, _, targets = self._decode("val", batch, prompts, torch.arange(len(prompts)))
            ious += mask_iou(logits, targets).tolist()
        return {**measured, "mask_iou": float(np.mean(ious))}

    def _decode(
        self, split: str, batch: TalkBatch, prompts: torch.Tensor, some: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        config = self.dialogue.config
        with torch.no_grad():
            pixels = sam_pixels(np.asarray(self.dialogue.data[split].split.sam[batch.images]), config)
            embeddings = self.sam.encode(pixels)
        logits, quality = self.sam.decode(embeddings, prompts[some], batch.packed.seg_at[some, 0])
        targets = soft_targets(batch.masks[some.numpy()], config.sam.image_size_px, 4 * config.sam.grid_size)
        return logits, quality, targets
