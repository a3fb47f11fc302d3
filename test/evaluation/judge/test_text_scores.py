"""Metrics of text, against values that were worked out by hand."""

from __future__ import annotations

import math

import pytest

from pixelrs_ros.evaluation.judge.text_scores import score_texts


def test_the_same_words_are_worth_everything() -> None:
    found = score_texts(["The  red mug is here.", "Yes, on the left."], ["the red mug is here.", "Yes, on the left."])
    assert found.answers == 2 and found.exact_match == 100
    assert found.rouge_1 == found.rouge_l == pytest.approx(100)


def test_rouge_counts_words_and_their_order() -> None:
    found = score_texts(["mug red the"], ["the red mug"])
    assert found.exact_match == 0
    assert found.rouge_1 == pytest.approx(100)
    assert found.rouge_l == pytest.approx(100 / 3)


def test_bleu_is_of_the_corpus_and_says_how_it_was_made() -> None:
    # Of "a b c d e" in "a b c d f": 4/5, 3/4, 2/3, 1/2 of the n-grams; both are of one length.
    found = score_texts(["a b c d e"], ["a b c d f"])
    assert found.bleu == pytest.approx(100 * math.exp(sum(map(math.log, (4 / 5, 3 / 4, 2 / 3, 1 / 2))) / 4))
    assert "tok:13a" in found.bleu_signature


@pytest.mark.parametrize(("said", "wanted"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_each_answer_needs_its_like(said: list[str], wanted: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        score_texts(said, wanted)
