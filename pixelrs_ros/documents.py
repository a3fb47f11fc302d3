"""The tables in the documents that programs write: what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import re
from pathlib import Path

from pixelrs_ros.errors import OutputError
from pixelrs_ros.files import write_file


def pages(root: Path) -> tuple[Path, ...]:
    """The documents of a checkout: README.md, docs/ and the model card."""
    found = (
        root / "README.md",
        *sorted((root / "docs").glob("*.md")),
        root / "pixelrs_ros" / "checkpoints" / "README.md",
    )
    return tuple(page for page in found if page.is_file())


def tables(root: Path, name: str) -> dict[Path, str]:
    """What stands in the documents now under a name; it ends with a new line."""
    found = {page: _marked(name).search(page.read_text(encoding="utf-8")) for page in pages(root)}
    return {page: match[2] for page, match in found.items() if match}


def write_table(root: Path, name: str, table: str) -> list[Path]:
    """Put a table wherever the documents have a place for it.

    Args:
        root: The checkout's folder.
        name: The markers' name.
        table: Markdown.

    Returns:
        The documents that have the markers.

    Raises:
        OutputError: No document has them, or one cannot be written.
    """
    places = tables(root, name)
    if not places:
        raise OutputError(f"no document below {root.resolve()} has the markers <!-- {name} --> and <!-- /{name} -->")
    for page in places:
        before = page.read_text(encoding="utf-8")
        after = _marked(name).sub(lambda match: f"{match[1]}{table.rstrip()}\n{match[3]}", before)
        if after != before:
            write_file(page, after)
    return list(places)


def _marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {re.escape(name)} -->\n)(.*?)(<!-- /{re.escape(name)} -->)", re.DOTALL)
