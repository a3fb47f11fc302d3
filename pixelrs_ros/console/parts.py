"""Small parts that several panels are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from nicegui import ui
from nicegui.element import Element

from pixelrs_ros.errors import PixelrsError

_ANSWER_TIMEOUT_S = 10.0

T = TypeVar("T")


def heading(level: int, text: str, name: str = "") -> Element:
    """A heading, and the id that others call their panel's name by."""
    element = ui.html(text, sanitize=False, tag=f"h{level}")
    return element.props(f"id={name}") if name else element


@contextmanager
def panel(title: str, name: str, classes: str = "") -> Iterator[Element]:
    """A part of the page that is named by its heading."""
    with ui.element("section").props(f'aria-labelledby="{name}"').classes(f"panel {classes}") as section:
        heading(2, title, name)
        yield section


@contextmanager
def folded(title: str, name: str) -> Iterator[Element]:
    """A part of the page that opens when its title is chosen."""
    with ui.element("details").classes("panel") as details:
        with ui.element("summary"):
            heading(2, title, name)
        yield details


def button(text: str, on_click: Callable[[], Any] | None = None, *, kind: str = "button") -> Element:
    """A plain button; `kind` is HTML's type."""
    element = ui.element("button").props(f"type={kind}")
    with element:
        ui.label(text)
    return element if on_click is None else element.on("click", lambda _: on_click())


async def asked(answer: Future[T]) -> T | None:
    """What the robot answers; None, and a message on the page, where it does not."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(answer), _ANSWER_TIMEOUT_S)
    except asyncio.TimeoutError:
        ui.notify("The perception node does not answer.")
    except PixelrsError as error:
        ui.notify(str(error))
    return None


class Question:
    """Asks the operator before something cannot be undone.

    Args:
        yes: What the button says that agrees.
    """

    def __init__(self, yes: str) -> None:
        # Without its slow appearance, which some people do not bear.
        self._dialog = ui.dialog().props('aria-label="Question" transition-duration=0')
        with self._dialog, ui.element("div").classes("console panel"):
            self._text = ui.label().classes("question")
            with ui.element("div").classes("row"):
                button("No", lambda: self._dialog.submit(False)).props("autofocus")
                button(yes, lambda: self._dialog.submit(True))

    async def ask(self, text: str) -> bool:
        """Whether the operator agrees."""
        self._text.set_text(text)
        return bool(await self._dialog)
