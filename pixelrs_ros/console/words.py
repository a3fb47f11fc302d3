"""The robot's words and numbers as HTML. Everything that comes from elsewhere is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pixelrs_ros.overlay import Color, color_of
from pixelrs_ros.ros.console.views import TurnView
from pixelrs_ros.types import GroundedPhrase, Status

STATUS_WORDS: dict[Status, str] = {
    Status.GROUNDED: "found",
    Status.ANSWERED: "answered",
    Status.NOT_FOUND: "not found",
    Status.CLARIFY: "asks back",
    Status.BAD_INPUT: "bad input",
    Status.INTERNAL_ERROR: "internal error",
    Status.NO_FRAME: "no image",
    Status.REJECTED: "rejected",
    Status.CANCELLED: "called off",
    Status.NOT_UNDERSTOOD: "not understood",
}


def status_words(turn: TurnView) -> str:
    """How a turn has ended, or why it has not."""
    if turn.status is not None:
        return STATUS_WORDS[turn.status]
    return "no answer: the perception node was not there, or has ended since" if turn.is_lost else "thinking …"


def css_color(color: Color) -> str:
    """As CSS writes it."""
    return "#" + "".join(f"{channel:02x}" for channel in color)


def ink_on(color: Color) -> str:
    """Black or white, whichever is easier to read on a color (WCAG's contrast)."""
    return "#000000" if (_luminance(color) + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def marked(answer: str, phrases: Sequence[GroundedPhrase]) -> str:
    """An answer with each grounded phrase on its mask's color."""
    parts, position = [], 0
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        if phrase.start < position:  # a phrase within another keeps the other's color
            continue
        color = color_of(phrase.segment)
        style = f"background:{css_color(color)};color:{ink_on(color)}"
        parts.append(escape(answer[position : phrase.start]))
        parts.append(f'<mark style="{style}">{escape(answer[phrase.start : phrase.end])}</mark>')
        position = phrase.end
    return "".join(parts) + escape(answer[position:])


def bars(latency_ms: dict[str, float]) -> str:
    """The stages of a turn as a table of bars, each as long as its share of the total."""
    total_ms = max(latency_ms.get("total", 0.0), 1e-3)
    rows = "".join(
        f'<tr><th scope="row">{escape(stage)}</th><td class="bar"><div style="width:{100 * ms / total_ms:.1f}%"></div>'
        f'</td><td class="number">{ms:.0f} ms</td></tr>'
        for stage, ms in latency_ms.items()
    )
    return f'<table class="bars"><caption>Where the time went</caption><tbody>{rows}</tbody></table>'


def _luminance(color: Color) -> float:
    """Relative luminance of an sRGB color in [0, 255], as WCAG 2 defines it, in [0, 1]."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
