import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from pixelrs_ros.checkpoint import WEIGHTS, load_checkpoint, save_checkpoint
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import CheckpointError, ConfigError
from pixelrs_ros.model.miras import Miras


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
    with pytest.raises(CheckpointError, match="no checkpoint folder giant; shipped:"):
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


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there_is_named(folder: Path, device: str) -> None:
    with pytest.raises(CheckpointError, match=f"(?s)device '{device}'.*remedy"):
        load_checkpoint(folder, device)
