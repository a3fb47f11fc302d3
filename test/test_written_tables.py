"""The tables that programs write into the documents."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from pixelrs_ros.documents import pages, tables, write_table
from pixelrs_ros.errors import OutputError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Two documents with a place for `x`, of which README.md has one for `bench:y`, too."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(
        "before\n<!-- x -->\nold\n<!-- /x -->\nafter\n<!-- bench:y -->\n<!-- /bench:y -->\n"
    )
    (tmp_path / "docs" / "a.md").write_text("<!-- x -->\n<!-- /x -->\n")
    return tmp_path


def test_a_table_is_written_wherever_its_markers_are(checkout: Path) -> None:
    for table in ("one", "two\nlines \\1\n"):
        assert write_table(checkout, "x", table) == [checkout / "README.md", checkout / "docs" / "a.md"]
        written = table.rstrip()
        assert (checkout / "docs" / "a.md").read_text() == f"<!-- x -->\n{written}\n<!-- /x -->\n"
        text = (checkout / "README.md").read_text()
        assert text == f"before\n<!-- x -->\n{written}\n<!-- /x -->\nafter\n<!-- bench:y -->\n<!-- /bench:y -->\n"


def test_what_is_there_can_be_asked(checkout: Path) -> None:
    assert tables(checkout, "x") == {checkout / "README.md": "old\n", checkout / "docs" / "a.md": ""}
    assert tables(checkout, "bench:y") == {checkout / "README.md": ""} and tables(checkout, "y") == {}


def test_a_table_without_a_place_is_an_error_that_names_its_markers(checkout: Path) -> None:
    with pytest.raises(OutputError, match="<!-- z --> and <!-- /z -->"):
        write_table(checkout, "z", "")


def report(split: str, g_iou: float | None, **others: float) -> dict[str, Any]:
    """As much of a report as the short table reads; `others`: gIoU of its other conditions."""
    own = {"g_iou": g_iou, "referent_right": 0.5, "status": {"accuracy": 0.25}}
    conditions = {"own history": own, **{name.replace("_", " "): {"g_iou": value} for name, value in others.items()}}
    return {"checkpoint": "nano", "split": split, "dialogues": 1234, "conditions": conditions}


def test_the_short_table_begins_with_the_lowest_split() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_numbers.py"))
    best = report("test", 0.75, last_turn_only=0.125)
    best["conditions"]["own history, blind"] = {"g_iou": 0.0625}
    *_, low, high, none = script["measured"]([report("test_chat", None), best, report("test_shapes", 0.5)]).splitlines()
    assert low.startswith("| `test_shapes` | ") and low.endswith(" | 1,234 | 0.50 | 50 % | 25 % |  |  |")
    assert high.endswith(" | 1,234 | 0.75 | 50 % | 25 % | 0.06 | 0.12 |")
    assert none.startswith("| `test_chat` | ") and none.endswith(" | 1,234 |  | 50 % | 25 % |  |  |")


def test_the_documents_have_a_place_for_every_table_of_an_evaluation() -> None:
    for name in ("measured", "conditions", "doubts", "pictures", "language"):
        assert tables(ROOT, name), name


def test_every_marker_of_the_documents_has_its_other_half() -> None:
    for page in pages(ROOT):
        text = page.read_text(encoding="utf-8")
        names = [line[5:-4] for line in text.splitlines() if line.startswith("<!-- ") and line.endswith(" -->")]
        assert names[1::2] == [f"/{name}" for name in names[::2]], page


def test_the_table_of_public_weights_is_that_of_its_file() -> None:
    table = runpy.run_path(str(ROOT / "scripts" / "write_published.py"))["table"]()
    assert set(tables(ROOT, "published").values()) == {table}, "scripts/env.sh python scripts/write_published.py"
