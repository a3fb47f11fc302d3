"""Work for other processes, which find it by its name."""

from __future__ import annotations

import os

from pixelrs_ros.errors import DataError

IMPOSSIBLE, DEADLY = 13, 14


def doubled(number: int) -> int:
    """Twice as much, where that can be done."""
    if number == IMPOSSIBLE:
        raise DataError("thirteen cannot be doubled")
    if number == DEADLY:
        os._exit(1)
    return 2 * number
