"""Phase 1b: the language model learns to talk, to reason and to point, on image tokens made from the truth.

So language and reasoning are learned while the eyes are still learning to see.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.place import Pointer
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.training.config import LossWeights
from pixelrs_ros.training.loop import Terms
from pixelrs_ros.training.simulated.bank import Bank
from pixelrs_ros.training.simulated.oracle import OraclePrompt, OracleTokens
from pixelrs_ros.training.simulated.scenes import Scenes, ScenesPhase, centers, cover

DOUBT = 0.6  # noise on the oracle's tokens, in standard deviations of a word: the eyes will not be as sure as the truth
WORD_SCALE = 0.5  # standard deviation of the word embeddings, before they are trained
WORD_DROPOUT = 0.04  # of the user's word pieces
ATTENTION_ON_CPU = "sdpa_in_fp32"


def _attend_in_fp32(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **how: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of transformers in fp32, whose backward pass takes a CPU half as long as in bf16 (torch 2.13)."""
    with torch.autocast(query.device.type, enabled=False):
        return sdpa_attention_forward(module, query.float(), key.float(), value.float(), attention_mask, **how)


AttentionInterface.register(ATTENTION_ON_CPU, _attend_in_fp32)
AttentionMaskInterface.register(ATTENTION_ON_CPU, sdpa_mask)


class Talker(nn.Module):
    """The language model, what reads the user, what points and prompts, and the oracle's tokens."""

    def __init__(self, miras: Miras, config: MirasConfig, layout: ChatLayout) -> None:
        super().__init__()
        hidden_size = miras.language.config.hidden_size
        self.language = miras.language
        self.projector = miras.projector
        self.segmentation_prompt = miras.segmentation_prompt
        self.reader = miras.reader
        if self.reader is not None:
            self.reader.bert.requires_grad_(False)  # it knows more words than we could ever show it
        self.oracle_tokens = OracleTokens(layout, config, hidden_size, WORD_SCALE)
        self.pointer = miras.pointer or Pointer(hidden_size)
        self.in_play = Pointer(hidden_size)
        self.where = nn.Linear(hidden_size, 2)


def initialize_embeddings(talker: Talker) -> None:
    """Word embeddings at the scale of the oracle's image tokens; with the default 0.02 training stalls."""
    nn.init.normal_(cast(nn.Embedding, talker.language.get_input_embeddings()).weight, std=WORD_SCALE)
    if talker.reader is not None:
        nn.init.normal_(talker.reader.projector.weight, std=WORD_SCALE / talker.reader.projector.in_features**0.5)


