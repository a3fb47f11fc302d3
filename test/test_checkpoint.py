import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import (
    DTYPES,
    INDEX,
    SCALE,
    WEIGHTS,
    check_weights,
    in_int8,
    load_checkpoint,
    save_checkpoint,
)
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.engine.backends import Backend
from pixelrs_ros.engine.engine import Engine
from pixelrs_ros.errors import CheckpointError, ConfigError, OutputError
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.shipped import resolve
from pixelrs_ros.types import Status


@pytest.fixture
def folder(tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> Path:
    save_checkpoint(tmp_path / "tiny", debug_miras, debug_config, debug_tokenizer)
    return tmp_path / "tiny"


def test_what_is_saved_loads_again(folder: Path, debug_miras: Miras, debug_config: MirasConfig) -> None:
    miras, config, tokenizer = load_checkpoint(folder)
    assert config == debug_config
    assert tokenizer.token_to_id("[SEG]") is not None
    saved = debug_miras.state_dict()
    assert miras.state_dict().keys() == saved.keys()
    for name, value in miras.state_dict().items():
        assert value.dtype == saved[name].dtype
        assert torch.allclose(value, saved[name], rtol=1e-3, atol=1e-4), name
    assert not miras.training and not any(parameter.requires_grad for parameter in miras.parameters())


def test_a_checkpoint_is_three_plain_files_at_half_precision(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "model.safetensors", "tokenizer.json"]
    assert {value.dtype for value in load_file(folder / WEIGHTS).values()} == {torch.float16}


def test_a_missing_folder_names_the_shipped_ones() -> None:
    with pytest.raises(CheckpointError, match="no checkpoint folder 'giant'; shipped:"):
        load_checkpoint("giant")


@pytest.mark.parametrize("name", ["config.yaml", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        load_checkpoint(folder)


def test_all_that_is_missing_is_named_at_once(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(CheckpointError, match=r"config\.yaml, tokenizer\.json, model\.safetensors"):
        load_checkpoint(folder)


def test_tensors_that_do_not_fit_are_named(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    del weights["projector.0.bias"]
    weights["projector.9.bias"] = torch.zeros(1)
    weights["projector.2.bias"] = torch.zeros(7)
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert "missing: projector.0.bias" in message
    assert "left over: projector.9.bias" in message
    assert "projector.2.bias (7,) instead of (32,)" in message


@pytest.mark.parametrize("keep", [0, 5, 1000, 100_000])
def test_broken_weights_are_named(folder: Path, keep: int) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a safetensors file"):
        load_checkpoint(folder)


def test_a_broken_tokenizer_is_named(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace("[SEG]", "[CUT]"), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json lacks the special tokens \[SEG\]"):
        load_checkpoint(folder)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a tokenizer"):
        load_checkpoint(folder)


def test_a_wrong_configuration_names_file_and_key(folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("prompt_dim:", "prompt_size:"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml: unknown key sam\.prompt_size"):
        load_checkpoint(folder)


@torch.no_grad()
def test_what_no_file_holds_is_made_again(
    folder: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    save_checkpoint(folder, debug_miras, debug_config, debug_tokenizer, "fp32")
    miras, _, _ = load_checkpoint(folder)
    buffers = dict(debug_miras.named_buffers())
    assert buffers.keys() == dict(miras.named_buffers()).keys() and len(buffers) > 2
    for name, buffer in miras.named_buffers():
        assert torch.equal(buffer, buffers[name]), name
    ids = torch.arange(40).unsqueeze(0)
    assert torch.allclose(miras.language(ids).logits, debug_miras.language(ids).logits, atol=1e-5)


def test_shards_hold_what_one_file_holds(
    folder: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    whole = load_checkpoint(folder)[0].state_dict()
    save_checkpoint(folder, debug_miras, debug_config, debug_tokenizer, max_shard_bytes=100_000)
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 2 and folder / WEIGHTS not in shards
    assert max(len(load_file(path)) for path in shards if path.stat().st_size > 120_000) == 1, "tables are not cut"
    assert set(json.loads((folder / INDEX).read_text())["weight_map"].values()) == {path.name for path in shards}
    loaded = load_checkpoint(folder)[0].state_dict()
    assert loaded.keys() == whole.keys() and all(torch.equal(loaded[name], whole[name]) for name in whole)
    shards[1].unlink()
    with pytest.raises(CheckpointError, match=f"lacks {shards[1].name}"):
        load_checkpoint(folder)
    (folder / INDEX).write_text("{}")
    with pytest.raises(CheckpointError, match="is not an index of safetensors files"):
        load_checkpoint(folder)
    save_checkpoint(folder, debug_miras, debug_config, debug_tokenizer)
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "model.safetensors", "tokenizer.json"]


def test_tied_tables_are_written_once(tmp_path: Path, debug_config: MirasConfig, debug_tokenizer: Tokenizer) -> None:
    language = debug_config.language
    tied = dataclasses.replace(language, arguments={**language.arguments, "tie_word_embeddings": True})
    config = dataclasses.replace(debug_config, language=tied)
    miras = build_miras(config, debug_tokenizer.get_vocab_size()).eval()
    save_checkpoint(tmp_path, miras, config, debug_tokenizer, "fp32")
    assert "language.lm_head.weight" not in load_file(tmp_path / WEIGHTS)
    loaded = load_checkpoint(tmp_path)[0].language
    assert loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight
    ids = torch.arange(40).unsqueeze(0)
    with torch.no_grad():
        assert torch.allclose(loaded(ids).logits, miras.language(ids).logits, atol=1e-5)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_the_precision_can_be_chosen(
    folder: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, dtype: str
) -> None:
    save_checkpoint(folder, debug_miras, debug_config, debug_tokenizer, dtype)
    assert {value.dtype for value in load_file(folder / WEIGHTS).values()} == {DTYPES[dtype]}
    loaded = load_checkpoint(folder, dtype=dtype)
    assert {parameter.dtype for parameter in loaded[0].parameters()} == {DTYPES[dtype]}
    engine = Engine(*loaded, Backend(precision=dtype))
    assert {parameter.dtype for parameter in engine.miras.parameters()} == {DTYPES[dtype]}
    rotary = [buffer for name, buffer in engine.miras.named_buffers() if "inv_freq" in name]
    assert rotary and all(buffer.dtype == torch.float32 for buffer in rotary)
    reply = engine.answer(engine.encode(np.full((48, 64, 3), 90, np.uint8)), [], "What do you see?")
    assert reply.status is not Status.INTERNAL_ERROR
    prompts = engine.miras.prompts(torch.randn(1, 32, dtype=DTYPES[dtype]), torch.randn(1, 16, 32, dtype=DTYPES[dtype]))
    sam = torch.randn(1, 32, 8, 8, dtype=DTYPES[dtype])
    assert engine.miras.sam.decode(sam, prompts, torch.tensor([0]))[0].isfinite().all()


def test_an_unknown_precision_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(ConfigError, match="dtype 'fp8' is not known; known: fp32, fp16, bf16"):
        load_checkpoint(folder, dtype="fp8")


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there_is_named(folder: Path, device: str) -> None:
    with pytest.raises(CheckpointError, match=f"(?s)device '{device}'.*remedy"):
        load_checkpoint(folder, device)


def test_a_name_cannot_forge_a_line_of_the_log() -> None:
    for name in ("x\n[ERROR] all is lost", "a\0b", "\x1b[2J"):
        with pytest.raises(CheckpointError) as caught:
            resolve(name)
        assert str(caught.value).isprintable()


def test_a_checkpoint_that_cannot_be_written_is_told_with_the_file(
    debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer, tmp_path: Path, small_files: None
) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder, said in (("file", "file cannot be written: it is not a folder"), ("new", "cannot be written: .*arge")):
        with pytest.raises(OutputError, match=said):
            save_checkpoint(tmp_path / folder, debug_miras, debug_config, debug_tokenizer)
    assert not list((tmp_path / "new").glob("*.tmp"))


def test_whole_numbers_of_8_bits_are_within_half_a_step(
    tmp_path: Path, debug_miras: Miras, debug_config: MirasConfig, debug_tokenizer: Tokenizer
) -> None:
    save_checkpoint(tmp_path, debug_miras, debug_config, debug_tokenizer, "int8")
    stored, loaded = load_file(tmp_path / WEIGHTS), load_checkpoint(tmp_path)[0].state_dict()
    scaled = [name.removesuffix(SCALE) for name in stored if name.endswith(SCALE)]
    assert len(scaled) > 5 and all(stored[name].dtype is torch.int8 for name in scaled)
    for name, value in debug_miras.state_dict().items():
        if name in scaled:
            step = stored[name + SCALE].view(-1, *[1] * (value.ndim - 1))
            assert ((loaded[name] - value).abs() <= 0.5001 * step).all(), name
            assert value.abs().flatten(1).amax(dim=1).allclose(127 * stored[name + SCALE]), "nothing is clipped"
        else:
            assert torch.equal(loaded[name], value.half().float() if name in stored else value), name
    assert check_weights(tmp_path) == len(stored)


def test_rows_of_zeros_stay_zeros() -> None:
    weight = torch.cat([torch.zeros(1, 4096), torch.ones(1, 4096)])
    stored = in_int8({"w": weight, "small": torch.ones(2, 2), "b": torch.ones(5000)})
    assert not stored["w"][0].any() and (stored["w"][1] == 127).all()
    assert {name: value.dtype for name, value in stored.items()} == {
        "w": torch.int8, f"w{SCALE}": torch.float32, "small": torch.float32, "b": torch.float32,
    }  # fmt: skip
