"""Live pictures and masks to each viewer, as fast as it can show them: none waits behind a newer one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

PICTURE, MASKS = b"P", b"M"  # before the file in each message
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
        self._shown: dict[bytes, tuple[str, int]] = {PICTURE: ("", 0), MASKS: ("", 0)}

    async def serve(self) -> None:
        """Send pictures until the page is closed."""
        tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._send())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                self._session_id = await self._socket.receive_text()
                self._may_send.set()

    async def _send(self) -> None:
        while True:
            await self._may_send.wait()
            count = self._news.count
            for kind in (MASKS, PICTURE):
                name, content = await asyncio.to_thread(self._content, kind)
                if name != self._shown[kind] and (content or kind == MASKS):
                    self._shown[kind] = name
                    self._may_send.clear()
                    await self._socket.send_bytes(kind + content)
                    break
            else:
                await self._news.wait(count)

    def _content(self, kind: bytes) -> tuple[tuple[str, int], bytes]:
        """A picture's or the masks' name, which no other has, and the file."""
        session_id = self._session_id if kind == MASKS else ""
        version, content = self._source.masks(session_id) if kind == MASKS else self._source.picture()
        return (session_id, version), content
