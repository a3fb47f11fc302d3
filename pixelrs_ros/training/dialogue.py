"""The dialogue phases: the language model learns to talk, to reason and to point.

`words` (1c) gives it image tokens made from the truth, so that language and reasoning are learned while the towers are
still learning to see. `sight` (2a) puts the towers' own tokens in their place. Both align the segmentation prompt with
the oracle prompt that SAM is trained with in phase 1b.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.adapter import ExtendedEmbedding, is_adapted
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.place import Pointer
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.cache import SplitArrays
from pixelrs_ros.training.concepts import COLOR_NAMES, KIND_NAMES, PART_NAMES, parse_label
from pixelrs_ros.training.config import LossWeights
from pixelrs_ros.training.masks import OraclePrompt
from pixelrs_ros.training.packed_attention import use_packed_attention
from pixelrs_ros.training.packing import EncodedDialogue, Packed, encode_dialogue, pack
from pixelrs_ros.training.scenes import ScenesPhase
from pixelrs_ros.training.targets import centers, patch_concepts, patch_regions, region_mask, region_members
from pixelrs_ros.training.towers import SIZES


class OracleTokens(nn.Module):
    """Image tokens made from the truth: the sum of the words that name what a patch shows, and a place.

    Since the picture speaks in the language model's own words, finding what was named is matching like with like.
    """

    words: torch.Tensor

    def __init__(self, layout: ChatLayout, config: MirasConfig, hidden_size: int, scale: float) -> None:
        """Random places and names of nothing, as large as `scale`, the standard deviation of word embeddings."""
        super().__init__()
        names = [layout.word(name) for name in (*KIND_NAMES, *COLOR_NAMES, *PART_NAMES)]
        longest = max(map(len, names))
        words = torch.tensor([ids + [-1] * (longest - len(ids)) for ids in names])
        self.register_buffer("words", words, persistent=False)
        self.nothing = nn.Parameter(scale * torch.randn(len(SIZES), hidden_size))
        self.where = nn.Parameter(scale * _smooth_places(config.clip.grid_size, hidden_size))

    def forward(self, shares: torch.Tensor, embeddings: nn.Module) -> torch.Tensor:
        """Embed.

        Args:
            shares: (B, P, classes) float, share of each patch per kind, color and part, "none" first in each group.
            embeddings: (…) int64 token ids -> (…, H) float word embeddings.

        Returns:
            (B, P, H) float.
        """
        named = torch.cat([group[..., 1:] for group in shares.split(SIZES, -1)], dim=-1)
        unnamed = torch.stack([group[..., 0] for group in shares.split(SIZES, -1)], dim=-1)
        spoken = (self.words >= 0).unsqueeze(-1).to(shares.dtype)
        words = (embeddings(self.words.clamp(min=0)) * spoken).sum(dim=1) / spoken.sum(dim=1)
        return named @ words + unnamed @ self.nothing + self.where


def _smooth_places(grid: int, hidden_size: int) -> torch.Tensor:
    """(grid * grid, H) float: random directions for slow waves along x and y, so that neighbors are alike."""
    line = (torch.arange(grid) + 0.5) / grid
    y, x = torch.meshgrid(line, line, indexing="ij")
    waves = [wave(math.pi * k * axis) for axis in (x, y) for k in (0.5, 1, 2, 4) for wave in (torch.sin, torch.cos)]
    features = torch.stack([2 * x - 1, 2 * y - 1, *waves], dim=-1).flatten(0, 1)
    return features @ torch.randn(features.shape[1], hidden_size) / math.sqrt(features.shape[1] / 2)


@dataclass(frozen=True)
class TalkBatch:
    """Dialogues of a few scenes, and the truth about them.

    Attributes:
        images: (B,) int.
        packed: The dialogues.
        masks: (K, h, w) bool of each `[SEG]`.
        places: (K, 2) float, centers of the masks in [0, 1].
        in_play: (M, P) float, how what each answer is about is spread over the patches, summing to 1.
    """

    images: np.ndarray
    packed: Packed
    masks: np.ndarray
    places: torch.Tensor
    in_play: torch.Tensor


class Talker(nn.Module):
    """The trainable parts of the dialogue phases."""

    def __init__(self, miras: Miras, config: MirasConfig, layout: ChatLayout) -> None:
        super().__init__()
        hidden_size = miras.language.config.hidden_size
        self.language = miras.language
        self.scale = word_scale(miras.language)
        use_packed_attention(self.language)
        self.projector = miras.projector
        self.segmentation_prompt = miras.segmentation_prompt
        self.oracle_tokens = OracleTokens(layout, config, hidden_size, self.scale)
        self.pointer = miras.pointer or Pointer(hidden_size)
        self.in_play = Pointer(hidden_size)
        self.where = nn.Linear(hidden_size, 2)


def word_scale(language: PreTrainedModel) -> float:
    """Standard deviation of the word embeddings: a pretrained model's own, else what `initialize_embeddings` makes."""
    if not is_adapted(language):
        return 0.5
    return float(cast(ExtendedEmbedding, language.get_input_embeddings()).inner.weight.std())


