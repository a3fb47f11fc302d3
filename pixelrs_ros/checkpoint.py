"""A checkpoint folder: `config.yaml`, `tokenizer.json` and the weights, whole or in shards. Loaded strictly."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig, VlmConfig
from pixelrs_ros.errors import CheckpointError, ConfigError, OutputError
from pixelrs_ros.files import require_writable_folder, write_file, write_json
from pixelrs_ros.model.build import build_miras
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.settings import load_config, to_mapping
from pixelrs_ros.shipped import CONFIG, resolve
from pixelrs_ros.text.tokenizer import load_tokenizer, vocabulary_size

TOKENIZER, WEIGHTS = "tokenizer.json", "model.safetensors"
FAMILIARITY = "familiarity.safetensors"  # which pictures it is used to, see engine/familiarity.py; may be missing
INDEX = f"{WEIGHTS}.index.json"  # which shard holds what, as transformers writes it
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
MAX_SHARD_BYTES = 5_000_000_000
INT8 = "int8"  # matrices in whole numbers of 8 bits, each row with a scale of its own; everything else in fp16
SCALE = ".int8_scale"  # what the name of such a matrix's scales ends in
_LEAST_INT8 = 4096  # smaller ones are not worth a scale
_LISTED = 100


def save_checkpoint(
    folder: Path, miras: Miras, config: MirasConfig, tokenizer: Tokenizer, dtype: str = "fp16",
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> None:  # fmt: skip
    """Write a checkpoint, each file complete or not at all.

    Args:
        folder: Made where it does not exist.
        miras: The network.
        config: Its sizes.
        tokenizer: Its words.
        dtype: The weights' type: "fp16", "bf16", "fp32", or "int8" for matrices in 8 bits and the rest in fp16.
        max_shard_bytes: Weights beyond this are written as several files and an index.

    Raises:
        ConfigError: `dtype` is none of these.
        OutputError: The folder cannot be written.
    """
    written = _dtype("fp16" if dtype == INT8 else dtype)
    require_writable_folder(folder)
    write_config(folder, config)
    write_file(folder / TOKENIZER, tokenizer.to_str(pretty=True))
    state = in_int8(_state(miras)) if dtype == INT8 else _state(miras)
    kinds = {
        name: torch.float32 if name.endswith(SCALE) else written if value.is_floating_point() else value.dtype
        for name, value in state.items()
    }
    shapes = {name: torch.empty(value.shape, dtype=kinds[name], device="meta") for name, value in state.items()}
    plan = split_torch_state_dict_into_shards(shapes, max_shard_size=max_shard_bytes)
    for file, names in plan.filename_to_tensors.items():
        tensors = {name: state[name].detach().to("cpu", kinds[name]).contiguous() for name in names}
        _save_tensors(folder / f"{file}.tmp", tensors)
    for outdated in (*folder.glob("model*.safetensors"), folder / INDEX, folder / FAMILIARITY):
        if outdated.name not in plan.filename_to_tensors:
            outdated.unlink(missing_ok=True)
    for file in plan.filename_to_tensors:
        (folder / f"{file}.tmp").replace(folder / file)
    if plan.is_sharded:
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        write_json(folder / INDEX, index, indent=2)


def _save_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except (SafetensorError, OSError) as error:
        path.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(getattr(error, "errno", None) or errno.EIO, reason, str(path)) from error


@torch.no_grad()
def in_int8(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices as int8 in [-127, 127] with the scale of each row beside them."""
    stored: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2 or value.numel() < _LEAST_INT8 or not value.is_floating_point():
            stored[name] = value
            continue
        rows = value.detach().float().flatten(1)
        scale = rows.abs().amax(dim=1).clamp(min=1e-12) / 127
        stored[name] = (rows / scale.unsqueeze(1)).round().to(torch.int8).view(value.shape)
        stored[name + SCALE] = scale
    return stored


def read_tensor(stored: Mapping[str, Any], name: str) -> torch.Tensor:
    """A tensor of a file; of an int8 matrix the numbers that it stands for, float32."""
    value: torch.Tensor = stored[name].get_tensor(name)
    if name + SCALE not in stored:
        return value
    scale = stored[name + SCALE].get_tensor(name + SCALE)
    return (value.flatten(1).float() * scale.unsqueeze(1)).view(value.shape)


