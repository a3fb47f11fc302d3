"""Who may use the page, asked through real requests and WebSockets of a small application behind the guard."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pixelrs_ros.console.guard import COOKIE, PARAMETER, Guard, is_loopback


async def page(_: Any) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("a picture")
    await socket.close()


def visitor(token: str = "", address: str = "http://127.0.0.1:8080") -> TestClient:
    routes = [Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/live", live)]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, token=token)])
    return TestClient(app, base_url=address)


def sees_pictures(client: TestClient, **headers: str) -> bool:
    try:
        with client.websocket_connect("/live", headers=headers) as socket:
            return bool(socket.receive_text() == "a picture")
    except WebSocketDisconnect:
        return False


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_this_machine_needs_no_token(host: str) -> None:
    client = visitor(address=f"http://{host}")
    assert client.get("/").text == "the page"
    assert sees_pictures(client, host=host, origin=f"http://{host}")


@pytest.mark.parametrize("host", ["evil.example:8080", "127.0.0.1.evil.example", "192.168.1.7:8080", ""])
def test_without_a_token_the_page_has_no_other_name(host: str) -> None:
    """A site whose name is made to mean 127.0.0.1 would else be this page to the browser."""
    client = visitor()
    assert client.get("/", headers={"host": host}).status_code == 403
    assert not sees_pictures(client, host=host)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "null"])
@pytest.mark.parametrize("token", ["", "secret"])
def test_another_sites_page_is_refused(origin: str, token: str) -> None:
    client = visitor(token)
    client.cookies.set(COOKIE, token)
    assert client.post("/", headers={"origin": origin}).status_code == 403
    assert not sees_pictures(client, origin=origin)


def test_with_a_token_the_address_opens_the_page_once_and_the_cookie_afterwards() -> None:
    client = visitor("secret", "http://robot.local:8080")
    refused = client.get("/")
    assert refused.status_code == 403 and "A token is needed" in refused.text
    assert not sees_pictures(client)
    opened = client.get("/?token=secret", follow_redirects=False)
    assert opened.status_code == 303 and opened.headers["location"] == "/"
    assert (
        "httponly" in opened.headers["set-cookie"].lower() and "samesite=strict" in opened.headers["set-cookie"].lower()
    )
    assert client.get("/").text == "the page"
    assert sees_pictures(client, cookie=f"{COOKIE}={client.cookies[COOKIE]}")


@pytest.mark.parametrize("token", ["a b&c#d", "a+b;c,d=%20", 'quote"\\', "größer", "日本"])
def test_a_token_may_have_any_characters(token: str) -> None:
    client = visitor(token)
    assert client.get(f"/?{PARAMETER}={quote(token, safe='')}").text == "the page"
    assert client.get("/").text == "the page"


@pytest.mark.parametrize("given", ["?token=", "?token=wrong", "?token=SECRET", "?other=secret"])
def test_a_wrong_token_opens_nothing(given: str) -> None:
    client = visitor("secret")
    assert client.get(f"/{given}").status_code == 403
    for cookie in ("", "wrong", "sécret", "a\x00b"):
        assert client.get("/", headers={b"cookie": f"{COOKIE}={cookie}".encode()}).status_code == 403


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.7", False), ("robot.local", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches(host: str, alone: bool) -> None:
    assert is_loopback(host) == alone
