"""A checkpoint folder: `config.yaml`, `tokenizer.json`, `model.safetensors` (fp16). Loaded strictly."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig, load_config, to_mapping
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.model.adapter import is_adapted, merge
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.tokenizer import load_tokenizer

CHECKPOINTS_DIR = Path(__file__).parent / "checkpoints"
CONFIG, TOKENIZER, WEIGHTS = "config.yaml", "tokenizer.json", "model.safetensors"
_LISTED = 8


def save_checkpoint(folder: Path, miras: Miras, config: MirasConfig, tokenizer: Tokenizer) -> None:
    """Write the three files, weights in fp16, each complete or not at all."""
    if not is_adapted(miras.language):  # the whole language model is written, so nothing else will be needed
        config = dataclasses.replace(config, language=dataclasses.replace(config.language, pretrained=None))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(yaml.safe_dump(to_mapping(config), sort_keys=False), encoding="utf-8")
    tokenizer.save(str(folder / TOKENIZER))
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in miras.state_dict().items()
    }
    temporary = folder / f"{WEIGHTS}.tmp"
    save_file(weights, temporary)
    temporary.replace(folder / WEIGHTS)


def resolve(path_or_name: str | Path) -> Path:
    """A checkpoint folder: a path, or the name of one that ships with the package.

    Raises:
        CheckpointError: Neither exists.
    """
    for candidate in (Path(path_or_name), CHECKPOINTS_DIR / str(path_or_name)):
        if candidate.is_dir():
            return candidate
    shipped = sorted(path.name for path in CHECKPOINTS_DIR.glob("*/") if path.is_dir())
    raise CheckpointError(f"no checkpoint folder {path_or_name}; shipped: {', '.join(shipped) or 'none'}")


def load_checkpoint(path_or_name: str | Path, device: str = "cpu") -> tuple[Miras, MirasConfig, Tokenizer]:
    """Read a checkpoint folder.

    Args:
        path_or_name: Folder, or the name of a shipped one.
        device: Where the weights go; fp16 on a GPU, fp32 on a CPU, which computes in nothing smaller at speed.

    Raises:
        CheckpointError: A file is missing or malformed, or the weights do not fit the configuration.
        ConfigError: `config.yaml` has an unknown, missing or impossible value.
    """
    folder = resolve(path_or_name)
    missing = [name for name in (CONFIG, TOKENIZER, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"checkpoint {folder} lacks {', '.join(missing)}")
    config = load_config(MirasConfig, folder / CONFIG)
    tokenizer = load_tokenizer(folder / TOKENIZER)
    try:
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{folder / WEIGHTS} is not a safetensors file: {error}") from error
    miras = build_miras(config, tokenizer.get_vocab_size())
    _check_fit(folder / WEIGHTS, miras, weights)
    miras.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    )
    if is_adapted(miras.language):
        miras.language = merge(miras.language)
    miras.requires_grad_(False).eval()
    try:
        return miras.to(device, torch.float16 if device.startswith("cuda") else torch.float32), config, tokenizer
    except (RuntimeError, AssertionError) as error:
        raise CheckpointError(f"device {device!r} cannot be used: {error}; remedy: set device to cpu") from error


def _check_fit(path: Path, miras: Miras, weights: dict[str, torch.Tensor]) -> None:
    expected = {name: tuple(value.shape) for name, value in miras.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    problems = {
        "missing": sorted(expected.keys() - found.keys()),
        "left over": sorted(found.keys() - expected.keys()),
        "of the wrong shape": sorted(
            f"{name} {found[name]} instead of {expected[name]}"
            for name in expected.keys() & found.keys()
            if expected[name] != found[name]
        ),
    }
    said = [
        f"{kind}: {', '.join(names[:_LISTED])}{f' and {len(names) - _LISTED} more' if len(names) > _LISTED else ''}"
        for kind, names in problems.items()
        if names
    ]
    if said:
        raise CheckpointError(f"{path} does not fit its configuration; {'; '.join(said)}")
