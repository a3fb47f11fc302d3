"""What every recognizer of speech does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Heard:
    """What was recognized.

    Attributes:
        text: The words; empty when there are none.
        confidence: How sure the recognizer is of them, in [0, 1].
        alternatives: What else it may have been, best first, each once and without `text`.
    """

    text: str
    confidence: float
    alternatives: tuple[str, ...] = ()


class Recognizer(Protocol):
    """Turns an utterance into words."""

    def recognize(self, samples: np.ndarray) -> Heard:
        """The words of (N,) float32 samples of 16 kHz in [-1, 1]."""
