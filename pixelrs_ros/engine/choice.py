"""Which token comes next: greedy, except that how an answer ends is decided before how it is worded."""

from __future__ import annotations

import torch

from pixelrs_ros.text import tokenizer as tokens
from pixelrs_ros.text.layout import ChatLayout


class TokenChoice:
    """Greedy decoding over the tokens that may be said.

    An answer that asks back or finds nothing begins with one certain token, one that grounds or tells may begin with
    many. Taking the single likeliest first token would ask back although most of the probability speaks for an answer,
    so `[ASK]` and `[NONE]` compete with all the others together.
    """

    def __init__(self, layout: ChatLayout, device: torch.device) -> None:
        speakable = torch.ones(layout.vocab_size, dtype=torch.bool)
        speakable[layout.unspeakable_ids] = False
        self._forbidden = (~speakable).to(device)
        self._statuses = [layout.ids[tokens.ASK], layout.ids[tokens.NONE]]

    def __call__(self, logits: torch.Tensor, *, first: bool) -> tuple[int, float]:
        """Choose.

        Args:
            logits: (V,) float.
            first: Whether the answer begins here.

        Returns:
            The token, and its probability among those that may be said.
        """
        probabilities = logits.float().masked_fill(self._forbidden, float("-inf")).softmax(dim=0)
        if first:
            statuses = probabilities[self._statuses]
            others = 1 - statuses.sum()
            probabilities[self._statuses] = torch.where(statuses > others, statuses, 0.0)
        token = int(probabilities.argmax())
        return token, float(probabilities[token])
