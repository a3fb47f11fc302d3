"""What a check found, as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import cv2

from pixelrs_ros.data.check import CheckReport
from pixelrs_ros.data.readers.entries import Problem
from pixelrs_ros.errors import BadInputError
from pixelrs_ros.files import writing
from pixelrs_ros.pictures import read_picture

SHOWN = 40  # of each kind of problem; the JSON has all
THUMBNAIL_PX = 200
_STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ccc;text-align:right}"
    "td:first-child,th:first-child{text-align:left}"
    ".problem{display:flex;gap:1em;margin:.6em 0}.problem img{flex:none}code{overflow-wrap:anywhere}"
)


def write_page(path: Path, report: CheckReport) -> None:
    """Write the page; at most `SHOWN` problems of each kind, with their pictures where those can be read.

    Raises:
        OutputError: It cannot be written.
    """
    title = escape(f"{report.folder} ({report.form})")
    with writing(path) as file:
        file.write(f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>')
        file.write(f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n<p>{report.errors} errors.</p>\n<table>")
        file.write("<tr><th>split<th>dialogues<th>turns<th>pictures<th>masks</tr>\n")
        for name, counts in report.splits.items():
            cells = "".join(f"<td>{value}" for value in vars(counts).values())
            file.write(f"<tr><td>{escape(name)}{cells}</tr>\n")
        file.write("</table>\n")
        for fault, count in report.faults.items():
            kind = "error" if fault.is_error else "note"
            file.write(f"<h2>{escape(fault.value)}: {count} ({kind})</h2>\n")
            for problem in report.problems(fault, SHOWN):
                file.write(_problem(problem))
            if count > SHOWN:
                file.write(f"<p>… and {count - SHOWN} more.</p>\n")
        file.write("</html>\n")


def _problem(problem: Problem) -> str:
    return (
        f'<div class="problem">{_thumbnail(problem.picture)}'
        f"<div><code>{escape(problem.where)}</code><br>{escape(problem.what)}</div></div>\n"
    )


def _thumbnail(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        picture = read_picture(path)
    except BadInputError:
        return ""
    scale = min(1.0, THUMBNAIL_PX / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}">'