class Rows:
    """Rows of conversations behind their pictures, as the language model takes them."""

    def __init__(self, scenes: Scenes, layout: ChatLayout, miras: Miras) -> None:
        data = scenes.data
        self.data = data
        ids, owner = data["ids"], data["owner"]
        prefix = torch.tensor(layout.prefix(), device=ids.device)
        batch, start = len(ids), len(prefix)
        self.start = start
        to_eights = -(start + ids.shape[1]) % 8  # what the fused attention kernels of GPUs ask for
        ids, owner, predict, place = (
            F.pad(x, (0, to_eights), value=-1) for x in (ids, owner, data["predict"], data["place"])
        )
        self.ids = torch.cat([prefix.expand(batch, start), torch.where(ids >= 0, ids, layout.eos_id)], dim=1)
        self.is_image = self.ids == layout.image_id
        self.users_from = layout.vocab_size
        place = torch.where(owner >= 0, place, 0)
        self.positions = torch.cat([torch.arange(start, device=ids.device).expand(batch, start), start + place], dim=1)
        whose = torch.cat([owner.new_full((batch, start), -2), owner], dim=1)
        same = whose.unsqueeze(2) == whose.unsqueeze(1)
        order = torch.arange(whose.shape[1], device=ids.device)
        self.sees = ((whose == -2).unsqueeze(1) | same) & (order.view(1, -1) <= order.view(-1, 1))
        self.predict = torch.cat([owner.new_zeros((batch, start)), predict], dim=1) == 1
        self.following = self.ids.roll(-1, dims=1)
        self.miras = miras

    def segs(self) -> tuple[torch.Tensor, ...]:
        """(K,) rows, positions that predict a `[SEG]`, positions of its `[OBJ]`, objects and parts."""
        rows, slots = (self.data["seg"][..., 0] >= 0).nonzero(as_tuple=True)
        seg, obj, things, parts = self.data["seg"][rows, slots].unbind(dim=1)
        return rows, self.start + seg, self.start + obj, things, parts

    def asked(self) -> tuple[torch.Tensor, ...]:
        """(M,) rows, positions before an answer, (M, objects) float what it is about, (M,) parts."""
        rows, slots = (self.data["asked"] >= 0).nonzero(as_tuple=True)
        about = self.data["about"][rows, slots].float()
        return rows, self.start + self.data["asked"][rows, slots], about, self.data["about_part"][rows, slots]

    def phrases_right(self, best: torch.Tensor) -> torch.Tensor:
        """(K,) bool: whether every token of the phrase before a `[SEG]` is predicted; `best` is (B, L) int64."""
        row, at_seg, at_obj, _, _ = self.segs()
        order = torch.arange(best.shape[1], device=best.device)
        inside = (order >= at_obj.unsqueeze(1)) & (order < at_seg.unsqueeze(1))
        return ((best == self.following)[row] | ~inside).all(dim=1)

    def embed(self, image_tokens: torch.Tensor, dropout: float) -> torch.Tensor:
        """(B, L, H) float: words, the picture, and the user's words as the reader reads them."""
        language, reader = self.miras.language, self.miras.reader
        if reader is None:
            return self.miras.embed(self.ids, image_tokens, self.is_image)
        table = language.get_input_embeddings()
        embeddings = table(self.ids.clamp(max=self.users_from - 1))
        embeddings = embeddings.masked_scatter(self.is_image.unsqueeze(-1), image_tokens.to(embeddings.dtype))
        rows, runs = (self.data["runs"][..., 0] >= 0).nonzero(as_tuple=True)
        at = self.data["runs"][rows, runs]  # (N, T) positions of each utterance's pieces
        present = at >= 0
        at = self.start + at.clamp(min=0)
        pieces = self.ids[rows.unsqueeze(1), at] - self.users_from
        with torch.no_grad():
            features = reader.features(torch.where(present, pieces, 0), present)
        if dropout:
            features = features * (torch.rand(features.shape[:2], device=features.device) > dropout).unsqueeze(-1)
        read = reader.projector(reader.norm(features))
        where = rows.unsqueeze(1) * self.ids.shape[1] + at
        flat = embeddings.flatten(0, 1).index_copy(0, where[present], read[present].to(embeddings.dtype))
        return flat.view_as(embeddings)

    def hidden(self, image_tokens: torch.Tensor, dropout: float = 0.0) -> torch.Tensor:
        """(B, L, H) float last hidden states."""
        output = self.miras.language.base_model(
            inputs_embeds=self.embed(image_tokens, dropout),
            attention_mask=self.sees.unsqueeze(1),
            position_ids=self.positions,
            use_cache=False,
        )
        return output.last_hidden_state


