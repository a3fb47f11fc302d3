"""How far a command has come, on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def progress_bar(console: Console, *, shown: bool = True) -> Progress:
    """A bar with counts and times that goes away at its end; none where the console is a file or a pipe.

    Args:
        console: Where it is drawn.
        shown: Whether there is anything to be shown at all.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))
