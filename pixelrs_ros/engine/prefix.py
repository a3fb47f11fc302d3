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
    """

    def __init__(self, runner: LanguageRunner[Any]) -> None:
        self._runner = runner
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
        return kept

    def extend(self, symbols: Sequence[Symbol], embeddings: torch.Tensor) -> torch.Tensor:
        """Read more symbols.

        Args:
            symbols: What follows.
            embeddings: (1, L, H) float, of these symbols.

        Returns:
            (1, H) float last hidden state at the last of them.
        """
        try:
            hidden = self._runner.extend(self._keys_values, embeddings)
        except BaseException:
            self.clear()  # some layers may have read the symbols and others not
            raise
        self.symbols.extend(symbols)
        return hidden

    def clear(self) -> None:
        """Forget everything."""
        self.symbols = []
        self._keys_values = self._runner.empty()
