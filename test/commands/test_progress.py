"""What a command shows of its progress."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pixelrs_ros.commands.progress import progress_bar


@pytest.mark.parametrize(("total", "told"), [(None, "3/?"), (7, "3/7")])
def test_a_terminal_sees_how_many_are_done(total: int | None, told: str) -> None:
    screen = io.StringIO()
    with progress_bar(Console(file=screen, force_terminal=True, width=100)) as progress:
        task = progress.add_task("dialogues", total=total)
        progress.update(task, completed=3)
        progress.refresh()
    assert told in screen.getvalue().replace(" ", "")


@pytest.mark.parametrize("is_terminal", [False, True])
def test_nothing_is_written_where_there_is_nothing_to_see(is_terminal: bool) -> None:
    written = io.StringIO()
    with progress_bar(Console(file=written, force_terminal=is_terminal), shown=not is_terminal) as progress:
        progress.advance(progress.add_task("dialogues", total=None))
    assert written.getvalue() == ""
