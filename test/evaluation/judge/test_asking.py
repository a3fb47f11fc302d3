"""Questions, answers that count and answers that do not, and a run that is taken up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from pydantic import BaseModel
from spoken_files import write_data, write_said

from pixelrs_ros.endpoint.journal import read_journal
from pixelrs_ros.errors import PixelrsError
from pixelrs_ros.evaluation.judge.asking import pair_questions, put, score_questions
from pixelrs_ros.evaluation.judge.talks import Talks, read_talks
from pixelrs_ros.evaluation.judge.verdicts import CRITERIA, Choice, Scores

GOOD = json.dumps({name: {"reason": "So it is.", "score": 4} for name in CRITERIA})
FIRST = json.dumps({"reason": "Nearer.", "better": "first"})


class Scripted:
    """Judges by a rule, and counts what it is asked."""

    def __init__(self, bad: Mapping[int, str | None] | None = None, **identity: Any) -> None:
        self.identity: Mapping[str, Any] = {"model": "scripted", **identity}
        self.asked: list[tuple[str, int]] = []
        self._bad = bad or {}
        self._lock = Lock()

    def ask(self, prompt: str, wanted: type[BaseModel], seed: int) -> str:
        with self._lock:
            self.asked.append((prompt, seed))
        bad = self._bad.get(seed, "")
        if bad is None:
            raise PixelrsError("the endpoint is gone")
        return bad or (GOOD if wanted is Scores else FIRST)


@pytest.fixture
def speakers(tmp_path: Path) -> tuple[Talks, Talks]:
    data = write_data(tmp_path / "mine")
    said = [[(f"Warm {i}?", f"The {what} mug.") for i in range(3)] for what in ("red", "blue")]
    paths = [
        write_said(tmp_path / f"{name}.json", data, each, name=name) for name, each in zip("ab", said, strict=True)
    ]
    first, second = (read_talks(path)[0] for path in paths)
    return first, second


def test_every_dialogue_is_asked_once_a_seed(speakers: tuple[Talks, Talks]) -> None:
    questions = score_questions(speakers[0], [3, 4])
    assert [(each.dialogue, each.seed) for each in questions] == [(i, seed) for seed in (3, 4) for i in range(3)]
    assert {each.wanted for each in questions} == {Scores}
    assert all(f"Warm {each.dialogue}?" in each.prompt for each in questions)


def test_every_pair_is_asked_in_both_orders(speakers: tuple[Talks, Talks]) -> None:
    questions = pair_questions(*speakers, [0])
    assert {each.wanted for each in questions} == {Choice}
    assert [each.speakers for each in questions] == [("a, test", "b, test"), ("b, test", "a, test")] * 3
    for straight, swapped in zip(questions[::2], questions[1::2], strict=True):
        assert straight.words == swapped.words[::-1]
        assert straight.prompt.index("red mug.") < straight.prompt.index("blue mug.")
        assert swapped.prompt.index("blue mug.") < swapped.prompt.index("red mug.")


def test_answers_under_other_conditions_are_no_pair(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    path = write_said(tmp_path / "c.json", tmp_path / "mine", [("Red.",)] * 3, name="c", condition="last turn only")
    assert pair_questions(speakers[0], read_talks(path)[0], [0]) == []


def test_a_judge_can_be_asked_about_the_data_itself(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    questions = pair_questions(speakers[0], read_talks(tmp_path / "mine")[0], [0])
    assert len(questions) == 6 and questions[0].speakers == ("a, test", "mine, test")


def test_nonsense_and_silence_are_errors_and_never_scores(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    judge = Scripted({1: "Five stars!", 2: None})
    questions = score_questions(speakers[0], [0, 1, 2])
    done: list[None] = []
    found = put(questions, judge, {}, tmp_path / "j.jsonl", at_once=2, on_progress=lambda: done.append(None))
    assert len(found) == len(done) == 9
    good, nonsense, silence = found[:3], found[3:6], found[6:]
    assert all(each.verdict is not None and not each.error and each.raw == GOOD for each in good)
    assert all(
        each.verdict is None and "'Five stars!'" in each.error and each.raw == "Five stars!" for each in nonsense
    )
    assert all(each.verdict is None and each.raw is None and each.error == "the endpoint is gone" for each in silence)
    written = [each.to_json() for each in found]
    assert json.loads(json.dumps(written)) == json.loads(json.dumps(written, default=str))
    assert written[0]["verdict"]["progressiveness"]["score"] == 4 and written[3]["verdict"] is None


def test_a_run_that_was_cut_off_is_taken_up_again(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    questions = score_questions(speakers[0], [0, 1])
    first = Scripted({1: None})
    put(questions, first, {}, journal, at_once=2)
    whole = journal.read_text()
    journal.write_text(whole.rstrip("\n")[:-5])  # killed while writing the last line
    again = Scripted()
    found = put(questions, again, read_journal(journal), journal, at_once=2)
    assert all(each.verdict for each in found)
    assert sorted(seed for _, seed in again.asked) == [0, 1, 1, 1]
    assert len(read_journal(journal)) == 6
    third = Scripted()
    assert put(questions, third, read_journal(journal), journal, at_once=2) == found
    assert third.asked == []


def test_another_judge_seed_or_word_is_another_question(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    journal = tmp_path / "j.jsonl"
    put(score_questions(speakers[0], [0]), Scripted(), {}, journal, at_once=1)
    for judge, talks, seed in (
        (Scripted(temperature=0.5), speakers[0], 0),
        (Scripted(), speakers[1], 0),
        (Scripted(), speakers[0], 1),
    ):
        put(score_questions(talks, [seed]), judge, read_journal(journal), tmp_path / "other.jsonl", at_once=1)
        assert len(judge.asked) == 3


def test_the_same_words_are_asked_about_once(speakers: tuple[Talks, Talks], tmp_path: Path) -> None:
    judge = Scripted()
    data = read_talks(tmp_path / "mine")[0]
    found = put(score_questions(data, [0]), judge, {}, tmp_path / "j.jsonl", at_once=3)
    assert len(found) == 3 and len(judge.asked) == 1
