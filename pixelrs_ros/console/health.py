"""The diagnostics on the page."""

from __future__ import annotations

from html import escape

from nicegui import ui

from pixelrs_ros.console.parts import folded
from pixelrs_ros.ros.console.views import DiagnosticView


class HealthPanel:
    """The perception node's and the speech node's diagnostics."""

    def __init__(self) -> None:
        with folded("Diagnostics", "health-title"):
            self._table = ui.html(sanitize=False, tag="div")

    def refresh(self, diagnostics: dict[str, DiagnosticView]) -> None:
        """Show them as they are now."""
        self._table.set_content(table(list(diagnostics.values())))


def table(diagnostics: list[DiagnosticView]) -> str:
    """Every status, its level in words, and its values, as HTML."""
    if not diagnostics:
        return "<p>None have come.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(view.name)}</th><td class="{view.level}">{view.level.upper()}</td>'
        f"<td>{escape(view.message)}{values(view)}</td></tr>"
        for view in diagnostics
    )
    head = '<th scope="col">what</th><th scope="col">level</th><th scope="col">what is the matter</th>'
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def values(view: DiagnosticView) -> str:
    """The details of a status."""
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in view.values.items())
    return f"<dl>{pairs}</dl>" if pairs else ""
