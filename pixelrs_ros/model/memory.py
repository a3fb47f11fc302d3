"""Parameters and memory of a network, computed without memory for its weights.

A network is any module whose children are its parts; `language` is a language model of transformers.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.model.build import build_miras, count_parameters
from pixelrs_ros.model.miras import Miras

BYTES = {"fp32": 4.0, "bf16": 2.0}
# Of the language model's linear layers: the weight, and a bf16 scale for each output channel; in int4 a bf16 scale and
# zero point for each group of inputs.
INT4_BYTES = 0.5 + 2 * 2 / 128


def preset_sizes(name: str, vocab_size: int | None = None) -> tuple[MirasConfig, int]:
    """A preset and the tokens that its network has.

    Args:
        name: A shipped network configuration, such as "nano".
        vocab_size: Tokens; None: what its language model's `vocab_size` says, else 2048.

    Raises:
        ConfigError: There is no such preset.
    """
    config = load_preset(name)
    return config, vocab_size or int(config.language.arguments.get("vocab_size", 2048))


def empty(config: MirasConfig, vocab_size: int) -> Miras:
    """The network without memory for its parameters."""
    return build_miras(config, vocab_size, empty=True)


def parameters(network: nn.Module) -> dict[str, int]:
    """Number of parameters of each part that has some, those of SAM's own parts apart."""
    counts: dict[str, int] = {}
    for name, part in network.named_children():
        if name == "sam":
            inner = {f"sam.{key}": count_parameters(module) for key, module in part.named_children()}
            counts |= {**inner, "sam.other": count_parameters(part) - sum(inner.values())}
        else:
            counts[name] = count_parameters(part)
    return {name: count for name, count in counts.items() if count}


def weight_bytes(network: nn.Module) -> dict[str, dict[str, float]]:
    """Bytes of each part's weights, by kind of number: "fp32", "bf16", "int8", "int4"."""
    counts = parameters(network)
    memory = {kind: {part: size * count for part, count in counts.items()} for kind, size in BYTES.items()}
    linear, channels = linear_weights(_language(network).base_model)
    for kind, fewer in saved_bytes(linear, channels).items():
        memory[kind] = {**memory["bf16"], "language": memory["bf16"]["language"] - fewer}
    return memory


def saved_bytes(linear: int, channels: int = 0) -> dict[str, float]:
    """Bytes that quantizing a language model's linear layers saves against bf16, by kind of number: "int8", "int4".

    Args:
        linear: Their weights.
        channels: Their output channels, each with a scale; 0: unknown.
    """
    return {"int8": linear - 2 * channels, "int4": (2 - INT4_BYTES) * linear}


def cache_bytes_per_token(network: nn.Module) -> int:
    """Bytes of one token's keys and values in bf16."""
    config = _language(network).config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * size * 2)


def _language(network: nn.Module) -> Any:
    return network.get_submodule("language")  # a PreTrainedModel, of which torch's types know nothing


def linear_weights(model: nn.Module) -> tuple[int, int]:
    """How many weights and output channels its linear layers have."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return sum(module.weight.numel() for module in linear), sum(module.out_features for module in linear)
