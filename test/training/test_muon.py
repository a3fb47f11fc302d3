from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import nn

from pixelrs_ros.training.muon import Muon, inner_matrices, orthogonalised


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 24, 24)])
def test_singular_vectors_stay_and_values_become_alike(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    turned = left.mT @ orthogonalised(matrices) @ right.mT  # in the old singular vectors
    values = turned.diagonal(dim1=1, dim2=2)
    assert torch.allclose(turned, torch.diag_embed(values), atol=1e-4)
    if shape[1] != shape[2]:  # a square one has values near zero that four iterations do not lift
        assert values.min() > 0.5 and values.max() < 1.3


def network() -> nn.ModuleDict:
    torch.manual_seed(0)
    model = nn.ModuleDict({"inner": nn.Linear(16, 24), "small": nn.Linear(24, 4), "lm_head": nn.Linear(24, 32)})
    model["words"] = nn.Embedding(9, 16)
    model["frozen"] = nn.Linear(16, 16).requires_grad_(False)
    return model


def test_heads_embeddings_and_what_is_small_or_frozen_are_left_to_adamw() -> None:
    model = network()
    chosen = inner_matrices(model)
    assert len(chosen) == 1 and chosen[0] is cast(nn.Linear, model["inner"]).weight


def test_a_step_moves_matrices_by_muon_and_the_rest_as_adamw_does() -> None:
    model = network()
    matrix, head = (cast(nn.Linear, model[name]).weight for name in ("inner", "lm_head"))
    optimizer = Muon(
        [{"params": [matrix], "orthogonal": True, "weight_decay": 0.5}, {"params": [head], "weight_decay": 0.5}], lr=0.1
    )
    other = nn.Parameter(head.detach().clone())
    adamw = torch.optim.AdamW([other], lr=0.1, weight_decay=0.5)
    before = matrix.detach().clone()
    matrix.grad, head.grad = torch.randn_like(matrix), torch.randn_like(head)
    other.grad = head.grad.clone()
    expected = before * 0.95 - 0.1 * 0.2 * 24**0.5 * orthogonalised(matrix.grad.unsqueeze(0))[0]
    optimizer.step()
    adamw.step()
    assert torch.allclose(matrix, expected, atol=1e-6)  # the first momentum points where the gradient does
    assert torch.equal(head, other)
