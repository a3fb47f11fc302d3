"""The tables that programs write into the documents."""

import json
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


def test_baselines_of_several_files_stand_lowest_first_and_once(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_baselines.py"))
    run = tmp_path / "no_fusion"
    scores = {
        "count": 9,
        "g_iou_95": [0.1, 0.9],
        "c_iou": 0.5,
        "boundary_iou": 0.5,
        "referent_right": 0.5,
        "right": 0.5,
    }

    def write(name: str, checkpoint: str, **conditions: float) -> Path:
        found = {
            condition.replace("_", " "): {**scores, "g_iou": g_iou, "status": {"accuracy": 0.25}}
            for condition, g_iou in conditions.items()
        }
        path = tmp_path / name
        path.write_text(json.dumps({"reports": [{"checkpoint": checkpoint, "split": "test", "conditions": found}]}))
        return path

    paths = [
        write("own.json", "nano", own_history=0.5, largest_object=0.25),
        write("last.json", "nano", last_turn_only=0.125, largest_object=0.25),
        write("run.json", str(run / "checkpoint"), own_history=0.0625),
    ]
    for number, phase in enumerate(("imitate", "ground"), 1):
        (run / phase).mkdir(parents=True)
        names = ("error", "whole_iou", "part_iou", "status_right", "phrase_right")
        lines = [{"step": step, **{f"val_{name}": step / 10 for name in names}} for step in (0, number)]
        (run / phase / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (run / phase / "cost.json").write_text(json.dumps({"wall_s": 9.0, "cpu_s": 6.0 + number}))
    _, _, *rows = script["table"](script["rows"](paths)).splitlines()
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| no fusion", "own history", "9", "0.06"],
        ["| nano", "last turn only", "9", "0.12"],
        ["| nano", "largest object", "9", "0.25"],
        ["| nano", "own history", "9", "0.50"],
    ]
    assert rows[0].endswith(" | 0.10–0.90 | 0.50 | 50 % | 25 % |")
    (tmp_path / "runs" / "full" / "imitate").mkdir(parents=True)  # begun, and not measured yet
    run.rename(tmp_path / "runs" / run.name)
    head, _, begun, trained = script["training_table"](script["trainings"](tmp_path / "runs")).splitlines()
    assert head.startswith(
        "| network | steps of imitate / ground | CPU seconds | error of the image tokens | how a turn"
    )
    assert begun == "| full | 0 / 0 |  |  |  |  |  |  |"
    assert trained == "| no fusion | 1 / 2 | 7 / 8 | 0.10 | 0.20 | 0.20 | 0.20 | 0.20 |"


def test_rows_of_earlier_evaluations_may_stay(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_baselines.py"))

    def row(network: str, shown: str, count: int, g_iou: float) -> dict[str, Any]:
        return {"network": network, "split": "test", "shown": shown, "count": count, "g_iou": g_iou}

    kept = [
        row("nano", "own history", 9, 0.5),
        row("nano", "largest object", 9, 0.25),
        row("full", "own history", 9, 0),
    ]
    own, largest, full = script["rows"]([], kept)[::-1]
    assert (own, largest, full) == tuple(kept)
    path = tmp_path / "full.json"
    scores = dict.fromkeys(("g_iou_95", "c_iou", "boundary_iou", "referent_right", "right"), 0.5)
    found = {name: {**scores, "count": 4, "g_iou": 0.125, "status": None} for name in ("own history", "largest object")}
    report = {"checkpoint": "runs/full/checkpoint", "split": "test", "conditions": found}
    path.write_text(json.dumps({"reports": [report]}))
    rows = script["rows"]([path], kept)
    assert [(one["network"], one["shown"], one["count"]) for one in rows] == [
        ("full", "own history", 4), ("nano", "largest object", 9), ("nano", "own history", 9)
    ]  # fmt: skip


def test_networks_are_compared_with_the_whole_one_dialogue_by_dialogue(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write_baselines.py"))

    def write(network: str, **ious: tuple[float, ...]) -> Path:
        mask = {"intersection_px": 1, "predicted_px": 2, "truth_px": 2}
        records: list[dict[str, Any]] = [
            {
                "condition": condition.replace("_", " "), "dialogue": index, "img_id": str(index), "iou": iou,
                "has_target": True, "statuses": [], "masked": True, "score": None, "mask": mask,
            }
            for condition, values in ious.items()
            for index, iou in enumerate(values)
        ]  # fmt: skip
        conditions: dict[str, dict[str, Any]] = {record["condition"]: {} for record in records}
        checkpoint = str(tmp_path / network / "checkpoint")
        report = {"checkpoint": checkpoint, "split": "test", "conditions": conditions, "records": records}
        path = tmp_path / f"{network}.json"
        path.write_text(json.dumps({"data": str(tmp_path), "reports": [report]}))
        return path

    whole = write("full", own_history=(0.5, 0.5, 0.5), true_words=(1.0, 0.5, 1.0), largest_object=(0.0, 0.0, 0.0))
    part = write("no_fusion", own_history=(0.25, 0.25, 0.25), true_words=(1.0, 1.0, 0.5), largest_object=(0, 0, 0))
    found = script["differences"]([whole, part])
    assert script["difference_table"](found).splitlines()[2:] == [
        "| no fusion | own history | 3 | -0.250 | -0.250 to -0.250 |",
        "| no fusion | true words | 3 | +0.000 | -0.500 to +0.500 |",
    ]