def read_config(folder: Path) -> MirasConfig | VlmConfig:
    """What a checkpoint's `config.yaml` describes.

    Raises:
        ConfigError: It is missing or has an unknown, missing or impossible value.
    """
    return load_config(_kind, folder / CONFIG)


def _kind(content: Any) -> type[MirasConfig | VlmConfig]:
    return VlmConfig if isinstance(content, dict) and "kind" in content else MirasConfig


def _miras_config(folder: Path) -> MirasConfig:
    config = read_config(folder)
    if isinstance(config, VlmConfig):
        raise CheckpointError(
            f"{folder} is of kind vlm: it answers like any other, but only a MIRAS can be trained, exported, timed by "
            "bench, taught its pictures by familiarize, or shown videos by measure-tracking"
        )
    return config


def write_config(folder: Path, config: MirasConfig | VlmConfig) -> None:
    """Write `config.yaml`.

    Raises:
        OutputError: It cannot be written.
    """
    write_file(folder / CONFIG, yaml.safe_dump(to_mapping(config), sort_keys=False))


def read_sizes(path_or_name: str | Path) -> tuple[MirasConfig, int]:
    """A checkpoint's configuration and the tokens of its tokenizer; no weights are read.

    Args:
        path_or_name: Folder or name, see `shipped.resolve`.

    Raises:
        CheckpointError: There is no such folder, or its tokenizer is missing or malformed.
        ConfigError: `config.yaml` is missing or has an unknown, missing or impossible value.
    """
    folder = resolve(path_or_name)
    return _miras_config(folder), vocabulary_size(load_tokenizer(folder / TOKENIZER))


def check_weights(path_or_name: str | Path) -> int:
    """Compare what the weight files say that they hold with the configuration; the weights stay unread.

    Returns:
        Number of tensors.

    Raises:
        CheckpointError: A file is missing, malformed or truncated, or does not fit the configuration.
        ConfigError: As in `read_sizes`.
    """
    folder = resolve(path_or_name)
    miras = build_miras(*read_sizes(folder), empty=True)
    with _stored(folder, _weights(folder)) as stored:
        _check_fit(folder / _weights(folder), miras, stored)
        return len(stored)


def broken_weights(path_or_name: str | Path) -> list[str]:
    """Names of the tensors that hold a NaN or an infinity; they are read one at a time.

    Raises:
        CheckpointError: A file is missing, malformed or truncated.
    """
    folder = resolve(path_or_name)
    with _stored(folder, _weights(folder)) as stored:
        return [name for name, file in stored.items() if not file.get_tensor(name).isfinite().all()]


def load_checkpoint(
    path_or_name: str | Path, device: str = "cpu", dtype: str | None = None,
    exact: Callable[[Miras], Iterable[torch.nn.Parameter]] | None = None,
) -> tuple[Miras, MirasConfig, Tokenizer]:  # fmt: skip
    """Read a checkpoint folder; each tensor goes straight to its device and dtype, so memory holds the network once.

    Args:
        path_or_name: Folder or name, see `shipped.resolve`.
        device: Where the weights go.
        dtype: "fp32", "fp16" or "bf16"; None: fp16 on a GPU, fp32 on a CPU, which computes in nothing smaller at speed.
        exact: Names, of a network without weights, the parameters that are fp32 whatever `dtype` says.

    Raises:
        CheckpointError: A file is missing or malformed, the weights do not fit the configuration, or the device cannot
            be used.
        ConfigError: `config.yaml` has an unknown, missing or impossible value, or `dtype` is none of these.
    """
    folder = resolve(path_or_name)
    if (folder / CONFIG).is_file():
        config = _miras_config(folder)  # first, as another kind lacks the other files
    weights = _weights(folder, CONFIG, TOKENIZER)
    chosen = _dtype(dtype or ("fp16" if device.startswith("cuda") else "fp32"))
    tokenizer = load_tokenizer(folder / TOKENIZER)
    miras = build_miras(config, vocabulary_size(tokenizer), empty=True)
    precise = {id(parameter) for parameter in exact(miras)} if exact else set()
    dtypes = {name: torch.float32 if id(p) in precise else chosen for name, p in miras.named_parameters()}
    try:
        _fill(miras, folder, weights, device, dtypes)
    except (RuntimeError, AssertionError) as error:
        raise CheckpointError(f"device {device!r} cannot be used: {error}; remedy: set device to cpu") from error
    return miras.requires_grad_(False).eval(), config, tokenizer


