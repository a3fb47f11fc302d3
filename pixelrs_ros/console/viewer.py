"""The live picture as an element of the page."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui.element import Element


class ViewerElement(Element, component="viewer.js"):
    """Shows the live picture, with a dialogue's masks over it.

    Args:
        session_id: The dialogue.
    """

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self.show(session_id)
        self.describe(())

    def show(self, session_id: str) -> None:
        """Show another dialogue's masks."""
        self._props["session"] = session_id

    def describe(self, phrases: Sequence[str]) -> None:
        """Say under the picture what its masks are."""
        self._props["described"] = f"Shown: {', '.join(phrases)}." if phrases else "Nothing is marked."