class TalkPhase(ScenesPhase):
    """Cross-entropy on the answers, pointing at what is named, and alignment of the segmentation prompt."""

    name = "talk"
    module: Talker

    def __init__(
        self, miras: Miras, config: MirasConfig, layout: ChatLayout, train: Bank, val: Bank, weights: LossWeights
    ) -> None:
        super().__init__(train, val)
        self.miras = miras
        self.config = config
        self.layout = layout
        self.weights = weights
        self.module = Talker(miras, config, layout)
        if next(miras.language.parameters()).device.type == "cpu":
            miras.language.set_attn_implementation(ATTENTION_ON_CPU)
        self.oracle = OraclePrompt(miras, config)

    def tokens_of_truth(self, scenes: Scenes) -> torch.Tensor:
        """(B, P, H) float image tokens made from the truth."""
        shares = scenes.patch_concepts(self.config.clip.grid_size)
        return self.module.oracle_tokens(shares, self.module.language.get_input_embeddings())

    def doubtful_tokens(self, scenes: Scenes) -> torch.Tensor:
        """The same, as doubtful as in training: with noise from torch's RNG."""
        tokens = self.tokens_of_truth(scenes)
        return tokens + DOUBT * WORD_SCALE * torch.randn_like(tokens)

    def mean_loss(self, scenes: Scenes) -> tuple[torch.Tensor, Terms]:
        """One batch of rows of conversations."""
        loss, terms, _, _ = self.talk(scenes, self.doubtful_tokens(scenes), WORD_DROPOUT)
        return loss, terms

    def talk(
        self, scenes: Scenes, tokens: torch.Tensor, dropout: float = 0.0
    ) -> tuple[torch.Tensor, Terms, Rows, torch.Tensor]:
        """The loss, its terms for the log, the rows, and their (B, L, H) hidden states; `tokens` is (B, P, H) float."""
        rows = Rows(scenes, self.layout, self.miras)
        hidden = rows.hidden(tokens, dropout)
        logits = self.module.language.get_output_embeddings()(hidden[rows.predict])
        words = F.cross_entropy(logits.float(), rows.following[rows.predict])
        row, at_seg, at_obj, objects, parts = rows.segs()
        masks = scenes.masks(row, objects, parts, stride=2)
        patches = _spread(cover(masks, self.config.clip.grid_size).flatten(1))
        of_seg = tokens[row]
        asked_row, asked_at, about, about_part = rows.asked()
        places = centers(masks)
        wanted = self.oracle.to(tokens.device)(scenes.concepts(row, objects, parts), places)
        segs = hidden[row, at_seg]
        terms = {
            "words": words,
            "pointed": _cross_entropy(self.module.pointer(hidden[row, at_obj], of_seg), patches),
            "meant": _cross_entropy(
                self.module.in_play(hidden[asked_row, asked_at], tokens[asked_row]),
                self._about(scenes, asked_row, about, about_part),
            ),
            "placed": (self.module.where(segs).float() - places).abs().mean(),
            "aligned": F.mse_loss(self.miras.prompts(segs, of_seg).float(), wanted) / wanted.var(),
        }
        weights = self.weights
        loss = weights.cross_entropy * words + weights.pointer * (terms["pointed"] + terms["meant"])
        loss = loss + weights.place * terms["placed"] + weights.alignment * terms["aligned"]
        if self.miras.pointer is not None:
            terms["found"] = _cross_entropy(self.miras.pointer(segs, of_seg), patches)
            loss = loss + 2 * weights.pointer * terms["found"]  # it is part of the answer, and not a hint only
        return loss, terms, rows, hidden

    def _about(self, scenes: Scenes, rows: torch.Tensor, about: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
        """(M, P) float: how what each answer is about is spread over the patches, summing to 1."""
        grid = self.config.clip.grid_size
        shares = scenes.object_shares(grid).flatten(2)
        spread = torch.einsum("mo,mop->mp", about.to(shares), shares[rows])
        named = (parts > 0).nonzero()[:, 0]
        if len(named):
            masks = scenes.masks(rows[named], about[named].argmax(dim=1), parts[named], stride=2)
            spread[named] = cover(masks, grid).flatten(1).to(spread)
        return _spread(spread)

    def measure(self, scenes: Scenes) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """On tokens of the truth, as doubtful as in training."""
        return self.measure_words(scenes, self.doubtful_tokens(scenes))[0]

    def measure_words(
        self, scenes: Scenes, tokens: torch.Tensor
    ) -> tuple[dict[str, tuple[torch.Tensor, torch.Tensor]], Rows, torch.Tensor]:
        """Held-out losses, and the shares of statuses and of phrases that are right, given the data's history."""
        _, terms, rows, hidden = self.talk(scenes, tokens)
        one = torch.ones((), device=tokens.device)
        found = {name: (value, one) for name, value in terms.items()}
        best = self.module.language.get_output_embeddings()(hidden).argmax(dim=-1)
        hit = best == rows.following
        asked_row, asked_at, _, _ = rows.asked()
        found["status_right"] = (hit[asked_row, asked_at].sum(), one * len(asked_row))
        phrases = rows.phrases_right(best)
        found["phrase_right"] = (phrases.sum(), one * len(phrases))
        return found, rows, hidden


def _spread(shares: torch.Tensor) -> torch.Tensor:
    return shares / shares.sum(dim=1, keepdim=True).clamp(min=1e-6)


def _cross_entropy(logits: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.float(), spread.to(torch.float32))
