"""Who may use the page: a token where other machines reach it, and never another web site's page."""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "pixelrs_console"
PARAMETER = "token"
_POLICY_VIOLATION = 1008  # of RFC 6455


def is_loopback(host: str) -> bool:
    """Whether an address or name is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Lets requests and WebSockets pass that may use the page; an ASGI middleware.

    A page of another site that is open in the operator's browser can send requests here, too. So a WebSocket or a
    change has to come from this page (`Origin`), and without a token the page only answers to names of this machine
    (`Host`), which no other site can have.

    Args:
        app: What is guarded.
        token: Has to come as the parameter `token`, which leaves a cookie, or in that cookie; empty: none is needed.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        problem = self._problem_with(HTTPConnection(scope))
        if problem is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": problem})
        elif self._token and self._given(scope):
            await self._welcome(scope)(scope, receive, send)
        else:
            await PlainTextResponse(f"{problem}\n", 403)(scope, receive, send)

    def _problem_with(self, request: HTTPConnection) -> str | None:
        """Why a request may not pass; None when it may."""
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "This page may not be used by another site's."
        if not self._token:
            name = urlsplit(f"//{host}").hostname or ""
            return None if is_loopback(name) else "Without a token, this page answers to names of its machine only."
        if self._is_token(_cookie(request)):
            return None
        return "A token is needed: open the address that the console has printed."

    def _given(self, scope: Scope) -> bool:
        """Whether the token stands in the address."""
        return any(map(self._is_token, parse_qs(scope["query_string"].decode("latin-1")).get(PARAMETER, ())))

    def _welcome(self, scope: Scope) -> RedirectResponse:
        """To the page without the token in its address, which browsers remember and show."""
        response = RedirectResponse(scope["path"], 303)
        response.set_cookie(COOKIE, quote(self._token, safe=""), httponly=True, samesite="strict")
        return response

    def _is_token(self, given: Any) -> bool:
        return hmac.compare_digest(str(given).encode(), self._token.encode())


def _cookie(request: HTTPConnection) -> str:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return unquote(morsel.value) if morsel is not None else ""
