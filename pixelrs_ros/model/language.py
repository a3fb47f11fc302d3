"""The causal language model, any that transformers knows, built from its configuration."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from pixelrs_ros.config import LanguageConfig
from pixelrs_ros.errors import ConfigError


def build_language_model(config: LanguageConfig, vocab_size: int) -> PreTrainedModel:
    """An untrained causal language model.

    Args:
        config: Its type and the arguments of its configuration class.
        vocab_size: Tokens of the tokenizer, special ones included.

    Raises:
        ConfigError: transformers does not know the type or refuses an argument.
    """
    arguments: dict[str, Any] = {**config.arguments, "vocab_size": config.num_rows(vocab_size)}
    try:
        hf_config = AutoConfig.for_model(config.model_type, **arguments)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(hf_config)
    except Exception as error:  # transformers raises many kinds; all mean the same to the reader of the YAML
        raise ConfigError(f"language: {error}") from error
    return model
