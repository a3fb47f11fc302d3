"""The diagnostics on the page."""

from __future__ import annotations

from html import escape

from nicegui import ui

from pixelrs_ros.console.parts import folded
from pixelrs_ros.ros.console.views import DiagnosticView


class StatusRow:
    """One status; its details open when it is chosen, and stay open while they change."""

    def __init__(self) -> None:
        with ui.element("details").classes("status-row"):
            self._title = ui.html(sanitize=False, tag="summary")
            self._values = ui.html(sanitize=False, tag="dl")

    def show(self, view: DiagnosticView) -> None:
        """Show it as it is now."""
        level = f'<span class="{view.level}">{view.level.upper()}</span>'
        self._title.set_content(f"{level} {escape(view.name)}: {escape(view.message)}")
        pairs = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in view.values.items())
        self._values.set_content("".join(pairs))


class HealthPanel:
    """The perception node's and the speech node's diagnostics."""

    def __init__(self) -> None:
        self._rows: dict[str, StatusRow] = {}
        with folded("Diagnostics", "health-title"):
            self._place = ui.element("div")

    def refresh(self, diagnostics: dict[str, DiagnosticView]) -> None:
        """Show them as they are now."""
        with self._place:
            for name, view in sorted(diagnostics.items()):
                if name not in self._rows:
                    self._rows[name] = StatusRow()
                self._rows[name].show(view)