def initialize_embeddings(talker: Talker) -> None:
    """Word embeddings at the scale of the oracle's image tokens; with the default 0.02 training stalls."""
    if not is_adapted(talker.language):
        nn.init.normal_(cast(nn.Embedding, talker.language.get_input_embeddings()).weight, std=talker.scale)


class DialogueData:
    """Encoded dialogues of a split, and batches of them."""

    def __init__(self, split: SplitArrays, layout: ChatLayout, config: MirasConfig) -> None:
        self.split = split
        self.layout = layout
        self.config = config
        self._encoded: dict[int, list[EncodedDialogue]] = {}

    def batch(self, images: np.ndarray, dialogues_per_scene: int) -> TalkBatch:
        """Random dialogues of these images."""
        chosen = []
        for image in images:
            encoded = self._encode(int(image))
            order = torch.randperm(len(encoded))[:dialogues_per_scene]
            chosen.append([encoded[int(i)] for i in order])
        packed = pack(chosen, self.layout)
        masks = np.stack([
            region_mask(self.split, int(images[row]), self._region(int(images[row]), concept))
            for (row, _), concept in zip(packed.seg_at.tolist(), packed.concepts.numpy(), strict=True)
        ])  # fmt: skip
        places = centers(masks, self.config.sam.image_size_px)
        return TalkBatch(images, packed, masks, places, self._in_play(images, packed))

    def _in_play(self, images: np.ndarray, packed: Packed) -> torch.Tensor:
        shares = patch_regions(self.split, images, self.config.clip.grid_size)
        spread = []
        for row, labels in zip(packed.asked_at[:, 0].tolist(), packed.in_play, strict=True):
            image = int(images[row])
            regions = sorted({region for label in labels for region in self._members(image, label)})
            spread.append(shares[row][:, regions].sum(dim=-1))
        stacked = torch.stack(spread)
        return stacked / stacked.sum(dim=1, keepdim=True).clamp(min=1e-6)

    def _members(self, image: int, label: str) -> list[int]:
        """The regions that a label covers."""
        concept = np.array(astuple(parse_label(label)), dtype=np.uint8)
        return region_members(self.split, image, self._region(image, concept)).tolist()

    def _encode(self, image: int) -> list[EncodedDialogue]:
        if image not in self._encoded:
            self._encoded[image] = [encode_dialogue(item, self.layout) for item in self.split.dialogues[image]]
        return self._encoded[image]

    def _region(self, image: int, concept: np.ndarray) -> int:
        return int(np.flatnonzero((self.split.concepts[image] == concept).all(axis=1))[0])


