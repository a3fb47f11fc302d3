"""Whatever runs the network, the answers are the same."""

from __future__ import annotations

import dataclasses
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from small_miras import build_small, without_high_resolution
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import WEIGHTS, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine import static_language
from pixelrs_ros.engine.backends import MANIFEST, Backend, check_export, quantize
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.engine.onnx_export import export_onnx
from pixelrs_ros.engine.static_language import StaticLanguage
from pixelrs_ros.errors import ConfigError, ExportError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.model.onnx_parts import PARTS
from pixelrs_ros.types import Status, Turn

CPU = torch.device("cpu")
HISTORY = [Turn(0, "the mug", " yes.", Status.ANSWERED)]


def a_picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.fixture
def checkpoint(tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Path:
    save_checkpoint(tmp_path / "checkpoint", debug_miras, debug_config, debug_tokenizer)
    return tmp_path / "checkpoint"


def test_a_static_cache_answers_as_a_growing_one(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The step is traced as for the real compiler, which takes minutes.
    monkeypatch.setattr(static_language.torch, "compile", partial(torch.compile, backend="eager"))
    growing = Engine(debug_miras, debug_config, debug_tokenizer)
    static = Engine(debug_miras, debug_config, debug_tokenizer, Backend("torch_compiled"))
    assert "torch_compiled on cpu" in static.backend
    encoded = [growing.encode(a_picture(seed)) for seed in (0, 1)]
    prefixes = [static.new_prefix(), static.new_prefix()]
    turns: list[list[Turn]] = [[], []]
    for which, text in [(0, "the mug"), (1, "cut bread"), (0, "no, the pan"), (0, "its handle"), (1, "that one")]:
        expected = growing.answer(encoded[which], turns[which], text, None, 6)
        reply = static.answer(encoded[which], turns[which], text, None, 6, prefix=prefixes[which])
        assert reply.answer == expected.answer
        for segment, other in zip(reply.segments, expected.segments, strict=True):
            assert segment.score == pytest.approx(other.score, abs=1e-4)
            assert (segment.mask != other.mask).mean() < 1e-3
        turns[which].append(Turn(len(turns[which]), text, reply.answer, reply.status))


def test_a_static_cache_wants_full_attention(debug_config: MirasConfig) -> None:
    arguments = {**debug_config.language.arguments, "sliding_window": 8}
    language = dataclasses.replace(debug_config.language, model_type="mistral", arguments=arguments)
    miras = build_miras(dataclasses.replace(debug_config, language=language), 310)
    with pytest.raises(ConfigError, match=r"torch_compiled needs full attention.*remedy: backend torch"):
        StaticLanguage(miras.language, 64)


def test_sliding_windows_are_read_anew(debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> None:
    arguments = {**debug_config.language.arguments, "sliding_window": 8}
    language = dataclasses.replace(debug_config.language, model_type="mistral", arguments=arguments)
    config = dataclasses.replace(debug_config, language=language)
    torch.manual_seed(0)
    engine = Engine(build_miras(config, debug_tokenizer.get_vocab_size()).eval(), config, debug_tokenizer)
    encoded, prefix = engine.encode(a_picture()), engine.new_prefix()
    for turns in ([], HISTORY, []):
        cached = engine.answer(encoded, turns, "the pan", None, 4, prefix=prefix)
        assert cached.answer == engine.answer(encoded, turns, "the pan", None, 4).answer


@pytest.fixture(params=["MIRAS", "CLIP alone"])
def either(
    request: pytest.FixtureRequest, checkpoint: Path, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> tuple[Path, list[str]]:
    """A checkpoint, and the parts that it has."""
    paths = [part.path for part in PARTS]
    if request.param == "CLIP alone":
        paths.remove("convnext")
        config = without_high_resolution(debug_config)
        save_checkpoint(checkpoint, build_small(config, debug_tokenizer.get_vocab_size()), config, debug_tokenizer)
    return checkpoint, paths


def test_onnx_answers_as_torch_does(either: tuple[Path, list[str]]) -> None:
    checkpoint, paths = either
    parts = list(export_onnx(checkpoint, checkpoint / "onnx", tolerance=1e-4))
    assert [part.path for part in parts] == paths
    assert all(0 <= part.max_abs_difference <= 1e-4 * part.max_abs for part in parts)
    with_torch = Engine.from_checkpoint(checkpoint)
    with_onnx = Engine.from_checkpoint(checkpoint, backend="onnx")
    assert "CPUExecutionProvider" in with_onnx.backend
    seen = [engine.encode(a_picture()) for engine in (with_torch, with_onnx)]
    torch.testing.assert_close(seen[0].image_tokens, seen[1].image_tokens, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(seen[0].sam_embedding, seen[1].sam_embedding, atol=1e-4, rtol=1e-3)
    hidden = torch.randn(1, 32, generator=torch.Generator().manual_seed(0))
    masks = [engine.mask_logits(encoded, hidden) for engine, encoded in zip((with_torch, with_onnx), seen, strict=True)]
    torch.testing.assert_close(masks[0][0], masks[1][0], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(masks[0][1], masks[1][1], atol=1e-4, rtol=1e-3)
    replies = [
        engine.answer(encoded, HISTORY, "?", None, 6)
        for engine, encoded in zip((with_torch, with_onnx), seen, strict=True)
    ]
    assert replies[0].answer == replies[1].answer
    (checkpoint / WEIGHTS).write_bytes((checkpoint / WEIGHTS).read_bytes() + b"x")
    with pytest.raises(ConfigError, match=r"exported from another checkpoint.*remedy: pixelrs export"):
        check_export(checkpoint / "onnx", checkpoint)


def test_an_export_that_differs_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="clip: the graph's output differs"):
        list(export_onnx(checkpoint, tmp_path / "onnx", tolerance=0.0))
    assert not list((tmp_path / "onnx").glob("*.onnx")) and not (tmp_path / "onnx" / MANIFEST).exists()


def test_a_missing_export_says_how_to_make_it(checkpoint: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no complete export.*remedy: pixelrs export --checkpoint"):
        Engine.from_checkpoint(checkpoint, backend="onnx")
    (checkpoint / "onnx").mkdir()
    (checkpoint / "onnx" / MANIFEST).write_text(json.dumps({"checkpoint": "another"}))
    with pytest.raises(ConfigError, match="another checkpoint"):
        Engine.from_checkpoint(checkpoint, backend="onnx")


@pytest.mark.parametrize("field", ["name", "precision", "language_weights"])
def test_an_unknown_choice_is_named(field: str) -> None:
    with pytest.raises(ConfigError, match=f"{field if field != 'name' else 'backend'} must be one of .*'fast'"):
        Backend(**{field: "fast"})  # type: ignore[arg-type]


def test_half_precision_runs_the_same_code(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    engine = Engine(debug_miras, debug_config, debug_tokenizer, Backend(precision="bf16"))
    assert engine.dtype == torch.bfloat16 and "bfloat16" in engine.backend
    script = iter(engine.layout.answer("[OBJ] the mug[SEG]."))
    engine.choose = lambda logits, first: (next(script), 1.0)
    reply = engine.answer(engine.encode(a_picture()), [], "?", prefix=engine.new_prefix())
    assert reply.segments[0].mask.shape == (24, 32)


def test_quantized_weights_need_their_library(debug_miras: Miras, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchao.quantization", None)
    with pytest.raises(ConfigError, match="int8 needs torchao; remedy: pip install torchao"):
        quantize(debug_miras.language.base_model, "int8")


def test_int8_weights_are_nearly_the_full_ones(debug_miras: Miras) -> None:
    pytest.importorskip("torchao", reason="an optional library")
    tokens = torch.randn(1, 5, 32, generator=torch.Generator().manual_seed(0))
    before = debug_miras.language.base_model(inputs_embeds=tokens).last_hidden_state
    quantize(debug_miras.language.base_model, "int8")
    after = debug_miras.language.base_model(inputs_embeds=tokens).last_hidden_state
    assert 0 < (before - after).abs().max() < 0.2 * before.abs().max()
