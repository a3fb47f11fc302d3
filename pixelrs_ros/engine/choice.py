"""Which token comes next, and how sure the network is.

Decoding is greedy, except that how an answer ends is decided before how it is worded.
"""

from __future__ import annotations

import math

import torch

from pixelrs_ros.config import ScoreConfig
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
        self._ends = [*self._statuses, layout.eos_id]

    def __call__(self, logits: torch.Tensor, *, first: bool) -> tuple[int, float]:
        """Choose.

        Args:
            logits: (V,) float; those past the last token, rows of no token, are never chosen.
            first: Whether the answer begins here.

        Returns:
            The token, and its probability among those that may be said.
        """
        probabilities = self._probabilities(logits)
        if first:
            statuses = probabilities[self._statuses]
            others = 1 - statuses.sum()
            probabilities[self._statuses] = torch.where(statuses > others, statuses, 0.0)
        token = int(probabilities.argmax())
        return token, float(probabilities[token])

    def naming(self, logits: torch.Tensor) -> tuple[int, float]:
        """Choose among what goes on until something is named; argument and result as of a call."""
        probabilities = self._probabilities(logits)
        probabilities[self._ends] = 0.0
        token = int(probabilities.argmax())
        return token, float(probabilities[token])

    def refusing(self, logits: torch.Tensor, *, first: bool) -> tuple[int, float]:
        """Choose, but begin as an answer does that finds nothing; arguments and result as of a call."""
        return (self._statuses[1], 1.0) if first else self(logits, first=False)

    def _probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """(V,) float, of the tokens that may be said."""
        return logits[: len(self._forbidden)].float().masked_fill(self._forbidden, float("-inf")).softmax(dim=0)


_LEAST = 1e-6  # keeps logarithms finite


def mask_score(config: ScoreConfig, quality: float, certainty: float) -> float:
    """A mask's calibrated score in [0, 1] from two estimates in [0, 1], see `ScoreConfig`."""
    log_odds, log_certainty = score_features(quality, certainty)
    return 1 / (1 + math.exp(-(config.intercept + config.quality * log_odds + config.certainty * log_certainty)))


def score_features(quality: float, certainty: float) -> tuple[float, float]:
    """What the score is linear in: the log-odds of the quality and the logarithm of the certainty, both finite."""
    quality = min(max(quality, _LEAST), 1 - _LEAST)
    return math.log(quality / (1 - quality)), math.log(max(certainty, _LEAST))
