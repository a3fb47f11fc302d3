from __future__ import annotations

import dataclasses

import pytest

from pixelrs_ros.config import MirasConfig, load_preset
from pixelrs_ros.model import memory as sizes
from pixelrs_ros.model.miras import Miras


@pytest.fixture(scope="module")
def published() -> Miras:
    config = load_preset("miras-7b")
    arguments = {**config.language.arguments, "vocab_size": 32_000}  # as Vicuna has it, without our seven
    language = dataclasses.replace(config.language, arguments=arguments)
    return sizes.empty(dataclasses.replace(config, language=language), 32_000)


def test_the_published_size_has_the_published_parameters(published: Miras) -> None:
    counts = sizes.parameters(published)
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
    memory = sizes.weight_bytes(published)
    total = sum(sizes.parameters(published).values())
    assert sum(memory["fp32"].values()) == 4 * total and sum(memory["bf16"].values()) == 2 * total
    # Vicuna's 32 layers of attention (4 matrices) and feed-forward (3), its tables and norms stay in bf16.
    linear = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
    scales = 32 * (4 * 4096 + 2 * 11008 + 4096)
    others = 6_738_415_616 - linear
    assert memory["int8"]["language"] == linear + 2 * scales + 2 * others
    assert memory["int4"]["language"] == pytest.approx(linear / 2 + 4 * linear / 128 + 2 * others)
    for kind in ("int8", "int4"):
        assert all(memory[kind][part] == size for part, size in memory["bf16"].items() if part != "language")
    assert sizes.cache_bytes_per_token(published) == 2 * 32 * 4096 * 2


def test_grouped_queries_keep_fewer_keys(debug_config: MirasConfig) -> None:
    arguments = {**debug_config.language.arguments, "num_key_value_heads": 1}
    config = dataclasses.replace(debug_config, language=dataclasses.replace(debug_config.language, arguments=arguments))
    assert sizes.cache_bytes_per_token(sizes.empty(debug_config, 300)) == 2 * 2 * 32 * 2
    assert sizes.cache_bytes_per_token(sizes.empty(config, 300)) == 2 * 2 * 16 * 2
