"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@pytest.fixture
def bias_token() -> Callable[..., None]:
    """Adds to the logit of one token, in place of an earlier bias: a random network seldom says what a test needs."""
    from torch import Tensor, nn

    class Biased(nn.Module):
        def __init__(self, head: nn.Module, token: int, bias: float) -> None:
            super().__init__()
            self.head, self.token, self.bias = head, token, bias

        def forward(self, hidden: Tensor) -> Tensor:
            logits: Tensor = self.head(hidden).clone()
            logits[..., self.token] += self.bias
            return logits

    def add(language: PreTrainedModel, token: int, bias: float) -> None:
        head = language.get_output_embeddings()
        language.set_output_embeddings(Biased(head.head if isinstance(head, Biased) else head, token, bias))

    return add
