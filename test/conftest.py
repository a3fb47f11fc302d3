"""What every test shares: a ROS graph of its own, the same random numbers each time, a network of next to no size."""

from __future__ import annotations

import dataclasses
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # a test that needs no network does not wait for torch
    from tokenizers import Tokenizer

    from pixelrs_ros.config import MirasConfig
    from pixelrs_ros.model.miras import Miras

# Before anything imports rclpy, and inherited by the processes that tests start: two test runs at once, or a robot in
# the same network, must not hear each other. Domains from 102 on use ports that Linux gives to outgoing connections.
os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randint(1, 101))
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

settings.register_profile("pixelrs", derandomize=True, deadline=None)
settings.load_profile("pixelrs")


@pytest.fixture(scope="session")
def debug_config() -> MirasConfig:
    """Sizes of a whole network with 200 thousand weights."""
    from pixelrs_ros.config import load_preset

    return load_preset("debug")


@pytest.fixture(scope="session")
def debug_tokenizer() -> Tokenizer:
    """A tokenizer with few merges."""
    from pixelrs_ros.text.tokenizer import train_tokenizer

    texts = [" the handle of the red mug, to drink from.", " i want to cut bread. which knife do you mean?"]
    return train_tokenizer(texts * 3, vocab_size=310)


@pytest.fixture
def adapted_config(debug_config: MirasConfig, debug_tokenizer: Tokenizer, tmp_path: Path) -> MirasConfig:
    """The debug network on a pretrained Llama with grouped queries, in a folder as transformers writes it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from pixelrs_ros.config import LanguageConfig, LoraConfig, PretrainedConfig

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    arguments = {**sizes, "num_key_value_heads": 2, "max_position_embeddings": 512, "tie_word_embeddings": True}
    arguments["vocab_size"] = debug_tokenizer.get_vocab_size() - 7
    torch.manual_seed(1)
    base = LlamaForCausalLM(LlamaConfig(**arguments))
    for parameter in base.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    base.save_pretrained(tmp_path / "base")
    debug_tokenizer.save(str(tmp_path / "base" / "tokenizer.json"))
    pretrained = PretrainedConfig(str(tmp_path / "base"), 7, LoraConfig(4, 8.0, 0.0, ("q_proj", "v_proj")))
    return dataclasses.replace(debug_config, language=LanguageConfig("llama", arguments, pretrained))


@pytest.fixture
def debug_miras(debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Miras:
    """A network of its own for each test, the same each time, with weights large enough that it listens."""
    import torch

    from pixelrs_ros.model.build import build_miras

    torch.manual_seed(0)
    miras = build_miras(debug_config, debug_tokenizer.get_vocab_size())
    for parameter in (*miras.language.parameters(), *miras.projector.parameters()):
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return miras.requires_grad_(False).eval()
