"""A stage of the published recipe: cross-entropy on the answers, dice, focal and boundary losses on the masks."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import reduce, send_to_device
from torch.nn import functional as F

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.data.examples import Example
from pixelrs_ros.dialogue.budget import turns_that_fit
from pixelrs_ros.images import encoder_images, padded, resized_shape, to_pixels
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.config import RecipeLosses
from pixelrs_ros.training.loop import Objective, Sizes, Terms
from pixelrs_ros.training.losses import boundary_loss, dice_loss, focal_loss, mask_iou
from pixelrs_ros.training.published.mixture import Mixture


class Batch(NamedTuple):
    """Dialogues with their images. B dialogues, L tokens, K masks, at least one.

    Attributes:
        clip: (B, 3, S, S) float32 pixels as CLIP takes them.
        convnext: (B, 3, T, T) float32 for ConvNeXt.
        sam: (B, 3, U, U) float32 for SAM.
        ids: (B, L) int64, padded at the end.
        present: (B, L) int64, 0 where padded.
        predict: (B, L) bool, true where the *next* token is part of an answer.
        seg_at: (K, 2) int64, dialogue and the position that predicts each `[SEG]` with a mask.
        targets: (K, 1, h, w) float32 in [0, 1], the masks at the decoder's resolution.
        num_masks: () int64, K; or 0 where the batch has no mask. One without meaning then stands in, so that every
            process runs the same modules.
    """

    clip: torch.Tensor
    convnext: torch.Tensor
    sam: torch.Tensor
    ids: torch.Tensor
    present: torch.Tensor
    predict: torch.Tensor
    seg_at: torch.Tensor
    targets: torch.Tensor
    num_masks: torch.Tensor


class EncodedTurns(NamedTuple):
    """A dialogue that fits into the context.

    Attributes:
        ids: Tokens, image tokens included.
        answered: For each token whether it is part of an answer.
        masks: For each `[SEG]` that is left its mask.
    """

    ids: list[int]
    answered: list[bool]
    masks: list[np.ndarray | None]


class Collator:
    """Turns examples into batches, with the transforms of the run time; holds no weights, so workers may have it."""

    def __init__(self, config: MirasConfig, layout: ChatLayout) -> None:
        self.config = config
        self.layout = layout

    def __call__(self, examples: list[Example]) -> Batch:
        """A padded batch."""
        pixels = [to_pixels(encoder_images(example.image, self.config), self.config) for example in examples]
        encoded = [self.encode(example) for example in examples]
        shape = (len(encoded), max(len(one.ids) for one in encoded))
        ids = torch.full(shape, self.layout.eos_id)
        present, predict = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
        seg_at, targets = [], []
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = torch.tensor(one.ids)
            present[row, : len(one.ids)] = 1
            predict[row, : len(one.ids) - 1] = torch.tensor(one.answered[1:])
            segs = [i for i, token in enumerate(one.ids) if token == self.layout.seg_id]
            for position, mask in zip(segs, one.masks, strict=True):
                if mask is not None:
                    seg_at.append((row, max(0, position - 1 - self.config.seg_state_back)))
                    targets.append(self._target(mask))
        num_masks = len(targets)
        if not num_masks:
            seg_at, targets = [(0, 0)], [self._target(np.zeros(examples[0].image.shape[:2], bool))]
        return Batch(
            clip=torch.cat([one.clip for one in pixels]),
            convnext=torch.cat([one.convnext for one in pixels if one.convnext is not None]),
            sam=torch.cat([one.sam for one in pixels]),
            ids=ids,
            present=present,
            predict=predict,
            seg_at=torch.tensor(seg_at),
            targets=torch.cat(targets),
            num_masks=torch.tensor(num_masks),
        )

    def encode(self, example: Example) -> EncodedTurns:
        """Tokens of a dialogue; as at run time the oldest turns are left out where the context is too small."""
        limit = self.config.text.max_context_tokens
        prefix = self.layout.prefix()
        answers = [self.layout.answer(answer) for _, answer in example.turns]
        lengths = [
            len(self.layout.user(user, first=False)) + len(answer)
            for (user, _), answer in zip(example.turns, answers, strict=True)
        ]
        start = len(lengths) - max(1, turns_that_fit(lengths, limit - len(prefix)))
        ids, answered = list(prefix), [False] * len(prefix)
        for index in range(start, len(answers)):
            user = self.layout.user(example.turns[index][0], first=index == start)
            ids += user + answers[index]
            answered += [False] * len(user) + [True] * len(answers[index])
        ids, answered = ids[:limit], answered[:limit]  # a last turn that does not fit alone
        dropped = sum(answer.count(self.layout.seg_id) for answer in answers[:start])
        return EncodedTurns(ids, answered, list(example.masks[dropped : dropped + ids.count(self.layout.seg_id)]))

    def _target(self, mask: np.ndarray) -> torch.Tensor:
        """(H, W) bool -> (1, 1, h, w) float32: the covered share of each of the decoder's cells."""
        side = self.config.sam.image_size_px
        height, width = resized_shape(mask.shape[0], mask.shape[1], side)
        shrinks = height <= mask.shape[0]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(mask.astype(np.float32), (width, height), interpolation=interpolation)
        low_side = 4 * self.config.sam.grid_size
        square = padded(torch.from_numpy(resized)[None, None], side)
        return F.interpolate(square, (low_side, low_side), mode="area")


