"""Writes what is derived from the tables of parameters: pixelrs.yaml, speech.yaml, console.yaml, and documents' tables.

scripts/env.sh python scripts/write_parameters.py
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pixelrs_ros.documents import write_table
from pixelrs_ros.ros.console.parameters import CONSOLE_SPECS
from pixelrs_ros.ros.parameters.spec import Change, Spec
from pixelrs_ros.ros.parameters.table import SPECS
from pixelrs_ros.ros.speech.parameters import SPEECH_SPECS

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config" / "pixelrs.yaml"
SPEECH_CONFIG = ROOT / "config" / "speech.yaml"
CONSOLE_CONFIG = ROOT / "config" / "console.yaml"
CHANGES = {
    Change.AT_START: "at start",
    Change.WHEN_UNCONFIGURED: "unconfigured",
    Change.WHEN_INACTIVE: "inactive",
    Change.ANY_TIME: "any time",
}
WIDTH = 116  # characters of a line of YAML


def limits(spec: Spec) -> str:
    """The range of a number; empty for what is none."""
    return "" if spec.low is None else f"{spec.low:,.10g}–{spec.high:,.10g}"


def row(name: str, spec: Spec) -> str:
    """One parameter as a row of Markdown."""
    default = str(spec.default).replace("'", "")
    if isinstance(spec.default, bool):
        default = default.lower()
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {shown} | {limits(spec)} | {CHANGES[spec.change]} | {spec.description} |"


def table(specs: Mapping[str, Spec] = SPECS) -> str:
    """All parameters as Markdown, in the order of their declaration."""
    head = ["| parameter | default | range | changes | |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(name, spec) for name, spec in specs.items())]) + "\n"


def flow(value: Any) -> str:
    """A value as YAML writes it on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=WIDTH).removesuffix("\n").removesuffix("\n...")


def entry(name: str, spec: Spec) -> str:
    """One parameter as YAML, with what it does above it."""
    facts = [CHANGES[spec.change], *filter(None, [limits(spec), ", ".join(spec.choices)])]
    text = f"{spec.description} [{'; '.join(facts)}]"
    comment = textwrap.wrap(text, WIDTH, initial_indent="    # ", subsequent_indent="    # ", break_on_hyphens=False)
    return "\n".join([*comment, f"    {name}: {flow(spec.default)}"])


def config(node: str = "perception", specs: Mapping[str, Spec] = SPECS) -> str:
    """The parameter file of a node that the launch file uses, with every default.

    `autostart` is left to the launch file, so that a file that does not name it starts the node at once.
    """
    head = (
        f"# Parameters of the {node} node, written by scripts/write_parameters.py. In brackets: when a parameter\n"
        f"# may change, the range of a number, the choices of a text.\n/**/{node}:\n  ros__parameters:\n"
    )
    return head + "\n".join(entry(name, spec) for name, spec in specs.items() if name != "autostart") + "\n"


def main() -> None:
    """Write the YAML files, and the tables named `parameters`, `speech_parameters` and `console_parameters`."""
    CONFIG.write_text(config(), encoding="utf-8")
    SPEECH_CONFIG.write_text(config("speech", SPEECH_SPECS), encoding="utf-8")
    CONSOLE_CONFIG.write_text(config("console", CONSOLE_SPECS), encoding="utf-8")
    write_table(ROOT, "parameters", table())
    write_table(ROOT, "speech_parameters", table(SPEECH_SPECS))
    write_table(ROOT, "console_parameters", table(CONSOLE_SPECS))


if __name__ == "__main__":
    main()
