from __future__ import annotations

import math

import pytest
import torch
from tokenizers import Tokenizer

from pixelrs_ros.config import MirasConfig, ScoreConfig
from pixelrs_ros.engine.choice import TokenChoice, mask_score
from pixelrs_ros.text.layout import ChatLayout
from pixelrs_ros.text.tokenizer import ASK, IMAGE, NONE


@pytest.fixture
def layout(debug_tokenizer: Tokenizer, debug_config: MirasConfig) -> ChatLayout:
    return ChatLayout(debug_tokenizer, debug_config.clip.num_patches, debug_config.text)


def logits(layout: ChatLayout, probabilities: dict[int, float]) -> torch.Tensor:
    values = torch.full((layout.vocab_size,), 1e-9)
    for token, probability in probabilities.items():
        values[token] = probability
    return values.log()


def test_a_question_back_must_beat_all_answers_together(layout: ChatLayout) -> None:
    here, this, mean = (token for token in range(layout.vocab_size - 3, layout.vocab_size))
    ask, none = layout.ids[ASK], layout.ids[NONE]
    choose = TokenChoice(layout, torch.device("cpu"))
    forms = logits(layout, {here: 0.25, this: 0.2, mean: 0.2, ask: 0.35})
    assert choose(forms, first=True) == (here, pytest.approx(0.25, abs=1e-4))
    assert choose(forms, first=False) == (
        ask,
        pytest.approx(0.35, abs=1e-4),
    )  # in mid-answer the likeliest token counts
    assert choose(logits(layout, {here: 0.25, this: 0.2, ask: 0.55}), first=True)[0] == ask
    assert choose(logits(layout, {here: 0.2, ask: 0.2, none: 0.6}), first=True)[0] == none


def test_what_may_not_be_said_is_never_chosen(layout: ChatLayout) -> None:
    here, image = layout.vocab_size - 1, layout.ids[IMAGE]
    choose = TokenChoice(layout, torch.device("cpu"))
    token, probability = choose(logits(layout, {image: 0.9, here: 0.1}), first=True)
    assert token == here
    assert probability == pytest.approx(1, abs=1e-4)


def test_scores_follow_the_fitted_line() -> None:
    assert mask_score(ScoreConfig(), quality=0.7, certainty=0.2) == pytest.approx(0.7)
    assert mask_score(ScoreConfig(), quality=1.0, certainty=1.0) == pytest.approx(1.0, abs=1e-5)
    fitted = ScoreConfig(intercept=-1.0, quality=0.5, certainty=2.0)
    log_odds = -1 + 0.5 * math.log(0.8 / 0.2) + 2 * math.log(0.9)
    assert mask_score(fitted, quality=0.8, certainty=0.9) == pytest.approx(1 / (1 + math.exp(-log_odds)))
    assert mask_score(fitted, quality=0.8, certainty=0.1) < mask_score(fitted, quality=0.8, certainty=0.9)
    assert 0 <= mask_score(fitted, quality=0.0, certainty=0.0) < 0.01
