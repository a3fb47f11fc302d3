"""Attention for packed dialogues: each attends to the picture and to itself; what a mask would discard is not computed.

For eight dialogues behind one picture this is two and a half times less work than one masked square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AttentionInterface, PreTrainedModel

NAME = "packed"


@dataclass(frozen=True)
class Packing:
    """Where the dialogues of a packed batch lie. S scenes, up to D dialogues each, of up to T tokens.

    Attributes:
        prefix: Tokens of the picture, at the start of every scene.
        index: (S, D, T) int64, position of each dialogue's tokens; what stands beyond its end does not matter.
        valid: (S, D, T) bool, false beyond a dialogue's end.
    """

    prefix: int
    index: torch.Tensor
    valid: torch.Tensor


def packed_attention(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
    attention_mask: torch.Tensor | None, *, scaling: float, packing: Packing, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """An attention function of transformers.

    Args:
        module: The attention layer.
        query: (S, H, L, d) float, positions already encoded.
        key: (S, K, L, d) float, K divides H.
        value: (S, K, L, d) float.
        attention_mask: Not used: who sees whom follows from the packing.
        scaling: Of the scores.
        packing: Where the dialogues lie.

    Returns:
        (S, L, H, d) float and no weights.
    """
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scenes, dialogues, longest = packing.index.shape
    prefix = packing.prefix
    shown_query, shown_key, shown_value = (x[:, :, :prefix] for x in (query, key, value))
    picture = F.scaled_dot_product_attention(shown_query, shown_key, shown_value, is_causal=True, scale=scaling)

    rows = torch.arange(scenes)[:, None, None]
    own_query, own_key, own_value = (
        x.transpose(1, 2)[rows, packing.index].flatten(0, 1).transpose(1, 2) for x in (query, key, value)
    )
    shared_key, shared_value = (x.repeat_interleave(dialogues, dim=0) for x in (shown_key, shown_value))
    sees = torch.ones(longest, prefix + longest, dtype=torch.bool).tril(diagonal=prefix)
    said = F.scaled_dot_product_attention(
        own_query,
        torch.cat([shared_key, own_key], dim=2),
        torch.cat([shared_value, own_value], dim=2),
        attn_mask=sees,
        scale=scaling,
    )
    output = torch.zeros_like(query.transpose(1, 2))
    output[:, :prefix] = picture.transpose(1, 2)
    said = said.transpose(1, 2).unflatten(0, (scenes, dialogues))
    output[rows.expand_as(packing.index)[packing.valid], packing.index[packing.valid]] = said[packing.valid]
    return output, None


def use_packed_attention(language: PreTrainedModel) -> None:
    """Switch a language model to packed attention; its forward then takes `packing`."""
    AttentionInterface.register(NAME, packed_attention)
    language.config._attn_implementation = NAME
