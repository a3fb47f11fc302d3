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


class Choice:
    """A dialogue in the list. It stays where it is: what is drawn anew loses the keyboard, and clicks."""

    def __init__(self, on_choose: Callable[[], Awaitable[None]]) -> None:
        with ui.element("li") as self.element:
            self._button = ui.element("button").props("type=button").on("click", lambda _: on_choose())
            with self._button:
                self._label = ui.label()

    def show(self, text: str, *, chosen: bool) -> None:
        """Say what it is, and whether it is the one that the page shows."""
        self._label.set_text(text)
        self._button.props(f"aria-pressed={str(chosen).lower()}")


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
        self._choices: dict[str, Choice] = {}  # by dialogue; those that come later stand higher
        with folded("Dialogues", "sessions-title"):
            self._list = ui.element("ul").classes("sessions").props('aria-labelledby="sessions-title"')
            button("New dialogue", lambda: self._choose(f"page-{uuid4().hex[:8]}"))

    async def refresh(self) -> None:
        """Ask the node, and show what has changed."""
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(self._node.dialogues()), _ANSWER_TIMEOUT_S)
        except (asyncio.TimeoutError, PixelrsError):  # the page says elsewhere that no node is there
            return
        about = {view.session_id: described(view) for view in reversed(found)}
        about.setdefault(self._chosen, "no turns yet")
        for name in self._choices.keys() - about.keys():
            self._choices.pop(name).element.delete()
        for name, text in about.items():
            if name not in self._choices:
                with self._list:
                    self._choices[name] = Choice(partial(self._choose, name))
                self._choices[name].element.move(target_index=0)
            self._choices[name].show(f"{name} ({text})", chosen=name == self._chosen)

    async def _choose(self, name: str) -> None:
        self._chosen = name
        await self._on_choose(name)
        await self.refresh()


def described(view: DialogueView) -> str:
    """What the list says of a dialogue."""
    return "1 turn" if view.turns == 1 else f"{view.turns} turns"
