"""Writes the table of public weights into the documents, from pixelrs_ros/published.yaml.

scripts/env.sh python scripts/write_published.py
"""

from __future__ import annotations

from pathlib import Path

from pixelrs_ros.doctor.weights import bytes_by_kind
from pixelrs_ros.documents import write_table
from pixelrs_ros.published import Part, Weights, published

ROOT = Path(__file__).resolve().parent.parent
NAME = "published"
KINDS = ("bf16", "int8", "int4")


def source(part: Part) -> str:
    """A part with what is known of it."""
    known = sum(bool(file.sha256) for name, file in part.files.items() if not name.endswith(".json"))
    told = [f"`{part.revision[:7]}`" if part.revision else "newest commit"]
    told += ["gated"] if part.gated else []
    told += [] if known else ["checksums from the hub alone"]
    return f"[{part.repo}](https://huggingface.co/{part.repo}) ({', '.join(told)})"


def row(name: str, weights: Weights) -> str:
    """One name as a row of Markdown."""
    kinds = bytes_by_kind(weights.memory.parameters, weights.memory.linear)
    memory = " / ".join(f"{kinds[kind] / 1e9:.1f}" for kind in KINDS)
    cache = weights.memory.cache_bytes_per_token * weights.memory.context_tokens / 1e9
    parts = "<br>".join(source(part) for part in weights.parts.values())
    return f"| `{name}` | {parts} | {weights.license} | {weights.gb:.1f} | {memory} | {cache:.1f} |"


def table() -> str:
    """All of them as Markdown, in the order of the file."""
    head = f"| name | from | license | fetched, GB | weights in {' / '.join(KINDS)}, GB | one dialogue, GB |"
    return "\n".join([head, "|---|---|---|---|---|---|", *(row(*item) for item in published().items())]) + "\n"


def main() -> None:
    """Write it."""
    write_table(ROOT, NAME, table())


if __name__ == "__main__":
    main()