def _dtype(name: str) -> torch.dtype:
    if name not in DTYPES:
        raise ConfigError(f"dtype {name!r} is not known; known: {', '.join(DTYPES)}")
    return DTYPES[name]


def _aliases(miras: Miras) -> dict[str, str]:
    """Tied parameters: what each further name is another name of."""
    first: dict[int, str] = {}
    named = miras.named_parameters(remove_duplicate=False)
    return {name: first[id(value)] for name, value in named if first.setdefault(id(value), name) != name}


def _state(miras: Miras) -> dict[str, torch.Tensor]:
    """What a file holds: the network's tensors by name, tied ones once."""
    aliases = _aliases(miras)
    return {name: value for name, value in miras.state_dict(keep_vars=True).items() if name not in aliases}


def _fill(miras: Miras, folder: Path, weights: str, device: str, dtypes: Mapping[str, torch.dtype]) -> None:
    """Give an empty network its weights, each parameter in its dtype, and put all of it on the device."""
    aliases, expected = _aliases(miras), _state(miras)
    with _stored(folder, weights) as stored:
        _check_fit(folder / weights, miras, stored)
        assigned = {}
        for name, value in expected.items():
            # A buffer, such as SAM's positional grid, stays precise: it is computed with, not multiplied by.
            assigned[name] = read_tensor(stored, name).to(device, dtypes.get(name, value.dtype))
    miras.load_state_dict(assigned, strict=False, assign=True)
    for alias, name in aliases.items():
        owner, _, leaf = alias.rpartition(".")
        setattr(miras.get_submodule(owner), leaf, miras.get_parameter(name))
    for module in miras.modules():
        for name, buffer in module.named_buffers(recurse=False):
            module.register_buffer(name, buffer.to(device), name not in module._non_persistent_buffers_set)


def _weights(folder: Path, *others: str) -> str:
    """Name of the file that says where the weights are; it and the others exist."""
    weights = INDEX if (folder / INDEX).is_file() else WEIGHTS
    missing = [name for name in (*others, weights) if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"checkpoint {folder} lacks {', '.join(missing)}")
    return weights


@contextlib.contextmanager
def _stored(folder: Path, weights: str) -> Iterator[dict[str, Any]]:
    """The open file of each tensor, by the tensor's name."""
    with contextlib.ExitStack() as stack:
        stored = {}
        for path in _files(folder, weights):
            file = stack.enter_context(_opened(path))
            stored.update(dict.fromkeys(file.keys(), file))
        yield stored


def _files(folder: Path, weights: str) -> list[Path]:
    """The files that the weights lie in."""
    if weights != INDEX:
        return [folder / weights]
    try:
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{folder / INDEX} is not an index of safetensors files: {error}") from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"checkpoint {folder} lacks {', '.join(missing)}")
    return [folder / name for name in names]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}") from error


def _check_fit(path: Path, miras: Miras, stored: Mapping[str, Any]) -> None:
    aliases = _aliases(miras)
    expected = {name: tuple(value.shape) for name, value in _state(miras).items()}
    found = {
        name: tuple(file.get_slice(name).get_shape())
        for name, file in stored.items()
        if name not in aliases and not (name.endswith(SCALE) and name.removesuffix(SCALE) in stored)
    }
    wrong_shape = (
        f"{name} {found[name]} instead of {expected[name]}"
        for name in expected.keys() & found.keys()
        if expected[name] != found[name]
    )
    said = misfit(expected.keys() - found.keys(), found.keys() - expected.keys(), wrong_shape)
    if said:
        raise CheckpointError(f"{path} does not fit its configuration; {said}")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds a mapping.

    Raises:
        CheckpointError: It is missing or malformed; the message names it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} must hold a mapping, not {type(content).__name__}")
    return content


def misfit(missing: Iterable[str], left_over: Iterable[str], wrong_shape: Iterable[str]) -> str:
    """What keeps weights from fitting a network, for a message; empty where nothing does."""
    problems = {"missing": missing, "left over": left_over, "of the wrong shape": wrong_shape}
    named = {kind: sorted(names) for kind, names in problems.items()}
    return "; ".join(f"{kind}: {listed(names)}" for kind, names in named.items() if names)


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
