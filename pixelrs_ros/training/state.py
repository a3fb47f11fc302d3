"""What a phase leaves on disk: one safetensors file with trained weights, the optimizer's moments and the step.

Nothing is pickled. The order of the data and every random number follow from the seed and the step, so there is no
sampler's or generator's state to keep, and the number of processes may change between a kill and its resumption.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from torch.distributed.tensor import DTensor, distribute_tensor

from pixelrs_ros.checkpoint import misfit
from pixelrs_ros.errors import CheckpointError

# What AdamW and Muon keep of a parameter, and what it is called in the file.
_MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq", "updates": "step", "momentum": "momentum_buffer"}


def state_path(out: Path, phase: str) -> Path:
    """Where a phase keeps its weights and its optimizer's moments."""
    return out / phase / "state.safetensors"


def trained(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by name; one that is used twice counts once."""
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def save_state(
    path: Path, module: nn.Module, optimizer: torch.optim.Optimizer, progress: dict[str, Any], *, write: bool
) -> None:
    """Write the trained weights, the buffers, the moments and `progress`; the file is whole or the old one.

    Args:
        path: The file's path.
        module: Its parameters may be sharded; every process has to call this.
        optimizer: The optimizer of its trained parameters.
        progress: What JSON can hold.
        write: Whether this process writes.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, value in _state(module, optimizer):
        whole = value.full_tensor() if isinstance(value, DTensor) else value
        if write:
            tensors[name] = whole.detach().cpu().contiguous()
    if write:
        temporary = path.with_suffix(".tmp")
        save_file(tensors, temporary, metadata={"progress": json.dumps(progress)})
        temporary.replace(path)


def load_state(path: Path, module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The inverse of `save_state`; gives back the progress.

    Raises:
        CheckpointError: The file is damaged or belongs to another network.
    """
    _load(path, module)
    with safe_open(path, framework="pt") as file:
        kept = set(file.keys())
        for name, parameter in trained(module).items():
            known = {key: f"{saved}.{name}" for saved, key in _MOMENTS.items() if f"{saved}.{name}" in kept}
            if known:  # a parameter that has had no gradient so far has none
                moments = {key: file.get_tensor(saved) for key, saved in known.items()}
                optimizer.state[parameter] = {
                    key: value if key == "step" else _like(value, parameter) for key, value in moments.items()
                }
        progress: dict[str, Any] = json.loads(file.metadata()["progress"])
    return progress


def load_weights(out: Path, phase: str, module: nn.Module) -> None:
    """Load what an earlier phase has trained.

    Raises:
        CheckpointError: That phase has not run, or its weights do not fit.
    """
    path = state_path(out, phase)
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; remedy: run the phase {phase!r} first")
    _load(path, module)


def _state(module: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, torch.Tensor]]:
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    buffers = {name: value for name, value in module.state_dict().items() if name not in parameters}
    for name, value in (*trained(module).items(), *buffers.items()):
        yield f"model.{name}", value
    for name, parameter in trained(module).items():
        for saved, key in _MOMENTS.items():
            if key in optimizer.state.get(parameter, {}):
                yield f"{saved}.{name}", optimizer.state[parameter][key]


@torch.no_grad()
def _load(path: Path, module: nn.Module) -> None:
    targets = {**module.state_dict(keep_vars=True)}
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith("model.")]  # noqa: SIM118  # not a mapping
            kept = {name.removeprefix("model.") for name in names}
            wrong_shape = []
            for name in sorted(kept & targets.keys()):
                value, target = file.get_tensor(f"model.{name}"), targets[name]
                if value.shape == target.shape:
                    target.copy_(_like(value, target))
                else:
                    wrong_shape.append(f"{name} {tuple(value.shape)} instead of {tuple(target.shape)}")
            said = misfit(trained(module).keys() - kept, kept - targets.keys(), wrong_shape)
    except SafetensorError as error:
        raise CheckpointError(f"{path} cannot be read: {error}; remedy: remove it and train again") from error
    if said:
        raise CheckpointError(f"{path} does not fit the configuration; {said}")


def _like(value: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """On the target's device, and cut like it where it is sharded."""
    value = value.to(target.device)
    return distribute_tensor(value, target.device_mesh, target.placements) if isinstance(target, DTensor) else value
