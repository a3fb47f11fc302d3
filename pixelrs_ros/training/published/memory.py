"""How much memory a training run needs, computed from a network without weights."""

from __future__ import annotations

from torch import nn

from pixelrs_ros.config import MirasConfig
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.training.config import RecipeConfig
from pixelrs_ros.training.published.trainable import choose_trainable

# Bytes of activations that one layer of a transformer keeps for the backward pass, per token and hidden unit, with
# 16-bit numbers and fused attention; of which the layer's input alone takes 2 (Korthikanti et al. 2022, arXiv
# 2205.05198, equation 2 without the quadratic term).
_LAYER_BYTES, _INPUT_BYTES = 34, 2
_LOGIT_BYTES = 10  # a 16-bit logit, its fp32 copy and that one's gradient
_SCORE_BYTES = 8  # of SAM's attention with relative positions, which is not fused: scores, bias, their sum, softmax


def training_memory(miras: Miras, config: MirasConfig, recipe: RecipeConfig, batch: int) -> dict[str, int]:
    """Bytes on each of the GPUs that hold a whole network (one process, or DDP).

    FSDP on N GPUs divides all but the last two by N.

    Args:
        miras: A network on the meta device; it gets the recipe's adapter.
        config: Its sizes.
        recipe: What is trained, in which precision, with or without gradient checkpointing.
        batch: Examples of one forward pass of one process.

    Returns:
        By what it is for. The activations are an estimate for dialogues that fill the context.
    """
    choose_trainable(miras, recipe.trainable)
    trained = _count(miras, trained=True)
    width = 1 if recipe.engine.precision == "bf16" else 2  # in 16-bit numbers
    language = miras.language.config
    tokens = batch * config.text.max_context_tokens
    per_unit = tokens * language.hidden_size * width
    layers = language.num_hidden_layers
    kept = (
        per_unit * (layers * _INPUT_BYTES + _LAYER_BYTES)
        if recipe.gradient_checkpointing
        else per_unit * layers * _LAYER_BYTES
    )
    scores = batch * config.sam.num_heads * config.sam.grid_size**4 * width if config.sam.use_rel_pos else 0
    return {
        "frozen weights": 2 * width * _count(miras, trained=False),
        "trained weights (fp32)": 4 * trained,
        "gradients (fp32)": 4 * trained,
        "AdamW's moments (fp32)": 8 * trained,
        "activations of the language model": kept + tokens * miras.language.config.vocab_size * _LOGIT_BYTES,
        "attention of SAM's encoder": scores * _SCORE_BYTES,
    }


def _count(module: nn.Module, *, trained: bool) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad == trained)
