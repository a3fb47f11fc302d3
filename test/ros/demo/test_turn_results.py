import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelrs_ros.errors import OutputError
from pixelrs_ros.overlay import color_of
from pixelrs_ros.ros.demo import run as demo
from pixelrs_ros.ros.demo.report import highlight, write_report
from pixelrs_ros.ros.demo.run import check_results
from pixelrs_ros.ros.demo.script import PlayedTurn
from pixelrs_ros.ros.demo.turn_results import UNANSWERED, TurnResult, summarize, write_results
from pixelrs_ros.ros.tools import bench, soak
from pixelrs_ros.sim.walk.dialogues import Target
from pixelrs_ros.types import GroundedPhrase

IMAGE = np.full((40, 60, 3), 120, dtype=np.uint8)
KEYS = {"scene", "session_id", "turn", "text", "explanation", "status", "iou", "target", "latency_ms"}


def box(x0: int, x1: int) -> np.ndarray:
    mask = np.zeros(IMAGE.shape[:2], dtype=np.bool_)
    mask[10:20, x0:x1] = True
    return mask


def played(turn: int, *, part: bool) -> PlayedTurn:
    targets = (Target(3, "handle"),) if part else ()
    labels = ("handle of the <red> mug",) if part else ()
    return PlayedTurn("dialogue_1", turn, 17, int(part), "by its <b>handle</b>", targets, labels, stamp_ns=turn + 1)


def turns() -> list[TurnResult]:
    first = TurnResult(played(0, part=False), IMAGE, None, "clarify", "Which one?", latency_ms={"total": 100.0})
    second = TurnResult(
        played(1, part=True),
        IMAGE,
        box(10, 20),
        "grounded",
        "the handle & more",
        (GroundedPhrase(0, 10, 0),),
        (box(10, 30),),
        {"queue": 1.0, "encode": 200.0, "generate": 99.04, "total": 300.0},
    )
    return [first, second]


def test_the_numbers(tmp_path: Path) -> None:
    write_results(tmp_path / "deep" / "results.json", turns())
    results = json.loads((tmp_path / "deep" / "results.json").read_text(encoding="utf-8"))
    assert all(turn.keys() >= KEYS for turn in results["turns"])
    assert [turn["iou"] for turn in results["turns"]] == [None, 0.5]
    assert (results["mean_iou"], results["mean_final_iou"], results["masks"]) == (0.5, 0.5, 1)
    assert (results["answered"], results["unanswered"], results["median_latency_ms"]) == (2, 0, 200.0)
    assert results["turns"][1]["target"] == "handle of the <red> mug"
    assert check_results(results) == []


def test_a_missing_mask_and_a_missing_answer_count_as_zero() -> None:
    silent = TurnResult(played(0, part=True), IMAGE, box(10, 20))
    results = summarize([silent])
    assert (results["turns"][0]["status"], results["mean_iou"]) == (UNANSWERED, 0.0)
    assert check_results(results) == ["1 turns went unanswered", "no mask arrived"]
    assert check_results(summarize([])) == ["no turn was played", "no mask arrived"]


def test_a_played_turn_survives_its_journey() -> None:
    turn = played(1, part=True)
    assert PlayedTurn.from_json(turn.to_json()) == turn


def test_the_page_holds_everything_and_loads_nothing(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", turns())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 4
    assert not re.search(r"(src|href)=\"(?!data:)|@import|url\(", page)
    assert "by its &lt;b&gt;handle&lt;/b&gt;" in page
    assert "<b>handle" not in page
    for words in ("Which one?", "0.50", "300 ms", "encode 200", "camera moved"):
        assert words in page


@pytest.mark.parametrize("index", [0, 3])
def test_a_grounded_phrase_wears_the_color_of_its_mask(index: int) -> None:
    red, green, blue = color_of(index)
    html = highlight("take <the mug> now", [GroundedPhrase(5, 14, index)])
    assert re.fullmatch(rf'take <mark style="[^"]*rgb\({red},{green},{blue}\)[^"]*">&lt;the mug&gt;</mark> now', html)


def test_no_turn_at_all_still_makes_a_page(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", [])
    assert "0 of 0" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("write", [write_results, write_report])
def test_what_cannot_be_written_is_told_and_what_was_there_stays(tmp_path: Path, write: Any) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file/page cannot be written: .*file: it is not a folder"):
        write(tmp_path / "file" / "page", turns())
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="there is a folder of this name"):
        write(tmp_path / "folder", turns())
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("taken", ["results.json", "report.html", "logs/planner.log"])
def test_a_demo_that_cannot_write_says_so_before_it_plays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("it plays"))
    (tmp_path / taken).mkdir(parents=True)
    if taken.startswith("logs"):
        (tmp_path / "logs" / "recorder.log").mkdir()
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "demo: " in (said := capsys.readouterr().out) and "there is a folder of this name" in said


@pytest.mark.parametrize(("program", "argument"), [(soak, "--out"), (bench, "--json")])
def test_what_takes_long_says_first_that_its_file_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], program: Any, argument: str
) -> None:
    (tmp_path / "file").touch()
    assert program.main([argument, str(tmp_path / "file" / "deeper.json")]) == 1
    assert "deeper.json cannot be written: " in capsys.readouterr().err
