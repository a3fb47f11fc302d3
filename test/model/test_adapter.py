"""LoRA beside a tiny Llama with grouped queries."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from pixelrs_ros.config import LoraConfig
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.adapter import add_lora, merge_lora

SIZES: dict[str, Any] = {
    "vocab_size": 50, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
LORA = LoraConfig(4, 8.0, 0.0, ("q_proj", "v_proj", "down_proj"))


@pytest.fixture
def language() -> LlamaForCausalLM:
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


@torch.no_grad()
def test_a_fresh_adapter_changes_nothing(language: LlamaForCausalLM) -> None:
    ids = torch.randint(0, 50, (2, 9))
    before = language(ids).logits
    add_lora(language, LORA)
    assert torch.allclose(language.eval()(ids).logits, before, atol=1e-5)


def test_only_the_adapter_learns_and_in_full_precision(language: LlamaForCausalLM) -> None:
    add_lora(language.bfloat16(), LORA)
    trained = {name: parameter for name, parameter in language.named_parameters() if parameter.requires_grad}
    assert len(trained) == 2 * 3 * 2 and all("lora_" in name for name in trained), "layers, targets, A and B"
    assert {parameter.dtype for parameter in trained.values()} == {torch.float32}


@torch.no_grad()
def test_merging_changes_nothing_but_the_cost(language: LlamaForCausalLM) -> None:
    names = set(language.state_dict())
    add_lora(language, LORA)
    for parameter in language.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    ids = torch.randint(0, 50, (2, 9))
    expected = language.eval()(ids).logits
    merge_lora(language)
    assert set(language.state_dict()) == names
    assert torch.allclose(language(ids).logits, expected, atol=1e-4)


def test_a_layer_that_is_not_there_is_named(language: LlamaForCausalLM) -> None:
    with pytest.raises(ConfigError, match=r"lora\.target_modules: .*query"):
        add_lora(language, LoraConfig(4, 8.0, 0.0, ("query",)))
