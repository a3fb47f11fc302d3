"""The demo's report: one HTML page that holds everything it shows. Imports no ROS."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelrs_ros import files
from pixelrs_ros.overlay import color_of, paint
from pixelrs_ros.ros.demo.report_style import STYLE
from pixelrs_ros.ros.demo.turn_results import TurnResult, summarize
from pixelrs_ros.types import GroundedPhrase

_JPEG_QUALITY = 88
# Stage -> color of its bar and what it means; in the order of a turn.
_STAGES = {
    "queue": ("#9aa5b1", "waiting for the turn before"),
    "convert": ("#c9a227", "image message to RGB"),
    "encode": ("#3f7cac", "image encoders"),
    "prefill": ("#6a4c93", "reading the dialogue"),
    "generate": ("#2a9d8f", "writing the answer"),
    "masks": ("#e07a5f", "drawing the masks"),
}
_REST = ("#dde3e9", "the rest")
_STATUS_WORDS = {
    "grounded": "grounded",
    "answered": "answered",
    "not_found": "not found",
    "clarify": "asks back",
    "bad_input": "bad input",
    "internal_error": "internal error",
    "unanswered": "unanswered",
}


def write_report(path: Path, turns: Sequence[TurnResult]) -> None:
    """Write the page.

    Raises:
        OutputError: It cannot be written.
    """
    files.write_file(path, render_report(turns))


def render_report(turns: Sequence[TurnResult]) -> str:
    """The page as HTML; it loads nothing from elsewhere."""
    longest_ms = max((turn.latency_ms.get("total", 0.0) for turn in turns), default=0.0)
    dialogues = "".join(
        _dialogue(session_id, list(group), longest_ms)
        for session_id, group in groupby(turns, key=lambda turn: turn.played.session_id)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>pixelrs_ros: what was meant</title><style>{STYLE}</style></head><body><main>"
        "<header><h1>pixelrs_ros</h1><p>What the user said, what the robot understood, and what it pointed at.</p>"
        f"{_tiles(summarize(list(turns)))}{_legend()}</header>{dialogues}</main></body></html>\n"
    )


def highlight(text: str, phrases: Sequence[GroundedPhrase]) -> str:
    """The explanation as HTML, each grounded phrase in the color of its mask."""
    pieces, position = [], 0
    for phrase in sorted(phrases, key=lambda phrase: phrase.start):
        if phrase.start < position:  # overlapping ranges cannot be nested in HTML
            continue
        red, green, blue = color_of(phrase.segment)
        style = f"background:rgba({red},{green},{blue},.32);box-shadow:inset 0 -3px rgb({red},{green},{blue})"
        pieces.append(escape(text[position : phrase.start]))
        pieces.append(f'<mark style="{style}">{escape(text[phrase.start : phrase.end])}</mark>')
        position = phrase.end
    pieces.append(escape(text[position:]))
    return "".join(pieces)


def _dialogue(session_id: str, turns: list[TurnResult], longest_ms: float) -> str:
    first = turns[0].played
    moved = len({turn.played.camera_seed for turn in turns}) > 1
    note = " · the camera moves" if moved else ""
    title = f"<h2>{escape(session_id.replace('_', ' '))} <small>scene {first.scene_seed}{note}</small></h2>"
    return f"<section>{title}{''.join(_turn(turn, longest_ms) for turn in turns)}</section>"


def _turn(turn: TurnResult, longest_ms: float) -> str:
    answer = highlight(turn.explanation, turn.phrases) or "<i>no answer came</i>"
    chips = [f'<span class="chip {escape(turn.status)}">{escape(_STATUS_WORDS.get(turn.status, turn.status))}</span>']
    if turn.played.camera_seed:
        chips.append('<span class="chip">camera moved</span>')
    if turn.played.target is not None:
        chips.append(f'<span class="chip">target: {escape(turn.played.target)}</span>')
    return (
        f'<article><div class="pictures">{_figure(turn.image, "what the camera saw")}'
        f'{_figure(_overlay(turn), "what the robot pointed at")}</div><div class="words">'
        f'<p class="index">turn {turn.played.turn + 1}</p><p class="said user">{escape(turn.played.text)}</p>'
        f'<p class="said robot">{answer}</p><p>{"".join(chips)}</p>{_iou_bar(turn.iou)}'
        f"{_latency_bar(turn.latency_ms, longest_ms)}</div></article>"
    )


def _overlay(turn: TurnResult) -> np.ndarray:
    masks = [mask for mask in turn.masks if mask.shape == turn.image.shape[:2]]
    picture = paint(turn.image, masks)
    if turn.truth is not None:
        outlines, _ = cv2.findContours(turn.truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, (255, 255, 255), thickness=1)
    return picture


def _figure(image: np.ndarray, caption: str) -> str:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    data = base64.b64encode(jpeg.tobytes()).decode("ascii")
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
    )


def _iou_bar(score: float | None) -> str:
    if score is None:
        return '<div class="row"><span>IoU</span><span class="quiet">nothing had to be segmented</span></div>'
    bar = f'<span class="track"><span class="fill" style="width:{100 * score:.1f}%"></span></span>'
    return f'<div class="row"><span>IoU</span>{bar}<b>{score:.2f}</b></div>'


def _latency_bar(latency_ms: dict[str, float], longest_ms: float) -> str:
    total_ms = latency_ms.get("total", 0.0)
    if total_ms <= 0.0 or longest_ms <= 0.0:
        return ""
    known = {stage: max(0.0, latency_ms.get(stage, 0.0)) for stage in _STAGES}
    parts = [(stage, _STAGES[stage][0], value) for stage, value in known.items()]
    parts.append((_REST[1], _REST[0], max(0.0, total_ms - sum(known.values()))))
    scale = 100 / longest_ms
    bars = "".join(
        f'<span style="width:{scale * value:.2f}%;background:{color}" title="{stage}: {value:.0f} ms"></span>'
        for stage, color, value in parts
    )
    numbers = " · ".join(f"{stage} {value:.0f}" for stage, _, value in parts if value >= 0.5)
    return (
        f'<div class="row"><span>time</span><span class="track stages">{bars}</span><b>{total_ms:.0f} ms</b></div>'
        f'<p class="quiet numbers">{numbers} ms</p>'
    )


def _tiles(summary: dict[str, Any]) -> str:
    def number(value: float | None, pattern: str) -> str:
        return "–" if value is None else pattern.format(value)

    played = len(summary["turns"])
    tiles = [
        ("mean IoU", number(summary["mean_iou"], "{:.2f}")),
        ("mean IoU of the last turns", number(summary["mean_final_iou"], "{:.2f}")),
        ("turns answered", f"{summary['answered']} of {played}"),
        ("masks", str(summary["masks"])),
        ("median turn", number(summary["median_latency_ms"], "{:.0f} ms")),
    ]
    return '<div class="tiles">' + "".join(f"<div><b>{value}</b>{name}</div>" for name, value in tiles) + "</div>"


def _legend() -> str:
    stages = [(name, *entry) for name, entry in _STAGES.items()] + [("rest", *_REST)]
    swatches = "".join(
        f'<span title="{meaning}"><i style="background:{color}"></i>{name}</span>' for name, color, meaning in stages
    )
    return (
        f'<p class="legend">{swatches}<span><i class="truth"></i>white line: what the simulator knows to be right'
        "</span></p>"
    )
