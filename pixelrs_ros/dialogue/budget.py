"""How much of a dialogue fits into the network's context."""

from __future__ import annotations

from collections.abc import Sequence


def turns_that_fit(lengths: Sequence[int], budget: int) -> int:
    """How many of the newest turns fit.

    Args:
        lengths: Tokens of each past turn, oldest first.
        budget: Tokens that are free for them.
    """
    used = 0
    for kept, length in enumerate(reversed(lengths)):
        used += length
        if used > budget:
            return kept
    return len(lengths)
