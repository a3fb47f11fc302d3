"""The page, its live pictures and the pictures of its turns, as routes of a web server."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException, Response, WebSocket
from nicegui import ui

from pixelrs_ros.console.dialogue import DialoguePanel
from pixelrs_ros.console.health import HealthPanel
from pixelrs_ros.console.live import News, Viewer
from pixelrs_ros.console.parts import button, heading, panel
from pixelrs_ros.console.sessions import SessionList
from pixelrs_ros.console.space import SpacePanel
from pixelrs_ros.console.viewer import STAMP_BYTES, ViewerElement
from pixelrs_ros.ros.console.node import ConsoleNode
from pixelrs_ros.types import DEFAULT_SESSION_ID

STYLE = Path(__file__).with_name("console.css")
_REFRESH_S = 0.1
_LOOK_S = 2.0


class LiveRoute:
    """Serves live pictures, and tells the node whether anybody looks."""

    def __init__(self, node: ConsoleNode) -> None:
        self._node = node
        self._news: News | None = None
        self._viewers = 0

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one viewer."""
        await socket.accept()
        if self._news is None:
            self._news = News()
            self._node.on_news = self._news.tell
        self._count(1)
        try:
            await Viewer(socket, self, self._news).serve()
        finally:
            self._count(-1)

    def picture(self) -> tuple[int, bytes]:
        """See `Layered`."""
        seen = self._node.picture
        return seen.number, seen.stamp_ns.to_bytes(STAMP_BYTES, "big", signed=True) + seen.jpeg if seen.jpeg else b""

    def masks(self, session_id: str) -> tuple[int, bytes]:
        """See `Layered`."""
        return self._node.masks.content(session_id)

    def _count(self, change: int) -> None:
        self._viewers += change
        self._node.watch(live=self._viewers > 0)


def add_routes(app: FastAPI, node: ConsoleNode) -> None:
    """Serve everything of the page."""
    app.add_api_websocket_route("/live", LiveRoute(node))

    @app.get("/turns/{key}.jpg")
    def picture(key: int) -> Response:
        jpeg = node.transcript.picture(key)
        if jpeg is None:
            raise HTTPException(404)
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @ui.page("/")
    def console() -> None:
        Page(node)


class Page:
    """One open page."""

    def __init__(self, node: ConsoleNode) -> None:
        self._node = node
        ui.add_css(STYLE)
        with ui.element("div").classes("console"):
            with ui.element("div").classes("row top"):
                heading(1, "pixelrs console")
                self._state = ui.label().props("role=status").classes("state")
                button("Dark or light").on("click", js_handler="() => Quasar.Dark.toggle()")
            with ui.element("div").classes("columns"):
                with panel("Picture", "picture-title"):
                    self._viewer = ViewerElement(DEFAULT_SESSION_ID, lambda place: self._dialogue.say(place))
                self._dialogue = DialoguePanel(node, DEFAULT_SESSION_ID)
                with ui.element("div").classes("more"):
                    self._sessions = SessionList(node, self._choose)
                    self._space = SpacePanel(node)
                    self._health = HealthPanel()
        ui.timer(_REFRESH_S, self._refresh)
        ui.timer(_LOOK_S, self._look)
        ui.timer(0.0, lambda: self._choose(DEFAULT_SESSION_ID), once=True)

    async def _choose(self, session_id: str) -> None:
        self._viewer.show(session_id)
        await self._dialogue.choose(session_id)

    def _refresh(self) -> None:
        """Show what the robot has said."""
        self._dialogue.refresh()
        session_id, turns = self._dialogue.session_id, self._dialogue.turns
        self._viewer.describe(self._node.masks.phrases(session_id))
        self._space.refresh(session_id, next((turn.targets for turn in reversed(turns) if turn.targets), ()))

    async def _look(self) -> None:
        """Show what changes slowly."""
        self._state.set_text("The robot listens." if self._node.is_ready() else "No perception node listens.")
        self._health.refresh(self._node.diagnostics)
        await self._sessions.refresh()
