"""The list of dialogues on the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

from nicegui import ui

from pixelrs_ros.console.parts import button, folded
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.console.views import DialogueView
from pixelrs_ros.types import DEFAULT_SESSION_ID

_ANSWER_TIMEOUT_S = 3.0


class SessionList:
    """Every dialogue that the node remembers, and a new one.

    Args:
        node: Knows the dialogues.
        on_choose: Called with the dialogue that was chosen.
    """

    def __init__(self, node: ConsoleNode, on_choose: Callable[[str], Awaitable[None]]) -> None:
        self._node = node
        self._on_choose = on_choose
        self._chosen = DEFAULT_SESSION_ID
        self._shown: list[tuple[str, str]] = []
        with folded("Dialogues", "sessions-title"):
            self._list = ui.element("ul").classes("sessions").props('aria-labelledby="sessions-title"')
            button("New dialogue", lambda: self._choose(f"page-{uuid4().hex[:8]}"))

    async def refresh(self) -> None:
        """Ask the node, and show what has changed."""
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(self._node.dialogues()), _ANSWER_TIMEOUT_S)
        except (asyncio.TimeoutError, PixelrsError):  # the page says elsewhere that no node is there
            return
        rows = [(view.session_id, described(view)) for view in found]
        if self._chosen not in dict(rows):
            rows.insert(0, (self._chosen, "no turns yet"))
        if rows != self._shown:
            self._shown = rows
            self._draw()

    def _draw(self) -> None:
        self._list.clear()
        with self._list:
            for name, about in self._shown:
                with ui.element("li"):
                    choice = button(f"{name} ({about})", partial(self._choose, name))
                    choice.props(f"aria-pressed={str(name == self._chosen).lower()}")

    async def _choose(self, name: str) -> None:
        self._chosen, self._shown = name, []
        await self._on_choose(name)
        await self.refresh()


def described(view: DialogueView) -> str:
    """What the list says of a dialogue."""
    return "1 turn" if view.turns == 1 else f"{view.turns} turns"
