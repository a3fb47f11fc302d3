"""Live pictures and masks to each viewer, as fast as it can show them: none waits behind a newer one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

PICTURE, MASKS = b"P", b"M"  # before the file in each message
Name = tuple[str, int]
NOTHING: Name = "", 0
_LOOK_S = 0.5  # masks that are no longer known to hold disappear without any news


class Layered(Protocol):
    """Where pictures and masks come from. Each has a version, and a content that is empty when there is none."""

    def picture(self) -> tuple[int, bytes]:
        """The newest live picture."""

    def masks(self, session_id: str) -> tuple[int, bytes]:
        """The masks of a dialogue that hold now."""


class News:
    """Wakes whoever waits for a picture. To be made in the event loop that waits.

    Attributes:
        count: How often something new has come.
    """

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def tell(self) -> None:
        """There is something new. May be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake)

    async def wait(self, count: int) -> None:
        """Wait until there is more than when `count` was read, for at most half a second."""
        if count != self.count:
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), _LOOK_S)

    def _wake(self) -> None:
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()


class Viewer:
    """One open page's live picture.

    The page sends the name of its dialogue when it is open and after everything that it has shown; only then it gets
    the next, which is the newest there is then.
    """

    def __init__(self, socket: WebSocket, source: Layered, news: News) -> None:
        self._socket, self._source, self._news = socket, source, news
        self._session_id = ""
        self._may_send = asyncio.Event()
        self._shown: dict[bytes, Name] = {PICTURE: NOTHING, MASKS: NOTHING}

    async def serve(self) -> None:
        """Send pictures until the page is closed."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._send)
            await self._receive()
            group.cancel_scope.cancel()

    async def _receive(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                self._session_id = await self._socket.receive_text()
                self._may_send.set()

    async def _send(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):  # `_receive` learns of it too
            while True:
                await self._may_send.wait()
                count = self._news.count
                if not (await self._send_newer(MASKS) or await self._send_newer(PICTURE)):
                    await self._news.wait(count)

    async def _send_newer(self, kind: bytes) -> bool:
        """Send the newest of a kind; False when it has been shown. The last picture stays where there is none."""
        name, content = self._content(kind)
        if name == self._shown[kind] or (kind == PICTURE and not content):
            return False
        self._shown[kind] = name
        self._may_send.clear()
        await self._socket.send_bytes(kind + content)
        return True

    def _content(self, kind: bytes) -> tuple[Name, bytes]:
        """A picture's or the masks' name, which no other has, and the file."""
        session_id = self._session_id if kind == MASKS else ""
        version, content = self._source.masks(session_id) if kind == MASKS else self._source.picture()
        return (session_id, version) if content else NOTHING, content
