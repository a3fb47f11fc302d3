"""Live pictures over a real WebSocket: the newest, none twice, and each dialogue's masks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from pixelrs_ros.console.live import MASKS, PICTURE, News, Viewer


class Shown:
    """Stands for the node: what the test puts there."""

    def __init__(self) -> None:
        self.now = (0, b"")
        self.layers: dict[str, tuple[int, bytes]] = {}
        self.news: News | None = None
        self.viewers = 0

    def picture(self) -> tuple[int, bytes]:
        return self.now

    def masks(self, session_id: str) -> tuple[int, bytes]:
        return self.layers.get(session_id, (0, b""))

    def put(self, version: int, content: bytes) -> None:
        self.now = version, content
        if self.news is not None:
            self.news.tell()

    async def serve(self, socket: WebSocket) -> None:
        self.news = self.news or News()
        await socket.accept()
        self.viewers += 1
        try:
            await Viewer(socket, self, self.news).serve()
        finally:
            self.viewers -= 1


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def client(shown: Shown) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[WebSocketRoute("/live", shown.serve)])) as client:
        yield client


def test_a_viewer_that_was_busy_sees_the_newest_only(client: TestClient, shown: Shown) -> None:
    shown.put(1, b"one")
    with client.websocket_connect("/live") as socket:
        socket.send_text("default")
        assert socket.receive_bytes() == PICTURE + b"one"
        for version in range(2, 6):
            shown.put(version, f"picture {version}".encode())
        socket.send_text("default")  # has shown the first one
        assert socket.receive_bytes() == PICTURE + b"picture 5"


def test_a_picture_that_comes_later_is_not_waited_for_in_vain(client: TestClient, shown: Shown) -> None:
    with client.websocket_connect("/live") as socket:
        socket.send_text("default")
        shown.put(1, b"one")
        assert socket.receive_bytes() == PICTURE + b"one"


def test_masks_are_those_of_the_viewers_dialogue(client: TestClient, shown: Shown) -> None:
    shown.layers = {"a": (1, b"masks of a"), "b": (1, b"masks of b")}
    with client.websocket_connect("/live") as one, client.websocket_connect("/live") as other:
        one.send_text("a")
        other.send_text("b")
        assert one.receive_bytes() == MASKS + b"masks of a"
        assert other.receive_bytes() == MASKS + b"masks of b"
        one.send_text("b")
        assert one.receive_bytes() == MASKS + b"masks of b"


def test_masks_that_no_longer_hold_are_taken_away(client: TestClient, shown: Shown) -> None:
    shown.layers = {"a": (1, b"masks")}
    with client.websocket_connect("/live") as socket:
        socket.send_text("a")
        assert socket.receive_bytes() == MASKS + b"masks"
        shown.layers = {}
        socket.send_text("a")
        assert socket.receive_bytes() == MASKS


def test_a_picture_that_cannot_be_shown_is_not_sent(client: TestClient, shown: Shown) -> None:
    shown.put(1, b"")
    with client.websocket_connect("/live") as socket:
        socket.send_text("a")
        shown.put(2, b"two")
        assert socket.receive_bytes() == PICTURE + b"two"


def test_a_viewer_that_leaves_is_forgotten(client: TestClient, shown: Shown) -> None:
    for _ in range(3):
        with client.websocket_connect("/live") as socket:
            socket.send_text("a")
    assert shown.viewers == 0