class StagePhase:
    """See the module's docstring; a `Phase`."""

    def __init__(
        self, name: str, miras: Miras, collate: Collator, examples: Mixture, val: Mixture,
        losses: RecipeLosses, num_eval: int, eval_batch: int,
    ) -> None:  # fmt: skip
        """Put together what a stage needs.

        Args:
            name: The stage's name.
            miras: Its trained parameters ask for gradients, others do not.
            collate: Makes batches.
            examples: What is trained on.
            val: What is measured on.
            losses: Weights.
            num_eval: Examples of a measurement, rounded up to whole batches for every process.
            eval_batch: Examples of one batch of a measurement.
        """
        self.name = name
        self.module = miras
        self.collate = collate
        self.examples = examples
        self.val = val
        self.losses = losses
        self.num_eval = num_eval
        self.eval_batch = eval_batch

    def sizes(self, batch: Batch) -> dict[str, int]:
        """How many tokens are learned, and how many masks."""
        return {"tokens": int(batch.predict.sum()), "masks": int(batch.num_masks)}

    def loss(self, batch: Batch, sizes: Sizes) -> tuple[torch.Tensor, Terms]:
        """See `Phase.loss`."""
        miras, weights = self.module, self.losses
        tokens, embedding = miras.see(batch.clip, batch.convnext, batch.sam)
        embeddings = miras.embed(batch.ids, tokens, batch.ids == self.collate.layout.image_id)
        hidden = miras.language.base_model(
            inputs_embeds=embeddings, attention_mask=batch.present, use_cache=False
        ).last_hidden_state
        logits = miras.language.get_output_embeddings()(hidden[batch.predict])
        words = F.cross_entropy(logits.float(), batch.ids.roll(-1, dims=1)[batch.predict], reduction="sum")
        prompts = miras.prompts(hidden[batch.seg_at[:, 0], batch.seg_at[:, 1]], tokens[batch.seg_at[:, 0]])
        masks, quality = miras.sam.decode(embedding, prompts, batch.seg_at[:, 0])
        masks = masks.float()
        iou = mask_iou(masks.detach(), batch.targets)
        of_masks = {
            "dice": dice_loss(masks, batch.targets),
            "focal": focal_loss(masks, batch.targets, weights.focal_alpha, weights.focal_gamma),
            "boundary": boundary_loss(masks, batch.targets),
            "predicted_iou": (quality[:, 0].float() - iou).square().mean(),
            "iou": iou.mean(),
        }
        share = batch.num_masks / sizes["masks"]  # 0 takes a stand-in out, yet leaves it in the graph
        terms = {"words": words / sizes["tokens"], **{name: share * value for name, value in of_masks.items()}}
        loss = weights.cross_entropy * terms["words"] + sum(
            getattr(weights, name) * terms[name] for name in ("dice", "focal", "boundary", "predicted_iou")
        )
        return loss, terms

    def evaluate(self, objective: Objective) -> dict[str, float]:
        """Means over the val mixture, of which each process takes its part."""
        state = PartialState()
        one = {name: torch.ones((), dtype=torch.long, device=state.device) for name in ("tokens", "masks")}
        sums: dict[str, torch.Tensor] = {}
        for turn in range(-(-self.num_eval // (self.eval_batch * state.num_processes))):
            first = (turn * state.num_processes + state.process_index) * self.eval_batch
            examples = [self.val[number] for number in range(first, first + self.eval_batch)]
            batch = send_to_device(self.collate(examples), state.device)
            _, terms = objective(batch, one)  # divided by one, the shares are sums
            for name, value in {**terms, **self.sizes(batch)}.items():
                sums[name] = sums.get(name, 0.0) + torch.as_tensor(value, device=state.device)
        names = list(sums)
        total = dict(zip(names, reduce(torch.stack([sums[name].float() for name in names])).tolist(), strict=True))
        tokens, masks = max(total.pop("tokens"), 1), max(total.pop("masks"), 1)
        return {name: value / (tokens if name == "words" else masks) for name, value in total.items()}
