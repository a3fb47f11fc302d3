"""A pretrained language model with an adapter, on a tiny Llama with grouped queries in a local folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

from pixelrs_ros.checkpoint import WEIGHTS, load_checkpoint, save_checkpoint
from pixelrs_ros.config import LanguageConfig, LoraConfig, MirasConfig, PretrainedConfig
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.adapter import ExtendedEmbedding, is_adapted, merge
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.language import build_language_model
from pixelrs_ros.model.miras import Miras

ADDED = 7
SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip


def a_base(folder: Path, rows: int, *, tied: bool) -> LlamaForCausalLM:
    """A pretrained model in a folder as transformers writes it."""
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=rows, tie_word_embeddings=tied, **SIZES)).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text("{}")
    return model


def a_config(folder: Path, *, tied: bool) -> LanguageConfig:
    lora = LoraConfig(4, 8.0, 0.0, ("q_proj", "v_proj", "down_proj"))
    rows = json.loads((folder / "config.json").read_text())["vocab_size"]
    arguments = {**SIZES, "vocab_size": rows, "tie_word_embeddings": tied}
    return LanguageConfig("llama", arguments, PretrainedConfig(str(folder), ADDED, lora))


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def tied(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def shaken(language: torch.nn.Module) -> None:
    """As if it had been trained: a fresh adapter does nothing."""
    torch.manual_seed(2)
    for parameter in language.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)


@torch.no_grad()
def test_a_fresh_adapter_says_what_the_pretrained_model_says(tmp_path: Path, tied: bool) -> None:
    base = a_base(tmp_path, 50, tied=tied)
    language = build_language_model(a_config(tmp_path, tied=tied), 50 + ADDED).eval()
    ids = torch.randint(0, 50, (2, 9))
    logits = language(ids).logits
    assert logits.shape == (2, 9, 57)
    assert torch.allclose(logits[..., :50], base(ids).logits, atol=1e-5)
    assert language.config.vocab_size == 57
    added = language.get_input_embeddings()(torch.arange(50, 57))
    table = cast(torch.nn.Embedding, base.get_input_embeddings()).weight
    assert len(added.unique(dim=0)) == ADDED and added.std() < table.std()


def test_only_the_adapter_and_the_added_rows_learn(tmp_path: Path, tied: bool) -> None:
    a_base(tmp_path, 50, tied=tied)
    language = build_language_model(a_config(tmp_path, tied=tied), 57)
    trained = {name for name, parameter in language.named_parameters() if parameter.requires_grad}
    assert all("lora_" in name or name.endswith(".added") for name in trained)
    assert len([name for name in trained if name.endswith(".added")]) == (1 if tied else 2)
    assert language.state_dict().keys() == trained
    language(torch.tensor([[3, 52, 56, 8]])).logits.logsumexp(dim=-1).sum().backward()
    embedding = language.get_input_embeddings()
    assert isinstance(embedding, ExtendedEmbedding) and embedding.inner.weight.grad is None
    assert embedding.added.grad is not None
    assert embedding.added.grad[[2, 6]].abs().amin() > 0
    # Without a part in the words said, a row still learns what not to be said, if it also stands in the head.
    assert bool(embedding.added.grad[0].abs().amax() > 0) == tied


@torch.no_grad()
def test_merging_changes_nothing_but_the_cost(tmp_path: Path, tied: bool) -> None:
    a_base(tmp_path, 50, tied=tied)
    language = build_language_model(a_config(tmp_path, tied=tied), 57).eval()
    shaken(language)
    ids = torch.randint(0, 57, (2, 9))
    expected = language(ids).logits
    merged = merge(language)
    assert not is_adapted(merged) and type(merged).__name__ == "LlamaForCausalLM"
    assert torch.allclose(merged(ids).logits, expected, atol=1e-4)
    plain = LlamaForCausalLM(LlamaConfig(vocab_size=57, tie_word_embeddings=tied, **SIZES))
    assert merged.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(merged.state_dict())
    assert torch.allclose(plain.eval()(ids).logits, expected, atol=1e-4)


def test_rows_that_a_table_is_padded_with_are_taken_for_the_added_tokens(tmp_path: Path) -> None:
    base = a_base(tmp_path, 64, tied=True)
    language = build_language_model(a_config(tmp_path, tied=True), 57)
    assert language.get_input_embeddings()(torch.arange(57)).shape == (57, 32)
    table = cast(torch.nn.Embedding, base.get_input_embeddings()).weight
    assert torch.equal(language.get_input_embeddings()(torch.tensor([49]))[0], table[49])
    with pytest.raises(ConfigError, match=r"num_added_tokens: the weights have 64 rows and the tokenizer 80 tokens"):
        build_language_model(a_config(tmp_path, tied=True), 80)


@pytest.fixture
def adapted(tmp_path: Path, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> tuple[Miras, MirasConfig]:
    vocab_size = debug_tokenizer.get_vocab_size()
    a_base(tmp_path / "base", vocab_size - ADDED, tied=True)
    config = dataclasses.replace(debug_config, language=a_config(tmp_path / "base", tied=True))
    torch.manual_seed(0)
    miras = build_miras(config, vocab_size)
    shaken(miras.language)
    return miras.eval(), config


def test_a_checkpoint_holds_no_pretrained_weights(
    adapted: tuple[Miras, MirasConfig], debug_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    miras, config = adapted
    save_checkpoint(tmp_path / "adapted", miras, config, debug_tokenizer, "fp32")
    loaded, loaded_config, _ = load_checkpoint(tmp_path / "adapted")
    assert loaded_config == config and not is_adapted(loaded.language)
    ids = torch.randint(0, debug_tokenizer.get_vocab_size(), (1, 12))
    with torch.no_grad():
        assert torch.allclose(loaded.language(ids).logits, miras.language(ids).logits, atol=1e-4)
    # What is loaded has been merged: saved again, it is a plain checkpoint that needs no base.
    save_checkpoint(tmp_path / "plain", loaded, loaded_config, debug_tokenizer, "fp32")
    (tmp_path / "base" / "config.json").unlink()
    plain, plain_config, _ = load_checkpoint(tmp_path / "plain")
    assert plain_config.language.pretrained is None
    with torch.no_grad():
        assert torch.allclose(plain.language(ids).logits, loaded.language(ids).logits, atol=1e-4)
    sizes = {name: (tmp_path / name / WEIGHTS).stat().st_size for name in ("adapted", "plain")}
    assert sizes["adapted"] < sizes["plain"] - 40_000
    with pytest.raises(CheckpointError, match=r"base lacks config\.json"):
        load_checkpoint(tmp_path / "adapted")


def test_what_contradicts_the_weights_is_named(tmp_path: Path) -> None:
    a_base(tmp_path, 50, tied=True)
    config = a_config(tmp_path, tied=True)
    wrong = dataclasses.replace(config, arguments={**config.arguments, "num_key_value_heads": 4})
    with pytest.raises(ConfigError, match="num_key_value_heads is 4, but 2 in"):
        build_language_model(wrong, 57)
    assert config.pretrained is not None
    lora = dataclasses.replace(config.pretrained.lora, target_modules=("query",))
    with pytest.raises(ConfigError, match=r"lora\.target_modules: .*query"):
        build_language_model(
            dataclasses.replace(config, pretrained=dataclasses.replace(config.pretrained, lora=lora)), 57
        )
    nowhere = dataclasses.replace(config, pretrained=dataclasses.replace(config.pretrained, source="nowhere"))
    with pytest.raises(CheckpointError, match="no folder nowhere"):
        build_language_model(nowhere, 57)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**settings, "intermediate_size": 48}))
    sizes = {**config.arguments, "intermediate_size": 48}
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        build_language_model(dataclasses.replace(config, arguments=sizes), 57)
