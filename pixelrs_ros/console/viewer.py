"""The live picture as an element of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from pixelrs_ros.ros.console.views import PlaceView

STAMP_BYTES = 8  # before each picture's file: its stamp in nanoseconds, signed, the highest byte first


class ViewerElement(Element, component="viewer.js"):
    """Shows the live picture, with a dialogue's masks over it.

    Args:
        session_id: The dialogue.
        on_point: Called with the place in the picture that somebody points at.
    """

    def __init__(self, session_id: str, on_point: Callable[[PlaceView], None]) -> None:
        super().__init__()

        def point(event: GenericEventArguments) -> None:
            place = event.args
            on_point(PlaceView(float(place["x"]), float(place["y"]), int(place["stamp"])))

        self.on("point", point)
        self.show(session_id)
        self.describe(())

    def show(self, session_id: str) -> None:
        """Show another dialogue's masks."""
        self._props["session"] = session_id

    def describe(self, phrases: Sequence[str]) -> None:
        """Say under the picture what its masks are."""
        self._props["described"] = f"Shown: {', '.join(phrases)}." if phrases else "Nothing is marked."
