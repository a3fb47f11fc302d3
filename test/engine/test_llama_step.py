"""The short way through a Llama gives what transformers gives, and is taken only where it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from pixelrs_ros.config import LoraConfig
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.language import EagerLanguage
from pixelrs_ros.engine.llama_step import LlamaStep, is_plain, llama_step
from pixelrs_ros.model.adapter import add_lora
from pixelrs_ros.types import Turn

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 24,
    "initializer_range": 0.3,
}


def a_llama(seed: int = 0, **changed: Any) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**(SIZES | changed))).eval()


@torch.inference_mode()
def read(runner: EagerLanguage, embeddings: torch.Tensor, first: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Hidden states of a prompt of `first` tokens and of every token after it, and the keys and values."""
    cache = runner.empty()
    hidden = [runner.extend(cache, embeddings[:, :first])]
    hidden += [runner.extend(cache, embeddings[:, place : place + 1]) for place in range(first, embeddings.shape[1])]
    layers: list[Any] = cache.layers
    return torch.cat(hidden, dim=1), [tensor for layer in layers for tensor in (layer.keys, layer.values)]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    first=st.integers(1, 10),
    more=st.integers(1, 10),
    groups=st.sampled_from((1, 2, 4)),
    head_dim=st.sampled_from((4, 8, 16)),
    activation=st.sampled_from(("silu", "gelu")),
)
def test_hidden_states_keys_and_values_are_those_of_transformers(
    seed: int, first: int, more: int, groups: int, head_dim: int, activation: str
) -> None:
    model = a_llama(seed, num_key_value_heads=groups, head_dim=head_dim, hidden_act=activation)
    embeddings = torch.randn(1, first + more, SIZES["hidden_size"])
    step = llama_step(model)
    assert step is not None
    hidden, kept = read(EagerLanguage(model, step), embeddings, first)
    expected, expected_kept = read(EagerLanguage(model), embeddings, first)
    torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(kept, expected_kept, atol=1e-5, rtol=1e-5)


def test_weights_that_change_in_place_are_followed() -> None:
    model = a_llama()
    step = llama_step(model)
    model.load_state_dict(a_llama(seed=1).state_dict())
    embeddings = torch.randn(1, 6, SIZES["hidden_size"])
    hidden, _ = read(EagerLanguage(model, step), embeddings, 2)
    torch.testing.assert_close(hidden, read(EagerLanguage(a_llama(seed=1)), embeddings, 2)[0], atol=1e-5, rtol=1e-5)


def test_only_single_tokens_within_the_positions_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_llama()
    taken: list[int] = []
    call = LlamaStep.__call__

    def count(self: LlamaStep, cache: Any, embedding: torch.Tensor) -> torch.Tensor:
        taken.append(cache.get_seq_length())
        return call(self, cache, embedding)

    monkeypatch.setattr(LlamaStep, "__call__", count)
    embeddings = torch.randn(1, 27, SIZES["hidden_size"])
    hidden, _ = read(EagerLanguage(model, llama_step(model)), embeddings, 20)
    assert taken == [20, 21, 22, 23]
    torch.testing.assert_close(hidden, read(EagerLanguage(model), embeddings, 20)[0], atol=1e-5, rtol=1e-5)


def test_whatever_transformers_computes_in_another_way_is_left_to_it() -> None:
    adapted = a_llama()
    add_lora(adapted, LoraConfig(r=2, alpha=4.0, dropout=0.0, target_modules=("q_proj",)))
    scaled = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
    others = {
        "biased": a_llama(attention_bias=True),
        "biased words": a_llama(mlp_bias=True),
        "adapted": adapted,
        "scaled": a_llama(rope_parameters=scaled),
        "half": a_llama().bfloat16(),
        "elsewhere": a_llama().to_empty(device="meta"),
        "eager": a_llama(attn_implementation="eager"),
        "mistral": MistralForCausalLM(MistralConfig(**SIZES)),
    }
    assert [name for name, model in others.items() if is_plain(model.base_model)] == []
    assert is_plain(a_llama().base_model)


def test_the_shipped_network_says_the_same_and_shows_the_same() -> None:
    engine = Engine.from_checkpoint("nano", num_threads=1)
    quick, slow = engine.language, EagerLanguage(engine.miras.language)
    assert isinstance(quick, EagerLanguage) and quick._step is not None, "what is shipped is worth the short way"
    rng = np.random.default_rng(0)
    encoded = engine.encode(rng.integers(0, 256, (120, 160, 3), np.uint8))
    turns: list[Turn] = []
    for text in ("I am thirsty.", "the red one", "Where do I hold it?"):
        replies = []
        for runner in (quick, slow):
            engine.language = runner
            replies.append(engine.answer(encoded, turns, text))
        assert replies[0].answer == replies[1].answer
        for segment, expected in zip(replies[0].segments, replies[1].segments, strict=True):
            assert (segment.mask != expected.mask).mean() < 1e-4
            assert segment.score == pytest.approx(expected.score, abs=1e-4)
        turns.append(Turn(len(turns), text, replies[0].answer, replies[0].status))
