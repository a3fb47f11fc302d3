"""What counts as a judge's answer, and what is an error."""

from __future__ import annotations

import json
import re

import pytest

from pixelrs_ros.errors import AnswerError
from pixelrs_ros.evaluation.judge.talks import Talk
from pixelrs_ros.evaluation.judge.verdicts import (
    CRITERIA,
    Choice,
    Scores,
    pair_prompt,
    prompt_hashes,
    read_verdict,
    score_prompt,
)

GOOD = {name: {"reason": "It comes nearer.", "score": score} for score, name in enumerate(CRITERIA, start=2)}
TALK = Talk(0, "a.jpg", "red mug", (), (("I am thirsty.", "Tea or ${x}?"), ("Tea.", "The red mug.")), shows=True)


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "I think so.\n{}\nThat is all."])
def test_scores_are_read_also_from_among_words(around: str) -> None:
    found = read_verdict(around.replace("{}", json.dumps(GOOD)), Scores)
    assert [getattr(found, name).score for name in CRITERIA] == [2, 3, 4, 5]
    assert found.progressiveness.reason == "It comes nearer."


@pytest.mark.parametrize("score", [0, 6, -1, 3.5, 4.0, "4", "four", None, True, [4]])
def test_what_is_no_number_from_1_to_5_is_an_error(score: object) -> None:
    bad = {**GOOD, "target_relevance": {"reason": "So it is.", "score": score}}
    with pytest.raises(AnswerError, match=r"target_relevance\.score"):
        read_verdict(json.dumps(bad), Scores)


@pytest.mark.parametrize("reason", ["", "  \n", None, 3])
def test_a_score_without_a_reason_is_an_error(reason: object) -> None:
    bad = {**GOOD, "progressiveness": {"reason": reason, "score": 4}}
    with pytest.raises(AnswerError, match=r"progressiveness\.reason"):
        read_verdict(json.dumps(bad), Scores)


@pytest.mark.parametrize(
    "raw",
    ["", "4", "5 out of 5!", "{", "}{", "{}", "[]", "[mask] is fine", json.dumps(list(GOOD)), json.dumps(GOOD)[:-20]],
)
def test_nonsense_is_an_error_that_quotes_it(raw: str) -> None:
    with pytest.raises(AnswerError, match=re.escape(repr(raw))):
        read_verdict(raw, Scores)


def test_a_missing_criterion_is_an_error_that_names_it() -> None:
    with pytest.raises(AnswerError, match="content_consistency"):
        read_verdict(json.dumps({name: GOOD[name] for name in CRITERIA if name != "content_consistency"}), Scores)


@pytest.mark.parametrize("better", ["first", "second", "tie"])
def test_a_choice_is_one_of_three(better: str) -> None:
    assert read_verdict(json.dumps({"reason": "Nearer.", "better": better}), Choice).better == better


@pytest.mark.parametrize("better", ["First", "A", "both", 1, None])
def test_any_other_choice_is_an_error(better: object) -> None:
    with pytest.raises(AnswerError, match="better"):
        read_verdict(json.dumps({"reason": "Nearer.", "better": better}), Choice)


def test_a_prompt_holds_the_dialogue_as_it_is() -> None:
    prompt = score_prompt(TALK)
    assert "end on red mug\n" in prompt
    assert "Person: I am thirsty.\nRobot: Tea or ${x}?\nPerson: Tea.\nRobot: The red mug. [mask]" in prompt
    assert all(name in prompt for name in CRITERIA)


def test_the_prompt_for_two_shows_them_in_their_order() -> None:
    other = Talk(0, "a.jpg", "red mug", (), (("I am thirsty.", "No."), ("Tea.", "I do not see that.")), shows=False)
    prompt = pair_prompt(TALK, other)
    assert prompt.index("<first>") < prompt.index("The red mug. [mask]") < prompt.index("<second>")
    assert prompt.index("<second>") < prompt.index("I do not see that.\n</second>")


def test_prompts_have_hashes_of_their_own() -> None:
    hashes = prompt_hashes()
    assert hashes.keys() == {"score", "pair"} and len(set(hashes.values())) == 2
