"""`pixelrs judge` as a user runs it, with a judge whose answers are given, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from chat_server import Reply, completion, failure, serving
from spoken_files import PLAIN, write_data, write_said

from pixelrs_ros import cli
from pixelrs_ros.evaluation.judge.verdicts import CRITERIA

PRIST_PICTURES = ("68789c2662f45c96.jpg", "2f8be2b2de5573dc.jpg", "0000000000000000.jpg")
SHOWN = "the red mug. [mask]"
GOOD, BAD = (("Tea or juice?", "The red mug."), ("No.", "I do not see that."))


def scores(number: int) -> Reply:
    return completion(json.dumps({name: {"reason": "So it is.", "score": number} for name in CRITERIA}))


def choice(better: str) -> Reply:
    return completion(json.dumps({"reason": "So it is.", "better": better}))


def fair(request: dict[str, Any]) -> Reply:
    """Likes the red mug, wherever it stands."""
    prompt = request["messages"][0]["content"]
    if "<first>" in prompt:
        return choice("first" if SHOWN in prompt.casefold().partition("<second>")[0] else "second")
    return scores(5 if SHOWN in prompt.casefold() else 2)


def run(*arguments: object) -> int:
    return cli.main(["judge", *map(str, arguments)])


@pytest.fixture
def said(tmp_path: Path) -> tuple[Path, Path]:
    data = write_data(tmp_path / "mine")
    good = write_said(tmp_path / "good.json", data, [GOOD] * 2 + [PLAIN], name="good")
    return good, write_said(tmp_path / "bad.json", data, [BAD] * 3, name="bad")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "judged.json"


def read(out: Path) -> dict[str, Any]:
    found = json.loads(out.read_text())
    assert isinstance(found, dict)
    return found


def test_without_a_judge_words_are_compared_with_the_datas(
    said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*said, "--out", out) == 0
    found = read(out)
    assert found["judge"] is None and found["answers"] == found["pairs"] == found["agreement"] == []
    good, bad = (speaker["text"] for speaker in found["speakers"])
    assert good["answers"] == bad["answers"] == 6
    assert good["exact_match"] == pytest.approx(100 / 3) and bad["exact_match"] == 0
    assert good["bleu"] > bad["bleu"] and good["rouge_l"] > bad["rouge_l"]
    printed = capsys.readouterr().out
    assert "answers against the data's, percent" in printed and "(published)" not in printed


def test_a_judge_scores_compares_and_shows_no_bias(
    said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fair) as url:
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "it", "--limit", 2) == 0
    found = read(out)
    assert {name: len(value) for name, value in found["judge"]["prompts"].items()} == {"score": 64, "pair": 64}
    good, bad = found["speakers"]
    for name in CRITERIA:
        assert good["scores"][name]["mean"] == 5 and bad["scores"][name]["mean"] == 2
    assert bad["scores"]["progressiveness"]["given"] == {"1": 0, "2": 2, "3": 0, "4": 0, "5": 0}
    (pair,) = found["pairs"]
    assert (pair["first"], pair["win_rate"], pair["wins"], pair["duels"]) == ("good, test", 1.0, 2, 2)
    assert (pair["consistent"], pair["first_chosen"]) == (1.0, 0.5)
    assert "2 / 0 / 0" in capsys.readouterr().out and not list(out.parent.glob("*.answers"))


def test_a_judge_that_likes_what_stands_first_is_told(said: tuple[Path, Path], out: Path) -> None:
    with serving(lambda request: choice("first") if "<first>" in str(request["messages"]) else scores(3)) as url:
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "it") == 0
    (pair,) = read(out)["pairs"]
    assert (pair["win_rate"], pair["consistent"], pair["first_chosen"], pair["ties"]) == (0.5, 0.0, 1.0, 3)


def test_the_data_itself_can_be_judged_and_compared_with(said: tuple[Path, Path], out: Path) -> None:
    with serving(fair) as url:
        assert run(said[0], said[0].parent / "mine", "--out", out, "--endpoint", url, "--judge", "it") == 0
    found = read(out)
    assert [speaker["name"] for speaker in found["speakers"]] == ["good, test", "mine, test"]
    assert found["speakers"][1]["text"] is None and found["pairs"][0]["duels"] == 3


def test_nonsense_is_counted_and_listed(said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: dict[str, Any]) -> Reply:
        prompt = str(request["messages"])
        if "<second>" in prompt:
            return choice("first") if prompt.index("The red mug.") < prompt.index("<second>") else choice("both")
        return scores(7) if "I do not see that." in prompt else scores(4)

    with serving(answer) as url:
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "it", "--limit", 1) == 0
    found = read(out)
    good, bad = found["speakers"]
    assert (good["verdicts"], good["errors"]) == (1, 0)
    assert (bad["verdicts"], bad["errors"], bad["scores"]) == (0, 1, None)
    (pair,) = found["pairs"]
    assert (pair["duels"], pair["errors"], pair["win_rate"]) == (0, 1, None)
    assert [bool(each["error"]) for each in found["answers"]] == [False, True, False, True]
    assert '"score": 7' in found["answers"][1]["raw"] and found["answers"][1]["verdict"] is None
    printed = capsys.readouterr().out
    assert "2 of 4 answers of the judge count for nothing:" in printed
    assert "bad, test, dialogue 0, seed 0: progressiveness.score:" in printed


def test_a_judge_of_nothing_but_nonsense_fails(
    said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: completion("Both are very nice!")) as url:
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "it") == 1
    assert "none of 12 answers of the judge counts; the first: no JSON object" in capsys.readouterr().err
    assert all(each["raw"] == "Both are very nice!" for each in read(out)["answers"])


def test_a_run_goes_on_where_the_endpoint_went_away(said: tuple[Path, Path], out: Path) -> None:
    asked: list[str] = []

    def answering(left: int) -> Callable[[dict[str, Any]], Reply]:
        def answer(request: dict[str, Any]) -> Reply:
            asked.append(request["messages"][0]["content"])
            return fair(request) if len(asked) <= left else failure(HTTPStatus.NOT_FOUND)

        return answer

    options = ["--out", out, "--judge", "it", "--at-once", 1]
    with serving(answering(4)) as url:
        assert run(*said, *options, "--endpoint", url) == 1
    assert not out.exists() and len(list(out.parent.glob("*.answers"))) == 1
    first = asked[:4]
    asked.clear()
    with serving(answering(99)) as url:
        assert run(*said, *options, "--endpoint", url) == 0
        kept = set(first)
        assert len(kept) == 4 and len(asked) == 3 and not kept & set(asked)  # of the same words once
        asked.clear()
        assert run(*said, *options, "--endpoint", url) == 0 and asked == []
        assert run(*said, *options, "--endpoint", url, "--runs", 2) == 0
    assert read(out)["judge"]["seeds"] == [0, 1] and len(read(out)["answers"]) == 24


def test_runs_and_judges_are_compared(said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = out.with_name("other.json")
    with serving(lambda request: fair(request) if request["seed"] == 0 else scores(3)) as url:
        assert run(*said, "--out", other, "--endpoint", url, "--judge", "other") == 0
        capsys.readouterr()
        asked = ["--endpoint", url, "--judge", "it", "--runs", 2, "--agree", other]
        assert run(*said, "--out", out, *asked) == 0
    second, judge = read(out)["agreement"]
    assert second["runs"] == ["seed 0", "seed 1"] and judge["runs"] == ["seed 0", "other.json, seed 0"]
    assert "choice" not in second["agreement"]  # of the second run no choice was one
    assert second["agreement"]["target_relevance"]["kappa"] == 0.0
    assert judge["agreement"]["choice"]["kappa"] == judge["agreement"]["target_relevance"]["kappa"] == 1.0
    printed = capsys.readouterr().out
    assert "agreement: κ" in printed and "other.json, seed 0" in printed


def test_published_figures_stand_beside_ours_on_prist_alone(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "prist", PRIST_PICTURES)
    path = write_said(tmp_path / "a.json", data, [GOOD] * 3, data_set="PRIST")
    with serving(fair) as url:
        assert run(path, data, "--out", out, "--endpoint", url, "--judge", "it") == 0
    printed = capsys.readouterr().out
    lines = printed[printed.index("PRIST, test: percent") :].splitlines()
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    rows = {name: numbers for name, *numbers in cells}
    assert rows["MIRAS (published)"] == [
        "508", "14.72", "24.22", "40.61", "30.34", "8.51", "30.82", "–", "–", "–", "–", "42.00"
    ]  # fmt: skip
    assert {"LISA, fine-tuned (published)", "OMG-LLaVA (published)", "GPT-4o (published)"} < rows.keys()
    ours = rows["nano, test: own history"]
    assert ours[:2] == ["3", "100.00"] and ours[7:11] == ["5.00"] * 4


def test_half_a_judge_is_refused(said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*said, "--out", out, "--endpoint", "http://localhost:1/v1") == 1
    assert "--endpoint and --judge go together" in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused(
    said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, _ = said
    write_data(good.parent / "else", split="val")
    assert run(good, good.parent / "else", "--out", out) == 1
    assert "no split in common" in capsys.readouterr().err
    alone = write_said(good.parent / "alone.json", good.parent / "mine", [("Red.",)] * 3, condition="last turn only")
    assert run(good, alone, "--out", out) == 1
    assert "were never asked the same" in capsys.readouterr().err
    assert run(good, good, "--out", out) == 1
    assert "is there 2 times" in capsys.readouterr().err


def test_files_of_one_checkpoint_are_told_apart(said: tuple[Path, Path], out: Path) -> None:
    again = write_said(said[0].with_name("again.json"), said[0].parent / "mine", [BAD] * 3, name="good")
    assert run(said[0], again, "--out", out) == 0
    names = [speaker["name"] for speaker in read(out)["speakers"]]
    assert names == [f"good, test ({said[0]})", f"good, test ({again})"]


def test_another_judges_answers_are_not_overwritten(
    said: tuple[Path, Path], out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(fair) as url:
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "it") == 0
        before = out.read_bytes()
        assert run(*said, "--out", out, "--endpoint", url, "--judge", "other") == 1
    assert run(*said, "--out", out) == 1
    assert capsys.readouterr().err.count("holds a judge's answers to other questions") == 2
    assert run(*said, "--out", said[0]) == 1
    assert "not what `pixelrs judge --out good.json` writes" in capsys.readouterr().err
    assert out.read_bytes() == before
