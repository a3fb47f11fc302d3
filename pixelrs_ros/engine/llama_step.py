"""One token through a small Llama on a CPU, without what transformers does around it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from transformers import DynamicCache, PreTrainedModel
from transformers.models.llama.modeling_llama import LlamaModel, apply_rotary_pos_emb


class LlamaStep:
    """The operations of `LlamaModel.forward` for one token, in its order and on its weights.

    Where the model is small, its masks, hooks, look-ups of the configuration and calls of modules take a quarter of a
    token's time.

    Args:
        model: One that `is_plain` accepts. Its weights may change in place afterwards.
    """

    def __init__(self, model: LlamaModel) -> None:
        config = model.config
        layer: Any = model.layers[0]
        self.max_tokens: int = config.max_position_embeddings
        self._head_dim: int = layer.self_attn.head_dim
        self._grouped = config.num_key_value_heads != config.num_attention_heads
        self._activation = layer.mlp.act_fn
        self._shape, self._epsilon = (config.hidden_size,), config.rms_norm_eps
        self._norm = model.norm.weight
        # (1, L, D) cosines and sines of every position.
        self._rotations = model.rotary_emb(self._norm, torch.arange(self.max_tokens)[None])
        self._layers = [
            [part.weight for part in (layer.input_layernorm, layer.post_attention_layernorm, *_linears(layer))]
            for layer in model.layers
        ]

    def __call__(self, cache: DynamicCache, embedding: torch.Tensor) -> torch.Tensor:
        """Read one more token.

        Args:
            cache: Keys and values of fewer than `max_tokens` tokens; extended in place.
            embedding: (1, 1, H) float32.

        Returns:
            (1, H) float32 last hidden state.
        """
        place = cache.get_seq_length()
        cos, sin = (table[:, place : place + 1] for table in self._rotations)
        hidden = embedding[0]
        layers: list[Any] = cache.layers
        for (norm, mlp_norm, *projections, output, gate, up, down), kept in zip(self._layers, layers, strict=True):
            normed = self._normed(hidden, norm)
            query, key, value = (F.linear(normed, weight).view(1, -1, 1, self._head_dim) for weight in projections)
            query, key = apply_rotary_pos_emb(query, key, cos, sin)
            keys, values = kept.update(key, value)
            seen = F.scaled_dot_product_attention(query, keys, values, enable_gqa=self._grouped)
            hidden = hidden + F.linear(seen.view(1, -1), output)
            normed = self._normed(hidden, mlp_norm)
            hidden = hidden + F.linear(self._activation(F.linear(normed, gate)) * F.linear(normed, up), down)
        return self._normed(hidden, self._norm)

    def _normed(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(hidden, self._shape, weight, self._epsilon)


def is_plain(model: nn.Module) -> bool:
    """Whether a model is a Llama that `LlamaStep` computes as transformers does.

    That is: in float32 on a CPU, with bare linear layers (no biases, no adapters, not quantized) and rotations that
    depend on nothing but the position.
    """
    if type(model) is not LlamaModel or model.config._attn_implementation != "sdpa":
        return False
    rope: Any = model.config.rope_parameters
    linears = [linear for layer in model.layers for linear in _linears(layer)]
    return (
        rope["rope_type"] == "default"
        and all(type(linear) is nn.Linear and linear.bias is None for linear in linears)
        and all(type(p) is nn.Parameter and p.device.type == "cpu" for p in model.parameters())
        and all(p.dtype == torch.float32 for p in model.parameters())
    )


def llama_step(language: PreTrainedModel) -> LlamaStep | None:
    """The step of a language model, None where only transformers can run it."""
    model: Any = language.base_model
    return LlamaStep(model) if is_plain(model) else None


def _linears(layer: Any) -> list[Any]:
    attention, mlp = layer.self_attn, layer.mlp
    projections = [attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj]
    return [*projections, mlp.gate_proj, mlp.up_proj, mlp.down_proj]
