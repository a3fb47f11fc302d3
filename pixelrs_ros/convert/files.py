"""Weight files of other projects, opened lazily: safetensors and PyTorch's, whole or in shards."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from pixelrs_ros.checkpoint import read_json
from pixelrs_ros.errors import CheckpointError

_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_WHOLE = (
    "model.safetensors",
    "pytorch_model.bin",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
# https://huggingface.co/docs/safetensors: what each dtype is called in a file.
DTYPE_NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
_DTYPES = {name: dtype for dtype, name in DTYPE_NAMES.items()}
_SUFFIXES = (".safetensors", ".bin", ".pth", ".pt")
_WRAPPERS = ("state_dict", "model")  # training scripts put the weights below one of these


@dataclass(frozen=True)
class Stored:
    """One tensor that still lies in its file.

    Attributes:
        name: In that file.
        file: Where it lies.
        shape: Its shape.
        dtype: Its dtype.
        read: Reads it, on the CPU and in the file's dtype.
    """

    name: str
    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], torch.Tensor]


def open_weights(path: Path) -> dict[str, Stored]:
    """Every tensor of a weight file, or of a folder that holds one, whole or in shards.

    Args:
        path: A `.safetensors`, `.bin`, `.pt` or `.pth` file, or a folder in transformers' or open_clip's layout, where
            safetensors go before PyTorch's files.

    Raises:
        CheckpointError: Nothing is there, or a file is truncated or of another kind; the message names it.
    """
    if path.is_file():
        return _by_name(_open_file(path))
    if not path.is_dir():
        raise CheckpointError(f"no file or folder {path}")
    for whole, index in ((_WHOLE[0], _INDEXES[0]), (_WHOLE[1], _INDEXES[1])):
        if (path / whole).is_file():
            return _by_name(_open_file(path / whole))
        if (path / index).is_file():
            return _open_shards(path / index)
    for name in _WHOLE[2:]:
        if (path / name).is_file():
            return _by_name(_open_file(path / name))
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if len(files) == 1:
        return _by_name(_open_file(files[0]))
    found = ", ".join(file.name for file in files) or "none"
    raise CheckpointError(
        f"{path} holds no weights under a known name ({', '.join((*_INDEXES, *_WHOLE))}); weight files there: {found}; "
        "remedy: name the file itself"
    )


def _by_name(tensors: Iterator[Stored]) -> dict[str, Stored]:
    return {tensor.name: tensor for tensor in tensors}


def _open_shards(index: Path) -> dict[str, Stored]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(name, str) for name in weight_map.values()):
        raise CheckpointError(f"{index} has no weight_map of tensors to files")
    names = sorted(set(weight_map.values()))
    absent = [name for name in names if not (index.parent / name).is_file()]
    if absent:
        raise CheckpointError(f"{index} names files that are missing: {', '.join(absent)}")
    tensors: dict[str, Stored] = {}
    for name in names:
        tensors.update(_by_name(_open_file(index.parent / name)))
    missing = [name for name in weight_map if name not in tensors]
    if missing:
        raise CheckpointError(f"{index} names tensors that its files lack: {', '.join(sorted(missing)[:8])}")
    return tensors


def _open_file(path: Path) -> Iterator[Stored]:
    return _open_safetensors(path) if path.suffix == ".safetensors" else _open_pytorch(path)


def _open_safetensors(path: Path) -> Iterator[Stored]:
    try:
        content = safe_open(path, framework="pt")
        for name in content.keys():  # noqa: SIM118  # no mapping: it has no other way to list them
            part = content.get_slice(name)
            dtype = _DTYPES.get(part.get_dtype())
            if dtype is None:
                raise CheckpointError(f"{path}: {name} is of the dtype {part.get_dtype()}, which is not supported")
            yield Stored(name, path, tuple(part.get_shape()), dtype, functools.partial(content.get_tensor, name))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}; remedy: fetch it again") from error


def _open_pytorch(path: Path) -> Iterator[Stored]:
    content = _load_pytorch(path)
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no mapping of names to tensors but {type(content).__name__}")
    wrong = [str(name) for name, value in content.items() if not isinstance(value, torch.Tensor)]
    if wrong:
        raise CheckpointError(f"{path} holds what is no tensor: {', '.join(wrong[:8])}; remedy: save a state_dict()")
    for name, tensor in content.items():
        # `module.` is what torch's data parallelism puts before every name.
        bare = name.removeprefix("module.")
        yield Stored(bare, path, tuple(tensor.shape), tensor.dtype, functools.partial(torch.Tensor.detach, tensor))


def _load_pytorch(path: Path) -> Any:
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            return torch.load(path, map_location="cpu", weights_only=True)  # written by a torch older than 1.6
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors, or is no PyTorch file, and is not unpickled, as that could run any code; "
            "remedy: where you trust it, save torch.save(model.state_dict(), …) or safetensors from it"
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError, IndexError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path} is not a whole PyTorch file: {first}; remedy: fetch it again") from error
