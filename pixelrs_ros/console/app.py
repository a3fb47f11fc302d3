"""Serves the operator page beside its node: `pixelrs console`, or `console:=true` in the launch file."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from pixelrs_ros.errors import ConfigError, PixelrsError
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.ros.wire.ros_context import ros
from pixelrs_ros.speech.extra import require

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN_VARIABLE = "PIXELRS_CONSOLE_TOKEN"  # not a parameter: those can be read by everybody on the graph
_REMEDY = "pip install -r requirements/console.txt"
_TOKEN_BYTES = 16
_GIVING_WAY = 10  # how much nicer the process is than the robot's
_CLOSING_S = 2  # how long open pages may take to say good-bye


def listen(host: str, port: int) -> socket.socket:
    """A socket that the page can be served on.

    Raises:
        ConfigError: Nothing can listen there.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"the page cannot be served on {host}, port {port} ({error}); remedy: another host or port"
        ) from error


def token_for(host: str) -> str:
    """The token that the page asks for on an address; empty where only this machine reaches it."""
    from pixelrs_ros.console.guard import is_loopback

    given = os.environ.get(TOKEN_VARIABLE, "")
    return given or ("" if is_loopback(host) else secrets.token_urlsafe(_TOKEN_BYTES))


def make_app(node: ConsoleNode, token: str) -> FastAPI:
    """The page as an ASGI application."""
    from fastapi import FastAPI
    from nicegui import ui

    from pixelrs_ros.console.guard import Guard
    from pixelrs_ros.console.page import add_routes

    app = FastAPI(openapi_url=None)
    add_routes(app, node)
    ui.run_with(app, title="pixelrs console", language="en-US", dark=None, tailwind=False, show_welcome_message=False)
    app.add_middleware(Guard, token=token)
    return app


def serve(node: ConsoleNode) -> None:
    """Start the node, and serve the page until SIGINT or SIGTERM comes.

    Raises:
        ConfigError: NiceGUI is not installed, or nothing can listen on the address.
    """
    require("nicegui", remedy=_REMEDY)
    import uvicorn

    from pixelrs_ros.console.guard import PARAMETER

    host = node.values.host
    with listen(host, node.values.port) as listener:
        port = listener.getsockname()[1]
        token = token_for(host)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{port}/" + (f"?{PARAMETER}={quote(token, safe='')}" if token else "")
        config = uvicorn.Config(
            make_app(node, token), log_level="warning", timeout_graceful_shutdown=_CLOSING_S, ws_max_size=2**16
        )
        # Not into ROS's log: the address may hold the token.
        print(f"console: open {address}", flush=True)
        server = uvicorn.Server(config)

        def end() -> None:
            server.should_exit = True

        node.on_end = end  # a page that hears nothing would show what is long past
        node.start()
        server.run(sockets=[listener])


def run(args: list[str] | None = None) -> None:
    """Serve the page until the process is interrupted.

    Args:
        args: ROS's command line, None for that of the process.

    Raises:
        PixelrsError: It cannot be served; the message says why.
    """
    os.nice(_GIVING_WAY)
    with ros(args):
        node = ConsoleNode()
        try:
            serve(node)
        finally:
            node.destroy_node()


def main(args: list[str] | None = None) -> int:
    """Serve the page until it is interrupted; the exit status is 1 when it cannot be served."""
    try:
        run(args)
    except PixelrsError as error:
        print(f"console: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
