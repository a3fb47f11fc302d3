"""Muon for the matrices inside a network, AdamW for the rest.

Muon: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon. torch has a Muon
too, but it computes in bfloat16, which a CPU without matrix units for it does six times slower than float32, and takes
matrices only.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import nn

_A, _B, _C = 3.4445, -4.7750, 2.0315  # of the quintic whose iteration drives singular values towards 1
_ITERATIONS = 4
_MOMENTUM = 0.95
_SIZE = 0.2  # root mean square of AdamW's usual update (Liu et al. 2025, arXiv 2502.16982): one learning rate for both
_LEAST_SIDE = 8  # of a matrix whose singular values mean something


def inner_matrices(module: nn.Module) -> list[nn.Parameter]:
    """The trained weights of linear layers, but not those of heads, whose rows belong to words or classes."""
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, nn.Linear)]
    weights = [layer.get_parameter("weight") for name, layer in layers if "head" not in name.rpartition(".")[2]]
    return [weight for weight in weights if weight.requires_grad and min(weight.shape) > _LEAST_SIDE]


class Muon(torch.optim.AdamW):
    """AdamW, except that parameter groups with `"orthogonal": True` take Muon's step."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; matrices of one shape share one iteration."""
        for group in self.param_groups:
            if not group.get("orthogonal"):
                continue
            by_shape: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                directions = orthogonalised(torch.stack([self._direction(parameter) for parameter in parameters]))
                rate = group["lr"] * _SIZE * max(parameters[0].shape) ** 0.5
                for parameter, direction in zip(parameters, directions, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-rate)
                    parameter.grad = None  # done with: AdamW passes over it
        super().step(closure)

    def _direction(self, parameter: nn.Parameter) -> torch.Tensor:
        """Nesterov's momentum."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return parameter.grad.lerp(state["momentum_buffer"].lerp_(parameter.grad, 1 - _MOMENTUM), _MOMENTUM)


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """(N, a, b) float -> (N, a, b) float with the same singular vectors and singular values near 1.

    The iteration of Newton and Schulz with the coefficients of Muon's authors, which leave values between about 0.7
    and 1.2.
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x if matrices.shape[1] <= matrices.shape[2] else x.mT