class DialoguePhase(ScenesPhase):
    """Cross-entropy on the answers, pointing at what is named, and alignment of the segmentation prompt."""

    module: Talker

    def __init__(
        self, name: str, miras: Miras, config: MirasConfig, layout: ChatLayout, train: SplitArrays, val: SplitArrays,
        weights: LossWeights, seed: int, dialogues_per_scene: int, num_eval: int,
        features: dict[str, np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(len(train.sam), seed)
        self.name = name
        self.miras = miras
        self.config = config
        self.weights = weights
        self.module = Talker(miras, config, layout)
        self.data = {"train": DialogueData(train, layout, config), "val": DialogueData(val, layout, config)}
        self.dialogues_per_scene = dialogues_per_scene
        self.num_eval = min(num_eval, len(val.sam))
        self.features = features  # (N, P, C) float16 fused tokens by split; without them the oracle's tokens are used
        self.oracle_prompt = OraclePrompt(miras, config)

    def image_tokens(self, split: str, images: np.ndarray) -> torch.Tensor:
        """(B, P, H) float: the towers' tokens through the projector, or the oracle's."""
        if self.features is not None:
            return self.module.projector(torch.from_numpy(self.features[split][images].astype(np.float32)))
        return self.oracle(split, images)

    def oracle(self, split: str, images: np.ndarray) -> torch.Tensor:
        """(B, P, H) float: tokens made from the truth."""
        shares = patch_concepts(self.data[split].split, images, self.config.clip.grid_size).flat()
        return self.module.oracle_tokens(shares, self.module.language.get_input_embeddings())

    def mean_loss(self, images: np.ndarray) -> tuple[torch.Tensor, dict[str, float]]:
        """One batch of packed dialogues."""
        batch = self.data["train"].batch(images, self.dialogues_per_scene)
        tokens = self.image_tokens("train", images)
        if self.features is None:  # the towers will not be as sure as the truth
            tokens = tokens + 0.6 * self.module.scale * torch.randn_like(tokens)
        return self.talk(batch, tokens)

    def talk(self, batch: TalkBatch, tokens: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss and its terms for the log; `tokens` is (B, P, H) float."""
        packed = batch.packed
        hidden = self.hidden(packed, tokens)
        logits = self.module.language.get_output_embeddings()(hidden[packed.predict])
        following = packed.ids.roll(-1, dims=1)
        words = F.cross_entropy(logits, following[packed.predict])
        at_obj = hidden[packed.obj_at[:, 0], packed.obj_at[:, 1]]
        at_seg = hidden[packed.seg_at[:, 0], packed.seg_at[:, 1]]
        patches = self._target_patches(batch)
        pointed = F.cross_entropy(self.module.pointer(at_obj, tokens[packed.obj_at[:, 0]]), patches)
        asked = hidden[packed.asked_at[:, 0], packed.asked_at[:, 1]]
        meant = F.cross_entropy(self.module.in_play(asked, tokens[packed.asked_at[:, 0]]), batch.in_play)
        placed = (self.module.where(at_seg) - batch.places).abs().mean()
        wanted = self.oracle_prompt(packed.concepts, batch.places)
        of_seg = tokens[packed.seg_at[:, 0]]
        aligned = F.mse_loss(self.miras.prompts(at_seg, of_seg), wanted) / wanted.var()
        named = {"words": words, "pointed": pointed, "meant": meant, "placed": placed, "aligned": aligned}
        loss = self.weights.cross_entropy * words + self.weights.pointer * (pointed + meant)
        loss = loss + self.weights.place * placed + self.weights.alignment * aligned
        if self.miras.pointer is not None:
            named["found"] = F.cross_entropy(self.miras.pointer(at_seg, of_seg), patches)
            loss = loss + 2 * self.weights.pointer * named["found"]  # it is part of the answer, and not a hint only
        terms = {name: float(value.detach()) for name, value in named.items()}
        return loss, terms

    def hidden(self, packed: Packed, tokens: torch.Tensor) -> torch.Tensor:
        """(S, L, H) float last hidden states."""
        embeddings = self.miras.embed(packed.ids, tokens, packed.is_image)
        return self.module.language.base_model(
            inputs_embeds=embeddings,
            attention_mask=torch.ones(1, 1, 1, 1),  # a ready-made mask, so that transformers makes none; not looked at
            position_ids=packed.positions,
            use_cache=False,
            packing=packed.packing,
        ).last_hidden_state

    def _target_patches(self, batch: TalkBatch) -> torch.Tensor:
        """(K, P) float: how each target's pixels are spread over the patches, summing to 1."""
        grid = self.config.clip.grid_size
        pooled = F.adaptive_avg_pool2d(torch.from_numpy(batch.masks).float().unsqueeze(1), (grid, grid)).flatten(1)
        return pooled / pooled.sum(dim=1, keepdim=True).clamp(min=1e-6)

    def measure(self) -> dict[str, float]:
        """Held-out losses and the share of last answers whose naming words are all right, given the data's history."""
        torch.manual_seed(0)
        sums: dict[str, float] = {}
        right = total = batches = 0
        for start in range(0, self.num_eval, 8):
            images = np.arange(start, min(start + 8, self.num_eval))
            batch = self.data["val"].batch(images, self.dialogues_per_scene)
            tokens = self.image_tokens("val", images)
            _, terms = self.talk(batch, tokens)
            sums = {name: sums.get(name, 0.0) + value for name, value in terms.items()}
            batches += 1
            packed = batch.packed
            naming = self.hidden(packed, tokens)[packed.final]
            best = self.module.language.get_output_embeddings()(naming).argmax(dim=-1)
            hit = torch.ones_like(packed.final)
            hit[packed.final] = best == packed.ids.roll(-1, dims=1)[packed.final]
            for row in range(len(images)):
                for dialogue in packed.dialogue_of[row][packed.final[row]].unique():
                    of_it = packed.dialogue_of[row] == dialogue
                    right += int(hit[row][of_it].all())
                    total += 1
        return {**{name: value / batches for name, value in sums.items()}, "final_words_right": right / max(total, 1)}
