"""Prefix caching: of a dialogue's next prompt only what follows the longest common prefix is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pixelrs_ros.engine.language import LanguageRunner

# A token id; at an image position the picture's identity and the place within it.
Symbol = int | tuple[bytes, int]


class PrefixCache:
    """The language model's keys and values of one dialogue, and the symbols that they belong to.

    Args:
        runner: Runs the language model.
        keeps_states: Whether the last hidden state of every position is kept, for `state_before`.
    """

    def __init__(self, runner: LanguageRunner[Any], *, keeps_states: bool = False) -> None:
        self._runner = runner
        self._states: list[torch.Tensor] | None = [] if keeps_states else None
        self.symbols: list[Symbol] = []
        self._keys_values = runner.empty()

    def reuse(self, prompt: Sequence[Symbol]) -> int:
        """Crop to what the prompt begins with too.

        Args:
            prompt: Not empty. Its last symbol is always left to be computed, since its hidden state is wanted.

        Returns:
            How many of the prompt's symbols need not be computed.
        """
        kept = 0
        for old, new in zip(self.symbols, prompt[:-1], strict=False):
            if old != new:
                break
            kept += 1
        if not self._runner.crop(self._keys_values, kept):
            self.clear()
            return 0
        del self.symbols[kept:]
        if self._states is not None:
            del self._states[kept:]
        return kept

    def extend(self, symbols: Sequence[Symbol], embeddings: Any) -> torch.Tensor:
        """Read more symbols.

        Args:
            symbols: What follows.
            embeddings: (1, L, H) float of these symbols, or what else the runner reads.

        Returns:
            (1, H) float last hidden state at the last of them.
        """
        try:
            states = self._runner.extend(self._keys_values, embeddings)
        except BaseException:
            self.clear()  # some layers may have read the symbols and others not
            raise
        self.symbols.extend(symbols)
        if self._states is not None:
            self._states.extend(states[0].split(1))
        return states[:, -1]

    def state_before(self, back: int) -> torch.Tensor:
        """(1, H) float last hidden state, `back` positions before the last one read; the first where there is none.

        Raises:
            ValueError: No states are kept, or nothing was read.
        """
        if not self._states:
            raise ValueError("no hidden states are kept")
        return self._states[max(0, len(self._states) - 1 - back)]

    def clear(self) -> None:
        """Forget everything."""
        self.symbols = []
        if self._states is not None:
            self._states = []
        self._keys_values = self._runner.empty()
