"""Writes the table of the perception node's parameters into README.md, from their declarations.

scripts/env.sh python scripts/write_parameters.py
"""

from __future__ import annotations

import re
from pathlib import Path

from pixelrs_ros.ros.parameters.table import SPECS, Change, Spec

README = Path(__file__).resolve().parent.parent / "README.md"
TABLE = re.compile(r"(?<=<!-- parameters -->\n).*?(?=<!-- /parameters -->)", re.DOTALL)
CHANGES = {
    Change.AT_START: "at start",
    Change.WHEN_UNCONFIGURED: "unconfigured",
    Change.WHEN_INACTIVE: "inactive",
    Change.ANY_TIME: "any time",
}


def row(name: str, spec: Spec) -> str:
    """One parameter as a row of Markdown."""
    limits = "" if spec.low is None else f"{spec.low:,.10g}–{spec.high:,.10g}"
    default = str(spec.default).replace("'", "")
    if isinstance(spec.default, bool):
        default = default.lower()
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {shown} | {limits} | {CHANGES[spec.change]} | {spec.description} |"


def table() -> str:
    """All parameters as Markdown, in the order of their declaration."""
    head = ["| parameter | default | range | changes | |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(name, spec) for name, spec in SPECS.items())]) + "\n"


def main() -> None:
    """Replace what stands between `<!-- parameters -->` and `<!-- /parameters -->`."""
    README.write_text(TABLE.sub(lambda _: table(), README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
